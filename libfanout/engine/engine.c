/*
 * engine.c - the engine as a whole: its making, its end, its events.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "engine.h"
#include "job.h"

void
engine_notify(struct engine *eng, const struct worker *but)
{
	unsigned i, n = atomic_load(&eng->nworkers);

	for (i = 0; i < n; i++)
		if (&eng->workers[i] != but)
			worker_notify(&eng->workers[i]);
}

void
engine_landed(struct engine *eng, struct host *h, bool kept)
{
	if (admit_done(&eng->admit, h, kept))
		engine_notify(eng, NULL);
}

/* An answer is there, for a peer of this worker (-1: of any). */
static void
answered(void *arg, int worker)
{
	struct engine *eng = arg;

	if (worker == -1)
		engine_notify(eng, NULL);
	else
		worker_notify(&eng->workers[worker]);
}

/* On a look-up thread. */
static void
looked_up(struct lookup *l, void *arg)
{
	struct engine *eng = arg;

	worker_looked_up(&eng->workers[l->worker], l);
}

static int
init_workers(struct engine *eng)
{
	unsigned i;

	eng->workers = calloc(eng->max_workers, sizeof(*eng->workers));
	if (eng->workers == NULL)
		return -1;
	for (i = 0; i < eng->max_workers; i++)
		if (worker_init(&eng->workers[i], eng, (int)i) == -1) {
			while (i-- > 0)
				worker_destroy(&eng->workers[i]);
			free(eng->workers);
			return -1;
		}
	return 0;
}

static void
take_options(struct engine *eng, const struct fanout_opts *o)
{
	eng->times = (struct engine_times){
		.resolve = o->resolve_ms, .connect = o->connect_ms,
		.login = o->login_ms, .idle = o->idle_ms,
		.command = o->command_ms, .close = o->close_ms
	};
	eng->host_buffer = o->host_buffer;
	eng->retries = o->retries;
	eng->keep = o->keep_sessions;
	eng->grace_ms = o->grace_ms;
	pace_init(&eng->pace, o->total_rate);
	eng->host_rate = o->host_rate;
	eng->log_level = o->log_level;
	eng->max_workers = o->workers;
}

/* What needs undoing when it fails, step by step; -1 with errno. */
static int
init_parts(struct engine *eng, const struct fanout_opts *o)
{
	if (queue_init(&eng->queue) == -1)
		return -1;
	if (init_workers(eng) == -1)
		goto queue;
	/* After the descriptors of the engine itself have been taken. */
	if (admit_init(&eng->admit, eng->max_workers, o->window,
	    o->connects_per_sec, o->connect_gap_ms,
	    eng->transport->descriptors) == -1)
		goto workers;
	if (asks_init(&eng->asks, o->can_answer, o->ask_ms, &eng->queue,
	    answered, eng) == -1)
		goto admit;
	if (resolver_new(&eng->resolver, eng->transport, eng->shared,
	    looked_up, eng) == -1)
		goto asks;
	if (carriers_init(&eng->carriers) == -1)
		goto resolver;
	if ((errno = doors_init(&eng->doors)) != 0)
		goto carriers;
	return 0;
carriers:
	carriers_destroy(&eng->carriers);
resolver:
	resolver_free(eng->resolver);
asks:
	asks_destroy(&eng->asks);
admit:
	admit_destroy(&eng->admit);
workers:
	for (unsigned i = 0; i < eng->max_workers; i++)
		worker_destroy(&eng->workers[i]);
	free(eng->workers);
queue:
	queue_destroy(&eng->queue);
	return -1;
}

int
engine_new(struct engine **out, const struct fanout_transport *t,
    const struct fanout_opts *o, struct fanout_error *e)
{
	struct engine *eng;
	int rc;

	*out = NULL;
	if ((eng = calloc(1, sizeof(*eng))) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	eng->transport = t;
	take_options(eng, o);
	STAILQ_INIT(&eng->taken);
	TAILQ_INIT(&eng->jobs);
	if ((rc = t->open(&eng->shared, o->custom_config, o, e)) != 0) {
		free(eng);
		return rc;
	}
	if (init_parts(eng, o) == -1) {
		fo_error_sys(e, "cannot set up the engine");
		t->close_all(eng->shared);
		free(eng);
		return FANOUT_ESYS;
	}
	pthread_mutex_init(&eng->critical, NULL);
	pthread_mutex_init(&eng->jobs_mu, NULL);
	*out = eng;
	return 0;
}

/* First all who may notify a worker, then the workers' memory. */
static void
stop_threads(struct engine *eng)
{
	unsigned i, n = atomic_load(&eng->nworkers);
	struct job *job;

	for (i = 0; i < n; i++)
		worker_stop(&eng->workers[i]);
	for (i = 0; i < n; i++)
		worker_join(&eng->workers[i]);
	asks_stop(&eng->asks);
	resolver_free(eng->resolver);
	TAILQ_FOREACH(job, &eng->jobs, link) {
		feed_free(job->feed);
		job->feed = NULL;
	}
	for (i = 0; i < eng->max_workers; i++)
		worker_destroy(&eng->workers[i]);
	free(eng->workers);
}

static void
drop_events(struct events *list)
{
	struct event *e;

	while ((e = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, link);
		if (!e->embedded)
			free(e);
	}
}

void
engine_free(struct engine *eng)
{
	struct job *job;

	if (eng == NULL)
		return;
	engine_cancel(eng, 0);
	stop_threads(eng);
	if (eng->current != NULL && !eng->current->embedded)
		free(eng->current);
	drop_events(&eng->taken);
	queue_destroy(&eng->queue);
	while ((job = TAILQ_FIRST(&eng->jobs)) != NULL) {
		TAILQ_REMOVE(&eng->jobs, job, link);
		job_free(job);
	}
	admit_destroy(&eng->admit);
	asks_destroy(&eng->asks);
	carriers_destroy(&eng->carriers);
	doors_destroy(&eng->doors);
	engine_hosts_free(eng);
	eng->transport->close_all(eng->shared);
	pthread_mutex_destroy(&eng->critical);
	pthread_mutex_destroy(&eng->jobs_mu);
	free(eng);
}

/* The bytes are the caller's no more: a held host may go on. */
static void
give_back(struct engine *eng, struct task *t, size_t len)
{
	size_t left = atomic_fetch_sub(&t->undelivered, len) - len;

	if (left <= eng->host_buffer / 2 && atomic_load(&t->held))
		worker_notify(&eng->workers[atomic_load(&t->worker)]);
}

static void
release_current(struct engine *eng)
{
	struct event *e = eng->current;

	eng->current = NULL;
	if (e == NULL)
		return;
	if (!e->embedded) {
		if (e->task != NULL)
			give_back(eng, e->task, e->ev.len);
		free(e);
	} else if (e->ev.kind == FANOUT_EV_DONE)
		job_delivered(eng, e->task);
}

static bool
deliver(struct engine *eng, struct fanout_event *out)
{
	struct event *e;

	if (STAILQ_EMPTY(&eng->taken))
		queue_take(&eng->queue, &eng->taken);
	if ((e = STAILQ_FIRST(&eng->taken)) == NULL)
		return false;
	STAILQ_REMOVE_HEAD(&eng->taken, link);
	eng->current = e;
	*out = e->ev;
	/* Now, not when it has been seen to: then it may be needed again. */
	if (e->ev.kind == FANOUT_EV_ROOM)
		stream_room_seen(job_stream(e->task));
	return true;
}

int
engine_next(struct engine *eng, struct fanout_event *out, int timeout_ms)
{
	int64_t until = timeout_ms < 0 ? FO_NEVER : fo_now() + timeout_ms;

	release_current(eng);
	for (;;) {
		if (deliver(eng, out))
			return 1;
		if (eng->unfinished == 0) {
			(void)queue_woken(&eng->queue);	/* it is answered */
			return FANOUT_EIDLE;
		}
		if (queue_woken(&eng->queue))
			return 0;
		if (fo_until(fo_now(), until) == 0)
			return 0;
		(void)queue_wait(&eng->queue, fo_until(fo_now(), until));
	}
}
