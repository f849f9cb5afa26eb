/*
 * dial.c - a TCP connection to the first address that answers.
 *
 * As RFC 8305 has it: the next address is tried when one has failed, or has
 * been silent for a quarter of a second; the others go on meanwhile.
 * ConnectionAttempts rounds over all of them, within one deadline.
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
#define NEXT_MS 250	/* RFC 8305, 5: Connection Attempt Delay */
#define DOOR_MS 20	/* between two looks whether it is our turn */

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

static void
drop(struct fanout_io *p, unsigned slot)
{
	int fd = p->watch[slot].fd;

	if (fd == -1)
		return;
	fanout_io_watch(p, slot, -1, 0);
	close(fd);
}

/* In other states the descriptors watched are the transport's. */
void
dial_stop(struct fanout_io *p)
{
	unsigned i;

	if (p->state != PEER_DIAL)
		return;
	for (i = 0; i < FANOUT_WATCHES; i++)
		drop(p, i);
}

static bool
is_dialing(const struct fanout_io *p)
{
	unsigned i;

	for (i = 0; i < FANOUT_WATCHES; i++)
		if (p->watch[i].fd != -1)
			return true;
	return false;
}

/* Of several, what a host said tells more than that there is no way. */
static void
note_error(struct fanout_io *p, int error)
{
	if (p->dial_error == 0 || class_of(error) != FANOUT_C_UNREACHABLE)
		p->dial_error = error;
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

/* A descriptor that is connected or about to be; or -1 with errno. */
static int
try_address(const struct address *a, const char *source)
{
	int fd, error = 0;

	fd = socket(a->u.sa.sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	set_options(fd);
	if (source != NULL)
		error = bind_source(fd, a->u.sa.sa_family, source);
	if (error == 0 && connect(fd, &a->u.sa, a->len) == -1 &&
	    errno != EINPROGRESS)
		error = errno;
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
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

/* With more addresses than slots the oldest attempt makes room. */
static void
start_address(struct fanout_io *p)
{
	const struct lookup *l = p->lookup;
	unsigned slot = p->address % FANOUT_WATCHES;
	int fd;

	drop(p, slot);
	fd = try_address(&l->found.at[p->address], l->plan.source);
	if (fd == -1 && (errno == EMFILE || errno == ENFILE)) {
		if (is_dialing(p)) {
			p->step_due = p->worker->now + NEXT_MS;
			return;
		}
		if (wait_for_descriptor(p))
			return;
		errno = EMFILE;
	}
	p->address++;
	if (fd == -1) {
		note_error(p, errno);
		return;
	}
	fanout_io_watch(p, slot, fd, POLLOUT);
	if (p->address < l->found.n)
		p->step_due = p->worker->now + NEXT_MS;
}

/* Every address failed: another round, or the end. */
static void
next_round(struct fanout_io *p)
{
	const struct fanout_plan *plan = &p->lookup->plan;

	if (++p->round < plan->attempts) {
		/* As ssh does it: a host that comes up needs a moment. */
		p->address = 0;
		p->step_due = p->worker->now + ROUND_MS;
		return;
	}
	peer_fail(p, class_of(p->dial_error), p->dial_error, 0,
	    "connect to %s port %u: %s", plan->address, plan->port,
	    strerror(p->dial_error));
}

void
peer_leave_door(struct fanout_io *p)
{
	if (p->door != NULL)
		doors_leave(&p->worker->eng->doors, p->door);
	p->door = NULL;
}

/* Is it our turn? Until then no deadline runs. */
static bool
may_begin(struct fanout_io *p)
{
	if (p->door != NULL)
		return true;
	if (!doors_enter(&p->worker->eng->doors, &p->lookup->found.at[0],
	    &p->door)) {
		p->stage_due = FO_NEVER;
		p->step_due = p->worker->now + DOOR_MS;
		return false;
	}
	if (p->stage_due == FO_NEVER)
		peer_restart_stage(p);
	return true;
}

void
dial_next(struct fanout_io *p)
{
	if (!may_begin(p))
		return;
	while (p->state == PEER_DIAL && p->step_due == FO_NEVER) {
		if (p->address < p->lookup->found.n)
			start_address(p);
		else if (is_dialing(p))
			return;
		else
			next_round(p);
	}
}

/* 0: connected; EINPROGRESS: not yet; else why not. */
static int
state_of(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	if (poll(&pfd, 1, 0) <= 0)
		return EINPROGRESS;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	return error;
}

/* This one it is; the others are given up. */
static void
take(struct fanout_io *p, unsigned slot)
{
	int fd = p->watch[slot].fd;

	fanout_io_watch(p, slot, -1, 0);
	dial_stop(p);
	p->step_due = FO_NEVER;
	peer_connected(p, fd);
}

void
dial_step(struct fanout_io *p)
{
	unsigned i;
	int error;

	if (p->ride != NULL)
		return;		/* the jump host dials */
	if (p->step_due <= p->worker->now)
		p->step_due = FO_NEVER;
	for (i = 0; i < FANOUT_WATCHES; i++) {
		if (p->watch[i].fd == -1)
			continue;
		if ((error = state_of(p->watch[i].fd)) == 0) {
			take(p, i);
			return;
		}
		if (error == EINPROGRESS)
			continue;
		drop(p, i);
		note_error(p, error);
		p->step_due = FO_NEVER;
	}
	dial_next(p);
}
