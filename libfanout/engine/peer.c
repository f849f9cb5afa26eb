/*
 * peer.c - the life of one host on its worker, state by state.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "engine.h"

void
peer_runnable(struct fanout_io *p)
{
	if (p->runnable || p->state == PEER_DEAD)
		return;
	p->runnable = true;
	TAILQ_INSERT_TAIL(&p->worker->run, p, run_link);
}

/* ---- beginning ---- */

static struct fanout_io *
peer_new(struct worker *w, struct task *t)
{
	struct fanout_io *p;
	size_t i;

	if (timers_reserve(&w->timers, w->npeers + 1) == -1 ||
	    (p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	if ((p->lookup = lookup_new(t->host->name)) == NULL) {
		free(p);
		return NULL;
	}
	p->lookup->owner = p;
	p->lookup->worker = w->index;
	p->lookup->plan.round = t->round;
	p->worker = w;
	p->host = t->host;
	p->host->peer = p;
	p->name = t->host->name;
	p->stage_due = p->command_due = p->step_due = FO_NEVER;
	p->pace_due = FO_NEVER;
	pace_init(&p->pace, w->eng->host_rate);
	p->ask_due = FO_NEVER;
	for (i = 0; i < FANOUT_WATCHES; i++) {
		p->watch[i].peer = p;
		p->watch[i].fd = -1;
	}
	TAILQ_INSERT_TAIL(&w->peers, p, link);
	w->npeers++;
	p->logs_in = true;
	return p;
}

/* There is not even a peer: the task ends here. */
static void
refuse(struct worker *w, struct task *t, enum fanout_class cls, int error,
    const char *text)
{
	struct host *h = t->host;

	fo_fail(&t->result, cls, error, 0, "%s", text);
	engine_task_done(w->eng, w, t);
	w->mine--;
	w->freed = true;
	engine_landed(w->eng, h, h->peer != NULL);
}

static void
start_lookup(struct fanout_io *p)
{
	struct engine *eng = p->worker->eng;
	struct lookup *l = p->lookup;

	p->state = PEER_LOOKUP;
	peer_enter(p, FANOUT_S_RESOLVE);
	if (resolver_put(eng->resolver, l) == 0)
		return;
	p->state = PEER_DIAL;	/* the lookup stayed ours */
	peer_fail(p, FANOUT_C_LOCAL, errno, 0, "cannot start a thread: %s",
	    strerror(errno));
}

static void
start_task(struct fanout_io *p)
{
	struct job *job = p->task->job;
	struct fanout_task ft = {
		.carry = job->carrier != NULL,
		.command = job->commands == NULL ? job->command :
		    job->commands[p->task - job->tasks],
		.has_input = job->feed != NULL || job->streams != NULL,
		.subsystem = job->subsystem,
		.tty = job->tty,
		.more = p->worker->eng->keep,
		.bulk = job->bulk && !io_is_paced(p),
		/* What goes there by itself cannot be slowed down. */
		.input_fd = job->feed != NULL && job->streams == NULL &&
		    !io_is_paced(p) ? feed_fd(job->feed) : -1
	};

	p->state = PEER_BUSY;
	p->starving = false;
	p->idle_since = p->worker->now;
	p->worker->eng->transport->start(p->impl, &ft);
	peer_runnable(p);
}

void
peer_begin(struct worker *w, struct task *t)
{
	struct fanout_io *p = t->host->peer;

	w->mine++;
	if (t->admitted == 0)
		worker_tell(w, &t->start);
	t->admitted = w->now;
	atomic_store(&t->worker, w->index);
	if (atomic_load(&t->job->canceled)) {
		refuse(w, t, FANOUT_C_CANCELED, 0, "canceled before it began");
		return;
	}
	if (p == NULL && (p = peer_new(w, t)) == NULL) {
		refuse(w, t, FANOUT_C_LOCAL, ENOMEM, "out of memory");
		return;
	}
	p->task = t;
	if (p->state == PEER_KEPT) {
		p->reused = true;
		p->stage_due = FO_NEVER;	/* a new task, a new deadline */
		peer_enter(p, FANOUT_S_OPEN);
		start_task(p);
	} else
		start_lookup(p);
	peer_set_timer(p);
}

/* A jump host: as a host, but in nobody's books. */
void
peer_begin_carrier(struct worker *w, struct carrier *c)
{
	struct fanout_io *p = peer_new(w, &c->task);

	if (p == NULL) {
		fo_fail(&c->task.result, FANOUT_C_LOCAL, ENOMEM, 0,
		    "out of memory");
		engine_task_done(w->eng, w, &c->task);
		return;
	}
	p->host = NULL;
	p->task = &c->task;
	p->lookup->plan.carries = true;
	start_lookup(p);
	peer_set_timer(p);
}

/* The way there failed before there was a connection. */
static void
ride_failed(struct fanout_io *p, struct fanout_result *why)
{
	ride_leave(p);
	peer_fail(p, why->cls, why->sys_errno, why->lib_err, "%s", why->text);
}

/* Until the jump host opens the way its own deadlines hold, not ours. */
static void
begin_ride(struct fanout_io *p)
{
	struct fanout_result why = { .text = "" };

	peer_enter(p, FANOUT_S_CONNECT);
	p->stage_due = FO_NEVER;
	if (ride_begin(p, &why) == -1)
		ride_failed(p, &why);
}

static void
scan_ride(struct fanout_io *p)
{
	struct fanout_result why;
	int fd;

	switch (ride_look(p, &why)) {
	case RIDE_OPENING:
		if (p->stage_due == FO_NEVER)
			peer_restart_stage(p);
		break;
	case RIDE_OPEN:
		if ((fd = ride_take(p)) != -1)
			peer_connected(p, fd);
		break;
	case RIDE_FAILED:
		ride_failed(p, &why);
		break;
	default:
		break;
	}
}

void
peer_looked_up(struct fanout_io *p)
{
	struct lookup *l = p->lookup;

	p->state = PEER_DIAL;
	io_tell_notes(p, &l->plan);
	if (l->failed) {
		peer_fail(p, l->result.cls, l->result.sys_errno,
		    l->result.lib_err, "%s", l->result.text);
	} else if (l->plan.via != NULL && l->plan.address != NULL) {
		begin_ride(p);
	} else if (l->plan.address == NULL) {
		peer_connected(p, -1);
	} else {
		peer_enter(p, FANOUT_S_CONNECT);
		dial_next(p);
	}
	peer_set_timer(p);
}

void
peer_connected(struct fanout_io *p, int fd)
{
	const struct fanout_transport *t = p->worker->eng->transport;

	p->impl = t->peer_new(p->worker->eng->shared, p, p->name,
	    &p->lookup->plan, fd);
	if (p->impl == NULL) {
		peer_fail(p, FANOUT_C_LOCAL, ENOMEM, 0, "out of memory");
		return;
	}
	start_task(p);
}

/* ---- ending ---- */

void
peer_finish(struct fanout_io *p)
{
	struct task *t = p->task;
	struct fanout_result why;

	if (p->state == PEER_ENDING && p->begun &&
	    t->result.fate == FANOUT_F_NONE)
		fanout_io_fate(p, FANOUT_F_UNKNOWN, 0, "");
	fanout_io_forget(p);
	if (t->result.cls == FANOUT_C_LOST && ride_was_lost(p, &why))
		(void)strlcpy(t->result.text, why.text,
		    sizeof(t->result.text));
	p->task = NULL;
	p->command_due = FO_NEVER;
	p->starving = false;
	atomic_store(&t->held, false);
	engine_task_done(p->worker->eng, p->worker, t);
}

/* The session is gone: so is the peer, once this turn is over. */
void
peer_bury(struct fanout_io *p)
{
	struct worker *w = p->worker;
	struct host *h = p->host;
	enum peer_state was = p->state;
	unsigned i;

	fanout_io_forget(p);
	ride_leave(p);
	dial_stop(p);
	peer_leave_door(p);
	if (p->impl != NULL)
		w->eng->transport->free(p->impl);
	p->impl = NULL;
	for (i = 0; i < FANOUT_WATCHES; i++)
		fanout_io_watch(p, i, -1, 0);
	timers_clear(&w->timers, &p->timer);
	if (p->runnable)
		TAILQ_REMOVE(&w->run, p, run_link);
	p->runnable = false;
	if (was == PEER_LOOKUP)
		p->lookup->owner = NULL;	/* freed when it comes back */
	else
		lookup_free(p->lookup, w->eng->transport, w->eng->shared);
	p->state = PEER_DEAD;
	TAILQ_REMOVE(&w->peers, p, link);
	TAILQ_INSERT_TAIL(&w->dead, p, link);
	w->npeers--;
	if (h == NULL)
		return;
	h->peer = NULL;
	w->freed = true;
	if (was == PEER_KEPT)
		admit_closed(&w->eng->admit, h);
	else {
		w->mine--;
		engine_landed(w->eng, h, false);
	}
}

void
peer_desert(struct fanout_io *p)
{
	struct worker *w = p->worker;

	w->mine--;
	w->freed = true;
	p->task = NULL;
	p->host = NULL;
	peer_bury(p);
}

void
peer_free(struct fanout_io *p)
{
	free(p);
}

/* The task gets a new session, as if it had never been taken; when: not
 * before, 0: at once. */
static void
begin_anew(struct fanout_io *p, int64_t when)
{
	struct task *t = p->task;

	memset(&t->result, 0, sizeof(t->result));
	t->result.status = -1;
	t->input_off = 0;
	atomic_store(&t->held, false);
	p->host->peer = NULL;
	/* Given back it may be canceled on another thread, and end there. */
	worker_hand_over(p->worker);
	if (when != 0)
		admit_later(&p->worker->eng->admit, t, when);
	else
		admit_again(&p->worker->eng->admit, t);
	peer_desert(p);
}

#define HUNG_UP_RETRIES 2	/* whatever the caller says */
#define PAUSE_MS 1000		/* doubled each time */
#define PAUSE_MAX_MS 32000

/* How long to wait before it is tried again; -1: it is not. */
static int
pause_ms(const struct fanout_io *p)
{
	const struct task *t = p->task;
	const struct fanout_result *r = &t->result;
	bool hung_up = r->cls == FANOUT_C_LOST &&
	    r->lib_err == FANOUT_HUNG_UP;
	unsigned limit = p->worker->eng->retries;
	int ms = PAUSE_MS;

	if (hung_up && limit < HUNG_UP_RETRIES)
		limit = HUNG_UP_RETRIES;
	if (t->retries >= limit)
		return -1;
	switch (r->cls) {
	case FANOUT_C_CONNECT_TIMEOUT:
	case FANOUT_C_RESOLVE:
		return ms;	/* time enough went by */
	case FANOUT_C_REFUSED:
	case FANOUT_C_UNREACHABLE:
		break;
	case FANOUT_C_LOST:
		if (!hung_up)
			return -1;
		/* Not all that it was too much for at the same moment. */
		ms = PAUSE_MS / 2 + (int)arc4random_uniform(PAUSE_MS);
		break;
	default:
		return -1;
	}
	ms <<= t->retries < 5 ? t->retries : 5;
	return ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
}

/* It failed before its command began: does the transport know another way, or
 * is it worth another try? */
static bool
other_way(struct fanout_io *p)
{
	struct engine *eng = p->worker->eng;
	const struct fanout_transport *tr = eng->transport;
	struct task *t = p->task;

	int ms;

	if (t == NULL || p->host == NULL || t->result.cls == FANOUT_C_OK ||
	    p->state == PEER_ENDING || atomic_load(&t->job->canceled) ||
	    atomic_load(&p->worker->stop))
		return false;
	if (tr->size >= sizeof(*tr) && tr->again != NULL &&
	    tr->again(eng->shared, &p->lookup->plan, &t->result)) {
		fanout_io_log(p, 1, "%s; trying another way", t->result.text);
		t->round++;
		begin_anew(p, 0);
		return true;
	}
	if ((ms = pause_ms(p)) == -1)
		return false;
	t->retries++;
	fanout_io_log(p, 1, "%s; trying again in %.1f s", t->result.text,
	    ms / 1000.0);
	begin_anew(p, p->worker->now + ms);
	return true;
}

void
peer_fail(struct fanout_io *p, enum fanout_class cls, int sys_errno,
    int lib_err, const char *fmt, ...)
{
	va_list ap;

	p->task->result.stage = p->stage;
	va_start(ap, fmt);
	fo_vfail(&p->task->result, cls, sys_errno, lib_err, fmt, ap);
	va_end(ap);
	if (other_way(p))
		return;
	peer_finish(p);
	peer_bury(p);
}

void
peer_end(struct fanout_io *p, enum fanout_class cls, const char *fmt, ...)
{
	va_list ap;

	p->task->result.stage = p->stage;
	va_start(ap, fmt);
	fo_vfail(&p->task->result, cls, 0, 0, fmt, ap);
	va_end(ap);
	fanout_io_forget(p);
	p->state = PEER_ENDING;		/* from here the result stands */
	p->begun = p->stage == FANOUT_S_RUN && !p->task->job->subsystem &&
	    p->task->job->carrier == NULL;
	p->command_due = FO_NEVER;
	peer_enter(p, FANOUT_S_CLOSE);
	if (p->begun)
		peer_allow_grace(p);
	p->worker->eng->transport->cancel(p->impl);
	peer_runnable(p);
}

/*
 * Say good-bye. In-flight hosts stay in flight until the session is closed,
 * so that the window bounds what the servers see.
 */
static void
begin_close(struct fanout_io *p)
{
	p->state = PEER_CLOSING;
	p->stage_due = FO_NEVER;
	peer_enter(p, FANOUT_S_CLOSE);
	p->worker->eng->transport->close(p->impl);
	peer_runnable(p);
}

void
peer_close(struct fanout_io *p)
{
	struct worker *w = p->worker;

	/* From kept to in flight, in the books too, while it says so. */
	p->host->peer = NULL;
	w->freed = true;
	admit_closed(&w->eng->admit, p->host);
	p->host = NULL;
	begin_close(p);
	peer_set_timer(p);
}

static void
task_over(struct fanout_io *p)
{
	struct worker *w = p->worker;
	bool wanted = w->eng->keep || p->task->job->keep;
	enum fanout_class cls = p->task->result.cls;
	bool keep = wanted && p->state == PEER_BUSY &&
	    (cls <= FANOUT_C_SIGNAL || cls == FANOUT_C_REMOTE) &&
	    !atomic_load(&w->stop);

	if (other_way(p))
		return;
	if (!keep) {
		peer_finish(p);
		begin_close(p);
		return;
	}
	p->state = PEER_KEPT;
	p->stage_due = p->step_due = FO_NEVER;
	w->mine--;
	w->freed = true;
	peer_runnable(p);		/* let it watch for the server's end */
	/* First: who hears DONE finds the host at rest in fanout_stats(). */
	engine_landed(w->eng, p->host, true);
	peer_finish(p);
}

/* ---- running ---- */

/* A kept session may have died in its sleep, before the task began: once. */
static bool
slept_away(struct fanout_io *p)
{
	if (p->task == NULL || p->state != PEER_BUSY || !p->reused ||
	    p->stage != FANOUT_S_OPEN || atomic_load(&p->worker->stop))
		return false;
	begin_anew(p, 0);
	return true;
}

/* The transport gave up its session while a task was on it. */
static void
closed(struct fanout_io *p)
{
	if (slept_away(p) || other_way(p))
		return;
	if (p->task != NULL) {
		if (p->state == PEER_BUSY && p->task->result.cls ==
		    FANOUT_C_OK)
			fanout_io_fail(p, FANOUT_C_LOST, 0, 0,
			    "the session ended before the task");
		peer_finish(p);
	}
	peer_bury(p);
}

void
peer_run(struct fanout_io *p)
{
	enum fanout_verdict verdict;

	if (p->state == PEER_LOOKUP)
		return;
	if (p->state == PEER_DIAL) {
		dial_step(p);
		peer_set_timer(p);
		return;
	}
	/* The step will see. Until now it was we who did not read. */
	if (p->task != NULL && atomic_exchange(&p->task->held, false))
		p->idle_since = p->worker->now;
	verdict = p->worker->eng->transport->step(p->impl);
	if (verdict == FANOUT_CLOSED)
		closed(p);
	else if (verdict == FANOUT_DONE && p->task != NULL)
		task_over(p);
	else if (verdict == FANOUT_MORE)
		peer_runnable(p);
	peer_set_timer(p);
}

/* Something may have changed for it: room, input, a cancel. */
void
peer_scan(struct fanout_io *p)
{
	struct task *t = p->task;

	if (t == NULL)
		return;
	if (atomic_load(&t->job->canceled) && p->state != PEER_ENDING) {
		if (p->state == PEER_BUSY)
			peer_end(p, FANOUT_C_CANCELED, "canceled");
		else
			peer_fail(p, FANOUT_C_CANCELED, 0, 0, "canceled");
	} else if (p->starving || io_is_answered(p) ||
	    carrier_is_wanted(p)) {
		peer_runnable(p);
	} else if (atomic_load(&t->held) && io_has_room(p))
		peer_runnable(p);
	else if (p->state == PEER_DIAL && p->ride != NULL)
		scan_ride(p);
	peer_set_timer(p);
}

void
peer_stop(struct fanout_io *p)
{
	switch (p->state) {
	case PEER_LOOKUP:
	case PEER_DIAL:
		peer_fail(p, FANOUT_C_CANCELED, 0, 0, "canceled");
		break;
	case PEER_BUSY:
		peer_end(p, FANOUT_C_CANCELED, "canceled");
		break;
	case PEER_KEPT:
		peer_close(p);
		break;
	default:
		break;		/* on its way */
	}
	peer_set_timer(p);
}
