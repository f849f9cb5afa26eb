/*
 * sess.c - the dispatcher: runs the state functions, and is alone in deciding
 * what to wait for.
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/visible.h"
#include "memory.h"
#include "sess.h"

/* EAGAIN that names no direction, or one that does not help: look again. */
#define BLIND_MS 50
#define IDLE_STEPS_MAX 4

static const struct {
	const char	*name;
	enum sess_res	(*run)(struct sess *);
} states[SESS_NSTATES] = {
	[SESS_HANDSHAKE] = { "handshake", sess_handshake },
	[SESS_HOSTKEY] = { "hostkey", sess_hostkey },
	[SESS_AUTH] = { "auth", sess_auth },
	[SESS_READY] = { "ready", NULL },
	[SESS_CARRY] = { "carry", sess_carry },
	[SESS_DISCARD] = { "discard", sess_discard },
	[SESS_OPEN] = { "open", sess_open },
	[SESS_ENV] = { "env", sess_env },
	[SESS_TTY] = { "tty", sess_tty },
	[SESS_EXEC] = { "exec", sess_exec },
	[SESS_RUN] = { "run", sess_run },
	[SESS_STATUS] = { "status", sess_status },
	[SESS_RELEASE] = { "release", sess_release },
	[SESS_SETTLE] = { "settle", sess_settle },
	[SESS_KILL_OPEN] = { "kill-open", sess_kill_open },
	[SESS_KILL_EXEC] = { "kill-exec", sess_kill_exec },
	[SESS_KILL_WAIT] = { "kill-wait", sess_kill_wait },
	[SESS_BYE] = { "bye", sess_bye },
	[SESS_OVER] = { "over", NULL }
};

/* ---- making ---- */

static int
set_methods(LIBSSH2_SESSION *ssh, const struct hostplan *hp)
{
	const struct { int method; const char *list; } prefs[] = {
		{ LIBSSH2_METHOD_KEX, hp->kex },
		{ LIBSSH2_METHOD_HOSTKEY, hp->hostkeys },
		{ LIBSSH2_METHOD_CRYPT_CS, hp->ciphers },
		{ LIBSSH2_METHOD_CRYPT_SC, hp->ciphers },
		{ LIBSSH2_METHOD_MAC_CS, hp->macs },
		{ LIBSSH2_METHOD_MAC_SC, hp->macs }
	};
	size_t i;

	for (i = 0; i < sizeof(prefs) / sizeof(prefs[0]); i++)
		if (libssh2_session_method_pref(ssh, prefs[i].method,
		    prefs[i].list) != 0)
			return -1;
	return 0;
}

void *
sess_new(void *shared, struct fanout_io *io, const char *host,
    const struct fanout_plan *plan, int fd)
{
	struct sess *s;

	(void)shared;
	(void)host;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		goto fail;
	s->io = io;
	s->plan = plan->priv;
	s->fd = fd;
	s->ssh = libssh2_session_init_ex(memory_alloc, memory_free,
	    memory_realloc, s);
	if (s->ssh == NULL || set_methods(s->ssh, s->plan) == -1) {
		s->fd = -1;
		sess_free(s);
		goto fail;
	}
	memory_trim(s->ssh);
	if (s->plan->conf.compression)
		(void)libssh2_session_flag(s->ssh, LIBSSH2_FLAG_COMPRESS, 1);
	sock_init(s);
	libssh2_session_set_blocking(s->ssh, 0);
	fanout_io_watch(io, SESS_WATCH_SOCKET, fd, POLLIN);
	fanout_io_stage(io, FANOUT_S_KEX);
	return s;
fail:
	close(fd);
	return NULL;
}

void
sess_start(void *peer, const struct fanout_task *task)
{
	struct sess *s = peer;

	s->command = task->command;
	s->subsystem = task->subsystem;
	s->tty = task->tty;
	s->has_input = task->has_input;
	s->carries = task->carry;
	s->env = 0;
	s->more = task->more;
	s->open_tries = 0;
	s->has_task = true;
	s->canceled = false;
	s->eof_sent = s->saw_status = s->result_set = false;
	s->tty_ended = s->doomed = s->sealed = false;
	s->held_since = 0;
	s->pending = PEND_NONE;
	s->in_off = s->in_len = 0;
}

/* ---- for the states ---- */

enum sess_res
sess_goto(struct sess *s, enum sess_state next)
{
	if (fanout_io_logs(s->io, 2))
		fanout_io_log(s->io, 2, "%s -> %s", states[s->state].name,
		    states[next].name);
	s->state = next;
	return RES_NEXT;
}

enum sess_res
sess_again(struct sess *s)
{
	s->blocked = true;
	return RES_WAIT;
}

enum sess_res
sess_fail(struct sess *s, enum fanout_class cls, const char *fmt, ...)
{
	struct fanout_result r;
	va_list ap;

	va_start(ap, fmt);
	fo_vfail(&r, cls, 0, 0, fmt, ap);
	va_end(ap);
	fanout_io_fail(s->io, cls, 0, 0, "%s", r.text);
	return RES_FAIL;
}

enum sess_res
sess_error(struct sess *s, int rc, const char *doing)
{
	char *text = NULL;
	int len = 0;

	if (s->farewell[0] != '\0') {
		fanout_io_fail(s->io, FANOUT_C_LOST, 0, rc,
		    "%s: the server hung up: %s", doing, s->farewell);
		return RES_FAIL;
	}
	/* Only now: after a success the last one would still stand there. */
	(void)libssh2_session_last_error(s->ssh, &text, &len, 0);
	fanout_io_fail(s->io, FANOUT_C_LOST, 0, rc,
	    "%s: the connection was lost (%.*s)", doing, len,
	    len > 0 ? text : "");
	return RES_FAIL;
}

/* ---- stepping ---- */

int
sess_peek(const struct sess *s)
{
	char c;
	ssize_t n = recv(s->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0)
		return 1;
	return n == -1 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* Something that came will be read once there is an answer: it must not wake
 * us until then. */
static short
events_while_asking(const struct sess *s)
{
	return sess_peek(s) == 1 ? 0 : POLLIN;
}

static void
watch_agent(struct sess *s)
{
	int fd = s->agent != NULL ? agent_call_fd(s->agent) : -1;

	fanout_io_watch(s->io, SESS_WATCH_AGENT, fd,
	    fd != -1 ? agent_call_events(s->agent) : 0);
	if (s->agent != NULL && fd == -1)
		fanout_io_timer(s->io, AGENT_RETRY_MS);
}

/*
 * What wakes us next. libssh2's word is taken, with two reservations: it may
 * name no direction at all, or say "write" while only input can help, and
 * then a writable socket would have us spin.
 */
static void
set_watch(struct sess *s, uint64_t moved_before)
{
	short events = POLLIN;
	int dir;

	watch_agent(s);
	if (s->held && !s->blocked)
		events = 0;		/* the engine steps us when there is room */
	if (s->auth.waiting || s->resting) {
		events = events_while_asking(s);
	} else if (s->blocked) {
		dir = libssh2_session_block_directions(s->ssh);
		events = 0;
		if (dir & LIBSSH2_SESSION_BLOCK_INBOUND)
			events |= POLLIN;
		if (dir & LIBSSH2_SESSION_BLOCK_OUTBOUND)
			events |= POLLOUT;
		s->idle_steps = s->moved == moved_before ?
		    s->idle_steps + 1 : 0;
		if (s->agent != NULL)
			events = 0;	/* it is the agent we wait for */
		else if (events == 0 || ((events & POLLOUT) &&
		    s->idle_steps > IDLE_STEPS_MAX)) {
			events = POLLIN;
			fanout_io_timer(s->io, BLIND_MS);
		}
	}
	if (s->rest != NULL)
		events |= POLLOUT;
	fanout_io_watch(s->io, SESS_WATCH_SOCKET, s->fd, events);
}

/* Between tasks: does the server still want us? */
static enum fanout_verdict
at_rest(struct sess *s)
{
	int was_read = ahead_rest(s), came = 0;
	short events = POLLIN;

	if (was_read == 0 && s->rests) {
		if ((came = sess_peek(s)) == -1)
			return FANOUT_CLOSED;
		if (came == 1)
			was_read = ahead_read(s);
	}
	/*
	 * Something came that no call of ours will read: stop watching, or it
	 * would wake us for ever. The next task reads it.
	 */
	if (came == 1 && was_read == 0)
		events = 0;
	if (was_read == -1 || sock_flush(s) == -1)
		return FANOUT_CLOSED;
	s->collects = false;
	s->rests = true;
	if (s->rest != NULL)
		events |= POLLOUT;
	fanout_io_watch(s->io, SESS_WATCH_SOCKET, s->fd, events);
	return FANOUT_WAIT;
}

/* Logged in: what the task wants next, if there is one. */
static enum sess_res
begin_task(struct sess *s)
{
	if (s->carries)
		return sess_goto(s, SESS_CARRY);
	if (s->command != NULL)
		return sess_goto(s, ahead_state(s));
	fanout_io_stage(s->io, FANOUT_S_RUN);
	return RES_DONE;
}

static enum sess_res
run_states(struct sess *s)
{
	enum sess_res res;

	do {
		if (s->state == SESS_READY)
			res = begin_task(s);
		else
			res = states[s->state].run(s);
	} while (res == RES_NEXT && s->state != SESS_OVER);
	return res;
}

enum fanout_verdict
sess_step(void *peer)
{
	struct sess *s = peer;
	uint64_t moved = s->moved;
	enum sess_res res;

	if (s->state == SESS_READY && !s->has_task)
		return at_rest(s);
	s->blocked = s->held = s->resting = false;
	s->recvs = 0;
	/* Nobody has answered what was not yet asked. */
	s->dry = s->rests;
	s->rests = false;
	sock_collect(s);
	res = run_states(s);
	(void)sock_flush(s);	/* if it fails, so does the next call */
	s->collects = false;
	if (s->state == SESS_OVER)
		return FANOUT_CLOSED;
	switch (res) {
	case RES_FAIL:
		s->has_task = false;
		(void)sess_goto(s, SESS_BYE);	/* whatever it is kept for */
		return FANOUT_DONE;
	case RES_DONE:
		s->has_task = false;
		return FANOUT_DONE;
	case RES_MORE:
		return FANOUT_MORE;
	default:
		set_watch(s, moved);
		return FANOUT_WAIT;
	}
}
