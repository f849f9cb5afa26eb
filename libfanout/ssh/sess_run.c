/*
 * sess_run.c - a command that runs on a session: states RUN, STATUS, RELEASE.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/visible.h"
#include "sess.h"
#include "ssh2.h"

#define OUTPUT_CHUNK (32 * 1024)
#define ROUNDS_A_STEP 4		/* then it is another host's turn */

/*
 * EAGAIN with a half-sent packet: the same call must come first next time.
 * Without one the call may wait while others go on.
 */
static enum sess_res
run_again(struct sess *s, enum sess_pending call)
{
	if (libssh2_session_block_directions(s->ssh) &
	    LIBSSH2_SESSION_BLOCK_OUTBOUND)
		s->pending = call;
	return sess_again(s);
}

/* RES_MORE when bytes came, RES_NEXT when there were none to have. */
static enum sess_res
read_stream(struct sess *s, int stream, enum fanout_kind kind,
    enum sess_pending call)
{
	char buf[OUTPUT_CHUNK];
	size_t room = s->doomed ? sizeof(buf) : fanout_io_room(s->io);
	ssize_t n;

	if (room == 0) {
		s->held = true;
		return RES_NEXT;
	}
	if (room > sizeof(buf))
		room = sizeof(buf);
	n = libssh2_channel_read_ex(s->channel, stream, buf, room);
	if (n == LIBSSH2_ERROR_EAGAIN) {
		(void)run_again(s, call);
		return s->pending != PEND_NONE ? RES_WAIT : RES_NEXT;
	}
	if (n < 0)
		return sess_error(s, (int)n, "reading output");
	if (n == 0)
		return RES_NEXT;
	if (fanout_io_emit(s->io, kind, buf, (size_t)n) == -1) {
		fanout_io_fail(s->io, FANOUT_C_LOCAL, ENOMEM, 0,
		    "out of memory");
		return RES_FAIL;
	}
	s->held_since = 0;
	return RES_MORE;
}

static enum sess_res write_input(struct sess *);

/* To a terminal the end of input is a character, two after half a line. */
static enum sess_res
send_eof(struct sess *s)
{
	int rc;

	if (s->tty && !s->tty_ended) {
		s->tty_ended = true;
		memcpy(s->input, "\004\004", 2);
		s->in_off = 0;
		s->in_len = 2;
		return write_input(s);
	}

	rc = libssh2_channel_send_eof(s->channel);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return run_again(s, PEND_EOF);
	if (rc < 0)
		return sess_error(s, rc, "ending the input");
	s->eof_sent = true;
	return RES_NEXT;
}

/* More of the standard input into s->input: 1, 0: its end, -1: not now. */
static int
fill_input(struct sess *s)
{
	ssize_t n;

	if (s->in_off < s->in_len)
		return 1;
	n = !s->has_input || s->tty_ended ? 0 :
	    fanout_io_input(s->io, s->input, SESS_INPUT_CHUNK);
	if (n == -2) {
		fanout_io_fail(s->io, FANOUT_C_LOCAL, errno, 0,
		    "cannot read the input: %s", strerror(errno));
		return -2;
	}
	s->in_off = 0;
	s->in_len = n > 0 ? (size_t)n : 0;
	return n > 0 ? 1 : (int)n;
}

static enum sess_res
write_input(struct sess *s)
{
	ssize_t n;

	if (s->eof_sent || (s->tty && s->input == NULL))
		return RES_NEXT;	/* a terminal stays open */
	switch (fill_input(s)) {
	case 0:
		return send_eof(s);
	case -1:
		return RES_NEXT;
	case -2:
		return RES_FAIL;
	}
	n = libssh2_channel_write_ex(s->channel, 0, s->input + s->in_off,
	    s->in_len - s->in_off);
	if (n == LIBSSH2_ERROR_EAGAIN) {
		(void)run_again(s, PEND_WRITE);
		return s->pending != PEND_NONE ? RES_WAIT : RES_NEXT;
	}
	if (n == LIBSSH2_ERROR_CHANNEL_CLOSED ||
	    n == LIBSSH2_ERROR_CHANNEL_EOF_SENT) {
		s->eof_sent = true;	/* it reads no more: its own affair */
		return RES_NEXT;
	}
	if (n < 0)
		return sess_error(s, (int)n, "sending input");
	s->in_off += (size_t)n;
	return n > 0 ? RES_MORE : RES_NEXT;
}

/* What comes is taken in, to the end of the channel, and nothing given out.
 * RES_NEXT: no more will come. */
static enum sess_res
read_ahead(struct sess *s)
{
	int rc = 0;

	if (s->sealed)
		return RES_NEXT;
	if (libssh2_channel_eof(s->channel) != 1)
		rc = libssh2_channel_wait_eof(s->channel);
	if (rc == 0)
		rc = libssh2_channel_wait_closed(s->channel);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return run_again(s, PEND_HOLD);
	s->sealed = true;	/* closed, or lost: that is told after the rest */
	return RES_NEXT;
}

/* For the next command's channel, beside this one's business. */
static enum sess_res
look_ahead(struct sess *s)
{
	switch (s->sealed ? 1 : ahead_look(s)) {
	case 0:
		(void)run_again(s, PEND_NEXT);
		break;
	case -1:
		s->ahead = AHEAD_REFUSED;	/* the rest will tell why */
	}
	return s->pending != PEND_NONE ? RES_WAIT : RES_NEXT;
}

enum sess_res
sess_finish_pending(struct sess *s)
{
	enum sess_pending call = s->pending;

	s->pending = PEND_NONE;
	switch (call) {
	case PEND_READ_OUT:
		return read_stream(s, 0, FANOUT_EV_OUT, call);
	case PEND_READ_ERR:
		return read_stream(s, SSH_EXTENDED_DATA_STDERR, FANOUT_EV_ERR,
		    call);
	case PEND_WRITE:
		return write_input(s);
	case PEND_EOF:
		return send_eof(s);
	case PEND_HOLD:
		(void)read_ahead(s);
		return s->pending != PEND_NONE ? RES_WAIT : RES_NEXT;
	case PEND_LAST:
		if (ahead_close_last(s) == 0)
			(void)run_again(s, call);
		return s->pending != PEND_NONE ? RES_WAIT : RES_NEXT;
	case PEND_NEXT:
		return look_ahead(s);
	default:
		return RES_NEXT;
	}
}

/*
 * Everything once. The streams share a window, so they are read in turn: to
 * wait for the end of one would hang on the other.
 */
static enum sess_res
pump(struct sess *s)
{
	static const struct {
		int stream;
		enum fanout_kind kind;
		enum sess_pending call;
	} in[] = {
		{ 0, FANOUT_EV_OUT, PEND_READ_OUT },
		{ SSH_EXTENDED_DATA_STDERR, FANOUT_EV_ERR, PEND_READ_ERR }
	};
	enum sess_res res, all = RES_NEXT;
	size_t i;

	if (s->pending != PEND_NONE &&
	    (all = sess_finish_pending(s)) != RES_NEXT && all != RES_MORE)
		return all;
	if (look_ahead(s) == RES_WAIT)
		return RES_WAIT;
	for (i = 0; i < 2; i++) {
		res = read_stream(s, in[i].stream, in[i].kind, in[i].call);
		if (res == RES_MORE)
			all = RES_MORE;
		else if (res != RES_NEXT)
			return res;
	}
	if ((res = write_input(s)) == RES_MORE)
		all = RES_MORE;
	else if (res != RES_NEXT)
		return res;
	return all;
}

/*
 * Nothing moved. When the output has ended too, wait for the server to close
 * the channel: the exit status may come long after the end of the output.
 * Once it is there we need not wait, which helps with servers that expect the
 * client to close.
 */
static enum sess_res
is_over(struct sess *s)
{
	int rc;

	if (s->held || libssh2_channel_eof(s->channel) != 1)
		return sess_again(s);
	if (!s->saw_status) {
		rc = libssh2_channel_wait_closed(s->channel);
		if (rc == LIBSSH2_ERROR_EAGAIN)
			return sess_again(s);
		if (rc < 0)
			return sess_error(s, rc, "waiting for the exit status");
	}
	fanout_io_stage(s->io, FANOUT_S_CLOSE);
	return sess_goto(s, SESS_STATUS);
}

/*
 * There is no room for what comes. For a moment it is left where it is; but a
 * server that probes us (ClientAliveInterval) would take us for dead, so after
 * a while we read on: no more than the window allows, which is not widened
 * meanwhile. Reading ends with the channel: libssh2 gives nothing out any more
 * once the connection fails, and that may come before there is room.
 */
#define HOLD_MS 5000

static enum sess_res
hold(struct sess *s)
{
	int64_t now = fo_now();

	s->blocked = false;	/* our doing, not the socket's */
	if (s->held_since == 0)
		s->held_since = now;
	if (now - s->held_since >= HOLD_MS)
		return read_ahead(s) == RES_NEXT ? RES_WAIT : sess_again(s);
	fanout_io_timer(s->io, (int)(s->held_since + HOLD_MS - now));
	return RES_WAIT;
}

/*
 * Reading one stream takes in what comes for the other, too, and the socket
 * will not wake us for what libssh2 has already: only a round in which no byte
 * came in shows that nothing is left.
 */
enum sess_res
sess_run(struct sess *s)
{
	enum sess_res res = RES_MORE;
	uint64_t moved;
	int i;

	for (i = 0; i < ROUNDS_A_STEP && res == RES_MORE; i++) {
		moved = s->moved;
		res = pump(s);
		if (res == RES_NEXT && s->moved != moved)
			res = RES_MORE;
	}
	if (res == RES_NEXT || res == RES_WAIT)
		res = sess_alive(s) == RES_FAIL ? RES_FAIL : res;
	if (res != RES_NEXT)
		return res;
	if (s->held)
		return hold(s);
	s->held_since = 0;
	/* What was kept is given out: if that was not all, there is an error to
	 * be seen; else none, though the server may have left meanwhile. */
	if (s->sealed && (!s->saw_status ||
	    libssh2_channel_eof(s->channel) != 1)) {
		s->sealed = false;
		return RES_MORE;
	}
	return is_over(s);
}

/* RFC 4254 6.10 has 32 bits; what no process can exit with is cut. */
static int
exit_status(struct sess *s)
{
	int status = libssh2_channel_get_exit_status(s->channel);

	return status < 0 ? INT_MAX : status;
}

static void
set_result(struct sess *s)
{
	struct fanout_result *r = fanout_io_result(s->io);
	char *name = NULL;
	size_t len = 0;

	r->stage = FANOUT_S_RUN;
	if (libssh2_channel_get_exit_signal(s->channel, &name, &len, NULL,
	    NULL, NULL, NULL) == 0 && name != NULL) {
		r->cls = FANOUT_C_SIGNAL;
		(void)fo_vis_line(r->signal, sizeof(r->signal), name, len);
		(void)snprintf(r->text, sizeof(r->text), "killed by SIG%s",
		    r->signal);
		libssh2_free(s->ssh, name);
	} else if (!s->saw_status) {
		fanout_io_fail(s->io, FANOUT_C_LOST, 0, 0, "the session was "
		    "closed without an exit status");
	} else if ((r->status = exit_status(s)) != 0) {
		r->cls = FANOUT_C_EXIT;
		(void)snprintf(r->text, sizeof(r->text), "exit status %d",
		    r->status);
	}
}

void
sess_drain(struct sess *s)
{
	enum sess_res res;

	do {
		res = read_stream(s, 0, FANOUT_EV_OUT, PEND_READ_OUT);
	} while (res == RES_MORE);
	while (res == RES_NEXT && (res = read_stream(s,
	    SSH_EXTENDED_DATA_STDERR, FANOUT_EV_ERR, PEND_READ_ERR)) ==
	    RES_MORE)
		res = RES_NEXT;
}

/*
 * All is said: the result first, so that it stands even if the server never
 * closes its side. It is not set again, in case the close has to wait.
 */
enum sess_res
sess_status(struct sess *s)
{
	if (!s->result_set)
		set_result(s);
	s->result_set = true;
	s->sealed = false;
	/* With a channel for the next command it is closed when that comes. */
	if (s->next == NULL &&
	    libssh2_channel_close(s->channel) == LIBSSH2_ERROR_EAGAIN)
		return sess_again(s);
	return sess_goto(s, SESS_RELEASE);
}

enum sess_res
sess_release(struct sess *s)
{
	if (ahead_close_last(s) == 0)
		return sess_again(s);
	if (s->next != NULL)
		s->last = s->channel;
	else if (libssh2_channel_free(s->channel) == LIBSSH2_ERROR_EAGAIN)
		return sess_again(s);
	s->channel = NULL;
	s->had_channel = true;
	s->state = SESS_READY;
	ahead_ask(s);
	s->subsystem = false;	/* from here on it is the next one's */
	return RES_DONE;
}
