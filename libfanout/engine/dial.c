/*
 * dial.c - a TCP connection to the first address that answers.
 *
 * Addresses are tried in turn, each with its part of the connect deadline;
 * ConnectionAttempts rounds over all of them.
 */
#include <sys/socket.h>

#include <netinet/tcp.h>

#include <arpa/inet.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine.h"

#define ROUND_MS 1000	/* between two rounds over the addresses */

static enum fanout_class
class_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ECONNRESET:
		return FANOUT_C_REFUSED;
	case ETIMEDOUT:
		return FANOUT_C_CONNECT_TIMEOUT;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EADDRNOTAVAIL:
		return FANOUT_C_LOCAL;
	default:
		return FANOUT_C_UNREACHABLE;
	}
}

void
dial_stop(struct fanout_io *p)
{
	if (p->fd == -1)
		return;
	fanout_io_watch(p, 0, -1, 0);
	close(p->fd);
	p->fd = -1;
}

static void
set_options(int fd)
{
	int on = 1, idle = 60, interval = 15;
	unsigned timeout = 120000;

	/* Neither failure changes what the user asked for. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	/* A host that vanished is noticed within two minutes, silent or not. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval,
	    sizeof(interval));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout,
	    sizeof(timeout));
}

/* The address of ours that the plan names; 0 or errno. */
static int
bind_source(int fd, int family, const char *source)
{
	struct address a = { .len = sizeof(a.u.in) };

	a.u.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET6)
		a.len = sizeof(a.u.in6);
	if (inet_pton(family, source, family == AF_INET6 ?
	    (void *)&a.u.in6.sin6_addr : (void *)&a.u.in.sin_addr) != 1)
		return EADDRNOTAVAIL;
	return bind(fd, &a.u.sa, a.len) == -1 ? errno : 0;
}

/* 0: connected or under way; else errno. */
static int
try_address(struct fanout_io *p, const struct address *a)
{
	const char *source = p->lookup->plan.source;
	int error;

	p->fd = socket(a->u.sa.sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd == -1)
		return errno;
	set_options(p->fd);
	if (source != NULL && (error = bind_source(p->fd, a->u.sa.sa_family,
	    source)) != 0)
		return error;
	if (connect(p->fd, &a->u.sa, a->len) == 0 || errno == EINPROGRESS)
		return 0;
	return errno;
}

/* No descriptor: others will give theirs back, so wait for that. */
static bool
wait_for_descriptor(struct fanout_io *p)
{
	struct worker *w = p->worker;
	struct host *h = p->host;

	if (h == NULL)
		return false;	/* a jump host: it has no place to wait */
	/* Once it is back in the queue another worker may have it. */
	h->peer = NULL;
	if (!admit_retry(&w->eng->admit, p->task, w->now)) {
		h->peer = p;
		return false;
	}
	peer_desert(p);
	return true;
}

/* The address failed: another one, another round, or the end. */
static void
next_address(struct fanout_io *p, int error)
{
	const struct lookup *l = p->lookup;

	dial_stop(p);
	if (++p->address < l->found.n)
		return;
	if (++p->round < l->plan.attempts) {
		/* As ssh does it: a host that comes up needs a moment. */
		p->address = 0;
		p->step_due = p->worker->now + ROUND_MS;
		return;
	}
	peer_fail(p, class_of(error), error, 0, "connect to %s port %u: %s",
	    l->plan.address, l->plan.port, strerror(error));
}

/* When to go on to the next address: an equal part of the time left. */
static void
set_slice(struct fanout_io *p)
{
	size_t left = p->lookup->found.n - p->address;
	int64_t now = p->worker->now;

	p->step_due = FO_NEVER;
	if (left > 1 && p->stage_due != FO_NEVER)
		p->step_due = now + (p->stage_due - now) / (int64_t)left;
}

void
dial_next(struct fanout_io *p)
{
	int error;

	while (p->state == PEER_DIAL && p->fd == -1 &&
	    p->step_due == FO_NEVER) {
		error = try_address(p, &p->lookup->found.at[p->address]);
		if (error == 0) {
			set_slice(p);
			fanout_io_watch(p, 0, p->fd, POLLOUT);
		} else if ((error == EMFILE || error == ENFILE) &&
		    wait_for_descriptor(p))
			return;
		else
			next_address(p, error);
	}
}

void
dial_step(struct fanout_io *p)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0, fd = p->fd;

	if (p->step_due <= p->worker->now) {
		p->step_due = FO_NEVER;
		if (fd != -1)		/* else the pause is over */
			next_address(p, ETIMEDOUT);
		dial_next(p);
		return;
	}
	if (fd == -1)
		return;
	if (poll(&pfd, 1, 0) <= 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	p->step_due = FO_NEVER;
	if (error != 0) {
		next_address(p, error);
		dial_next(p);
		return;
	}
	fanout_io_watch(p, 0, -1, 0);
	p->fd = -1;
	peer_connected(p, fd);
}
