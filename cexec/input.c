#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "input.h"

#define PIECE 65536
#define HELD_MOST 4096		/* of a line that may be a question */

enum state {
	BEFORE,		/* not begun */
	SCRIPT,		/* the script is on its way */
	WAITS,		/* until the command begins */
	ASKS,		/* for the password, which is not known yet */
	RUNS,		/* the input is the command's */
	REFUSED		/* no command will begin */
};

struct input_host {
	size_t	 at;		/* in its job */
	enum state state;
	bool	 sent;		/* the password */
	int	 fd;		/* its own file; -1: none */
	off_t	 off;		/* given: of the script, then of the file */
	uint64_t ours;		/* bytes that were not the command's */
	char	*held;		/* output that may be the begin of a mark */
	size_t	 nheld;
	char	 line[120];	/* the last one before the command began */
	char	 why[160];	/* "": all went well here */
};

int
input_open(struct input *in, size_t n)
{
	size_t i;

	in->nhosts = n;
	if ((in->hosts = calloc(n, sizeof(*in->hosts))) == NULL)
		return -1;
	for (i = 0; i < n; i++)
		in->hosts[i].fd = -1;
	return 0;
}

static void
forget(struct input_host *h)
{
	if (h->fd != -1)
		close(h->fd);
	h->fd = -1;
	free(h->held);
	h->held = NULL;
	h->nheld = 0;
}

void
input_rest(struct input *in)
{
	size_t i;

	for (i = 0; in->hosts != NULL && i < in->nhosts; i++)
		forget(&in->hosts[i]);
	free(in->hosts);
	free(in->map);
	free(in->shown);
	in->hosts = NULL;
	in->map = NULL;
	in->shown = NULL;
	in->nshown = in->cap = 0;
	in->asked = in->refused = false;
	if (!in->wrong)
		return;
	cli_secret_free(in->password);
	in->password = NULL;
	in->wrong = false;
}

void
input_close(struct input *in)
{
	input_rest(in);
	cli_secret_free(in->password);
	in->password = NULL;
}

int
input_begin(void *ctx, struct fanout *engine, const struct fanout_hosts *set,
    const size_t *map, const struct fanout_cmd *like, struct fanout_error *e)
{
	struct fanout_cmd cmd = *like;
	struct input *in = ctx;
	size_t n = fanout_hosts_count(set);

	in->engine = engine;
	free(in->map);
	in->map = NULL;
	if (map != NULL) {
		in->map = reallocarray(NULL, n + 1, sizeof(*in->map));
		if (in->map == NULL)
			return cli_nomem(e);
		memcpy(in->map, map, n * sizeof(*map));
	}
	cmd.own_input = true;
	return fanout_submit(engine, set, &cmd, &in->job, e);
}

/* ---- giving -------------------------------------------------------------- */

static void
stop(struct input *in, struct input_host *h)
{
	(void)fanout_write_stop(in->engine, in->job, h->at);
}

/* What cannot be read here fails this host alone. */
static void
cannot_read(struct input *in, struct input_host *h, const char *path)
{
	snprintf(h->why, sizeof(h->why), "%s: %s", path, strerror(errno));
	stop(in, h);
}

static void
give_file(struct input *in, struct input_host *h, const char *path)
{
	static char piece[PIECE];
	ssize_t n, took;

	while ((n = pread(h->fd, piece, sizeof(piece), h->off)) > 0) {
		took = fanout_write(in->engine, in->job, h->at, piece,
		    (size_t)n);
		if (took > 0)
			h->off += took;
		if (took < n)
			return;
	}
	if (n == -1)
		cannot_read(in, h, path);
	else
		stop(in, h);
	close(h->fd);
	h->fd = -1;
}

static void
release(struct input *in, struct input_host *h)
{
	const char *path = in->files != NULL ? in->files[h - in->hosts] : NULL;

	h->state = RUNS;
	h->off = 0;
	if (path == NULL)
		(void)fanout_write_end(in->engine, in->job, h->at);
	else if ((h->fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		cannot_read(in, h, path);
	else
		give_file(in, h, path);
}

static void
give_script(struct input *in, struct input_host *h)
{
	size_t left = in->wrap->size - (size_t)h->off;
	ssize_t took;

	took = fanout_write(in->engine, in->job, h->at,
	    (const char *)in->script + h->off, left);
	if (took > 0) {
		h->off += took;
		h->ours += (uint64_t)took;
	}
}

/* It begins, or there is room again. */
static void
give(struct input *in, struct input_host *h)
{
	if (h->state == BEFORE)
		h->state = in->wrap->script != NULL ? SCRIPT :
		    in->wrap->how != BECOME_NOBODY ? WAITS : RUNS;
	else if (h->state == RUNS) {
		if (h->fd != -1)
			give_file(in, h, in->files[h - in->hosts]);
		return;
	}
	if (h->state == SCRIPT)
		give_script(in, h);
	else if (h->state == RUNS)
		release(in, h);
}

/* ---- passwords ----------------------------------------------------------- */

static void
refuse(struct input *in, struct input_host *h, const char *why)
{
	h->state = REFUSED;
	snprintf(h->why, sizeof(h->why), "%s: %s", wrap_name(in->wrap), why);
	stop(in, h);
}

static void
give_password(struct input *in, struct input_host *h)
{
	size_t n = strlen(in->password);

	h->sent = true;
	h->state = WAITS;
	if (fanout_write(in->engine, in->job, h->at, in->password, n) !=
	    (ssize_t)n || fanout_write(in->engine, in->job, h->at, "\n", 1) !=
	    1)
		refuse(in, h, "the password could not be sent");
	h->ours += n + 1;
}

/* For all that wait for it. */
static void
answered(void *ctx, const char *text)
{
	struct input *in = ctx;
	size_t i;

	if (text == NULL || (in->password = cli_secret_new()) == NULL)
		in->refused = true;
	else
		(void)strlcpy(in->password, text, CLI_LINE_MAX + 1);
	for (i = 0; i < in->nhosts; i++) {
		if (in->hosts[i].state != ASKS)
			continue;
		if (in->refused)
			refuse(in, &in->hosts[i], "it wants a password, and "
			    "none was given (--become-password-fd reads one)");
		else
			give_password(in, &in->hosts[i]);
	}
}

static void
ask(struct input *in)
{
	char prompt[200];

	in->asked = true;
	snprintf(prompt, sizeof(prompt), in->wrap->how == BECOME_SU ?
	    "Password of %2$s for %1$s (on all hosts that want one): " :
	    "Password for %1$s (on all hosts that want one): ",
	    wrap_name(in->wrap), in->wrap->user);
	cli_ask_put(in->ask, prompt, answered, in);
}

/* A password that was wrong once is never sent again: it would be three wrong
 * ones soon, and the account locked. */
static void
wants_password(struct input *in, struct input_host *h)
{
	if (h->sent) {
		in->wrong = true;
		refuse(in, h, "wrong password");
		return;
	}
	h->state = ASKS;
	if (in->password != NULL)
		give_password(in, h);
	else if (in->refused)
		answered(in, NULL);
	else if (!in->asked)
		ask(in);
}

/* ---- what hosts say ------------------------------------------------------ */

static void
note_line(struct input_host *h, const char *s, size_t n)
{
	const char *end;

	while (n > 0) {
		end = memchr(s, '\n', n);
		size_t len = end != NULL ? (size_t)(end - s) : n;

		if (len > 0 && s[0] != '\r')
			snprintf(h->line, sizeof(h->line), "%.*s",
			    (int)(len < sizeof(h->line) ? len :
			    sizeof(h->line) - 1), s);
		len += end != NULL;
		s += len;
		n -= len;
	}
}

/* Once a password was sent, what is said before the command begins is about
 * it: the outcome will tell. */
static int
put(struct input *in, struct input_host *h, const char *s, size_t n)
{
	char *p;

	if (h->state != RUNS) {
		note_line(h, s, n);
		if (h->sent || h->state == REFUSED)
			return 0;
	}
	if (in->nshown + n > in->cap) {
		if ((p = realloc(in->shown, in->nshown + n)) == NULL)
			return -1;
		in->shown = p;
		in->cap = in->nshown + n;
	}
	if (n > 0)
		memcpy(in->shown + in->nshown, s, n);
	in->nshown += n;
	return 0;
}

static void
on_mark(struct input *in, struct input_host *h, char what)
{
	switch (what) {
	case WRAP_GOT:
		if (in->wrap->how == BECOME_NOBODY)
			release(in, h);
		else
			h->state = WAITS;
		break;
	case WRAP_ASKS:
		if (h->state == WAITS)
			wants_password(in, h);
		break;
	case WRAP_RUNS:
		if (h->state != REFUSED)
			release(in, h);
		break;
	}
}

/* How many bytes at the end may be the begin of a mark, or of a question. */
static size_t
to_hold(const struct input *in, const char *s, size_t n)
{
	size_t len = strlen(in->wrap->mark), k = n < len ? n : len;
	const char *nl;

	if (in->wrap->how != BECOME_NOBODY) {
		nl = memrchr(s, '\n', n);
		k = nl != NULL ? (size_t)(s + n - nl - 1) : n;
		return k < HELD_MOST ? k : 0;
	}
	while (k > 0 && memcmp(s + n - k, in->wrap->mark, k) != 0)
		k--;
	return k;
}

/* A line without end that looks like a question. */
static bool
is_question(const char *s, size_t n)
{
	while (n > 0 && s[n - 1] == ' ')
		n--;
	return n > 0 && (s[n - 1] == ':' || s[n - 1] == '?');
}

/* sudo asks by our mark; others as they like, and all that is there to ask for
 * is the password. What else sudo may ask for we do not know. */
static bool
on_question(struct input *in, struct input_host *h)
{
	const char *name = wrap_name(in->wrap);
	size_t n = strlen(name);
	char why[140];

	/* "sudo: " begins a complaint, of which the rest is to come. */
	if (h->nheld > n && memcmp(h->held, name, n) == 0 && h->held[n] == ':')
		return false;
	if (h->state != WAITS || in->wrap->how == BECOME_NOBODY ||
	    h->nheld < 4 || !is_question(h->held, h->nheld))
		return false;
	if (in->wrap->how != BECOME_SUDO) {
		wants_password(in, h);
		return true;
	}
	snprintf(why, sizeof(why), "it asks for something else: %.*s",
	    (int)(h->nheld < 90 ? h->nheld : 90), h->held);
	refuse(in, h, why);
	return true;
}

/* Takes the marks out; what is to be shown is in in->shown then. */
static int
filter(struct input *in, struct input_host *h, const void *data, size_t n)
{
	const char *mark = in->wrap->mark, *at;
	size_t len = strlen(mark), used = 0, hold;
	char *p;

	in->nshown = 0;
	if ((p = realloc(h->held, h->nheld + n)) == NULL)
		return -1;
	h->held = p;
	memcpy(p + h->nheld, data, n);
	h->nheld += n;
	while (h->state != RUNS && (at = memmem(p + used, h->nheld - used,
	    mark, len)) != NULL && at + len < p + h->nheld) {
		if (put(in, h, p + used, (size_t)(at - p) - used) == -1)
			return -1;
		used = (size_t)(at - p) + len + 1;
		on_mark(in, h, at[len]);
	}
	hold = h->state == RUNS ? 0 : to_hold(in, p + used, h->nheld - used);
	if (put(in, h, p + used, h->nheld - used - hold) == -1)
		return -1;
	memmove(p, p + h->nheld - hold, hold);
	h->nheld = hold;
	if (hold > 0 && on_question(in, h))
		h->nheld = 0;
	return 0;
}

static void
said(struct input *in, struct input_host *h, struct fanout_event *ev)
{
	if (h->state == RUNS || h->state == BEFORE ||
	    ev->kind != (in->tty ? FANOUT_EV_OUT : FANOUT_EV_ERR))
		return;
	if (filter(in, h, ev->data, ev->len) == -1)
		return;		/* no memory: shown with its marks */
	ev->data = in->shown;
	ev->len = in->nshown;
	if (ev->len == 0)
		ev->kind = 0;
}

/* ---- the end of a host --------------------------------------------------- */

static void
not_become(struct input *in, struct input_host *h, struct fanout_result *r)
{
	note_line(h, h->held, h->nheld);
	if (h->why[0] == '\0' && h->sent && (in->wrap->how != BECOME_SUDO ||
	    strstr(h->line, "password") != NULL)) {
		in->wrong = true;
		snprintf(h->why, sizeof(h->why), "%s: wrong password",
		    wrap_name(in->wrap));
	}
	if (h->why[0] == '\0')
		snprintf(h->why, sizeof(h->why), "%s did not run the command: "
		    "%s", wrap_name(in->wrap), h->line[0] != '\0' ? h->line :
		    "it gave no reason");
	r->cls = FANOUT_C_AUTH;
	r->stage = FANOUT_S_AUTH;
	r->status = -1;
}

static void
over(struct input *in, struct input_host *h, struct fanout_event *ev)
{
	struct fanout_result *r = &in->result;
	size_t i, n;

	*r = *ev->result;
	ev->result = r;
	r->in_bytes -= h->ours < r->in_bytes ? h->ours : r->in_bytes;
	if ((h->state == WAITS || h->state == ASKS || h->state == REFUSED) &&
	    in->wrap->how != BECOME_NOBODY && (r->cls == FANOUT_C_EXIT ||
	    r->cls == FANOUT_C_OK || r->cls == FANOUT_C_SIGNAL))
		not_become(in, h, r);
	else if (h->why[0] != '\0' && h->state == RUNS)
		r->cls = FANOUT_C_LOCAL;
	if (h->why[0] != '\0' && (r->cls == FANOUT_C_LOCAL ||
	    r->cls == FANOUT_C_AUTH)) {
		n = strlcpy(r->text, h->why, sizeof(r->text));
		/* The reason may be a host's own words. */
		for (i = 0; i < n && i < sizeof(r->text); i++)
			if ((unsigned char)r->text[i] < ' ' ||
			    r->text[i] == 0x7f)
				r->text[i] = '?';
	}
	h->state = REFUSED;
	forget(h);
}

bool
input_event(void *ctx, struct fanout_event *ev, struct cli_sink *out)
{
	struct input *in = ctx;
	struct input_host *h;
	size_t at = ev->host;

	(void)out;
	if (ev->job != in->job)
		return true;
	if (in->map != NULL)
		ev->host = in->map[at];
	h = &in->hosts[ev->host];
	h->at = at;
	switch (ev->kind) {
	case FANOUT_EV_START:
		give(in, h);
		break;
	case FANOUT_EV_ROOM:
		give(in, h);
		ev->kind = 0;
		break;
	case FANOUT_EV_OUT:
	case FANOUT_EV_ERR:
		said(in, h, ev);
		break;
	case FANOUT_EV_DONE:
		over(in, h, ev);
		break;
	default:
		break;
	}
	return true;
}
