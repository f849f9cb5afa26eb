/*
 * sess_end.c - farewell: close, state BYE, free.
 *
 * libssh2 would wait for a peer that no longer answers; after shutdown(2) of
 * the socket it lets go at once.
 */
#include <sys/socket.h>

#include <stdlib.h>
#include <unistd.h>

#include "sess.h"

#define FREE_TRIES 16

void
sess_close(void *peer)
{
	struct sess *s = peer;

	if (s->state != SESS_OVER)
		(void)sess_goto(s, SESS_BYE);
}

/*
 * A disconnect message, so that the server does not log a lost connection,
 * where one can be sent: not in the middle of another packet or the key
 * exchange, and one that blocks is left out.
 */
enum sess_res
sess_bye(struct sess *s)
{
	if (s->has_task && s->canceled) {
		s->has_task = false;
		return RES_DONE;	/* the engine closes us next */
	}
	/* A task that came to a session of no use begins anew elsewhere. */
	if (s->pending == PEND_NONE && s->agent == NULL &&
	    s->auth.fiber == NULL)
		(void)libssh2_session_disconnect_ex(s->ssh,
		    SSH_DISCONNECT_BY_APPLICATION, "done", "");
	return sess_goto(s, SESS_OVER);
}

void
sess_free(void *peer)
{
	struct sess *s = peer;
	int i;

	if (s == NULL)
		return;
	fanout_io_watch(s->io, SESS_WATCH_SOCKET, -1, 0);
	fanout_io_watch(s->io, SESS_WATCH_AGENT, -1, 0);
	agent_call_free(s->agent);
	auth_end(s);
	carry_free(s);
	if (s->fd != -1)
		(void)shutdown(s->fd, SHUT_RDWR);
	s->collects = false;
	s->collected = 0;
	/* Only its own failing frees what a key exchange under way has made. */
	s->over = true;
	if (s->ssh != NULL && !s->keyed && s->fd != -1)
		(void)libssh2_session_handshake(s->ssh, s->fd);
	for (i = 0; s->ssh != NULL && i < FREE_TRIES; i++)
		if (libssh2_session_free(s->ssh) != LIBSSH2_ERROR_EAGAIN)
			break;
	if (s->fd != -1)
		close(s->fd);
	free(s->rest);
	free(s->input);
	free(s);
}
