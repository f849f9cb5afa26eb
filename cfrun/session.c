#include <openssl/err.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "session_int.h"

#define PROTOCOL_MAX 3	/* of those whose EXEC we know */
#define PROTOCOL_MIN 2
#define TURNS 32	/* before other hosts have their turn */

struct session *
session_new(const struct shared *sh, struct fanout_io *io,
    const struct site *site, int fd)
{
	struct session *s;

	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->ssl = SSL_new(sh->ctx)) == NULL ||
	    SSL_set_fd(s->ssl, fd) != 1) {
		if (s != NULL)
			SSL_free(s->ssl);
		free(s);
		close(fd);
		return NULL;
	}
	s->shared = sh;
	s->io = io;
	s->site = site;
	s->fd = fd;
	s->refusal = REPLY_END;
	SSL_set_connect_state(s->ssl);
	return s;
}

void
session_free(struct session *s)
{
	SSL_free(s->ssl);
	close(s->fd);
	free(s);
}

void
session_start(struct session *s, const struct fanout_task *task)
{
	const char *end;

	if (s->used)
		return;		/* a server takes one EXEC, to be sure */
	s->exec = task->command != NULL ? task->command : "VERSION";
	s->exec_len = strcspn(s->exec, "\n");
	end = s->exec + s->exec_len;
	s->classes = *end == '\n' ? end + 1 : end;
	s->classes_len = strcspn(s->classes, "\n");
	s->ping = strncmp(s->exec, "VERSION", s->exec_len) == 0;
	fanout_io_stage(s->io, FANOUT_S_KEX);
}

void
session_cancel(struct session *s)
{
	s->canceled = true;
}

void
session_close(struct session *s)
{
	s->closing = true;
}

static size_t
queued(const struct session *s)
{
	size_t len = 0;
	unsigned i;

	for (i = 0; i < s->nrecords; i++)
		len += s->records[i];
	return len;
}

static bool
say(struct session *s, const char *data, size_t len)
{
	size_t at = queued(s), n;

	n = frame_build(s->out + at, sizeof(s->out) - at, data, len);
	if (n > 0)
		s->records[s->nrecords++] = n;
	return n > 0;
}

/* A line, once it is whole. */
static enum go
line(struct session *s, struct frame *f)
{
	enum go go;
	int n;

	while ((n = frame_line(s->in + s->in_at, s->in_len - s->in_at,
	    f)) == 0)
		if ((go = session_fill(s)) != GO)
			return go;
	if (n == -1)
		return session_fail(s, FANOUT_C_ALGORITHM, "it does not greet as "
		    "cf-serverd does");
	s->in_at += (size_t)n;
	return GO;
}

/* ---- the greeting ---- */

static enum go
greeting(struct session *s)
{
	struct frame f;
	enum go go;
	int version, len;

	if ((go = line(s, &f)) != GO)
		return go;
	version = frame_greeting(&f, s->release, sizeof(s->release));
	if (version < PROTOCOL_MIN) {
		fanout_io_fail(s->io, FANOUT_C_ALGORITHM, 0, 0, version < 0 ?
		    "it does not greet as cf-serverd does" :
		    "it speaks only protocol %d", version);
		return END;
	}
	if (version > PROTOCOL_MAX)
		version = PROTOCOL_MAX;
	/* One record: what came behind the name in the same one is lost. */
	len = snprintf(s->out, sizeof(s->out),
	    "CFE_v%d cfrun %s\nIDENTITY USERNAME=%s\n", version,
	    FANOUT_VERSION, s->site->user != NULL ? s->site->user :
	    s->shared->config.user);
	if (len < 0 || (size_t)len >= FRAME_LINE_MAX)
		return session_fail(s, FANOUT_C_LOCAL, "the user's name is too long");
	s->records[s->nrecords++] = (size_t)len;
	fanout_io_stage(s->io, FANOUT_S_AUTH);
	s->state = WELCOME;
	return GO;
}

/* The request, each part a record of its own. */
static bool
request(struct session *s)
{
	if (!say(s, s->exec, s->exec_len))
		return false;
	if (s->ping)
		return true;
	if (s->classes_len > 0 && !say(s, s->classes, s->classes_len))
		return false;
	return say(s, FRAME_TERMINATOR, strlen(FRAME_TERMINATOR));
}

static enum go
welcome(struct session *s)
{
	static const char ok[] = "OK WELCOME";
	struct frame f;
	enum go go;

	if ((go = line(s, &f)) != GO)
		return go;
	if (f.len < sizeof(ok) - 1 || memcmp(f.data, ok, sizeof(ok) - 1) != 0) {
		fanout_io_fail(s->io, FANOUT_C_AUTH, 0, 0, "it does not "
		    "welcome us: %.*s", (int)(f.len < 150 ? f.len : 150),
		    f.data);
		return END;
	}
	fanout_io_stage(s->io, FANOUT_S_OPEN);
	if (!request(s))
		return session_fail(s, FANOUT_C_LOCAL, "what is to be said is longer "
		    "than the 4088 bytes that a server takes");
	s->state = REPLY;
	return GO;
}

/* ---- the answer ---- */

static enum go
finish(struct session *s)
{
	struct fanout_result *r = fanout_io_result(s->io);

	/* A refusal's stage is OPEN: nothing was begun. */
	if (s->begun)
		fanout_io_stage(s->io, FANOUT_S_CLOSE);
	if (s->refusal == REPLY_NO_MATCH)
		return session_fail(s, FANOUT_C_SKIPPED, "it has none of these "
		    "classes");
	if (s->refusal != REPLY_END)
		return session_fail(s, FANOUT_C_REMOTE, s->refusal_text);
	if (!s->begun)
		return session_fail(s, FANOUT_C_REMOTE, ADVICE_NO_ANSWER);
	if (r->status == -1) {
		if (advice_tells_exit(s->release))
			return session_fail(s, FANOUT_C_SIGNAL, ADVICE_KILLED);
		fanout_io_fail(s->io, FANOUT_C_REMOTE, 0, 0,
		    ADVICE_NO_STATUS, s->release);
	} else if (r->status != 0) {
		r->cls = FANOUT_C_EXIT;
		(void)snprintf(r->text, sizeof(r->text), "exit status %d",
		    r->status);
	} else if (s->may_rest && !s->spoke)
		(void)strlcpy(r->text, ADVICE_MAY_REST, sizeof(r->text));
	r->stage = FANOUT_S_RUN;
	return END;
}

/* As much of a line of output as there is room for. GO: all of it. */
static enum go
output(struct session *s, const struct reply_text *t, bool has_end)
{
	size_t room, n, all = t->len + (has_end ? 1 : 0);

	while (s->emitted < all) {
		if ((room = fanout_io_room(s->io)) == 0)
			return FULL;
		n = all - s->emitted < room ? all - s->emitted : room;
		if (fanout_io_emit(s->io, FANOUT_EV_OUT, t->text + s->emitted,
		    n) == -1)
			return session_fail(s, FANOUT_C_LOCAL, "out of memory");
		s->emitted += n;
	}
	/* A line that was cut off on its way has lost its end, too. */
	if (!has_end && fanout_io_room(s->io) == 0)
		return FULL;
	if (!has_end && fanout_io_emit(s->io, FANOUT_EV_OUT, "\n", 1) == -1)
		return session_fail(s, FANOUT_C_LOCAL, "out of memory");
	s->emitted = 0;
	return GO;
}

static enum go
pong(struct session *s, const struct reply_text *t)
{
	char text[80];
	int len;

	len = snprintf(text, sizeof(text), "cf-serverd %.*s\n",
	    (int)(t->len < 60 ? t->len : 60), t->text);
	if (len < 0 || fanout_io_room(s->io) < (size_t)len ||
	    fanout_io_emit(s->io, FANOUT_EV_OUT, text, (size_t)len) == -1)
		return session_fail(s, FANOUT_C_LOCAL, "out of memory");
	fanout_io_result(s->io)->status = 0;
	return END;
}

/* The first refusal counts. */
static void
refused(struct session *s, enum reply why, const struct reply_text *t)
{
	if (s->refusal != REPLY_END)
		return;
	s->refusal = why;
	advice_refusal(why, t, s->exec, s->refusal_text,
	    sizeof(s->refusal_text));
}

static enum go
take(struct session *s, const struct frame *f)
{
	struct reply_text t;
	enum reply what = frame_reply(f, s->begun, &t);

	switch (what) {
	case REPLY_BEGUN:
		s->begun = true;
		s->may_rest = advice_may_rest(&t);
		fanout_io_stage(s->io, FANOUT_S_RUN);
		fanout_io_log(s->io, 1, "runs %.*s", (int)t.len, t.text);
		return GO;
	case REPLY_OUTPUT:
		s->spoke = true;
		return output(s, &t, t.text + t.len < f->data + f->len &&
		    t.text[t.len] == '\n');
	case REPLY_EXIT:
		fanout_io_result(s->io)->status = t.status;
		return GO;
	case REPLY_END:
		return finish(s);
	case REPLY_VERSION:
		return pong(s, &t);
	case REPLY_REFUSED:
	case REPLY_DENIED:
	case REPLY_NO_MATCH:
	case REPLY_BROKEN:
		refused(s, what, &t);
		/* To anything but EXEC that is all there comes. */
		return s->ping ? finish(s) : GO;
	case REPLY_OTHER:
		fanout_io_log(s->io, 1, "it says: %.*s", (int)t.len, t.text);
		return GO;
	}
	return GO;
}

static enum go
reply(struct session *s)
{
	struct frame f;
	enum go go;
	int n;

	n = frame_parse(s->in + s->in_at, s->in_len - s->in_at, &f);
	if (n == 0)
		return session_fill(s);
	if (n == -1)
		return session_fail(s, FANOUT_C_LOST, "what it sends is not "
		    "cf-serverd's protocol");
	if ((go = take(s, &f)) == GO)
		s->in_at += (size_t)n;
	return go;
}

/* ---- as the engine sees it ---- */

static enum go
go_on(struct session *s)
{
	enum go go;

	if (s->state >= GREETING && (go = session_flush(s)) != GO)
		return go;
	switch (s->state) {
	case HANDSHAKE:
		return session_handshake(s);
	case CONFIRM:
		return session_confirm(s);
	case GREETING:
		return greeting(s);
	case WELCOME:
		return welcome(s);
	case REPLY:
		return reply(s);
	case OVER:
		break;
	}
	return WAIT;
}

static enum fanout_verdict
over(struct session *s)
{
	s->state = OVER;
	s->used = true;
	fanout_io_watch(s->io, 0, -1, 0);
	return FANOUT_DONE;
}

static enum fanout_verdict
farewell(struct session *s)
{
	ERR_clear_error();
	if (SSL_is_init_finished(s->ssl))
		(void)SSL_shutdown(s->ssl);
	fanout_io_watch(s->io, 0, -1, 0);
	return FANOUT_CLOSED;
}

enum fanout_verdict
session_step(struct session *s)
{
	enum go go = GO;
	int turns;

	/* A used one is of no use for another task either. */
	if (s->closing || s->state == OVER)
		return farewell(s);
	if (s->canceled) {
		/* What it runs goes on: the protocol has no word for stop. */
		if (s->begun)
			fanout_io_fate(s->io, FANOUT_F_RUNNING, 0,
			    "the agent goes on to its end");
		return over(s);
	}
	for (turns = 0; turns < TURNS && go == GO; turns++)
		go = go_on(s);
	switch (go) {
	case GO:
		return FANOUT_MORE;
	case END:
		return over(s);
	case FULL:
		fanout_io_watch(s->io, 0, s->fd, 0);
		return FANOUT_WAIT;
	case WAIT:
		fanout_io_watch(s->io, 0, s->fd, s->events);
		break;
	}
	return FANOUT_WAIT;
}
