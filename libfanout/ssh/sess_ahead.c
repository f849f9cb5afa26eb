/*
 * sess_ahead.c - where more commands are to come (an interactive run), the
 * channel of the next is asked for before there is one, and the last one's is
 * closed with it: what a command sends then goes out in one segment, and its
 * server answers in two. State DISCARD.
 *
 * It is asked for with the start of a command where the server is known to
 * keep several apart; others, which may do one thing at a time, are asked with
 * its end, as is one that had no room for it.
 *
 * It is used by a command that comes soon. After a while both are given back:
 * the server should not keep them for nothing, and on a session that may have
 * died in its sleep a command comes only behind an answer to an open, so that
 * it is known not to have begun when there is none.
 */
#include <string.h>

#include "base/clock.h"
#include "sess.h"

#define AHEAD_MS 20000

void
ahead_ask(struct sess *s)
{
	s->ahead_due = fo_now() + AHEAD_MS;
	if (!s->more || s->subsystem || s->ahead != AHEAD_NONE)
		return;
	s->ahead = AHEAD_ASKED;
	(void)ahead_look(s);
}

void
ahead_greeted(struct sess *s)
{
	const char *greeting = libssh2_session_banner_get(s->ssh);

	s->ahead_late = greeting == NULL ||
	    strstr(greeting, "OpenSSH") == NULL;
}

void
ahead_ask_early(struct sess *s)
{
	if (!s->ahead_late)
		ahead_ask(s);
}

int
ahead_look(struct sess *s)
{
	if (s->ahead != AHEAD_ASKED)
		return 1;
	s->next = sess_channel(s, SESS_WINDOW);	/* the same call again */
	if (s->next != NULL) {
		s->next_number = s->confirmed;
		s->ahead = AHEAD_OPEN;
		return 1;
	}
	switch (libssh2_session_last_errno(s->ssh)) {
	case LIBSSH2_ERROR_EAGAIN:
		return 0;
	case LIBSSH2_ERROR_CHANNEL_FAILURE:
		/* Beside a command: then with its end, and not so early again. */
		s->ahead = s->channel != NULL ? AHEAD_NONE : AHEAD_REFUSED;
		s->ahead_late = true;
		return 1;
	default:
		return -1;
	}
}

/* 1: it is closed, 0: not yet, -1: the session is lost. */
static int
let_go(struct sess *s, LIBSSH2_CHANNEL **channel)
{
	int rc;

	if (*channel == NULL)
		return 1;
	rc = libssh2_channel_free(*channel);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return 0;
	*channel = NULL;
	return rc != 0 || s->hung_up ? -1 : 1;
}

int
ahead_close_last(struct sess *s)
{
	return let_go(s, &s->last);
}

static int
give_back(struct sess *s)
{
	int rc;

	if ((rc = let_go(s, &s->next)) == 1 && (rc = let_go(s, &s->last)) == 1)
		s->ahead = AHEAD_NONE;
	return rc;
}

/* Did the server shut it, which nobody has used? */
static bool
is_shut(struct sess *s)
{
	return s->next != NULL && libssh2_channel_eof(s->next) == 1;
}

int
ahead_rest(struct sess *s)
{
	int64_t left = s->ahead_due - fo_now();
	bool reads = false;

	s->recvs = 0;
	/* The first time nothing has come, as far as is known. */
	s->dry = !s->rests;
	sock_collect(s);
	if (s->ahead == AHEAD_ASKED) {
		if (ahead_look(s) == -1)
			return -1;
		reads = true;
	}
	if (s->ahead == AHEAD_OPEN && left <= 0)
		s->ahead = AHEAD_BACK;
	if (s->ahead == AHEAD_OPEN)
		fanout_io_timer(s->io, (int)left + 1);
	if (s->ahead == AHEAD_BACK) {
		if (give_back(s) == -1)
			return -1;
		reads = true;
	}
	/* Behind the answer may be more that the socket has no more; but not if
	 * it came while a command ran, which was read to its end. */
	if (s->ahead == AHEAD_OPEN && (reads || (!s->rests && s->last == NULL)))
		return ahead_read(s);
	return reads;
}

/*
 * A server that probes us (ClientAliveInterval) wants its answer, which libssh2
 * gives in a call that reads: of the channel that is there, or for one.
 */
int
ahead_read(struct sess *s)
{
	char unwanted[1024];
	ssize_t n;

	if ((s->ahead == AHEAD_NONE || s->ahead == AHEAD_REFUSED) && s->more) {
		s->ahead = AHEAD_NONE;
		ahead_ask(s);
		return 1;
	}
	if (s->ahead != AHEAD_OPEN)
		return 0;
	n = libssh2_channel_read(s->next, unwanted, sizeof(unwanted));
	if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
		return -1;
	/* Then the next command asks for another. */
	if (is_shut(s)) {
		s->ahead = AHEAD_BACK;
		return give_back(s) == -1 ? -1 : 1;
	}
	return 1;
}

enum sess_state
ahead_state(struct sess *s)
{
	enum sess_ahead was;

	/* Together with the task the end of the channel or of the session may
	 * have come. */
	if (s->ahead == AHEAD_OPEN && sess_peek(s) != 0) {
		s->dry = false;
		if (ahead_read(s) == -1)
			return SESS_OPEN;	/* which says so */
	}
	was = s->ahead;
	if (was == AHEAD_NONE || was == AHEAD_REFUSED)
		return SESS_OPEN;
	if (was == AHEAD_BACK || s->subsystem || fo_now() >= s->ahead_due ||
	    is_shut(s))
		return SESS_DISCARD;
	fanout_io_log(s->io, 2, "its channel was asked for before");
	s->ahead = AHEAD_NONE;
	s->channel = s->next;
	s->number = s->next_number;
	s->next = NULL;
	return was == AHEAD_OPEN ? SESS_ENV : SESS_OPEN; /* the call again */
}

enum sess_res
sess_discard(struct sess *s)
{
	int rc = ahead_look(s);

	if (rc == 1 && s->ahead != AHEAD_REFUSED)
		rc = give_back(s);
	if (rc == 0)
		return sess_again(s);
	if (rc == 1)
		return sess_goto(s, SESS_OPEN);
	(void)sess_error(s, libssh2_session_last_errno(s->ssh),
	    "opening a session");
	s->state = SESS_OVER;	/* as in OPEN: nothing has begun */
	return RES_FAIL;
}
