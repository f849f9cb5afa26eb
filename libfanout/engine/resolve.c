#include <arpa/inet.h>

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addrcache.h"
#include "base/clock.h"
#include "base/err.h"
#include "resolve.h"
#include "thread.h"

TAILQ_HEAD(lookups, lookup);

/* One look-up thread. Its id is joined or, where it hangs, detached. */
struct looker {
	struct resolver	*resolver;
	pthread_t	 id;
	bool		 asking;	/* in the system's resolver */
};

struct resolver {
	const struct fanout_transport *transport;
	void		*shared;
	void		(*done)(struct lookup *, void *);
	void		*arg;

	pthread_mutex_t	 plan_mu;	/* one plan at a time */

	pthread_mutex_t	 mu;		/* guards the rest */
	pthread_cond_t	 work;		/* something to do, or closed */
	pthread_cond_t	 idle;		/* planning went down */
	struct lookups	 todo;
	struct lookups	 busy;		/* in the system's resolver */
	struct addrcache cache;
	unsigned	 refs;		/* the engine's and one a thread */
	struct looker	 lookers[RESOLVE_THREADS];
	unsigned	 threads;	/* of them, started */
	unsigned	 blocked;	/* of them, in the system's resolver */
	unsigned	 planning;	/* of them, in a plan */
	bool		 closed;	/* no new work */
	bool		 abandoned;	/* transport and engine are gone */
};

struct lookup *
lookup_new(const char *host)
{
	struct lookup *l;

	if ((l = calloc(1, sizeof(*l))) != NULL) {
		l->host = host;
		l->plan.connect_ms = -1;
	}
	return l;
}

static void
plan_clear(struct fanout_plan *plan, const struct fanout_transport *t,
    void *shared)
{
	if (t->plan_free != NULL)
		t->plan_free(shared, plan);
	free(plan->address);
	free(plan->source);
	free(plan->via);
	free(plan->notes);
	memset(plan, 0, sizeof(*plan));
}

void
lookup_free(struct lookup *l, const struct fanout_transport *t, void *shared)
{
	if (l == NULL)
		return;
	plan_clear(&l->plan, t, shared);
	free(l->name);
	free(l);
}

/* An address written as a number needs no resolver: true when it was one. */
static bool
numeric(const char *name, unsigned port, int family, struct addresses *found)
{
	struct address *a = &found->at[0];

	memset(a, 0, sizeof(*a));
	if (family != AF_INET6 &&
	    inet_pton(AF_INET, name, &a->u.in.sin_addr) == 1) {
		a->u.in.sin_family = AF_INET;
		a->u.in.sin_port = htons((in_port_t)port);
		a->len = sizeof(a->u.in);
	} else if (family != AF_INET &&
	    inet_pton(AF_INET6, name, &a->u.in6.sin6_addr) == 1) {
		a->u.in6.sin6_family = AF_INET6;
		a->u.in6.sin6_port = htons((in_port_t)port);
		a->len = sizeof(a->u.in6);
	} else
		return false;
	found->n = 1;
	return true;
}

static const struct addrinfo *
skip_to(const struct addrinfo *ai, int family, bool same)
{
	while (ai != NULL && (ai->ai_family == family) != same)
		ai = ai->ai_next;
	return ai;
}

static void
copy_address(struct addresses *found, const struct addrinfo *ai)
{
	struct address *a = &found->at[found->n];

	if (found->n == LOOKUP_ADDRESSES || ai->ai_addrlen > sizeof(a->u))
		return;
	memcpy(&a->u, ai->ai_addr, ai->ai_addrlen);
	a->len = ai->ai_addrlen;
	found->n++;
}

/* One of the first's family, one of the other, and so on: RFC 8305, 4. */
static void
copy_addresses(struct addresses *found, const struct addrinfo *ai)
{
	int family = ai->ai_family;
	const struct addrinfo *one = ai, *other = skip_to(ai, family, false);

	while (one != NULL || other != NULL) {
		if (one != NULL) {
			copy_address(found, one);
			one = skip_to(one->ai_next, family, true);
		}
		if (other != NULL) {
			copy_address(found, other);
			other = skip_to(other->ai_next, family, false);
		}
	}
}

/* Ask the system. Nothing here touches the resolver or the engine. */
static void
ask_system(const char *name, unsigned port, int family,
    struct addresses *found, struct fanout_result *why)
{
	struct addrinfo hints, *ai;
	char service[8];
	int rc;

	memset(&hints, 0, sizeof(hints));
	hints.ai_family = family;
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICSERV;
	(void)snprintf(service, sizeof(service), "%u", port);
	found->n = 0;
	if ((rc = getaddrinfo(name, service, &hints, &ai)) == 0) {
		copy_addresses(found, ai);
		freeaddrinfo(ai);
	}
	if (found->n == 0)
		fo_fail(why, rc == EAI_MEMORY ? FANOUT_C_LOCAL :
		    FANOUT_C_RESOLVE, rc == EAI_SYSTEM ? errno : 0, rc,
		    "cannot resolve %s: %s", name,
		    rc != 0 ? gai_strerror(rc) : "no usable address");
}

static void *resolver_main(void *);

/* Under mu: one thread more when all there are hang in the resolver. */
static int
grow(struct resolver *r)
{
	struct looker *k;
	int rc;

	if (r->threads > r->blocked || r->threads >= RESOLVE_THREADS)
		return 0;
	k = &r->lookers[r->threads];
	k->resolver = r;
	if ((rc = thread_start(&k->id, resolver_main, k)) != 0) {
		errno = rc;
		return r->threads > 0 ? 0 : -1;
	}
	r->threads++;
	r->refs++;
	return 0;
}

/*
 * The system's part, without the lock. False when the resolver was closed
 * meanwhile and nobody waits for the look-up any more.
 */
static bool
resolve_name(struct resolver *r, struct looker *k, struct lookup *l)
{
	unsigned port = l->plan.port;
	int family = l->plan.family;

	TAILQ_INSERT_TAIL(&r->busy, l, link);
	r->blocked++;
	k->asking = true;
	if (!TAILQ_EMPTY(&r->todo))
		(void)grow(r);
	pthread_mutex_unlock(&r->mu);

	ask_system(l->name, port, family, &l->found, &l->result);

	pthread_mutex_lock(&r->mu);
	r->blocked--;
	k->asking = false;
	TAILQ_REMOVE(&r->busy, l, link);
	if (r->abandoned) {
		free(l->name);	/* resolver_free has cleared the plan */
		free(l);
		return false;
	}
	l->failed = l->found.n == 0;
	if (!l->failed)
		addrcache_put(&r->cache, l->name, port, family, &l->found);
	return true;
}

/* Under mu on entry and exit; released in between. */
static bool
make_plan(struct resolver *r, struct lookup *l)
{
	int rc;

	r->planning++;
	pthread_mutex_unlock(&r->mu);
	pthread_mutex_lock(&r->plan_mu);
	rc = r->transport->plan(r->shared, l->host, &l->plan, &l->result);
	pthread_mutex_unlock(&r->plan_mu);
	pthread_mutex_lock(&r->mu);
	if (--r->planning == 0)
		pthread_cond_broadcast(&r->idle);
	if (rc == -1) {
		l->failed = true;
		return false;
	}
	return l->plan.address != NULL && l->plan.via == NULL && !numeric(l->plan.address,
	    l->plan.port, l->plan.family, &l->found);
}

static void
work_on(struct resolver *r, struct looker *k, struct lookup *l)
{
	l->result.stage = FANOUT_S_RESOLVE;
	if (make_plan(r, l) && !r->closed) {
		l->name = strdup(l->plan.address);
		if (l->name == NULL) {
			l->failed = true;
			fo_fail(&l->result, FANOUT_C_LOCAL, ENOMEM, 0,
			    "out of memory");
		} else if (!addrcache_get(&r->cache, l->name, l->plan.port,
		    l->plan.family, &l->found) && !resolve_name(r, k, l))
			return;
	}
	r->done(l, r->arg);
}

/* Under mu, which it gives up: the last to leave frees the resolver. */
static void
release(struct resolver *r)
{
	bool last = --r->refs == 0;

	pthread_mutex_unlock(&r->mu);
	if (!last)
		return;
	addrcache_clear(&r->cache);
	pthread_cond_destroy(&r->work);
	pthread_cond_destroy(&r->idle);
	pthread_mutex_destroy(&r->mu);
	pthread_mutex_destroy(&r->plan_mu);
	free(r);
}

static void *
resolver_main(void *arg)
{
	struct looker *k = arg;
	struct resolver *r = k->resolver;
	struct lookup *l;

	pthread_mutex_lock(&r->mu);
	while (!r->closed) {
		if ((l = TAILQ_FIRST(&r->todo)) == NULL) {
			pthread_cond_wait(&r->work, &r->mu);
			continue;
		}
		TAILQ_REMOVE(&r->todo, l, link);
		work_on(r, k, l);
	}
	release(r);
	return NULL;
}

int
resolver_new(struct resolver **out, const struct fanout_transport *t,
    void *shared, void (*done)(struct lookup *, void *), void *arg)
{
	struct resolver *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return -1;
	r->transport = t;
	r->shared = shared;
	r->done = done;
	r->arg = arg;
	r->refs = 1;
	TAILQ_INIT(&r->todo);
	TAILQ_INIT(&r->busy);
	pthread_mutex_init(&r->plan_mu, NULL);
	pthread_mutex_init(&r->mu, NULL);
	pthread_cond_init(&r->work, NULL);
	pthread_cond_init(&r->idle, NULL);
	*out = r;
	return 0;
}

int
resolver_put(struct resolver *r, struct lookup *l)
{
	int rc;

	pthread_mutex_lock(&r->mu);
	TAILQ_INSERT_TAIL(&r->todo, l, link);
	if ((rc = grow(r)) == -1)
		TAILQ_REMOVE(&r->todo, l, link);
	else
		pthread_cond_signal(&r->work);
	pthread_mutex_unlock(&r->mu);
	return rc;
}

/*
 * Wait for the threads to be gone, under mu, which is given up meanwhile: what
 * libraries keep for a thread is let go of at its very end, and must be before
 * the process exits. One that hangs in the system's resolver is not waited for.
 */
static void
join_threads(struct resolver *r)
{
	unsigned i;

	for (i = 0; i < r->threads; i++) {
		if (r->lookers[i].asking) {
			pthread_detach(r->lookers[i].id);
			continue;
		}
		pthread_mutex_unlock(&r->mu);
		pthread_join(r->lookers[i].id, NULL);
		pthread_mutex_lock(&r->mu);
	}
}

void
resolver_free(struct resolver *r)
{
	struct lookup *l;

	if (r == NULL)
		return;
	pthread_mutex_lock(&r->mu);
	r->closed = true;
	pthread_cond_broadcast(&r->work);
	while (r->planning > 0)
		pthread_cond_wait(&r->idle, &r->mu);
	while ((l = TAILQ_FIRST(&r->todo)) != NULL) {
		TAILQ_REMOVE(&r->todo, l, link);
		lookup_free(l, r->transport, r->shared);
	}
	TAILQ_FOREACH(l, &r->busy, link)
		plan_clear(&l->plan, r->transport, r->shared);
	r->abandoned = true;
	join_threads(r);
	release(r);
}
