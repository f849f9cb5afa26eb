#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "become.h"
#include "submit.h"

#define ASKS "-asks"
#define BEGINS "-begins\n"

/* ---- what is run ---- */

/* Where distributions have it. */
#define SERVER "for s in /usr/lib/openssh/sftp-server "			\
	"/usr/libexec/openssh/sftp-server /usr/lib/ssh/sftp-server "	\
	"/usr/libexec/sftp-server /usr/lib/sftp-server; do "		\
	"[ -x \"$s\" ] && exec \"$s\"; done; "				\
	"echo no sftp-server is installed >&2; exit 1"

static char *
as_user(const struct become *b, const char *script)
{
	char *text;

	if (asprintf(&text, "exec sudo -H -S -p %s" ASKS " -u %s -- /bin/sh -c "
	    "'echo %s-begins >&2; %s'", b->mark, b->user, b->mark,
	    script) == -1)
		return NULL;
	return text;
}

char *
become_sftp(const struct copy *c)
{
	return c->become.user == NULL ? strdup("sftp") :
	    as_user(&c->become, SERVER);
}

/* Our own ones stand in single quotes already; others come as octal numbers,
 * in which no shell sees anything. */
char *
become_command(const struct copy *c, const char *command)
{
	static const char ours[] = "exec /bin/sh -c '";
	char *text, *coded, *script;
	size_t len = strlen(command);

	if (c->become.user == NULL)
		return strdup(command);
	if (strncmp(command, ours, sizeof(ours) - 1) == 0 &&
	    command[len - 1] == '\'') {
		if ((script = strndup(command + sizeof(ours) - 1,
		    len - sizeof(ours))) == NULL)
			return NULL;
	} else {
		if ((coded = script_octal(command)) == NULL)
			return NULL;
		if (asprintf(&script, "C=$(printf \"%sx\"); exec /bin/sh -c "
		    "\"${C%%x}\"", coded) == -1)
			script = NULL;
		free(coded);
		if (script == NULL)
			return NULL;
	}
	text = as_user(&c->become, script);
	free(script);
	return text;
}

/* ---- passwords ---- */

static void
refuse(struct host *h, const char *why)
{
	host_fail(h, FANOUT_C_AUTH, "sudo: %s", why);
	h->result.stage = FANOUT_S_AUTH;
	h->asks = false;
	(void)fanout_write_stop(h->copy->engine, h->job, h->job_host);
}

static void
give(struct host *h)
{
	const struct copy *c = h->copy;
	size_t n = strlen(c->become.password);

	h->asks = false;
	h->gave = true;
	if (fanout_write(c->engine, h->job, h->job_host, c->become.password,
	    n) != (ssize_t)n || fanout_write(c->engine, h->job, h->job_host,
	    "\n", 1) != 1)
		refuse(h, "the password could not be sent");
}

static void
answered(void *ctx, const char *text)
{
	struct copy *c = ctx;
	struct become *b = &c->become;
	size_t i;

	if (text == NULL || (b->password = cli_secret_new()) == NULL)
		b->refused = true;
	else
		(void)strlcpy(b->password, text, CLI_LINE_MAX + 1);
	for (i = 0; i < fanout_hosts_count(c->hosts); i++) {
		if (!c->at[i].asks)
			continue;
		if (b->refused)
			refuse(&c->at[i], "it wants a password, and none was "
			    "given (--become-password-fd reads one)");
		else
			give(&c->at[i]);
	}
}

static void
wants_password(struct host *h)
{
	struct become *b = &h->copy->become;

	if (h->failed)
		return;
	if (h->gave) {
		refuse(h, "wrong password");
		return;
	}
	h->asks = true;
	if (b->password != NULL)
		give(h);
	else if (b->refused)
		answered(h->copy, NULL);
	else if (!b->asked) {
		b->asked = true;
		cli_ask_put(b->ask, "Password for sudo (on all hosts that want "
		    "one): ", answered, h->copy);
	}
}

int
become_open(struct copy *c, struct fanout_error *e)
{
	struct become *b = &c->become;

	if (b->user == NULL)
		return 0;
	snprintf(b->mark, sizeof(b->mark), "fanout-%08x%08x", arc4random(),
	    arc4random());
	return b->password_fd == 0 ? 0 : cli_ask_read(&b->password,
	    (int)b->password_fd - 1, "become-password-fd", e);
}

void
become_close(struct copy *c)
{
	cli_secret_free(c->become.password);
	c->become.password = NULL;
}

/* ---- what it says ---- */

void
become_begin(struct host *h)
{
	h->waits_become = h->copy->become.user != NULL;
	h->gave = h->asks = false;
	h->heard_len = 0;
}

/* Is one of our marks the end of what was heard? */
static bool
ends_with(const struct host *h, const char *what)
{
	char mark[sizeof(h->copy->become.mark) + sizeof(BEGINS)];
	size_t n;

	snprintf(mark, sizeof(mark), "%s%s", h->copy->become.mark, what);
	n = strlen(mark);
	return h->heard_len >= n &&
	    memcmp(h->heard + h->heard_len - n, mark, n) == 0;
}

/* What is old is forgotten. */
static void
hear(struct host *h, char c)
{
	if (h->heard_len == sizeof(h->heard)) {
		memmove(h->heard, h->heard + sizeof(h->heard) / 2,
		    sizeof(h->heard) / 2);
		h->heard_len = sizeof(h->heard) / 2;
	}
	h->heard[h->heard_len++] = c;
}

size_t
become_hears(struct host *h, const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len && h->waits_become; i++) {
		hear(h, data[i]);
		if (ends_with(h, BEGINS))
			h->waits_become = false;
		else if (ends_with(h, ASKS)) {
			h->heard_len = 0;
			wants_password(h);
		}
	}
	return i;
}

/* sudo's own words are the last line. */
void
become_ended(struct host *h)
{
	char words[120];
	size_t from, to = h->heard_len, i;

	while (to > 0 && h->heard[to - 1] == '\n')
		to--;
	for (from = to; from > 0 && h->heard[from - 1] != '\n';)
		from--;
	if (to - from > 6 && memcmp(h->heard + from, "sudo: ", 6) == 0)
		from += 6;
	for (i = 0; from < to && i < sizeof(words) - 1; from++, i++)
		words[i] = h->heard[from] < ' ' || h->heard[from] > '~' ?
		    '?' : h->heard[from];
	words[i] = '\0';
	refuse(h, i > 0 ? words : "it gave no reason");
	h->waits_become = false;
}
