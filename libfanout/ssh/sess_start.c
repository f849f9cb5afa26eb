/*
 * sess_start.c - a task begins on a logged-in session: states OPEN, ENV, TTY,
 * EXEC.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sess.h"
#include "ssh2.h"

LIBSSH2_CHANNEL *
sess_channel(struct sess *s, unsigned window)
{
	return libssh2_channel_open_ex(s->ssh, "session",
	    sizeof("session") - 1, window, LIBSSH2_CHANNEL_PACKET_DEFAULT, NULL,
	    0);
}

/*
 * A server that has room for one channel (MaxSessions 1) may still be busy with
 * putting away the last, whose end we have seen.
 */
#define LAST_GOES_MS 50
#define LAST_GOES_TRIES 20

static enum sess_res
open_refused(struct sess *s)
{
	if (s->had_channel && s->open_tries++ < LAST_GOES_TRIES) {
		fanout_io_timer(s->io, LAST_GOES_MS);
		return RES_WAIT;
	}
	return sess_fail(s, FANOUT_C_REMOTE, "the server refuses to "
	    "open a session (MaxSessions?)");
}

enum sess_res
sess_open(struct sess *s)
{
	int rc;

	fanout_io_stage(s->io, FANOUT_S_OPEN);
	s->channel = sess_channel(s, s->subsystem ? SESS_WINDOW_COPY :
	    SESS_WINDOW);
	if (s->channel != NULL) {
		s->number = s->confirmed;
		return sess_goto(s, SESS_ENV);
	}
	rc = libssh2_session_last_errno(s->ssh);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return sess_again(s);
	if (rc == LIBSSH2_ERROR_CHANNEL_FAILURE)
		return open_refused(s);
	(void)sess_error(s, rc, "opening a session");
	s->state = SESS_OVER;	/* the engine may try anew, if it was kept */
	return RES_FAIL;
}

/* SetEnv. What the server does not take is passed over, as by ssh. */
enum sess_res
sess_env(struct sess *s)
{
	const char *pair, *value;
	int rc;

	while ((pair = s->plan->conf.set_env[s->env]) != NULL &&
	    (value = strchr(pair, '=')) != NULL) {
		rc = libssh2_channel_setenv_ex(s->channel, (char *)(uintptr_t)
		    pair, (unsigned)(value - pair), value + 1,
		    (unsigned)strlen(value + 1));
		if (rc == LIBSSH2_ERROR_EAGAIN)
			return sess_again(s);
		if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
			fanout_io_log(s->io, 1, "the server does not accept "
			    "%s (AcceptEnv?)", pair);
		else if (rc != 0)
			return sess_error(s, rc, "setting the environment");
		s->env++;
	}
	return sess_goto(s, s->tty ? SESS_TTY : SESS_EXEC);
}

/*
 * RFC 4254 8: pairs of an opcode and 32 bits, and 0. Without echo (53) what is
 * typed does not come back; without ONLCR (72) lines end as they do without a
 * terminal.
 */
static const char tty_modes[] = {
	53, 0, 0, 0, 0,
	72, 0, 0, 0, 0,
	0
};

enum sess_res
sess_tty(struct sess *s)
{
	int rc;

	rc = libssh2_channel_request_pty_ex(s->channel, "dumb",
	    sizeof("dumb") - 1, tty_modes, sizeof(tty_modes), 80, 24, 0, 0);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return sess_again(s);
	if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
		return sess_fail(s, FANOUT_C_REMOTE, "the server refuses a "
		    "terminal (PermitTTY?)");
	if (rc != 0)
		return sess_error(s, rc, "asking for a terminal");
	return sess_goto(s, SESS_EXEC);
}

/* libssh2 sends no packet that is larger, and has no way to split this one. */
#define COMMAND_MAX 32000

static enum sess_res
too_long(struct sess *s, size_t len)
{
	enum sess_res res;

	res = sess_fail(s, FANOUT_C_LOCAL, "the command is %zu bytes, and "
	    "transport ssh2 sends at most %d: give it as input to sh -s", len,
	    COMMAND_MAX);
	fanout_io_result(s->io)->lib_err = SSH2_CANNOT;
	return res;
}

/* Of no fault of the session, which can do something else. */
static enum sess_res
no_subsystem(struct sess *s)
{
	(void)sess_fail(s, FANOUT_C_REMOTE, "the server has no subsystem "
	    "\"%s\"", s->command);
	s->result_set = true;
	fanout_io_stage(s->io, FANOUT_S_CLOSE);
	return sess_goto(s, SESS_STATUS);
}

/* Is a packet half sent? (In a key exchange none is, and none can be.) */
static bool
half_sent(struct sess *s)
{
	return (libssh2_session_block_directions(s->ssh) &
	    LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0;
}

/*
 * The request is sent. What need not wait for the server's word goes with it:
 * the end of an input that has none, as from ssh -n; the end of the channel
 * before; the channel of the next command.
 */
static enum sess_res
await_start(struct sess *s)
{
	int rc;

	if (half_sent(s))
		return sess_again(s);
	if (!s->has_input && !s->tty && !s->subsystem && !s->eof_sent) {
		rc = libssh2_channel_send_eof(s->channel);
		s->eof_sent = rc == 0;
		if (rc == LIBSSH2_ERROR_EAGAIN && half_sent(s))
			s->pending = PEND_EOF;
	}
	if (s->pending == PEND_NONE && ahead_close_last(s) == 0 &&
	    half_sent(s))
		s->pending = PEND_LAST;
	if (s->pending == PEND_NONE) {
		ahead_ask_early(s);
		if (s->ahead == AHEAD_ASKED && half_sent(s))
			s->pending = PEND_NEXT;
	}
	return sess_again(s);
}

enum sess_res
sess_exec(struct sess *s)
{
	const char *what = s->subsystem ? "subsystem" : "exec";
	size_t len = strlen(s->command);
	enum sess_res res;
	int rc;

	if (len > COMMAND_MAX)
		return too_long(s, len);
	if ((res = sess_finish_pending(s)) != RES_NEXT)
		return res;
	rc = libssh2_channel_process_startup(s->channel, what,
	    (unsigned)strlen(what), s->command, (unsigned)len);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return await_start(s);
	if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
		return s->subsystem ? no_subsystem(s) : sess_fail(s,
		    FANOUT_C_REMOTE, "the server refuses to run commands");
	if (rc != 0)
		return sess_error(s, rc, "starting the command");
	if (s->doomed)
		return sess_goto(s, SESS_SETTLE);
	if (s->has_input && s->input == NULL &&
	    (s->input = malloc(SESS_INPUT_CHUNK)) == NULL) {
		fanout_io_fail(s->io, FANOUT_C_LOCAL, ENOMEM, 0,
		    "out of memory");
		return RES_FAIL;
	}
	fanout_io_stage(s->io, FANOUT_S_RUN);
	return sess_goto(s, SESS_RUN);
}
