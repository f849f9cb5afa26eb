#include <sys/resource.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admit.h"

#define SPARE_DESCRIPTORS 32	/* for look-ups, spools and the caller */
#define RETRY_MS 50
#define RATE_UNITS 1024		/* next_connect counts 1/1024 ms */
#define RATE_BURST_MS 10	/* what a late worker may catch up */

static size_t
open_descriptors(void)
{
	DIR *d;
	size_t n = 0;

	if ((d = opendir("/proc/self/fd")) == NULL)
		return 64;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static size_t
session_limit(unsigned descriptors)
{
	struct rlimit rl;
	size_t used = open_descriptors() + SPARE_DESCRIPTORS;

	if (descriptors == 0 || getrlimit(RLIMIT_NOFILE, &rl) == -1 ||
	    rl.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	if (rl.rlim_cur < used + descriptors)
		return 1;
	return (rl.rlim_cur - used) / descriptors;
}

int
admit_init(struct admit *a, unsigned max_workers, size_t window,
    unsigned rate, unsigned gap_ms, unsigned descriptors)
{
	unsigned i;

	memset(a, 0, sizeof(*a));
	if ((a->warm = calloc(max_workers, sizeof(*a->warm))) == NULL)
		return -1;
	for (i = 0; i < max_workers; i++)
		STAILQ_INIT(&a->warm[i]);
	STAILQ_INIT(&a->cold);
	STAILQ_INIT(&a->later);
	pthread_mutex_init(&a->mu, NULL);
	a->window = window;
	a->gap = (int64_t)gap_ms * RATE_UNITS;
	if (rate > 0 && 1000 * RATE_UNITS / rate > a->gap)
		a->gap = 1000 * RATE_UNITS / rate;
	a->max_sessions = session_limit(descriptors);
	a->nworkers = 1;
	return 0;
}

void
admit_destroy(struct admit *a)
{
	if (a->warm == NULL)
		return;
	free(a->warm);
	pthread_mutex_destroy(&a->mu);
}

/* Under mu: a host with a task goes where it will be taken from. */
static void
enqueue(struct admit *a, struct host *h)
{
	h->place = HOST_QUEUED;
	if (h->worker == -1)
		STAILQ_INSERT_TAIL(&a->cold, h, link);
	else
		STAILQ_INSERT_TAIL(&a->warm[h->worker], h, link);
}

static void
dequeue(struct admit *a, struct host *h)
{
	if (h->worker == -1)
		STAILQ_REMOVE(&a->cold, h, host, link);
	else
		STAILQ_REMOVE(&a->warm[h->worker], h, host, link);
}

void
admit_submit(struct admit *a, struct task *tasks, size_t n)
{
	struct host *h;
	size_t i;

	pthread_mutex_lock(&a->mu);
	for (i = 0; i < n; i++) {
		if (tasks[i].skipped)
			continue;
		h = tasks[i].host;
		STAILQ_INSERT_TAIL(&h->tasks, &tasks[i], link);
		if (h->place == HOST_REST)
			enqueue(a, h);
		a->waiting++;
	}
	pthread_mutex_unlock(&a->mu);
}

/* Under mu: may another connection begin? If not, when? */
static bool
rate_allows(struct admit *a, int64_t now, int64_t *until)
{
	int64_t late = (now - RATE_BURST_MS) * RATE_UNITS;

	if (now < a->retry_at) {
		*until = a->retry_at;
		return false;
	}
	if (a->gap == 0)
		return true;
	if (now * RATE_UNITS < a->next_connect) {
		*until = a->next_connect / RATE_UNITS + 1;
		return false;
	}
	if (a->next_connect < late)
		a->next_connect = late;
	a->next_connect += a->gap;
	return true;
}

/* Under mu: no worker takes more than its part of what can be in flight. */
static size_t
share(const struct admit *a)
{
	size_t n = a->waiting + a->in_flight;

	if (n > a->window)
		n = a->window;
	return (n + a->nworkers - 1) / a->nworkers;
}

/* Under mu: those whose time has come, to the front of the others. Returns
 * when the next one's does; 0: never. */
static int64_t
wake_later(struct admit *a, int64_t now)
{
	struct host *h, *next;
	int64_t first = 0;

	for (h = STAILQ_FIRST(&a->later); h != NULL; h = next) {
		next = STAILQ_NEXT(h, link);
		if (h->when <= now) {
			STAILQ_REMOVE(&a->later, h, host, link);
			h->when = 0;
			STAILQ_INSERT_HEAD(&a->cold, h, link);
		} else if (first == 0 || h->when < first)
			first = h->when;
	}
	return first;
}

static enum admit_answer
choose(struct admit *a, int worker, size_t mine, int64_t now,
    struct host **out, int64_t *until)
{
	struct host *h;
	int64_t later = wake_later(a, now);

	if (later != 0)
		*until = later;
	if (a->in_flight >= a->window) {
		if (!STAILQ_EMPTY(&a->warm[worker]) || mine == 0)
			a->starved = true;
		return ADMIT_WAIT;
	}
	if ((h = STAILQ_FIRST(&a->warm[worker])) != NULL) {
		*out = h;
		return ADMIT_HOST;
	}
	if ((h = STAILQ_FIRST(&a->cold)) == NULL)
		return ADMIT_WAIT;
	if (a->sessions >= a->max_sessions) {
		if (a->sessions > a->in_flight)
			return ADMIT_EVICT;
		if (mine == 0)
			a->starved = true;
		return ADMIT_WAIT;
	}
	if (mine >= share(a))
		return ADMIT_OTHERS;
	if (!rate_allows(a, now, until))
		return ADMIT_WAIT;
	*out = h;
	return ADMIT_HOST;
}

enum admit_answer
admit_take(struct admit *a, int worker, size_t mine, int64_t now,
    struct task **out, int64_t *until)
{
	enum admit_answer answer;
	struct host *h = NULL;

	pthread_mutex_lock(&a->mu);
	answer = choose(a, worker, mine, now, &h, until);
	if (answer == ADMIT_HOST) {
		dequeue(a, h);
		if (h->worker == -1) {
			h->worker = worker;
			a->sessions++;
			h->logs_in = true;
			a->logging_in++;
		}
		h->place = HOST_FLIGHT;
		*out = STAILQ_FIRST(&h->tasks);
		STAILQ_REMOVE_HEAD(&h->tasks, link);
		a->waiting--;
		a->in_flight++;
	}
	pthread_mutex_unlock(&a->mu);
	return answer;
}

/* Under mu. */
static void
logged_in(struct admit *a, struct host *h)
{
	if (h->logs_in)
		a->logging_in--;
	h->logs_in = false;
}

void
admit_logged_in(struct admit *a, struct host *h)
{
	pthread_mutex_lock(&a->mu);
	logged_in(a, h);
	pthread_mutex_unlock(&a->mu);
}

/* Under mu: out of flight; to a queue again if there is more to do. */
static void
land(struct admit *a, struct host *h, bool kept)
{
	a->in_flight--;
	logged_in(a, h);
	h->place = HOST_REST;
	if (!kept) {
		a->sessions--;
		h->worker = -1;
	}
}

bool
admit_done(struct admit *a, struct host *h, bool kept)
{
	bool tell;

	pthread_mutex_lock(&a->mu);
	land(a, h, kept);
	if (!STAILQ_EMPTY(&h->tasks))
		enqueue(a, h);
	tell = a->starved;
	a->starved = false;
	pthread_mutex_unlock(&a->mu);
	return tell;
}

void
admit_closed(struct admit *a, struct host *h)
{
	pthread_mutex_lock(&a->mu);
	if (h->place == HOST_QUEUED)
		dequeue(a, h);
	a->sessions--;
	h->worker = -1;
	if (h->place == HOST_QUEUED)
		enqueue(a, h);
	pthread_mutex_unlock(&a->mu);
}

/* Under mu: a host in flight, back to where it came from. */
static void
take_back(struct admit *a, struct task *t)
{
	struct host *h = t->host;

	land(a, h, false);
	a->waiting++;
	STAILQ_INSERT_HEAD(&h->tasks, t, link);
	h->place = HOST_QUEUED;
	STAILQ_INSERT_HEAD(&a->cold, h, link);
}

void
admit_again(struct admit *a, struct task *t)
{
	pthread_mutex_lock(&a->mu);
	take_back(a, t);
	pthread_mutex_unlock(&a->mu);
}

void
admit_later(struct admit *a, struct task *t, int64_t when)
{
	struct host *h = t->host;

	pthread_mutex_lock(&a->mu);
	land(a, h, false);
	a->waiting++;
	STAILQ_INSERT_HEAD(&h->tasks, t, link);
	h->place = HOST_QUEUED;
	h->when = when;
	STAILQ_INSERT_TAIL(&a->later, h, link);
	pthread_mutex_unlock(&a->mu);
}

bool
admit_retry(struct admit *a, struct task *t, int64_t now)
{
	bool useful;

	pthread_mutex_lock(&a->mu);
	useful = a->sessions > 1;
	if (useful) {
		take_back(a, t);
		a->max_sessions = a->sessions;
		a->retry_at = now + RETRY_MS;
	}
	pthread_mutex_unlock(&a->mu);
	return useful;
}

/* Under mu: move a host's tasks that are canceled or left out to out. */
static void
pick_canceled(struct admit *a, struct host *h, struct task_list *out)
{
	struct task_list keep = STAILQ_HEAD_INITIALIZER(keep);
	struct task *t;

	while ((t = STAILQ_FIRST(&h->tasks)) != NULL) {
		STAILQ_REMOVE_HEAD(&h->tasks, link);
		if (t->left_out || atomic_load(&t->job->canceled)) {
			STAILQ_INSERT_TAIL(out, t, link);
			a->waiting--;
		} else
			STAILQ_INSERT_TAIL(&keep, t, link);
	}
	STAILQ_CONCAT(&h->tasks, &keep);
}

static void
sweep(struct admit *a, struct host_list *queue, struct task_list *out)
{
	struct host_list old = STAILQ_HEAD_INITIALIZER(old);
	struct host *h;

	STAILQ_CONCAT(&old, queue);
	while ((h = STAILQ_FIRST(&old)) != NULL) {
		STAILQ_REMOVE_HEAD(&old, link);
		pick_canceled(a, h, out);
		if (STAILQ_EMPTY(&h->tasks))
			h->place = HOST_REST;
		else
			STAILQ_INSERT_TAIL(queue, h, link);
	}
}

static void
sweep_all(struct admit *a, struct task_list *out)
{
	unsigned i;

	sweep(a, &a->cold, out);
	sweep(a, &a->later, out);
	for (i = 0; i < a->nworkers; i++)
		sweep(a, &a->warm[i], out);
}

void
admit_leave_out(struct admit *a, struct host *h, struct task_list *out)
{
	struct task *t;

	pthread_mutex_lock(&a->mu);
	STAILQ_FOREACH(t, &h->tasks, link)
		t->left_out = true;
	if (h->place == HOST_FLIGHT)
		pick_canceled(a, h, out);
	else if (h->place == HOST_QUEUED)
		sweep_all(a, out);
	pthread_mutex_unlock(&a->mu);
}

void
admit_canceled(struct admit *a, struct task_list *out)
{
	pthread_mutex_lock(&a->mu);
	sweep_all(a, out);
	pthread_mutex_unlock(&a->mu);
}

void
admit_canceled_behind(struct admit *a, struct job *job, struct task_list *out)
{
	struct host *h;
	size_t i;

	pthread_mutex_lock(&a->mu);
	for (i = 0; i < job->ntasks; i++) {
		h = job->tasks[i].host;
		if (h->place == HOST_FLIGHT)
			pick_canceled(a, h, out);
	}
	pthread_mutex_unlock(&a->mu);
}

size_t
admit_load(struct admit *a)
{
	size_t n;

	pthread_mutex_lock(&a->mu);
	n = a->waiting + a->in_flight;
	pthread_mutex_unlock(&a->mu);
	return n;
}

void
admit_workers(struct admit *a, unsigned running)
{
	pthread_mutex_lock(&a->mu);
	a->nworkers = running;
	pthread_mutex_unlock(&a->mu);
}

void
admit_stats(struct admit *a, struct fanout_stats *st)
{
	pthread_mutex_lock(&a->mu);
	st->in_flight = a->in_flight;
	st->pending = a->waiting;
	st->sessions = a->sessions;
	st->logging_in = a->logging_in;
	pthread_mutex_unlock(&a->mu);
}
