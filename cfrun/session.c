#include <sys/socket.h>

#include <openssl/err.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "frame.h"
#include "registry.h"
#include "session.h"

#define PROTOCOL_MAX 3	/* of those whose EXEC we know */
#define PROTOCOL_MIN 2
#define TURNS 32	/* before other hosts have their turn */

enum state { HANDSHAKE, GREETING, WELCOME, REPLY, OVER };

/* What a state says: go on with the (next) state, or tell the engine. */
enum go { GO, WAIT, FULL, END };

struct session {
	const struct shared *shared;
	struct fanout_io *io;
	const struct site *site;
	int		 fd;
	SSL		*ssl;
	enum state	 state;
	short		 events;	/* what TLS waits for */
	bool		 used, canceled, closing;

	const char	*exec;		/* of the task: what to say */
	size_t		 exec_len;
	const char	*classes;
	size_t		 classes_len;
	bool		 only_key, ping;

	char		 release[32];	/* the server's */
	bool		 begun;		/* the agent was started */
	bool		 may_rest;	/* in its locks, as cfruncommand is */
	bool		 spoke;
	enum reply	 refusal;	/* REPLY_END: none */
	char		 refusal_text[200];

	char		 out[3 * (FRAME_HEADER + FRAME_SEND_MAX)];
	size_t		 records[3];	/* each is to be one TLS record */
	unsigned	 nrecords, record;
	size_t		 out_at;

	char		 in[2 * (FRAME_HEADER + FRAME_MAX)];
	size_t		 in_at, in_len;
	size_t		 emitted;	/* of the frame at in_at */
};

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
	s->only_key = strncmp(s->exec, "KEY", s->exec_len) == 0;
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

/* ---- TLS ---- */

static enum go
fail(struct session *s, enum fanout_class cls, const char *text)
{
	fanout_io_fail(s->io, cls, 0, 0, "%s", text);
	return END;
}

/* The server went away without a word: what that means depends on when. */
static enum go
gone(struct session *s)
{
	switch (s->state) {
	case HANDSHAKE:
	case GREETING:
		return fail(s, FANOUT_C_REFUSED, ADVICE_CLOSED);
	case WELCOME:
		fanout_io_fail(s->io, FANOUT_C_AUTH, 0, 0, ADVICE_NO_TRUST,
		    s->shared->own_digest);
		return END;
	default:
		return fail(s, FANOUT_C_LOST, s->begun ? ADVICE_LOST :
		    ADVICE_NO_ANSWER);
	}
}

static enum go
tls_error(struct session *s, unsigned long code)
{
	const char *why = ERR_reason_error_string(code);

	if (why == NULL)
		why = "unknown error";
	switch (ERR_GET_REASON(code)) {
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return gone(s);
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
		fanout_io_fail(s->io, FANOUT_C_AUTH, 0, (int)code,
		    "it does not accept our certificate: %s", why);
		return END;
	case SSL_R_WRONG_VERSION_NUMBER:
		fanout_io_fail(s->io, FANOUT_C_ALGORITHM, 0, (int)code,
		    "what answers there does not speak TLS: no cf-serverd?");
		return END;
	}
	fanout_io_fail(s->io, s->state == HANDSHAKE ? FANOUT_C_ALGORITHM :
	    FANOUT_C_LOST, 0, (int)code, "TLS: %s", why);
	return END;
}

/* A call that was not done: waits, or the end of this session. */
static enum go
tls_again(struct session *s, int rc, int error)
{
	unsigned long code;

	switch (SSL_get_error(s->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		s->events = POLLIN;
		return WAIT;
	case SSL_ERROR_WANT_WRITE:
		s->events = POLLOUT;
		return WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return gone(s);
	case SSL_ERROR_SYSCALL:
		if (error == 0 || error == ECONNRESET || error == EPIPE)
			return gone(s);
		fanout_io_fail(s->io, FANOUT_C_LOST, error, 0,
		    "connection lost: %s", strerror(error));
		return END;
	}
	code = ERR_peek_error();
	return tls_error(s, code);
}

/* ---- the server's key ---- */

static void
peer_address(int fd, char *out, size_t size)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	out[0] = '\0';
	if (getpeername(fd, (struct sockaddr *)&ss, &len) == 0)
		(void)getnameinfo((struct sockaddr *)&ss, len, out,
		    (socklen_t)size, NULL, 0, NI_NUMERICHOST);
}

struct accepting {
	const struct session *s;
	const EVP_PKEY *key;
	int	 error;
};

static void
accept_key(void *arg)
{
	struct accepting *a = arg;

	a->error = trust_accept(a->s->shared->trust, a->s->site->pin, a->key);
}

static void
keep(struct session *s, const EVP_PKEY *key, const char *digest, bool is_new)
{
	struct accepting a = { s, key, 0 };

	fanout_io_critical(s->io, accept_key, &a);
	if (a.error != 0)
		fanout_io_log(s->io, is_new ? 0 : 1, "its key %s cannot be "
		    "kept in %s: %s", digest,
		    trust_registry(s->shared->trust), strerror(a.error));
	else
		fanout_io_log(s->io, is_new ? 0 : 1, "from now on %s is its "
		    "key", digest);
}

static bool
is_welcome(const struct session *s, const char *digest)
{
	const struct cfengine_config *c = &s->shared->config;
	const char *want;

	if (c->trust_new)
		return true;
	want = c->trusted == NULL ? NULL :
	    registry_digest(c->trusted, s->site->pin);
	return want != NULL && strcmp(want, digest) == 0;
}

static enum go
say_key(struct session *s, const struct trust_answer *a)
{
	static const char *const words[] = {
		[TRUST_YES] = "yes", [TRUST_NEW_HOST] = "new",
		[TRUST_UNKNOWN] = "unknown", [TRUST_CHANGED] = "changed",
		[TRUST_OTHERS] = "others"
	};
	char line[TRUST_DIGEST + 16];
	int len;

	len = snprintf(line, sizeof(line), "%s %s\n", words[a->verdict],
	    a->digest);
	if (fanout_io_room(s->io) < (size_t)len ||
	    fanout_io_emit(s->io, FANOUT_EV_OUT, line, (size_t)len) == -1)
		return fail(s, FANOUT_C_LOCAL, "out of memory");
	fanout_io_result(s->io)->status = 0;
	return END;
}

static enum go
judge(struct session *s, const EVP_PKEY *key, const struct trust_answer *a)
{
	switch (a->verdict) {
	case TRUST_YES:
		return GO;
	case TRUST_NEW_HOST:
		keep(s, key, a->digest, false);
		return GO;
	case TRUST_CHANGED:
		fanout_io_fail(s->io, FANOUT_C_HOSTKEY_CHANGED, 0, 0,
		    ADVICE_CHANGED, a->digest, a->expected,
		    trust_registry(s->shared->trust));
		return END;
	case TRUST_OTHERS:
	case TRUST_UNKNOWN:
		if (is_welcome(s, a->digest)) {
			keep(s, key, a->digest, true);
			return GO;
		}
		if (a->verdict == TRUST_OTHERS)
			fanout_io_fail(s->io, FANOUT_C_HOSTKEY_CHANGED, 0, 0,
			    ADVICE_OTHERS, a->digest, a->other);
		else
			fanout_io_fail(s->io, FANOUT_C_HOSTKEY_UNKNOWN, 0, 0,
			    ADVICE_UNKNOWN, a->digest);
		return END;
	case TRUST_ERROR:
		break;
	}
	return fail(s, FANOUT_C_ALGORITHM, "its key is no RSA key");
}

static enum go
check_key(struct session *s)
{
	struct trust_answer answer;
	char address[64];
	X509 *x = SSL_get1_peer_certificate(s->ssl);
	EVP_PKEY *key = x == NULL ? NULL : X509_get0_pubkey(x);
	enum go go;

	fanout_io_stage(s->io, FANOUT_S_HOSTKEY);
	if (key == NULL) {
		X509_free(x);
		return fail(s, FANOUT_C_ALGORITHM, "it shows no key");
	}
	peer_address(s->fd, address, sizeof(address));
	trust_check(s->shared->trust, s->site->pin, address, key, &answer);
	go = s->only_key && answer.verdict != TRUST_ERROR ?
	    say_key(s, &answer) : judge(s, key, &answer);
	X509_free(x);
	return go;
}

static enum go
handshake(struct session *s)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	if ((rc = SSL_connect(s->ssl)) != 1)
		return tls_again(s, rc, errno);
	fanout_io_log(s->io, 2, "%s, %s", SSL_get_version(s->ssl),
	    SSL_get_cipher(s->ssl));
	s->state = GREETING;
	return check_key(s);
}

/* ---- reading and writing ---- */

/* More bytes behind those that are there. */
static enum go
fill(struct session *s)
{
	size_t n;
	int rc;

	if (s->in_at > 0) {
		memmove(s->in, s->in + s->in_at, s->in_len - s->in_at);
		s->in_len -= s->in_at;
		s->in_at = 0;
	}
	ERR_clear_error();
	errno = 0;
	rc = SSL_read_ex(s->ssl, s->in + s->in_len,
	    sizeof(s->in) - s->in_len, &n);
	if (rc != 1)
		return tls_again(s, rc, errno);
	s->in_len += n;
	return GO;
}

/* What is to be said, record by record. GO: all of it has been. */
static enum go
flush(struct session *s)
{
	size_t n;
	int rc;

	while (s->record < s->nrecords) {
		ERR_clear_error();
		errno = 0;
		rc = SSL_write_ex(s->ssl, s->out + s->out_at,
		    s->records[s->record], &n);
		if (rc != 1)
			return tls_again(s, rc, errno);
		s->out_at += n;
		s->record++;
	}
	s->nrecords = s->record = 0;
	s->out_at = 0;
	return GO;
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
		if ((go = fill(s)) != GO)
			return go;
	if (n == -1)
		return fail(s, FANOUT_C_ALGORITHM, "it does not greet as "
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
		return fail(s, FANOUT_C_LOCAL, "the user's name is too long");
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
		return fail(s, FANOUT_C_LOCAL, "what is to be said is longer "
		    "than the 4088 bytes that a server takes");
	s->state = REPLY;
	return GO;
}

/* ---- the answer ---- */

static enum go
finish(struct session *s)
{
	struct fanout_result *r = fanout_io_result(s->io);

	fanout_io_stage(s->io, FANOUT_S_CLOSE);
	if (s->refusal == REPLY_NO_MATCH)
		return fail(s, FANOUT_C_SKIPPED, "it has none of these "
		    "classes");
	if (s->refusal != REPLY_END)
		return fail(s, FANOUT_C_REMOTE, s->refusal_text);
	if (!s->begun)
		return fail(s, FANOUT_C_REMOTE, ADVICE_NO_ANSWER);
	if (r->status == -1) {
		if (advice_tells_exit(s->release))
			return fail(s, FANOUT_C_SIGNAL, ADVICE_KILLED);
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
			return fail(s, FANOUT_C_LOCAL, "out of memory");
		s->emitted += n;
	}
	/* A line that was cut off on its way has lost its end, too. */
	if (!has_end && fanout_io_room(s->io) == 0)
		return FULL;
	if (!has_end && fanout_io_emit(s->io, FANOUT_EV_OUT, "\n", 1) == -1)
		return fail(s, FANOUT_C_LOCAL, "out of memory");
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
		return fail(s, FANOUT_C_LOCAL, "out of memory");
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
		return fill(s);
	if (n == -1)
		return fail(s, FANOUT_C_LOST, "what it sends is not "
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

	if (s->state != HANDSHAKE && (go = flush(s)) != GO)
		return go;
	switch (s->state) {
	case HANDSHAKE:
		return handshake(s);
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
