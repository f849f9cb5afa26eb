/*
 * sess_socket.c - the socket under libssh2: counted, read ahead where libssh2
 * would read byte by byte, and what one step sends collected into one segment.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"
#include "sess.h"

/* ---- receiving --------------------------------------------------------- */

/* What a call on the socket came to, as libssh2 wants it. */
static ssize_t
counted(struct sess *s, ssize_t n)
{
	if (n > 0)
		s->moved += (uint64_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		s->hung_up = true;
	return n == -1 ? -errno : n;
}

/* What recv(2) of len bytes came to. */
static ssize_t
received(struct sess *s, ssize_t n, size_t len)
{
	/* The next step sees what comes after it: no call to find out now. */
	s->dry = n < (ssize_t)len;
	if (n > 0)
		s->came += (uint64_t)n;
	return counted(s, n);
}

/*
 * libssh2 reads on as long as there is something to read. A server that never
 * stops would never let us go, to other hosts or to a deadline: after so many
 * calls in one step there is nothing for now, whatever the socket says.
 */
#define RECVS_A_STEP 512

/*
 * libssh2 takes the server's greeting byte by byte: one recv(2) for all of it
 * and what came with it, given out in pieces.
 */
static ssize_t
recv_early(struct sess *s, void *buf)
{
	ssize_t n;

	n = received(s, recv(s->fd, s->early, sizeof(s->early), MSG_NOSIGNAL),
	    sizeof(s->early));
	if (n <= 0)
		return n;
	s->early_len = (size_t)n;
	s->early_off = 1;
	*(unsigned char *)buf = s->early[0];
	return 1;
}

static ssize_t
count_recv(libssh2_socket_t fd, void *buf, size_t len, int flags,
    void **abstract)
{
	struct sess *s = *abstract;
	size_t left = s->early_len - s->early_off;

	if (s->over)
		return -ECONNRESET;
	if (s->sealed)
		return -EAGAIN;
	if (s->drop_wait) {
		s->drop_wait = false;
		return -ETIMEDOUT;
	}
	if (left == 0 && (s->dry || s->recvs >= RECVS_A_STEP))
		return -EAGAIN;
	s->recvs++;
	if (left > 0) {
		if (len > left)
			len = left;
		memcpy(buf, s->early + s->early_off, len);
		s->early_off += len;
		return (ssize_t)len;
	}
	if (len == 1)
		return recv_early(s, buf);
	return received(s, recv(fd, buf, len, flags | MSG_NOSIGNAL), len);
}

/* ---- sending ----------------------------------------------------------- */

/*
 * libssh2 sends packet by packet, and each alone would wake the server. What a
 * step sends waits for its end; steps of one thread do not nest, so they share
 * the room for it. Only what the socket does not take is kept per session.
 */
#define COLLECT 4096
static _Thread_local unsigned char collected[COLLECT];

/* The rest, and what comes behind it: 1 all is sent, 0 not yet, -1 never. */
static int
keep_rest(struct sess *s, const unsigned char *p, size_t len)
{
	if (len == 0)
		return 1;
	if ((s->rest = malloc(len)) == NULL) {
		s->send_error = ENOMEM;
		s->hung_up = true;
		(void)shutdown(s->fd, SHUT_RDWR);	/* which wakes us */
		return -1;
	}
	memcpy(s->rest, p, len);
	s->rest_off = 0;
	s->rest_len = len;
	return 0;
}

/* How many of these the socket takes now; -1: it is of no use. */
static ssize_t
send_some(struct sess *s, const unsigned char *p, size_t len)
{
	ssize_t n = send(s->fd, p, len, MSG_NOSIGNAL);

	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	s->send_error = errno;
	s->hung_up = true;
	return -1;
}

static int
send_rest(struct sess *s)
{
	ssize_t n;

	if (s->rest == NULL)
		return 1;
	n = send_some(s, s->rest + s->rest_off, s->rest_len - s->rest_off);
	if (n == -1)
		return -1;
	s->rest_off += (size_t)n;
	if (s->rest_off < s->rest_len)
		return 0;
	free(s->rest);
	s->rest = NULL;
	return 1;
}

int
sock_flush(struct sess *s)
{
	size_t len = s->collected;
	ssize_t n;
	int rc;

	s->collected = 0;
	if (s->send_error != 0)
		return -1;
	/* Nothing is collected behind a rest. */
	if ((rc = send_rest(s)) != 1 || len == 0)
		return rc;
	if ((n = send_some(s, collected, len)) == -1)
		return -1;
	return keep_rest(s, collected + n, len - (size_t)n);
}

void
sock_collect(struct sess *s)
{
	s->collects = sock_flush(s) == 1;
}

/*
 * What is small is taken whole: the end of a channel, say, whose packet libssh2
 * makes on the stack. Half sent it would have to come again from the very same
 * place there, and not every call of ours that ends one is.
 */
#define SMALL 256
#define REST_MAX 8192

static ssize_t
behind_rest(struct sess *s, const void *buf, size_t len)
{
	size_t left = s->rest_len - s->rest_off;
	unsigned char *p;

	if (len > SMALL || left + len > REST_MAX ||
	    (p = malloc(left + len)) == NULL)
		return -EAGAIN;
	memcpy(p, s->rest + s->rest_off, left);
	memcpy(p + left, buf, len);
	free(s->rest);
	s->rest = p;
	s->rest_off = 0;
	s->rest_len = left + len;
	s->moved += len;
	return (ssize_t)len;
}

static ssize_t
count_send(libssh2_socket_t fd, const void *buf, size_t len, int flags,
    void **abstract)
{
	struct sess *s = *abstract;

	if (s->over)
		return -ECONNRESET;
	/* Lost, and what came is still given out: that must not fail. */
	if (s->sealed && s->hung_up)
		return (ssize_t)len;
	if (!s->collects || s->rest != NULL ||
	    s->collected + len > sizeof(collected)) {
		switch (sock_flush(s)) {
		case -1:
			return -s->send_error;
		case 0:
			return behind_rest(s, buf, len);
		}
		if (len > (s->collects ? sizeof(collected) : SMALL))
			return counted(s, send(fd, buf, len,
			    flags | MSG_NOSIGNAL));
	}
	memcpy(collected + s->collected, buf, len);
	s->collected += len;
	s->moved += len;
	if (!s->collects && sock_flush(s) == -1)
		return -s->send_error;
	return (ssize_t)len;
}

/* ---- making ------------------------------------------------------------ */

/* The server's own words for its hanging up (RFC 4253 11.1). */
static void
on_disconnect(LIBSSH2_SESSION *ssh, int reason, const char *message, int len,
    const char *language, int language_len, void **abstract)
{
	struct sess *s = *abstract;

	(void)ssh;
	(void)reason;
	(void)language;
	(void)language_len;
	s->hung_up = true;
	if (len > 0)
		(void)fo_vis_line(s->farewell, sizeof(s->farewell), message,
		    (size_t)len);
}

static void
set_callback(LIBSSH2_SESSION *ssh, int which, void (*fn)(void))
{
#if LIBSSH2_VERSION_NUM >= 0x010b01
	(void)libssh2_session_callback_set2(ssh, which,
	    (libssh2_cb_generic *)fn);
#else
	void *p;

	memcpy(&p, &fn, sizeof(p));	/* the old call takes a void pointer */
	(void)libssh2_session_callback_set(ssh, which, p);
#endif
}

void
sock_init(struct sess *s)
{
	set_callback(s->ssh, LIBSSH2_CALLBACK_RECV,
	    (void (*)(void))count_recv);
	set_callback(s->ssh, LIBSSH2_CALLBACK_SEND,
	    (void (*)(void))count_send);
	set_callback(s->ssh, LIBSSH2_CALLBACK_DISCONNECT,
	    (void (*)(void))on_disconnect);
}
