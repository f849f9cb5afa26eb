#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "engine.h"

#define HOPS_MAX 16

int
carriers_init(struct carriers *cs)
{
	int rc;

	TAILQ_INIT(&cs->list);
	if ((rc = pthread_mutex_init(&cs->mu, NULL)) != 0) {
		errno = rc;
		return -1;
	}
	return 0;
}

static void
carrier_free(struct carrier *c)
{
	free(c->host);
	free(c);
}

void
carriers_destroy(struct carriers *cs)
{
	struct carrier *c;

	while ((c = TAILQ_FIRST(&cs->list)) != NULL) {
		TAILQ_REMOVE(&cs->list, c, link);
		carrier_free(c);
	}
	pthread_mutex_destroy(&cs->mu);
}

static struct carrier *
carrier_new(const char *name, int worker)
{
	struct carrier *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->host = calloc(1, sizeof(*c->host) + strlen(name) + 1);
	if (c->host == NULL) {
		free(c);
		return NULL;
	}
	memcpy(c->host->name, name, strlen(name) + 1);
	c->worker = worker;
	TAILQ_INIT(&c->waiting);
	c->job.tasks = &c->task;
	c->job.ntasks = 1;
	c->job.carrier = c;
	c->task.job = &c->job;
	c->task.host = c->host;
	c->task.result.status = -1;
	return c;
}

/* Under mu. One that was lost is not taken again, one that never worked is:
 * its failure goes for all. */
static struct carrier *
find(struct carriers *cs, const char *name)
{
	struct carrier *c;

	TAILQ_FOREACH(c, &cs->list, link)
		if (strcmp(c->host->name, name) == 0 &&
		    (c->state != CARRIER_DOWN || !c->was_up))
			return c;
	return NULL;
}

static struct carrier *
carrier_of(const struct fanout_io *p)
{
	return p->task == NULL ? NULL : p->task->job->carrier;
}

/* Would c ride on itself in the end? */
static bool
is_loop(const struct carrier *self, const struct carrier *on)
{
	unsigned hops;

	for (hops = 0; on != NULL; on = on->on)
		if (on == self || ++hops > HOPS_MAX)
			return true;
	return false;
}

/* ---- the passenger ----------------------------------------------------- */

static struct fanout_ride *
ride_new(const struct fanout_io *p)
{
	const struct fanout_plan *plan = &p->lookup->plan;
	struct fanout_ride *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	if ((r->address = strdup(plan->address)) == NULL) {
		free(r);
		return NULL;
	}
	r->port = plan->port;
	r->worker = p->worker->index;
	r->fd = -1;
	return r;
}

static void
ride_free(struct fanout_ride *r)
{
	if (r->fd != -1)
		close(r->fd);
	free(r->address);
	free(r);
}

/* Under mu. The carrier that p needs, made if it is not there; new: it has
 * to be started. NULL: why says. */
static struct carrier *
choose(struct carriers *cs, struct fanout_io *p, bool *new,
    struct fanout_result *why)
{
	struct carrier *c = find(cs, p->lookup->plan.via), *self;

	*new = c == NULL;
	if (c == NULL) {
		c = carrier_new(p->lookup->plan.via, p->worker->index);
		if (c == NULL) {
			fo_fail(why, FANOUT_C_LOCAL, ENOMEM, 0,
			    "out of memory");
			return NULL;
		}
		TAILQ_INSERT_TAIL(&cs->list, c, link);
	} else if (c->state == CARRIER_DOWN) {
		*why = c->why;
		return NULL;
	}
	if ((self = carrier_of(p)) != NULL && is_loop(self, c)) {
		fo_fail(why, FANOUT_C_LOCAL, 0, 0, "jump host %s would be "
		    "reached through itself", c->host->name);
		return NULL;
	}
	if (self != NULL)
		self->on = c;
	return c;
}

int
ride_begin(struct fanout_io *p, struct fanout_result *why)
{
	struct engine *eng = p->worker->eng;
	struct carriers *cs = &eng->carriers;
	struct fanout_ride *r;
	struct carrier *c;
	bool new;

	if ((r = ride_new(p)) == NULL) {
		fo_fail(why, FANOUT_C_LOCAL, ENOMEM, 0, "out of memory");
		return -1;
	}
	pthread_mutex_lock(&cs->mu);
	if ((c = choose(cs, p, &new, why)) != NULL) {
		r->carrier = c;
		r->queued = true;
		TAILQ_INSERT_TAIL(&c->waiting, r, link);
		p->ride = r;
	}
	pthread_mutex_unlock(&cs->mu);
	if (c == NULL) {
		ride_free(r);
		return -1;
	}
	if (new)
		peer_begin_carrier(p->worker, c);
	else
		worker_notify(&eng->workers[c->worker]);
	return 0;
}

enum ride_state
ride_look(struct fanout_io *p, struct fanout_result *why)
{
	struct carriers *cs = &p->worker->eng->carriers;
	enum ride_state state;

	pthread_mutex_lock(&cs->mu);
	state = p->ride->state;
	if (state == RIDE_FAILED)
		*why = p->ride->why;
	pthread_mutex_unlock(&cs->mu);
	return state;
}

int
ride_take(struct fanout_io *p)
{
	struct carriers *cs = &p->worker->eng->carriers;
	int fd;

	pthread_mutex_lock(&cs->mu);
	fd = p->ride->fd;
	p->ride->fd = -1;
	pthread_mutex_unlock(&cs->mu);
	return fd;
}

void
ride_leave(struct fanout_io *p)
{
	struct carriers *cs = &p->worker->eng->carriers;
	struct fanout_ride *r = p->ride;
	struct worker *tell = NULL;

	if (r == NULL)
		return;
	p->ride = NULL;
	pthread_mutex_lock(&cs->mu);
	if (r->queued)
		TAILQ_REMOVE(&r->carrier->waiting, r, link);
	r->queued = false;
	r->state = RIDE_LEFT;
	if (r->held)		/* freed when the carrier lets go of it */
		tell = &p->worker->eng->workers[r->carrier->worker];
	else
		ride_free(r);
	pthread_mutex_unlock(&cs->mu);
	if (tell != NULL && tell != p->worker)
		worker_notify(tell);
}

bool
ride_was_lost(struct fanout_io *p, struct fanout_result *why)
{
	struct carriers *cs = &p->worker->eng->carriers;
	bool lost;

	if (p->ride == NULL)
		return false;
	pthread_mutex_lock(&cs->mu);
	lost = p->ride->carrier->state == CARRIER_DOWN;
	*why = p->ride->carrier->why;
	pthread_mutex_unlock(&cs->mu);
	return lost;
}

/* ---- the carrier ------------------------------------------------------- */

/* Under mu: the passenger learns of it. */
static void
decide(struct engine *eng, struct fanout_ride *r, enum ride_state state)
{
	if (r->state == RIDE_LEFT)
		return;
	r->state = state;
	worker_notify(&eng->workers[r->worker]);
}

/* Its words, for those behind it. */
static void
name_carrier(struct carrier *c, const struct fanout_result *from)
{
	fo_fail(&c->why, from->cls != FANOUT_C_OK ? from->cls :
	    FANOUT_C_LOST, from->sys_errno, from->lib_err, "via %s: %s",
	    c->host->name, from->text[0] != '\0' ? from->text :
	    "its session ended");
}

void
carrier_over(struct engine *eng, struct carrier *c)
{
	struct carriers *cs = &eng->carriers;
	struct fanout_ride *r;

	pthread_mutex_lock(&cs->mu);
	c->state = CARRIER_DOWN;
	name_carrier(c, &c->task.result);
	while ((r = TAILQ_FIRST(&c->waiting)) != NULL) {
		TAILQ_REMOVE(&c->waiting, r, link);
		r->queued = false;
		r->why = c->why;
		decide(eng, r, RIDE_FAILED);
	}
	pthread_mutex_unlock(&cs->mu);
}

bool
carrier_is_wanted(struct fanout_io *p)
{
	struct carrier *c = carrier_of(p);

	/* What its transport holds may have been left, too. */
	return c != NULL && p->state == PEER_BUSY && c->state == CARRIER_UP;
}

/* ---- what its transport calls (fanout_transport.h) --------------------- */

struct fanout_ride *
fanout_io_ride(struct fanout_io *p, const char **address, unsigned *port)
{
	struct carriers *cs = &p->worker->eng->carriers;
	struct carrier *c = carrier_of(p);
	struct fanout_ride *r;

	if (c == NULL)
		return NULL;
	pthread_mutex_lock(&cs->mu);
	c->state = CARRIER_UP;
	c->was_up = true;
	if ((r = TAILQ_FIRST(&c->waiting)) != NULL) {
		TAILQ_REMOVE(&c->waiting, r, link);
		r->queued = false;
		r->held = true;
		*address = r->address;
		*port = r->port;
		decide(p->worker->eng, r, RIDE_OPENING);
	}
	pthread_mutex_unlock(&cs->mu);
	return r;
}

bool
fanout_io_ride_left(struct fanout_io *p, struct fanout_ride *r)
{
	struct carriers *cs = &p->worker->eng->carriers;
	bool left;

	pthread_mutex_lock(&cs->mu);
	left = r->state == RIDE_LEFT;
	pthread_mutex_unlock(&cs->mu);
	return left;
}

bool
fanout_io_ride_queued(struct fanout_io *p)
{
	struct carriers *cs = &p->worker->eng->carriers;
	struct carrier *c = carrier_of(p);
	bool queued;

	pthread_mutex_lock(&cs->mu);
	queued = !TAILQ_EMPTY(&c->waiting);
	pthread_mutex_unlock(&cs->mu);
	return queued;
}

void
fanout_io_ride_later(struct fanout_io *p, struct fanout_ride *r)
{
	struct carriers *cs = &p->worker->eng->carriers;

	pthread_mutex_lock(&cs->mu);
	r->held = false;
	if (r->state == RIDE_LEFT)
		ride_free(r);
	else {
		r->queued = true;
		TAILQ_INSERT_TAIL(&r->carrier->waiting, r, link);
	}
	pthread_mutex_unlock(&cs->mu);
}

static int
stream_pair(int fd[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, fd);
}

int
fanout_io_ride_open(struct fanout_io *p, struct fanout_ride *r)
{
	struct carriers *cs = &p->worker->eng->carriers;
	int fd[2] = { -1, -1 }, mine = -1;

	if (stream_pair(fd) == -1) {
		fanout_io_ride_fail(p, r, FANOUT_C_LOCAL, errno,
		    strerror(errno));
		return -1;
	}
	pthread_mutex_lock(&cs->mu);
	r->held = false;
	if (r->state == RIDE_LEFT) {
		ride_free(r);
		close(fd[0]);
		close(fd[1]);
	} else {
		r->fd = fd[0];
		mine = fd[1];
		decide(p->worker->eng, r, RIDE_OPEN);
	}
	pthread_mutex_unlock(&cs->mu);
	return mine;
}

void
fanout_io_ride_fail(struct fanout_io *p, struct fanout_ride *r,
    enum fanout_class cls, int sys_errno, const char *text)
{
	struct carriers *cs = &p->worker->eng->carriers;

	pthread_mutex_lock(&cs->mu);
	r->held = false;
	if (r->state == RIDE_LEFT)
		ride_free(r);
	else {
		fo_fail(&r->why, cls, sys_errno, 0, "via %s: %s",
		    r->carrier->host->name, text);
		decide(p->worker->eng, r, RIDE_FAILED);
	}
	pthread_mutex_unlock(&cs->mu);
}
