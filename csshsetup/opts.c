#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/completion.h"
#include "cli/error.h"
#include "cli/history.h"
#include "csshsetup.h"

#define AT(member) offsetof(struct csshsetup, member)

/* What takes one of the target's options under another name. */
static int
set_file(void *into, const char *value, struct fanout_error *e)
{
	const struct cli_option *o = cli_target_options;

	while (strcmp(o->name, "hostfile") != 0)
		o++;
	return o->call(&((struct csshsetup *)into)->target, value, e);
}

static const struct cli_option setup_options_table[] = {
	{ 'f', "file", "FILE", "the hosts of a file, as --hostfile",
	    CLI_CALL, 0, 0, 0, set_file },
	{ 0, "key", "FILE", "the key to be trusted, made if it is not there",
	    CLI_TEXT, AT(key), 0, 0, NULL },
	{ 0, "type", "TYPE", "of a new key: ed25519 (default), ecdsa, rsa",
	    CLI_TEXT, AT(type), 0, 0, NULL },
	{ 0, "no-passphrase", NULL, "make a new key without a passphrase",
	    CLI_FLAG, AT(no_passphrase), 0, 0, NULL },
	{ 0, "options", "LIST", "what the key may do: 'from=\"10.0.0.0/8\",pty'",
	    CLI_TEXT, AT(options), 0, 0, NULL },
	{ 0, "expiry", "DATE", "until when: 20271231, never",
	    CLI_TEXT, AT(expiry), 0, 0, NULL },
	{ 0, "fingerprints", "FILE", "of the hosts' keys: HOST SHA256:...",
	    CLI_TEXT, AT(fingerprints), 0, 0, NULL },
	{ 0, "known-from", "HOST", "this one knows the hosts' keys",
	    CLI_TEXT, AT(known_from), 0, 0, NULL },
	{ 0, "sshfp", NULL, "DNS knows the hosts' keys, if it is validated",
	    CLI_FLAG, AT(sshfp), 0, 0, NULL },
	{ 'r', "mutual", NULL, "all of them trust each other",
	    CLI_FLAG, AT(mutual), 0, 0, NULL },
	{ 0, "hub", "HOST", "all of them trust this one, which trusts them",
	    CLI_TEXT, AT(hub), 0, 0, NULL },
	{ 0, "verify", NULL, "change nothing, tell who can log in where",
	    CLI_FLAG, AT(verify), 0, 0, NULL },
	{ 0, "rotate", NULL, "replace our key: new one in, proven, old one out",
	    CLI_FLAG, AT(rotate), 0, 0, NULL },
	{ 0, "revoke", "KEY", "take out a key, by FILE, fingerprint, comment or host",
	    CLI_TEXT, AT(revoke), 0, 0, NULL },
	{ 0, "audit", NULL, "change nothing, tell which keys may log in where",
	    CLI_FLAG, AT(audit), 0, 0, NULL },
	{ 0, "known-keys", "FILE", "public keys that are in order, for --audit",
	    CLI_TEXT, AT(known_keys), 0, 0, NULL },
	{ 0, "dry-run", NULL, "only tell what would change",
	    CLI_FLAG, AT(dry_run), 0, 0, NULL },
	{ 0, "json", NULL, "print events as JSON, one a line",
	    CLI_FLAG, AT(look.json), 0, 0, NULL },
	{ 0, "color", "WHEN", "auto (default), always, never",
	    CLI_TEXT, AT(look.color), 0, 0, NULL },
	{ 0, "no-progress", NULL, "no line that says how far it is",
	    CLI_FLAG, AT(look.no_progress), 0, 0, NULL },
	{ 0, "completion", "SHELL", "print what bash, zsh or fish completes by",
	    CLI_TEXT, AT(completion), 0, 0, NULL },
	{ 'h', "help", NULL, "show this",
	    CLI_FLAG, AT(help), 0, 0, NULL },
	{ 'V', "version", NULL, "show the version",
	    CLI_FLAG, AT(version), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

/* -f is the file of hosts here; --fanout is there by its name. */
static bool
adapt(struct cli_option *o)
{
	if (o->letter == 'f')
		o->letter = 0;
	return true;
}

static const struct cli_option *
connect_options(void)
{
	static struct cli_option table[CLI_CONNECT_OPTIONS];

	return cli_connect_adapted(table, adapt);
}

#define GROUPS(c) {						\
	{ "Setting up:", setup_options_table, (c) },		\
	{ "Hosts:", cli_target_options, &(c)->target },		\
	{ "Hosts, only shown; nothing is done:",		\
	    cli_show_options, &(c)->target },			\
	{ "Hosts that are down:",				\
	    cli_dead_options, &(c)->target.dead },		\
	{ "Connection:", connect_options(), &(c)->connect },	\
	{ "Passwords:", cli_ask_options, &(c)->connect.ask },	\
	{ "Reports and retries:", cli_report_options,		\
	    &(c)->again.report },				\
	{ NULL, NULL, NULL }					\
}

void
setup_usage(FILE *fp)
{
	static struct csshsetup none;
	const struct cli_group groups[] = GROUPS(&none);

	cli_usage(fp, "csshsetup [OPTION]... [HOST]...", groups);
}

int
setup_completion(const char *shell)
{
	static struct csshsetup none;
	const struct cli_group groups[] = GROUPS(&none);

	return cli_completion(shell, groups, false);
}

/* "20271231" or "202712311800", as sshd(8) takes it. */
static int
check_expiry(const char *date, struct fanout_error *e)
{
	size_t n;

	if (date == NULL || strcmp(date, "never") == 0)
		return 0;
	n = strspn(date, "0123456789");
	if (date[n] != '\0' || (n != 8 && n != 12))
		return cli_error(e, FANOUT_EINVAL, "--expiry \"%.40s\": "
		    "YYYYMMDD, or YYYYMMDDHHMM (the host's local time), or "
		    "never", date);
	return 0;
}

/* Blanks end the options of a key, but within quotes. */
static int
check_list(const char *list, struct fanout_error *e)
{
	bool quoted = false;
	const char *p;

	if (list == NULL)
		return 0;
	for (p = list; *p != '\0'; p++) {
		if (*p == '\\' && p[1] == '"')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (iscntrl((unsigned char)*p) || (*p == ' ' && !quoted))
			break;
	}
	if (*p != '\0' || quoted || *list == '\0' || *list == '#')
		return cli_error(e, FANOUT_EINVAL, "--options \"%.80s\": as in "
		    "authorized_keys, separated by commas; blanks only within "
		    "double quotes; none takes away what there is", list);
	return 0;
}

static int
choose_mode(struct csshsetup *c, struct fanout_error *e)
{
	if (c->verify + c->rotate + c->audit + (c->revoke != NULL) > 1)
		return cli_error(e, FANOUT_EINVAL, "--verify, --rotate, "
		    "--revoke and --audit exclude each other");
	c->mode = c->verify ? SETUP_VERIFY : c->rotate ? SETUP_ROTATE :
	    c->audit ? SETUP_AUDIT : c->revoke != NULL ? SETUP_REVOKE :
	    SETUP_TRUST;
	if (c->mutual && c->hub != NULL)
		return cli_error(e, FANOUT_EINVAL, "-r is all to all, --hub "
		    "one to all: one of them");
	if ((c->mutual || c->hub != NULL) && c->again.report.retry != NULL &&
	    strcmp(c->again.report.retry, "all") != 0)
		return cli_error(e, FANOUT_EINVAL, "--retry %.40s: that run "
		    "was about all of its hosts, as members; --retry all "
		    "touches only what is left", c->again.report.retry);
	if ((c->mutual || c->hub != NULL) && c->mode > SETUP_VERIFY)
		return cli_error(e, FANOUT_EINVAL, "-r and --hub go with no "
		    "option but --verify");
	return 0;
}

static int
check_type(const char *type, struct fanout_error *e)
{
	static const char *const types[] = { "ed25519", "ecdsa", "rsa",
	    "ed25519-sk", "ecdsa-sk", NULL };
	size_t i;

	for (i = 0; type != NULL && types[i] != NULL; i++)
		if (strcmp(type, types[i]) == 0)
			return 0;
	return type == NULL ? 0 : cli_error(e, FANOUT_EINVAL, "--type %.40s: "
	    "ed25519, ecdsa, rsa, ed25519-sk or ecdsa-sk", type);
}

/* A rotation that is not over names its hosts itself. */
static int
go_on(struct csshsetup *c, struct fanout_error *e)
{
	char *key;
	int rc = 0;

	if (c->mode != SETUP_ROTATE || c->target.named || c->words[0] != NULL)
		return 0;
	if ((key = key_path(c, e)) == NULL)
		return e->code;
	if (asprintf(&c->list, "%s.rotate", key) == -1) {
		c->list = NULL;
		rc = cli_nomem(e);
	} else if (access(c->list, F_OK) == 0)
		rc = set_file(c, c->list, e);
	free(key);
	return rc;
}

static int
add_words(struct csshsetup *c, struct fanout_error *e)
{
	const struct cli_option *o = cli_target_options;
	char **word;
	int rc;

	while (strcmp(o->name, "hosts") != 0)
		o++;
	for (word = c->words; *word != NULL; word++) {
		if (strncmp(*word, "--", 2) == 0 && (*word)[2] != '\0')
			return cli_error(e, FANOUT_EINVAL, "%.60s: options "
			    "come before the hosts", *word);
		if ((rc = o->call(&c->target, *word, e)) != 0)
			return rc;
	}
	return 0;
}

static int
begin(void *self, char **argv, struct fanout_error *e)
{
	struct csshsetup *c = self;

	*c = (struct csshsetup){ .connect = CLI_CONNECT_INIT };
	return cli_target_init(&c->target, argv, e);
}

/* A retry may begin in another folder; free(3). NULL: no memory. */
static char *
absolute(const char *path)
{
	char *here, *all;

	if (*path == '/' || (here = getcwd(NULL, 0)) == NULL)
		return strdup(path);
	if (asprintf(&all, "%s/%s", here, path) == -1)
		all = NULL;
	free(here);
	return all;
}

static int
note(void *ctx, const struct cli_group *g, const struct cli_option *o,
    const char *value)
{
	struct csshsetup *c = ctx;
	char *path;
	int rc;

	if (g->options != setup_options_table)
		return cli_again_note(&c->again, g, o, value);
	if (o->call == set_file)
		return 0;	/* hosts, which the run names itself */
	if (o->arg == NULL || strcmp(o->arg, "FILE") != 0)
		return cli_again_note(&c->again, g, o, value);
	if ((path = absolute(value)) == NULL)
		return -1;
	rc = cli_again_note(&c->again, g, o, path);
	free(path);
	return rc;
}

static int
parse(void *self, int argc, char **argv, struct fanout_error *e)
{
	struct csshsetup *c = self;
	const struct cli_group groups[] = GROUPS(c);
	int rc, rest;

	if ((rc = cli_parse_noting(groups, argc, argv, &rest, note, c,
	    e)) == 0)
		c->words = argv + rest;
	return rc;
}

static void
clear(void *self)
{
	setup_clear(self);
}

static int
run(void *self, const struct fanout_hosts *hosts)
{
	return setup_hosts(self, hosts);
}

struct cli_tool
setup_tool(struct csshsetup *c)
{
	return (struct cli_tool){ .self = c, .target = &c->target,
	    .connect = &c->connect, .look = &c->look, .again = &c->again,
	    .begin = begin, .parse = parse, .clear = clear, .run = run };
}

const char *
setup_command(const struct csshsetup *c)
{
	switch (c->mode) {
	case SETUP_VERIFY:
		return "verify trust";
	case SETUP_ROTATE:
		return "rotate the key";
	case SETUP_REVOKE:
		return "revoke a key";
	case SETUP_AUDIT:
		return "audit keys";
	case SETUP_TRUST:
	default:
		return c->mutual ? "set up mutual trust" : "set up trust";
	}
}

static int
retry(struct csshsetup *c, int argc, char **argv, struct fanout_error *e)
{
	const struct cli_tool t = setup_tool(c);

	if (c->words[0] != NULL && c->words[1] != NULL)
		return cli_error(e, FANOUT_EINVAL, "--retry takes the ID of a "
		    "run, not hosts: they are those of the run");
	return cli_again_load(&t, argc, argv, c->words[0], e);
}

int
setup_options(struct csshsetup *c, int argc, char **argv,
    struct fanout_error *e)
{
	int rc;

	if ((rc = begin(c, argv, e)) != 0 ||
	    (rc = parse(c, argc, argv, e)) != 0 ||
	    (rc = cli_history_check(&c->again.report, e)) != 0)
		return rc;
	if (c->help || c->version || c->completion != NULL ||
	    cli_history_acts(&c->again.report) ||
	    cli_dead_acts(&c->target.dead))
		return 0;
	rc = c->again.report.retry != NULL ? retry(c, argc, argv, e) :
	    add_words(c, e);
	if (rc != 0 || (rc = check_expiry(c->expiry, e)) != 0 ||
	    (rc = check_type(c->type, e)) != 0 ||
	    (rc = choose_mode(c, e)) != 0 || (rc = go_on(c, e)) != 0)
		return rc;
	return check_list(c->options, e);
}

void
setup_clear(struct csshsetup *c)
{
	cli_target_clear(&c->target);
	cli_connect_clear(&c->connect);
	cli_again_clear(&c->again);
	free(c->list);
}
