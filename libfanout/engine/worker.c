#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine.h"
#include "thread.h"

#define EVENTS_AT_ONCE 128
#define ADMIT_AT_ONCE 16	/* then see to those that are there */
#define TELL_AT_ONCE 64

int
worker_init(struct worker *w, struct engine *eng, int index)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };

	w->eng = eng;
	w->index = index;
	TAILQ_INIT(&w->inbox);
	TAILQ_INIT(&w->peers);
	TAILQ_INIT(&w->run);
	TAILQ_INIT(&w->dead);
	STAILQ_INIT(&w->told);
	w->wakefd = -1;
	if ((w->epfd = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
	    (w->wakefd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1 ||
	    epoll_ctl(w->epfd, EPOLL_CTL_ADD, w->wakefd, &ev) == -1) {
		if (w->epfd != -1)
			close(w->epfd);
		if (w->wakefd != -1)
			close(w->wakefd);
		return -1;
	}
	pthread_mutex_init(&w->mu, NULL);
	return 0;
}

void
worker_destroy(struct worker *w)
{
	struct lookup *l;

	while ((l = TAILQ_FIRST(&w->inbox)) != NULL) {
		TAILQ_REMOVE(&w->inbox, l, link);
		lookup_free(l, w->eng->transport, w->eng->shared);
	}
	timers_free(&w->timers);
	pthread_mutex_destroy(&w->mu);
	close(w->wakefd);
	close(w->epfd);
}

/* ---- from other threads ---- */

void
worker_notify(struct worker *w)
{
	uint64_t one = 1;

	if (atomic_exchange(&w->notified, true))
		return;
	/* It fails only when the counter is full: then it wakes as well. */
	if (write(w->wakefd, &one, sizeof(one)) == -1)
		return;
}

void
worker_stop(struct worker *w)
{
	atomic_store(&w->stop, true);
	worker_notify(w);
}

void
worker_looked_up(struct worker *w, struct lookup *l)
{
	pthread_mutex_lock(&w->mu);
	TAILQ_INSERT_TAIL(&w->inbox, l, link);
	pthread_mutex_unlock(&w->mu);
	worker_notify(w);
}

/* ---- to the caller ---- */

void
worker_tell(struct worker *w, struct event *e)
{
	STAILQ_INSERT_TAIL(&w->told, e, link);
	if (++w->ntold >= TELL_AT_ONCE)
		worker_hand_over(w);
}

void
worker_hand_over(struct worker *w)
{
	if (w->ntold == 0)
		return;
	w->ntold = 0;
	queue_put_all(&w->eng->queue, &w->told);
}

/* ---- the loop ---- */

static void
read_inbox(struct worker *w)
{
	struct lookup_list got = TAILQ_HEAD_INITIALIZER(got);
	struct lookup *l;

	pthread_mutex_lock(&w->mu);
	TAILQ_CONCAT(&got, &w->inbox, link);
	pthread_mutex_unlock(&w->mu);
	while ((l = TAILQ_FIRST(&got)) != NULL) {
		TAILQ_REMOVE(&got, l, link);
		if (l->owner == NULL)	/* whoever asked has given up */
			lookup_free(l, w->eng->transport, w->eng->shared);
		else
			peer_looked_up(l->owner);
	}
}

static void
notified(struct worker *w)
{
	struct fanout_io *p, *next;
	bool stop;
	uint64_t n;

	if (read(w->wakefd, &n, sizeof(n)) == -1)
		return;
	atomic_store(&w->notified, false);
	stop = atomic_load(&w->stop);
	read_inbox(w);
	for (p = TAILQ_FIRST(&w->peers); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (stop)
			peer_stop(p);
		else
			peer_scan(p);
	}
	w->admit_due = 0;
}

/* Descriptors are short and this worker may have kept sessions. */
static bool
evict(struct worker *w)
{
	struct fanout_io *p;

	TAILQ_FOREACH(p, &w->peers, link)
		if (p->state == PEER_KEPT) {
			peer_close(p);
			return true;
		}
	return false;
}

static void
admit(struct worker *w)
{
	enum admit_answer answer = ADMIT_HOST;
	struct task *t;
	int i;

	w->admit_due = FO_NEVER;
	for (i = 0; i < ADMIT_AT_ONCE; i++) {
		answer = admit_take(&w->eng->admit, w->index, w->mine, w->now,
		    &t, &w->admit_due);
		if (answer == ADMIT_HOST)
			peer_begin(w, t);
		else
			break;
	}
	if (answer == ADMIT_EVICT) {
		if (!evict(w))
			engine_notify(w->eng, w);	/* theirs, then */
	} else if (answer == ADMIT_HOST)
		w->admit_due = w->now;
	/*
	 * What we gave back is for others, who sleep and do not know. Only
	 * then: to pass on news just heard would send it round for ever.
	 */
	else if (answer == ADMIT_OTHERS && w->freed)
		engine_notify(w->eng, w);
	w->freed = false;
}

static void
expire(struct worker *w)
{
	struct fanout_io *p;
	struct timer *t;

	while ((t = timers_first(&w->timers)) != NULL && t->when <= w->now) {
		p = (struct fanout_io *)((char *)t -
		    offsetof(struct fanout_io, timer));
		timers_clear(&w->timers, t);
		peer_expire(p);
	}
}

/* Each runnable peer once: who has more to do comes again next turn. */
static void
run(struct worker *w)
{
	struct peer_list turn = TAILQ_HEAD_INITIALIZER(turn);
	struct fanout_io *p;

	TAILQ_CONCAT(&turn, &w->run, run_link);
	while ((p = TAILQ_FIRST(&turn)) != NULL) {
		TAILQ_REMOVE(&turn, p, run_link);
		p->runnable = false;
		peer_run(p);
	}
}

static void
bury_dead(struct worker *w)
{
	struct fanout_io *p;

	while ((p = TAILQ_FIRST(&w->dead)) != NULL) {
		TAILQ_REMOVE(&w->dead, p, link);
		peer_free(p);
	}
}

static int
wait_ms(const struct worker *w)
{
	const struct timer *t = timers_first(&w->timers);
	int64_t when = w->admit_due;

	if (!TAILQ_EMPTY(&w->run))
		return 0;
	if (t != NULL && t->when < when)
		when = t->when;
	return fo_until(w->now, when);
}

static void
wait_events(struct worker *w)
{
	struct epoll_event ev[EVENTS_AT_ONCE];
	struct watch *s;
	int i, n;

	n = epoll_wait(w->epfd, ev, EVENTS_AT_ONCE, wait_ms(w));
	w->now = fo_now();
	for (i = 0; i < n; i++) {
		if ((s = ev[i].data.ptr) == NULL)
			notified(w);
		else
			peer_runnable(s->peer);
	}
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;

	w->now = fo_now();
	for (;;) {
		bool stop = atomic_load(&w->stop);

		run(w);
		expire(w);
		if (stop && w->npeers == 0)
			break;
		/* Last: what has just ended makes room. */
		if (!stop)
			admit(w);
		else
			w->admit_due = FO_NEVER;
		worker_hand_over(w);
		wait_events(w);
		bury_dead(w);
	}
	worker_hand_over(w);
	bury_dead(w);
	return NULL;
}

int
worker_start(struct worker *w)
{
	return thread_start(&w->thread, worker_main, w);
}

void
worker_join(struct worker *w)
{
	pthread_join(w->thread, NULL);
}
