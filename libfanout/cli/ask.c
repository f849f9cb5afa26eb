#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "error.h"
#include "roster.h"

#define AT(member) offsetof(struct cli_ask, member)

int
cli_ask_fd(unsigned *fd, const char *value, struct fanout_error *e)
{
	const char *why;
	unsigned n = (unsigned)strtonum(value, 0, INT_MAX - 1, &why);

	if (why != NULL)
		return cli_error(e, FANOUT_EINVAL, "%s is %s (the number of "
		    "an open descriptor)", value, why);
	*fd = n + 1;
	return 0;
}

static int
set_fd(void *into, const char *value, struct fanout_error *e)
{
	return cli_ask_fd(&((struct cli_ask *)into)->password_fd, value, e);
}

const struct cli_option cli_ask_options[] = {
	{ 0, "ask-password", NULL, "ask once for a password, if a host wants one",
	    CLI_FLAG, AT(once), 0, 0, NULL },
	{ 0, "ask-each", NULL, "ask for a password for each host that wants one",
	    CLI_FLAG, AT(each), 0, 0, NULL },
	{ 0, "password-fd", "N", "read the password from this descriptor",
	    CLI_CALL, 0, 0, 0, set_fd },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

/* ---- passphrases: an engine asks once, but there may be more than one ---- */

struct cli_phrase {
	struct cli_phrase *next;
	char	*path, *text;
};

static struct cli_phrase **
find_phrase(struct cli_ask *a, const char *path)
{
	struct cli_phrase **p = &a->phrases;

	while (*p != NULL && strcmp((*p)->path, path) != 0)
		p = &(*p)->next;
	return p;
}

static void
forget_phrase(struct cli_phrase **at)
{
	struct cli_phrase *p = *at;

	*at = p->next;
	free(p->path);
	cli_secret_free(p->text);
	free(p);
}

/* Without memory it is asked for once more. */
static void
keep_phrase(struct cli_ask *a, const char *path, const char *text)
{
	struct cli_phrase **at = find_phrase(a, path), *p;

	if (*at != NULL)
		forget_phrase(at);
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return;
	p->next = a->phrases;
	a->phrases = p;
	if ((p->path = strdup(path)) == NULL ||
	    (p->text = cli_secret_new()) == NULL) {
		p->text = NULL;
		forget_phrase(&a->phrases);
		return;
	}
	(void)strlcpy(p->text, text, CLI_LINE_MAX + 1);
}

/* ---- opening ----------------------------------------------------------- */

/* Byte by byte: what follows may be for somebody else. */
int
cli_ask_read(char **out, int fd, const char *option, struct fanout_error *e)
{
	size_t len = 0;
	ssize_t n = 0;
	char c, *text;

	if ((*out = text = cli_secret_new()) == NULL)
		return cli_nomem(e);
	while (len < CLI_LINE_MAX && (n = read(fd, &c, 1)) == 1 && c != '\n')
		text[len++] = c;
	explicit_bzero(&c, sizeof(c));
	if (n == -1)
		return cli_error(e, FANOUT_ESYS, "--%s %d: %s", option, fd,
		    strerror(errno));
	if (len > 0 && text[len - 1] == '\r')
		text[--len] = '\0';
	if (len == 0)
		return cli_error(e, FANOUT_EINVAL, "--%s %d: there is no "
		    "password in it", option, fd);
	if (len == CLI_LINE_MAX)
		return cli_error(e, FANOUT_ELIMIT, "--%s %d: more than %d "
		    "bytes", option, fd, CLI_LINE_MAX - 1);
	return 0;
}

int
cli_ask_open(struct cli_ask *a, struct fanout_opts *o, struct fanout_error *e)
{
	bool tty = cli_terminal_open(&a->terminal) == 0;
	int rc;

	TAILQ_INIT(&a->queue);
	a->out_tty = isatty(STDOUT_FILENO);
	a->err_tty = isatty(STDERR_FILENO);
	if ((a->once || a->each) && !tty)
		return cli_error(e, FANOUT_EINVAL, "there is no terminal to "
		    "ask for a password on (--password-fd reads one)");
	if ((a->once + a->each + (a->password_fd > 0)) > 1)
		return cli_error(e, FANOUT_EINVAL, "--ask-password, --ask-each "
		    "and --password-fd exclude each other");
	if (a->password_fd > 0 && (rc = cli_ask_read(&a->password,
	    (int)a->password_fd - 1, "password-fd", e)) != 0)
		return rc;
	if (tty)
		o->can_answer |= FANOUT_CAN_ANSWER(FANOUT_ASK_PASSPHRASE) |
		    FANOUT_CAN_ANSWER(FANOUT_ASK_HOSTKEY);
	if (a->once || a->each || a->password_fd > 0)
		o->can_answer |= FANOUT_CAN_ANSWER(FANOUT_ASK_PASSWORD) |
		    FANOUT_CAN_ANSWER(FANOUT_ASK_PROMPT);
	return 0;
}

void
cli_ask_start(struct cli_ask *a, struct fanout *f)
{
	a->f = f;
	a->resting = false;
}

static void
drop(struct cli_ask *a, struct cli_question *q)
{
	if (a->shown == q) {
		a->shown = NULL;
		cli_terminal_hide(&a->terminal, false);
	}
	TAILQ_REMOVE(&a->queue, q, link);
	free(q->name);
	free((void *)(uintptr_t)q->ask.prompt);
	free((void *)(uintptr_t)q->ask.instruction);
	free((void *)(uintptr_t)q->ask.path);
	free((void *)(uintptr_t)q->ask.key_type);
	free((void *)(uintptr_t)q->ask.fingerprint);
	free(q);
}

void
cli_ask_rest(struct cli_ask *a)
{
	struct cli_question *q;

	while (a->queue.tqh_last != NULL &&
	    (q = TAILQ_FIRST(&a->queue)) != NULL)
		drop(a, q);
	a->since = a->last = 0;
	a->resting = true;
	if (!a->wrong)
		return;
	cli_secret_free(a->password);
	a->password = NULL;
	a->wrong = false;
}

void
cli_ask_close(struct cli_ask *a)
{
	cli_ask_rest(a);
	while (a->phrases != NULL)
		forget_phrase(&a->phrases);
	cli_secret_free(a->password);
	a->password = NULL;
	a->no_password = true;
	cli_terminal_close(&a->terminal);
}

/* ---- questions that come ----------------------------------------------- */

void
cli_ask_answer(struct cli_ask *a, struct cli_question *q, const char *text)
{
	void (*answer)(void *, const char *) = q->answer;
	void *ctx = q->ctx;

	/* That nobody waits for it any more is no matter. */
	if (answer == NULL)
		(void)fanout_answer(a->f, q->ask.id, text);
	drop(a, q);
	if (answer != NULL)
		answer(ctx, text);
}

/* Does the prompt want what a password is? Others (codes, new passwords) are
 * not answered with it. */
static bool
wants_password(const struct fanout_ask *ask)
{
	static const char *const not[] = { "new", "retype", "again", "change",
	    "expired", "current", "one-time", "otp", "code" };
	size_t i;

	if (ask->kind == FANOUT_ASK_PASSWORD)
		return true;
	if (ask->kind != FANOUT_ASK_PROMPT || ask->echo)
		return false;
	for (i = 0; i < sizeof(not) / sizeof(not[0]); i++)
		if (strcasestr(ask->prompt, not[i]) != NULL)
			return false;
	return strcasestr(ask->prompt, "passwor") != NULL;
}

bool
cli_ask_for_all(const struct cli_ask *a, const struct fanout_ask *ask)
{
	return !a->each && wants_password(ask);
}

/* One that was right before, or seemed so. */
static bool
answer_phrase(struct cli_ask *a, struct cli_question *q)
{
	struct cli_phrase **p;

	if (q->ask.kind != FANOUT_ASK_PASSPHRASE ||
	    *(p = find_phrase(a, q->ask.path)) == NULL)
		return false;
	if (q->ask.attempt > 1) {
		forget_phrase(p);
		return false;
	}
	cli_ask_answer(a, q, (*p)->text);
	return true;
}

/* What needs no terminal: true when it was answered. */
static bool
answer_now(struct cli_ask *a, struct cli_question *q)
{
	const struct fanout_ask *ask = &q->ask;

	if (cli_ask_for_all(a, ask)) {
		/* Sent once, it was wrong: never again on this host. */
		a->wrong |= ask->attempt > 1;
		if (ask->attempt > 1 || a->no_password)
			cli_ask_answer(a, q, NULL);
		else if (a->password != NULL)
			cli_ask_answer(a, q, a->password);
		else
			return false;
	} else if (answer_phrase(a, q))
		return true;
	else if (a->terminal.fd == -1)
		cli_ask_answer(a, q, NULL);
	else
		return false;
	return true;
}

static void
take(struct cli_ask *a, const struct fanout_event *ev)
{
	struct cli_question *q;

	if (a->resting || (q = calloc(1, sizeof(*q))) == NULL) {
		(void)fanout_answer(a->f, ev->ask->id, NULL);
		return;
	}
	q->job = ev->job;
	q->host = ev->host;
	q->ask = *ev->ask;
	q->ask.user = NULL;
	TAILQ_INSERT_TAIL(&a->queue, q, link);
	q->name = strdup(ev->name);
	q->ask.prompt = strdup(ev->ask->prompt);
	q->ask.instruction = strdup(ev->ask->instruction);
	q->ask.path = strdup(ev->ask->path);
	q->ask.key_type = strdup(ev->ask->key_type);
	q->ask.fingerprint = strdup(ev->ask->fingerprint);
	if (q->name == NULL || q->ask.prompt == NULL ||
	    q->ask.instruction == NULL || q->ask.path == NULL ||
	    q->ask.key_type == NULL || q->ask.fingerprint == NULL) {
		cli_ask_answer(a, q, NULL);
		return;
	}
	if (ev->ask->kind == FANOUT_ASK_HOSTKEY) {
		a->last = cli_now();
		if (a->since == 0)
			a->since = a->last;
	}
	(void)answer_now(a, q);
}

void
cli_ask_put(struct cli_ask *a, const char *prompt,
    void (*answer)(void *, const char *), void *ctx)
{
	struct cli_question *q = calloc(1, sizeof(*q));

	if (q == NULL || a->resting || a->terminal.fd == -1 ||
	    (q->ask.prompt = strdup(prompt)) == NULL) {
		free(q);
		answer(ctx, NULL);
		return;
	}
	q->ask.attempt = 1;
	q->ask.instruction = NULL;
	q->host = FANOUT_NOHOST;
	q->answer = answer;
	q->ctx = ctx;
	TAILQ_INSERT_TAIL(&a->queue, q, link);
}

/* The host went its way without an answer. */
static void
forget_host(struct cli_ask *a, const struct fanout_event *ev)
{
	struct cli_question *q, *next;

	for (q = TAILQ_FIRST(&a->queue); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		if (q->job != ev->job || q->host != ev->host)
			continue;
		if (a->shown == q)
			cli_terminal_say(&a->terminal, "\n");
		drop(a, q);
	}
}

void
cli_ask_event(struct cli_ask *a, const struct fanout_event *ev)
{
	if (ev->kind == FANOUT_EV_ASK)
		take(a, ev);
	else if (ev->kind == FANOUT_EV_DONE && !TAILQ_EMPTY(&a->queue))
		forget_host(a, ev);
}

void
cli_ask_shown(struct cli_ask *a, const struct fanout_event *ev)
{
	if (ev->kind == FANOUT_EV_OUT)
		a->stale |= a->out_tty;
	else if (ev->kind == FANOUT_EV_ERR || ev->kind == FANOUT_EV_LOG ||
	    (ev->kind == FANOUT_EV_DONE && ev->result->cls != FANOUT_C_OK))
		a->stale |= a->err_tty;
}

void
cli_ask_again(struct cli_ask *a)
{
	a->stale = true;
}

bool
cli_ask_busy(const struct cli_ask *a)
{
	return a->f != NULL && !TAILQ_EMPTY(&a->queue);
}

/* ---- on the terminal --------------------------------------------------- */

static void
show(struct cli_ask *a)
{
	struct cli_question *q = a->shown;
	const struct fanout_ask *ask = &q->ask;
	const struct cli_terminal *t = &a->terminal;

	a->stale = false;
	if (ask->kind == FANOUT_ASK_HOSTKEY) {
		cli_hostkeys_show(a);
		return;
	}
	/* First: it throws away what was typed before. */
	cli_terminal_hide(&a->terminal, !ask->echo);
	if (ask->attempt > 1)
		cli_terminal_say(t, ask->kind == FANOUT_ASK_PASSPHRASE ?
		    "That is not its passphrase.\n" :
		    "That was refused, please try again.\n");
	if (ask->instruction != NULL && ask->instruction[0] != '\0') {
		cli_terminal_say(t, ask->instruction);
		cli_terminal_say(t, "\n");
	}
	cli_terminal_say(t, cli_ask_for_all(a, ask) ?
	    "Password (for all hosts that want one): " : ask->prompt);
}

/* The password for all: whoever wants it gets it now. */
static void
spread(struct cli_ask *a, const char *line)
{
	struct cli_question *q, *next;

	a->no_password = line == NULL ||
	    (a->password = cli_secret_new()) == NULL;
	if (!a->no_password)
		(void)strlcpy(a->password, line, CLI_LINE_MAX + 1);
	for (q = TAILQ_FIRST(&a->queue); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		(void)answer_now(a, q);
	}
}

/* A line was typed; NULL: the end of all input. */
static void
typed(struct cli_ask *a, const char *line)
{
	struct cli_question *q = a->shown;

	if (!q->ask.echo)
		cli_terminal_say(&a->terminal, "\n");
	cli_terminal_hide(&a->terminal, false);
	if (line != NULL && *line == '\0' && !q->ask.echo)
		line = NULL;		/* as ssh: nothing is a refusal */
	a->shown = NULL;
	if (q->ask.kind == FANOUT_ASK_HOSTKEY)
		cli_hostkeys_answer(a, line);
	else if (cli_ask_for_all(a, &q->ask))
		spread(a, line);
	else {
		if (q->ask.kind == FANOUT_ASK_PASSPHRASE && line != NULL)
			keep_phrase(a, q->ask.path, line);
		cli_ask_answer(a, q, line);
	}
	cli_terminal_wipe(&a->terminal);
}

/* Which is next: keys of hosts only once no more of them come. */
static int
choose(struct cli_ask *a)
{
	struct cli_question *q;
	int wait = -1;

	TAILQ_FOREACH(q, &a->queue, link) {
		if (q->ask.kind != FANOUT_ASK_HOSTKEY ||
		    (wait = cli_hostkeys_wait(a)) == 0) {
			a->shown = q;
			show(a);
			return -1;
		}
	}
	return wait;
}

static int
sooner(int a, int b)
{
	return a == -1 ? b : b == -1 || a < b ? a : b;
}

void
cli_ask_wait(struct cli_ask *a, int timeout_ms)
{
	struct pollfd pfd[2] = {
		{ .fd = fanout_fd(a->f), .events = POLLIN },
		{ .fd = -1, .events = POLLIN }
	};
	int rc;

	if (a->shown == NULL)
		timeout_ms = sooner(timeout_ms, choose(a));
	else if (a->stale)
		show(a);
	if (a->shown != NULL) {
		pfd[1].fd = a->terminal.fd;
		cli_terminal_hide(&a->terminal, !a->shown->ask.echo);
	}
	if (poll(pfd, 2, timeout_ms) <= 0 || pfd[1].revents == 0)
		return;
	if ((rc = cli_terminal_read(&a->terminal)) != 0)
		typed(a, rc == 1 ? a->terminal.line : NULL);
}
