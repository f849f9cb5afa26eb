#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connect.h"
#include "error.h"

#define AT(member) offsetof(struct cli_connect, member)

static int
add(char **list, size_t *n, struct fanout_error *e, char *text)
{
	if (text == NULL)
		return cli_nomem(e);
	if (*n == CLI_SSH_OPTIONS) {
		free(text);
		return cli_error(e, FANOUT_ELIMIT, "more than %d of them",
		    CLI_SSH_OPTIONS);
	}
	list[(*n)++] = text;
	return 0;
}

/* The last one counts, as of other options; text begins with KEYWORD=. */
static int
add_explicit(struct cli_connect *c, struct fanout_error *e, char *text)
{
	size_t i, len;

	len = text != NULL ? strcspn(text, "=") + 1 : 0;
	for (i = 0; text != NULL && i < c->nexplicit; i++)
		if (strncmp(c->explicit[i], text, len) == 0) {
			free(c->explicit[i]);
			c->explicit[i] = text;
			return 0;
		}
	return add(c->explicit, &c->nexplicit, e, text);
}

/* Keyword="value", as ssh_config(5) quotes what may hold blanks. */
static int
add_keyword(struct cli_connect *c, const char *keyword, const char *value,
    struct fanout_error *e)
{
	char *text;

	if (*value == '\0')
		return cli_error(e, FANOUT_EINVAL, "it is empty");
	if (strpbrk(value, "\"\n") != NULL)
		return cli_error(e, FANOUT_EINVAL,
		    "a quote or newline cannot be passed on");
	if (asprintf(&text, "%s=\"%s\"", keyword, value) == -1)
		text = NULL;
	/* Of keys there may be several. */
	return strcmp(keyword, "IdentityFile") == 0 ?
	    add(c->explicit, &c->nexplicit, e, text) :
	    add_explicit(c, e, text);
}

static int
set_user(void *into, const char *value, struct fanout_error *e)
{
	return add_keyword(into, "User", value, e);
}

static int
set_port(void *into, const char *value, struct fanout_error *e)
{
	const char *why;

	strtonum(value, 1, 65535, &why);
	if (why != NULL)
		return cli_error(e, FANOUT_EINVAL,
		    "%s is %s (a number from 1 to 65535)", value, why);
	return add_keyword(into, "Port", value, e);
}

/* A key that is named but cannot be read is a mistake, not a wish. */
static int
readable(const char *path, struct fanout_error *e)
{
	FILE *fp;

	if ((fp = fopen(path, "re")) != NULL) {
		fclose(fp);
		return 0;
	}
	e->sys_errno = errno;
	return cli_error(e, FANOUT_ESYS, "%s: %s", path, strerror(errno));
}

static int
set_identity(void *into, const char *value, struct fanout_error *e)
{
	int rc;

	if (value[0] != '~' && (rc = readable(value, e)) != 0)
		return rc;
	return add_keyword(into, "IdentityFile", value, e);
}

static int
set_jump(void *into, const char *value, struct fanout_error *e)
{
	struct cli_connect *c = into;
	char *text;

	/* Taken as it stands: ssh_config(5) knows no quotes here. */
	if (*value == '\0' || strpbrk(value, "\"# \t\n") != NULL)
		return cli_error(e, FANOUT_EINVAL, "%s is not [USER@]HOST[:PORT]",
		    value);
	if (asprintf(&text, "ProxyJump=%s", value) == -1)
		text = NULL;
	return add_explicit(c, e, text);
}

static int
set_known_hosts(void *into, const char *value, struct fanout_error *e)
{
	((struct cli_connect *)into)->known_hosts = value;
	return add_keyword(into, "UserKnownHostsFile", value, e);
}

static int
set_accept_new(void *into, const char *value, struct fanout_error *e)
{
	(void)value;
	((struct cli_connect *)into)->accept_new = true;
	return add_keyword(into, "StrictHostKeyChecking", "accept-new", e);
}

static int
set_option(void *into, const char *value, struct fanout_error *e)
{
	struct cli_connect *c = into;

	if (strcspn(value, "= \t") == 0 || strpbrk(value, "= \t") == NULL)
		return cli_error(e, FANOUT_EINVAL,
		    "%s is not KEYWORD=VALUE", value);
	return add(c->given, &c->ngiven, e, strdup(value));
}

static int
set_ssh_config(void *into, const char *value, struct fanout_error *e)
{
	int rc;

	/* As ssh -F none. */
	if (strcmp(value, "none") != 0 && (rc = readable(value, e)) != 0)
		return rc;
	((struct cli_connect *)into)->ssh_config = value;
	return 0;
}

const struct cli_option cli_connect_options[] = {
	{ 'l', "user", "USER", "log in as this user",
	    CLI_CALL, 0, 0, 0, set_user },
	{ 0, "port", "PORT", "connect to this port",
	    CLI_CALL, 0, 0, 0, set_port },
	{ 0, "identity", "FILE", "log in with this private key",
	    CLI_CALL, 0, 0, 0, set_identity },
	{ 'J', "jump", "HOST", "reach them through this one; or HOST,HOST...",
	    CLI_CALL, 0, 0, 0, set_jump },
	{ 'F', "ssh-config", "FILE", "read this instead of ~/.ssh/config",
	    CLI_CALL, 0, 0, 0, set_ssh_config },
	{ 'o', "option", "KEYWORD=VALUE", "as in ssh_config(5)",
	    CLI_CALL, 0, 0, 0, set_option },
	{ 0, "known-hosts", "FILE", "where the host keys are known from",
	    CLI_CALL, 0, 0, 0, set_known_hosts },
	{ 0, "accept-new", NULL, "accept and keep the keys of unknown hosts",
	    CLI_CALL, 0, 0, 0, set_accept_new },
	{ 'f', "fanout", "N", "so many hosts at once (default 256)",
	    CLI_NUMBER, AT(window), 1, 100000, NULL },
	{ 't', "connect-timeout", "SEC", "to find and connect to a host",
	    CLI_SECONDS, AT(connect_ms), 0, 0, NULL },
	{ 0, "login-timeout", "SEC", "to log in, once connected",
	    CLI_SECONDS, AT(login_ms), 0, 0, NULL },
	{ 'u', "command-timeout", "SEC", "for the command (default: none)",
	    CLI_SECONDS, AT(command_ms), 0, 0, NULL },
	{ 0, "idle", "SEC", "without any output (default: none)",
	    CLI_SECONDS, AT(idle_ms), 0, 0, NULL },
	{ 0, "grace", "SEC", "from SIGTERM to SIGKILL at its end (default 2)",
	    CLI_SECONDS, AT(grace_ms), 0, 0, NULL },
	{ 0, "raw", NULL, "run nothing but the command: it is never killed",
	    CLI_FLAG, AT(raw), 0, 0, NULL },
	{ 0, "retries", "N", "try hosts that cannot be reached so often again",
	    CLI_NUMBER, AT(retries), 0, 100, NULL },
	{ 0, "rate", "N", "at most so many connections a second",
	    CLI_NUMBER, AT(rate), 1, 1000000, NULL },
	{ 0, "transport", "NAME", "auto (default), ssh2, openssh, local",
	    CLI_TEXT, AT(transport), 0, 0, NULL },
	{ 'v', "verbose", NULL, "say more; twice: even more",
	    CLI_COUNT, AT(verbose), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

const struct cli_option *
cli_connect_adapted(struct cli_option *table,
    bool (*adapt)(struct cli_option *))
{
	const struct cli_option *o;
	size_t n = 0;

	if (table[0].help != NULL)
		return table;
	for (o = cli_connect_options; o->help != NULL &&
	    n + 1 < CLI_CONNECT_OPTIONS; o++) {
		table[n] = *o;
		if (adapt(&table[n]))
			n++;
	}
	table[n] = (struct cli_option){ .help = NULL };
	return table;
}

/* The time to connect has two masters: the engine's own, and the keyword,
 * which would win if a configuration file had it. */
static int
apply_connect_ms(struct cli_connect *c, struct fanout_opts *o,
    struct fanout_error *e)
{
	char seconds[16];

	o->connect_ms = c->connect_ms;
	if (c->connect_ms == 0)
		return 0;
	if (o->resolve_ms == 0 || o->resolve_ms > c->connect_ms)
		o->resolve_ms = c->connect_ms;
	snprintf(seconds, sizeof(seconds), "%d",
	    c->connect_ms / 1000 + (c->connect_ms % 1000 != 0));
	return add_keyword(c, "ConnectTimeout", seconds, e);
}

int
cli_connect_apply(struct cli_connect *c, struct fanout_opts *o,
    struct fanout_error *e)
{
	size_t i, n = 0;
	int rc;

	/* A slip in its name would make all hosts look unknown. */
	if (c->known_hosts != NULL && !c->accept_new &&
	    c->known_hosts[0] != '~' && access(c->known_hosts, R_OK) == -1)
		return cli_error(e, FANOUT_ESYS, "--known-hosts: %s: %s",
		    c->known_hosts, strerror(errno));
	if (c->connect_ms != -1 && (rc = apply_connect_ms(c, o, e)) != 0)
		return rc;
	if (c->login_ms != -1)
		o->login_ms = c->login_ms;
	if (c->grace_ms != -1)
		o->grace_ms = c->grace_ms;
	if (c->raw)
		o->grace_ms = -1;
	o->idle_ms = c->idle_ms;
	o->command_ms = c->command_ms;
	o->window = c->window;
	o->connects_per_sec = c->rate;
	o->retries = c->retries;
	o->log_level = c->verbose;
	if (c->transport != NULL)
		o->transport = c->transport;
	o->ssh_config = c->ssh_config;
	for (i = 0; i < c->nexplicit; i++)
		c->all[n++] = c->explicit[i];
	for (i = 0; i < c->ngiven; i++)
		c->all[n++] = c->given[i];
	c->all[n] = NULL;
	o->ssh_options = c->all;
	return cli_ask_open(&c->ask, o, e);
}

void
cli_connect_newer_first(struct cli_connect *c, size_t older)
{
	char *list[CLI_SSH_OPTIONS];
	size_t newer = c->ngiven - older;

	memcpy(list, c->given, c->ngiven * sizeof(*list));
	memcpy(c->given, list + older, newer * sizeof(*list));
	memcpy(c->given + newer, list, older * sizeof(*list));
}

void
cli_connect_clear(struct cli_connect *c)
{
	size_t i;

	cli_ask_close(&c->ask);
	for (i = 0; i < c->nexplicit; i++)
		free(c->explicit[i]);
	for (i = 0; i < c->ngiven; i++)
		free(c->given[i]);
	c->nexplicit = c->ngiven = 0;
}
