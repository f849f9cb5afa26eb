/*
 * job.c - a job from submit to its last DONE, seen from the caller's thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "engine.h"
#include "job.h"

/* Hosts a thread should have before another one is worth its start. */
#define HOSTS_PER_WORKER 16

static void
input_news(void *arg)
{
	engine_notify(arg, NULL);
}

void
job_free(struct job *job)
{
	size_t i;

	if (job == NULL)
		return;
	feed_free(job->feed);
	free(job->command);
	for (i = 0; job->commands != NULL && i < job->ntasks; i++)
		free(job->commands[i]);
	free(job->commands);
	for (i = 0; job->streams != NULL && i < job->ntasks; i++)
		stream_destroy(&job->streams[i]);
	free(job->streams);
	free(job->tasks);
	free(job);
}

struct stream *
job_stream(const struct task *t)
{
	return t->job->streams == NULL ? NULL :
	    &t->job->streams[t - t->job->tasks];
}

static void
init_task(struct job *job, struct task *t, struct host *h, int64_t now)
{
	t->job = job;
	t->host = h;
	t->queued = now;
	t->result.status = -1;
	t->start.ev.kind = FANOUT_EV_START;
	t->done.ev.kind = FANOUT_EV_DONE;
	t->done.ev.result = &t->result;
	t->start.embedded = t->done.embedded = true;
	t->start.task = t->done.task = t;
	t->start.ev.job = t->done.ev.job = job->id;
	t->start.ev.host = t->done.ev.host = (size_t)(t - job->tasks);
	t->start.ev.name = t->done.ev.name = h->name;
}

static int
init_tasks(struct engine *eng, struct job *job, const struct fanout_hosts *set)
{
	int64_t now = fo_now();
	struct host *h;
	size_t i;

	for (i = 0; i < job->ntasks; i++) {
		h = engine_host(eng, fanout_hosts_at(set, i));
		if (h == NULL)
			return -1;
		init_task(job, &job->tasks[i], h, now);
	}
	return 0;
}

static int
copy_commands(struct job *job, const struct fanout_cmd *cmd)
{
	size_t i;

	if (cmd->commands == NULL) {
		job->command = cmd->command != NULL ? strdup(cmd->command) :
		    NULL;
		return cmd->command == NULL || job->command != NULL ? 0 : -1;
	}
	job->commands = calloc(job->ntasks, sizeof(*job->commands));
	if (job->commands == NULL)
		return -1;
	for (i = 0; i < job->ntasks; i++)
		if (cmd->commands[i] != NULL &&
		    (job->commands[i] = strdup(cmd->commands[i])) == NULL)
			return -1;
	return 0;
}

static int
init_streams(struct job *job)
{
	size_t i;

	job->streams = calloc(job->ntasks, sizeof(*job->streams));
	if (job->streams == NULL)
		return -1;
	for (i = 0; i < job->ntasks; i++)
		stream_init(&job->streams[i], &job->tasks[i],
		    &job->tasks[i].start.ev);
	return 0;
}

static struct job *
job_new(struct engine *eng, const struct fanout_hosts *set,
    const struct fanout_cmd *cmd, struct fanout_error *e)
{
	struct job *job;

	if ((job = calloc(1, sizeof(*job))) == NULL)
		goto nomem;
	job->id = eng->last_job + 1;
	job->ntasks = job->left = fanout_hosts_count(set);
	job->tasks = calloc(job->ntasks, sizeof(*job->tasks));
	job->subsystem = cmd->subsystem;
	job->tty = cmd->tty;
	job->keep = cmd->keep;
	job->bulk = cmd->bulk;
	if (job->tasks == NULL || init_tasks(eng, job, set) == -1 ||
	    copy_commands(job, cmd) == -1 ||
	    (cmd->own_input && init_streams(job) == -1))
		goto nomem;
	if (cmd->stdin_fd != -1 &&
	    feed_new(&job->feed, cmd->stdin_fd, input_news, eng) == -1) {
		fo_error_sys(e, "cannot read the standard input (fd %d)",
		    cmd->stdin_fd);
		goto fail;
	}
	return job;
nomem:
	fo_error(e, FANOUT_ENOMEM, "out of memory");
fail:
	job_free(job);
	return NULL;
}

static struct job **
bucket(struct engine *eng, fanout_job id)
{
	return &eng->by_id[id % JOB_BUCKETS];
}

/* One thread for every few hosts, up to the limit. */
static int
start_workers(struct engine *eng)
{
	size_t want = 1 + admit_load(&eng->admit) / HOSTS_PER_WORKER;
	unsigned n = atomic_load(&eng->nworkers);
	int rc;

	while (n < want && n < eng->max_workers) {
		if ((rc = worker_start(&eng->workers[n])) != 0) {
			errno = rc;
			return n > 0 ? 0 : -1;
		}
		atomic_store(&eng->nworkers, ++n);
		admit_workers(&eng->admit, n);
	}
	return 0;
}

/* Those that are to be skipped are done before they begin. */
static void
skip_tasks(struct engine *eng, struct job *job, const char *const *skip)
{
	struct task *t;
	size_t i;

	for (i = 0; i < job->ntasks; i++) {
		t = &job->tasks[i];
		if (skip == NULL || skip[i] == NULL)
			continue;
		t->skipped = true;
		fo_fail(&t->result, FANOUT_C_SKIPPED, 0, 0, "%s", skip[i]);
	}
	admit_submit(&eng->admit, job->tasks, job->ntasks);
	for (i = 0; skip != NULL && i < job->ntasks; i++)
		if (skip[i] != NULL)
			engine_task_done(eng, NULL, &job->tasks[i]);
}

int
engine_submit(struct engine *eng, const struct fanout_hosts *set,
    const struct fanout_cmd *cmd, fanout_job *out, struct fanout_error *e)
{
	struct fanout_error mine;
	struct job *job;

	if (e == NULL)
		e = &mine;
	*out = 0;
	if (fanout_hosts_count(set) == 0)
		return fo_error(e, FANOUT_EINVAL, "the set of hosts is empty");
	if (start_workers(eng) == -1)
		return fo_error_sys(e, "cannot start a thread");
	if ((job = job_new(eng, set, cmd, e)) == NULL)
		return e->code;
	*out = eng->last_job = job->id;
	eng->unfinished++;
	pthread_mutex_lock(&eng->jobs_mu);
	TAILQ_INSERT_TAIL(&eng->jobs, job, link);
	pthread_mutex_unlock(&eng->jobs_mu);
	job->hash_next = *bucket(eng, job->id);
	*bucket(eng, job->id) = job;
	skip_tasks(eng, job, cmd->skip);
	(void)start_workers(eng);	/* those there are will do */
	engine_notify(eng, NULL);
	return 0;
}

static uint32_t
span(int64_t from, int64_t to)
{
	return from == 0 || to <= from ? 0 : (uint32_t)(to - from);
}

void
engine_task_done(struct engine *eng, struct worker *w, struct task *t)
{
	int64_t now = fo_now();
	struct fanout_result *r = &t->result;

	if (t->job->carrier != NULL) {
		carrier_over(eng, t->job->carrier);
		return;
	}
	r->queue_ms = span(t->queued, t->admitted != 0 ? t->admitted : now);
	r->login_ms = span(t->admitted, t->running != 0 ? t->running : now);
	r->run_ms = span(t->running, now);
	if (w != NULL)
		worker_tell(w, &t->done);
	else
		queue_put(&eng->queue, &t->done);
}

/* Tasks that left the queues without having begun. */
static void
end_all(struct engine *eng, struct task_list *gone)
{
	struct task *t;

	while ((t = STAILQ_FIRST(gone)) != NULL) {
		STAILQ_REMOVE_HEAD(gone, link);
		if (t->left_out)
			fo_fail(&t->result, FANOUT_C_SKIPPED, 0, 0,
			    "left out before it began");
		else
			fo_fail(&t->result, FANOUT_C_CANCELED, 0, 0,
			    "canceled before it began");
		engine_task_done(eng, NULL, t);
	}
}

void
engine_cancel(struct engine *eng, fanout_job id)
{
	struct task_list gone = STAILQ_HEAD_INITIALIZER(gone);
	struct job *job;

	pthread_mutex_lock(&eng->jobs_mu);
	TAILQ_FOREACH(job, &eng->jobs, link)
		if (id == 0 || job->id == id)
			atomic_store(&job->canceled, true);
	admit_canceled(&eng->admit, &gone);
	/* Under the lock still: it keeps the jobs from being freed. */
	TAILQ_FOREACH(job, &eng->jobs, link)
		if (id == 0 || job->id == id)
			admit_canceled_behind(&eng->admit, job, &gone);
	pthread_mutex_unlock(&eng->jobs_mu);
	end_all(eng, &gone);
	engine_notify(eng, NULL);
}

void
engine_leave_out(struct engine *eng, const char *name)
{
	struct task_list gone = STAILQ_HEAD_INITIALIZER(gone);
	struct host *h = engine_host(eng, name);

	if (h == NULL)
		return;		/* no memory: it does not wait, either */
	admit_leave_out(&eng->admit, h, &gone);
	end_all(eng, &gone);
}

static struct job *
find_job(struct engine *eng, fanout_job id)
{
	struct job *job = *bucket(eng, id);

	while (job != NULL && job->id != id)
		job = job->hash_next;
	return job;
}

/* The host's own input, if there is a job and it has one. */
static struct stream *
find_stream(struct engine *eng, fanout_job id, size_t host)
{
	struct job *job = find_job(eng, id);

	return job == NULL || job->streams == NULL || host >= job->ntasks ?
	    NULL : &job->streams[host];
}

uint64_t
engine_taken(struct engine *eng, fanout_job id, size_t host)
{
	struct job *job = find_job(eng, id);

	return job == NULL || host >= job->ntasks ? 0 :
	    atomic_load(&job->tasks[host].taken);
}

static void
wake_reader(struct engine *eng, const struct stream *s)
{
	int worker = atomic_load(&s->room.task->worker);

	worker_notify(&eng->workers[worker]);
}

ssize_t
engine_write(struct engine *eng, fanout_job id, size_t host, const void *data,
    size_t len)
{
	struct stream *s = find_stream(eng, id, host);
	bool wake = false;
	ssize_t n;

	if (s == NULL || (n = stream_write(s, data, len, &wake)) == -2)
		return FANOUT_EIDLE;
	if (n == -1)
		return FANOUT_ENOMEM;
	if (wake)
		wake_reader(eng, s);
	return n;
}

int
engine_write_end(struct engine *eng, fanout_job id, size_t host, bool cut)
{
	struct stream *s = find_stream(eng, id, host);
	bool wake = false;

	if (s == NULL)
		return FANOUT_EIDLE;
	stream_end(s, cut, &wake);
	if (wake)
		wake_reader(eng, s);
	return 0;
}

void
job_delivered(struct engine *eng, struct task *t)
{
	struct job *job = t->job, **at;

	if (job->streams != NULL)
		stream_close(job_stream(t));
	if (--job->left > 0)
		return;
	pthread_mutex_lock(&eng->jobs_mu);
	TAILQ_REMOVE(&eng->jobs, job, link);
	pthread_mutex_unlock(&eng->jobs_mu);
	for (at = bucket(eng, job->id); *at != job; at = &(*at)->hash_next)
		continue;
	*at = job->hash_next;
	eng->unfinished--;
	job_free(job);
}
