/*
 * sess_carry.c - state CARRY: a jump host. Each connection that others want
 * becomes a channel (direct-tcpip, RFC 4254 7.2), pumped to and from a stream
 * whose other end is the socket of a session behind the jump host.
 *
 * libssh2 opens one channel at a time, and the jump host answers when it has
 * connected, or could not: an address that swallows everything would hold up
 * all others. So an open has a moment only while others wait; then it is
 * dropped (libssh2 gives up when its socket fails, and takes no harm), and
 * tried again behind them, with more patience.
 *
 * As everywhere, a call that could not send its packet whole comes first.
 */
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/visible.h"
#include "base/wire.h"
#include "sess.h"

#define CHUNK (16 * 1024)
#define EVENTS 64
#define ROUNDS 8		/* over all, in one step */
#define PATIENCE_MS 500		/* for an open, while others wait; it grows */
#define PATIENCE_MAX_MS 5000
#define SILENCE_MS 15000	/* of a jump host that owes an answer */
#define HOLD_MS 200		/* after it was short of resources */
#define MSG_OPEN_FAILURE 92
#define PROHIBITED 1		/* reasons of it */
#define SHORTAGE 4

struct cargo {
	TAILQ_ENTRY(cargo) link;
	LIBSSH2_CHANNEL	*channel;
	int		 fd;		/* -1: its end is gone */
	uint32_t	 events;	/* of epoll */
	bool		 readable;	/* fd has something, as far as known */
	bool		 closing;
	char		*rest;		/* did not fit into fd; NULL: all did */
	size_t		 off, len;
};
TAILQ_HEAD(cargos, cargo);

enum job { JOB_NONE, JOB_OPEN, JOB_WRITE, JOB_READ, JOB_FREE };

struct carry {
	struct cargos	 all;
	size_t		 n;
	int		 efd;

	/* the call that has to come first */
	enum job	 pending;
	struct cargo	*of;
	char		 out[CHUNK];	/* of a write: the same bytes again */
	size_t		 out_len;

	/* the channel being opened */
	struct fanout_ride *ride;
	struct fo_wr	 request;
	int64_t		 asked;		/* when; ms */
	int		 patience;
	uint32_t	 reason;	/* it was refused: RFC 4254 5.1 */
	char		 refusal[96];	/* the server's words */
	int64_t		 hold;		/* short of resources: not before */
	uint64_t	 heard;		/* s->moved when last looked at */
	int64_t		 heard_at;
	bool		 pinged;
};

/* ---- beginning and end ------------------------------------------------- */

static struct carry *
carry_new(void)
{
	struct carry *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	TAILQ_INIT(&c->all);
	if ((c->efd = epoll_create1(EPOLL_CLOEXEC)) == -1) {
		free(c);
		return NULL;
	}
	c->patience = PATIENCE_MS;
	fo_wr_init(&c->request);
	return c;
}

static void
drop_cargo(struct sess *s, struct cargo *g)
{
	struct carry *c = s->carry;

	TAILQ_REMOVE(&c->all, g, link);
	c->n--;
	s->windows -= SESS_WINDOW;
	if (g->fd != -1)
		close(g->fd);
	free(g->rest);
	free(g);
}

void
carry_free(struct sess *s)
{
	struct carry *c = s->carry;
	struct cargo *g;

	if (c == NULL)
		return;
	fanout_io_watch(s->io, SESS_WATCH_CARRY, -1, 0);
	if (c->ride != NULL)
		fanout_io_ride_fail(s->io, c->ride, FANOUT_C_LOST, 0,
		    "its session ended");
	while ((g = TAILQ_FIRST(&c->all)) != NULL)
		drop_cargo(s, g);
	fo_wr_free(&c->request);
	close(c->efd);
	free(c);
	s->carry = NULL;
}

/* byte type, uint32 channel, uint32 reason, string words (RFC 4254 5.1) */
void
carry_saw(struct sess *s, const unsigned char *msg, size_t max)
{
	const unsigned char *words;
	struct fo_rd r;
	size_t len;

	if (s->carry->ride == NULL || max < 13 || msg[0] != MSG_OPEN_FAILURE)
		return;
	fo_rd_init(&r, msg + 1, max - 1);
	(void)fo_rd_u32(&r);
	s->carry->reason = fo_rd_u32(&r);
	words = fo_rd_str(&r, &len);
	if (!r.bad)
		(void)fo_vis_line(s->carry->refusal,
		    sizeof(s->carry->refusal), (const char *)words, len);
}

/* ---- streams ----------------------------------------------------------- */

/* Read from it while its channel has room, write to it while bytes wait. */
static void
watch(struct carry *c, struct cargo *g)
{
	struct epoll_event ev = { .data.ptr = g };
	bool room = g->fd != -1 && !g->readable;

	if (room)
		ev.events |= EPOLLIN;
	if (g->rest != NULL)
		ev.events |= EPOLLOUT;
	if (g->fd == -1 || ev.events == g->events)
		return;
	if (epoll_ctl(c->efd, g->events == 0 ? EPOLL_CTL_ADD :
	    ev.events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, g->fd, &ev) == 0)
		g->events = ev.events;
}

static void
close_stream(struct carry *c, struct cargo *g)
{
	if (g->fd == -1)
		return;
	if (g->events != 0)
		(void)epoll_ctl(c->efd, EPOLL_CTL_DEL, g->fd, NULL);
	g->events = 0;
	close(g->fd);
	g->fd = -1;
	free(g->rest);
	g->rest = NULL;
}

/* Who is behind it is gone: so is the channel. */
static void
abandon(struct carry *c, struct cargo *g)
{
	close_stream(c, g);
	g->closing = true;
}

/* What waits, as far as it goes. */
static void
flush_rest(struct carry *c, struct cargo *g)
{
	ssize_t n;

	if (g->rest == NULL)
		return;
	n = send(g->fd, g->rest + g->off, g->len - g->off, MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		abandon(c, g);
		return;
	}
	if (n > 0)
		g->off += (size_t)n;
	if (g->off == g->len) {
		free(g->rest);
		g->rest = NULL;
	}
}

/* Bytes of the channel into the stream; what does not fit waits. 0, -1. */
static int
put(struct carry *c, struct cargo *g, const char *buf, size_t len)
{
	ssize_t n = send(g->fd, buf, len, MSG_NOSIGNAL);

	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		abandon(c, g);
		return 0;
	}
	if (n < 0)
		n = 0;
	if ((size_t)n == len)
		return 0;
	g->off = 0;
	g->len = len - (size_t)n;
	if ((g->rest = malloc(g->len)) == NULL)
		return -1;
	memcpy(g->rest, buf + n, g->len);
	return 0;
}

static void
look_at_streams(struct carry *c)
{
	struct epoll_event ev[EVENTS];
	struct cargo *g;
	int i, n;

	n = epoll_wait(c->efd, ev, EVENTS, 0);
	for (i = 0; i < n; i++) {
		g = ev[i].data.ptr;
		if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			g->readable = true;
		if (ev[i].events & (EPOLLOUT | EPOLLERR))
			flush_rest(c, g);
		watch(c, g);
	}
}

/* ---- calls of libssh2 -------------------------------------------------- */

/* EAGAIN: if something is half sent, this call is the next. */
static enum sess_res
again(struct sess *s, enum job what, struct cargo *g)
{
	s->blocked = true;
	if (!(libssh2_session_block_directions(s->ssh) &
	    LIBSSH2_SESSION_BLOCK_OUTBOUND))
		return RES_NEXT;
	s->carry->pending = what;
	s->carry->of = g;
	return RES_WAIT;
}

/* What was read of the stream, again until it is gone. */
static enum sess_res
write_channel(struct sess *s, struct cargo *g)
{
	struct carry *c = s->carry;
	ssize_t n;

	n = libssh2_channel_write_ex(g->channel, 0, c->out, c->out_len);
	if (n == LIBSSH2_ERROR_EAGAIN) {
		/* There was room for it, so it can only be the socket. */
		s->blocked = true;
		c->pending = JOB_WRITE;
		c->of = g;
		return RES_WAIT;
	}
	if (n < 0) {
		if (s->hung_up)
			return sess_error(s, (int)n, "carrying");
		abandon(c, g);
		return RES_MORE;
	}
	c->out_len -= (size_t)n;
	if (c->out_len == 0)
		return RES_MORE;
	memmove(c->out, c->out + n, c->out_len);
	return write_channel(s, g);
}

/* From the stream into the channel, as much as its window takes. */
static enum sess_res
carry_out(struct sess *s, struct cargo *g)
{
	struct carry *c = s->carry;
	unsigned long room;
	ssize_t n;

	if (!g->readable || g->fd == -1)
		return RES_NEXT;
	room = libssh2_channel_window_write(g->channel);
	if (room == 0)
		return RES_NEXT;
	n = recv(g->fd, c->out, room < CHUNK ? room : CHUNK, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
		g->readable = false;
		watch(c, g);
		return RES_NEXT;
	}
	if (n <= 0) {
		abandon(c, g);
		return RES_MORE;
	}
	c->out_len = (size_t)n;
	return write_channel(s, g);
}

/* From the channel into the stream. The first call of a round also takes in
 * what came for the others. */
static enum sess_res
carry_in(struct sess *s, struct cargo *g)
{
	struct carry *c = s->carry;
	char buf[CHUNK];
	ssize_t n;

	if (g->rest != NULL || g->fd == -1)
		return RES_NEXT;
	n = libssh2_channel_read_ex(g->channel, 0, buf, sizeof(buf));
	if (n == LIBSSH2_ERROR_EAGAIN)
		return again(s, JOB_READ, g);
	if (n < 0)
		return s->hung_up ? sess_error(s, (int)n, "carrying") :
		    (abandon(c, g), RES_MORE);
	if (n > 0) {
		if (put(c, g, buf, (size_t)n) == -1)
			return sess_fail(s, FANOUT_C_LOCAL, "out of memory");
		watch(c, g);
		return RES_MORE;
	}
	if (libssh2_channel_eof(g->channel) == 1)
		abandon(c, g);	/* the other side is through: so are we */
	return RES_NEXT;
}

static enum sess_res
free_channel(struct sess *s, struct cargo *g)
{
	int rc = libssh2_channel_free(g->channel);

	if (rc == LIBSSH2_ERROR_EAGAIN)
		return again(s, JOB_FREE, g);
	if (s->hung_up)
		return sess_error(s, rc, "carrying");
	drop_cargo(s, g);
	return RES_MORE;
}

/* ---- opening ----------------------------------------------------------- */

static const struct {
	const char	*part;
	enum fanout_class cls;
} refusals[] = {
	{ "refused", FANOUT_C_REFUSED },
	{ "timed out", FANOUT_C_CONNECT_TIMEOUT },
	{ "timeout", FANOUT_C_CONNECT_TIMEOUT },
	{ "not known", FANOUT_C_RESOLVE },
	{ "name resolution", FANOUT_C_RESOLVE },
	{ "No address", FANOUT_C_RESOLVE },
	{ "resolve", FANOUT_C_RESOLVE },
	{ "unreachable", FANOUT_C_UNREACHABLE },
	{ "No route", FANOUT_C_UNREACHABLE }
};

static void
refused(struct sess *s, struct fanout_ride *r)
{
	const char *words = s->carry->refusal;
	enum fanout_class cls = FANOUT_C_UNREACHABLE;
	char *text = NULL;
	int len = 0;
	size_t i;

	if (s->carry->reason == SHORTAGE) {
		/* Its own limit: it is for us to wait. */
		s->carry->hold = fo_now() + HOLD_MS;
		fanout_io_ride_later(s->io, r);
		return;
	}
	if (s->carry->reason == PROHIBITED)
		words = "it may not forward there (AllowTcpForwarding, "
		    "PermitOpen)";
	if (words[0] == '\0') {
		(void)libssh2_session_last_error(s->ssh, &text, &len, 0);
		words = len > 0 ? text : "it refused to connect";
	}
	for (i = sizeof(refusals) / sizeof(refusals[0]); i-- > 0;)
		if (strcasestr(words, refusals[i].part) != NULL)
			cls = refusals[i].cls;
	fanout_io_ride_fail(s->io, r, cls, 0, words);
}

static enum sess_res
opened(struct sess *s, LIBSSH2_CHANNEL *channel)
{
	struct carry *c = s->carry;
	struct fanout_ride *r = c->ride;
	struct cargo *g;

	c->ride = NULL;
	if ((g = calloc(1, sizeof(*g))) == NULL) {
		fanout_io_ride_fail(s->io, r, FANOUT_C_LOCAL, ENOMEM,
		    "out of memory");
		return sess_fail(s, FANOUT_C_LOCAL, "out of memory");
	}
	g->channel = channel;
	TAILQ_INSERT_TAIL(&c->all, g, link);
	c->n++;
	s->windows += SESS_WINDOW;
	if ((g->fd = fanout_io_ride_open(s->io, r)) == -1)
		g->closing = true;
	else
		watch(c, g);
	return RES_MORE;
}

/* NULL: *rc says why. */
static LIBSSH2_CHANNEL *
open_channel(struct sess *s, int *rc)
{
	const struct fo_wr *w = &s->carry->request;
	LIBSSH2_CHANNEL *channel;

	channel = libssh2_channel_open_ex(s->ssh, "direct-tcpip",
	    sizeof("direct-tcpip") - 1, SESS_WINDOW,
	    LIBSSH2_CHANNEL_PACKET_DEFAULT, (char *)w->p, (unsigned)w->len);
	*rc = channel != NULL ? 0 : libssh2_session_last_errno(s->ssh);
	return channel;
}

/* Its patience is over, or nobody wants it any more. libssh2 lets go of an
 * open only when its socket fails - or when the answer comes just now. */
static enum sess_res
drop_open(struct sess *s, bool later)
{
	struct carry *c = s->carry;
	struct fanout_ride *r = c->ride;
	LIBSSH2_CHANNEL *channel;
	int rc;

	s->drop_wait = true;
	channel = open_channel(s, &rc);
	s->drop_wait = false;
	if (channel != NULL)
		return opened(s, channel);
	c->ride = NULL;
	if (later && rc != LIBSSH2_ERROR_CHANNEL_FAILURE) {
		fanout_io_ride_later(s->io, r);
		if (c->patience < PATIENCE_MAX_MS)
			c->patience += PATIENCE_MS / 4;
	} else
		refused(s, r);
	return RES_MORE;
}

/* It owes an answer: is it there at all? */
static enum sess_res
check_pulse(struct sess *s, int64_t now)
{
	struct carry *c = s->carry;
	int next;

	if (c->heard != s->moved) {
		c->heard = s->moved;
		c->heard_at = now;
		c->pinged = false;
	}
	if (now - c->heard_at > SILENCE_MS)
		return sess_fail(s, FANOUT_C_LOST, "it does not answer any "
		    "more");
	if (now - c->heard_at > SILENCE_MS / 3 && !c->pinged &&
	    sess_may_probe(s)) {
		(void)libssh2_keepalive_send(s->ssh, &next);
		c->pinged = true;
		c->heard = s->moved;
	}
	return RES_NEXT;
}

static enum sess_res
wait_open(struct sess *s)
{
	struct carry *c = s->carry;
	int64_t now = fo_now(), left = c->asked + c->patience - now;

	if (fanout_io_ride_left(s->io, c->ride))
		return drop_open(s, false);
	if (left <= 0 && fanout_io_ride_queued(s->io))
		return drop_open(s, true);
	fanout_io_timer(s->io, left > 0 ? (int)left + 1 : 1000);
	return check_pulse(s, now);
}

static enum sess_res
call_open(struct sess *s)
{
	struct carry *c = s->carry;
	LIBSSH2_CHANNEL *channel;
	enum sess_res res;
	int rc;

	if ((channel = open_channel(s, &rc)) != NULL)
		return opened(s, channel);
	if (rc == LIBSSH2_ERROR_EAGAIN) {
		if ((res = again(s, JOB_OPEN, NULL)) != RES_NEXT)
			return res;
		return wait_open(s);
	}
	if (rc != LIBSSH2_ERROR_CHANNEL_FAILURE)
		return sess_error(s, rc, "opening a way");
	refused(s, c->ride);
	c->ride = NULL;
	return RES_MORE;
}

/* string host, uint32 port, string our address, uint32 our port */
static enum sess_res
next_open(struct sess *s)
{
	struct carry *c = s->carry;
	const char *address;
	unsigned port;

	if (c->ride == NULL) {
		if (c->hold > fo_now()) {
			fanout_io_timer(s->io, HOLD_MS);
			return RES_NEXT;
		}
		c->ride = fanout_io_ride(s->io, &address, &port);
		if (c->ride == NULL) {
			c->patience = PATIENCE_MS;
			return RES_NEXT;
		}
		fo_wr_free(&c->request);
		fo_wr_init(&c->request);
		fo_wr_cstr(&c->request, address);
		fo_wr_u32(&c->request, port);
		fo_wr_cstr(&c->request, "127.0.0.1");
		fo_wr_u32(&c->request, 0);
		if (c->request.bad)
			return sess_fail(s, FANOUT_C_LOCAL, "out of memory");
		c->refusal[0] = '\0';
		c->reason = 0;
		c->asked = c->heard_at = fo_now();
		c->heard = s->moved;
		c->pinged = false;
	}
	return call_open(s);
}

/* ---- all of it --------------------------------------------------------- */

static enum sess_res
finish_pending(struct sess *s)
{
	struct carry *c = s->carry;
	enum job what = c->pending;

	c->pending = JOB_NONE;
	switch (what) {
	case JOB_OPEN:
		return call_open(s);
	case JOB_WRITE:
		return write_channel(s, c->of);
	case JOB_READ:
		return carry_in(s, c->of);
	case JOB_FREE:
		return free_channel(s, c->of);
	default:
		return RES_NEXT;
	}
}

static bool
has_something(const struct cargo *g)
{
	unsigned long queued = 0;

	(void)libssh2_channel_window_read_ex(g->channel, &queued, NULL);
	return queued > 0 || libssh2_channel_eof(g->channel) == 1;
}

/* One after the other. RES_MORE: something moved. */
static enum sess_res
each_cargo(struct sess *s)
{
	struct cargo *g, *next;
	enum sess_res res, all = RES_NEXT;
	bool first = true;

	for (g = TAILQ_FIRST(&s->carry->all); g != NULL; g = next) {
		next = TAILQ_NEXT(g, link);
		res = RES_NEXT;
		if (!g->closing && (first || has_something(g))) {
			first = g->rest != NULL;
			if ((res = carry_in(s, g)) == RES_WAIT ||
			    res == RES_FAIL)
				return res;
		}
		if (res == RES_MORE)
			all = res;
		res = g->closing ? free_channel(s, g) : carry_out(s, g);
		if (res == RES_WAIT || res == RES_FAIL)
			return res;
		if (res == RES_MORE)
			all = res;
	}
	return all;
}

static enum sess_res
round_trip(struct sess *s)
{
	enum sess_res res, all;

	look_at_streams(s->carry);
	if (s->carry->pending != JOB_NONE) {
		res = finish_pending(s);
		if (res == RES_WAIT || res == RES_FAIL)
			return res;
	}
	all = each_cargo(s);
	if (all == RES_WAIT || all == RES_FAIL)
		return all;
	res = next_open(s);
	return res == RES_NEXT ? all : res;
}

enum sess_res
sess_carry(struct sess *s)
{
	enum sess_res res = RES_MORE;
	uint64_t moved;
	int i;

	if (s->carry == NULL) {
		if ((s->carry = carry_new()) == NULL)
			return sess_fail(s, FANOUT_C_LOCAL, "out of memory");
		libssh2_keepalive_config(s->ssh, 1, 5);
		fanout_io_stage(s->io, FANOUT_S_RUN);
		fanout_io_watch(s->io, SESS_WATCH_CARRY, s->carry->efd,
		    POLLIN);
	}
	for (i = 0; i < ROUNDS && res == RES_MORE; i++) {
		moved = s->moved;
		res = round_trip(s);
		if (res == RES_NEXT && s->moved != moved)
			res = RES_MORE;
	}
	s->resting = s->carry->n == 0 && s->carry->ride == NULL;
	if (res == RES_NEXT && sess_peek(s) == -1)
		return sess_fail(s, FANOUT_C_LOST, s->farewell[0] != '\0' ?
		    "it hung up: %s" : "it hung up%s", s->farewell);
	return res == RES_NEXT ? RES_WAIT : res;
}
