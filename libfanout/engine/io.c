/*
 * io.c - what a transport may call: fanout_io_* of fanout_transport.h.
 */
#include <sys/epoll.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/visible.h"
#include "engine.h"
#include "job.h"

static void
epoll_change(struct fanout_io *p, struct watch *s, int fd, short events)
{
	struct epoll_event ev = { .events = 0, .data.ptr = s };
	int op;

	if (events == 0)
		op = EPOLL_CTL_DEL;
	else
		op = s->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	if (events & POLLIN)
		ev.events |= EPOLLIN;
	if (events & POLLOUT)
		ev.events |= EPOLLOUT;
	/* An add can fail for want of memory: then poll by stepping. */
	if (epoll_ctl(p->worker->epfd, op, fd, &ev) == -1 && events != 0)
		fanout_io_timer(p, 50);
	else
		s->events = events;
}

void
fanout_io_watch(struct fanout_io *p, unsigned slot, int fd, short events)
{
	struct watch *s = &p->watch[slot];

	if (s->fd == fd && s->events == events)
		return;
	if (s->fd != fd && s->fd != -1 && s->events != 0)
		epoll_change(p, s, s->fd, 0);
	if (fd != -1 && s->events != events)
		epoll_change(p, s, fd, events);
	s->fd = fd;
}

void
fanout_io_timer(struct fanout_io *p, int ms)
{
	p->step_due = ms < 0 ? FO_NEVER : p->worker->now + ms;
}

void
fanout_io_stage(struct fanout_io *p, enum fanout_stage stage)
{
	/* Said again it is no new beginning: the deadline runs on. */
	if (stage != p->stage)
		peer_enter(p, stage);
}

bool
io_is_paced(const struct fanout_io *p)
{
	return p->pace.rate > 0 || p->worker->eng->pace.rate > 0;
}

/* Must it wait before more is moved? Then it is stepped in time. */
static bool
must_rest(struct fanout_io *p)
{
	int64_t now = p->worker->now;
	int mine, all;

	if (!io_is_paced(p))
		return false;
	mine = pace_wait(&p->pace, now);
	all = pace_wait(&p->worker->eng->pace, now);
	if (mine == 0 && all == 0)
		return false;
	/* Or the same host would come first each time. */
	if (all > 0)
		all += (int)arc4random_uniform((uint32_t)all + 1);
	p->pace_due = now + (mine > all ? mine : all);
	p->idle_since = p->pace_due;	/* its silence is our doing */
	return true;
}

static void
charge(struct fanout_io *p, size_t bytes)
{
	pace_charge(&p->pace, bytes, p->worker->now);
	pace_charge(&p->worker->eng->pace, bytes, p->worker->now);
}

size_t
fanout_io_room(struct fanout_io *p)
{
	size_t quota = p->worker->eng->host_buffer, n;
	struct task *t = p->task;

	if (t == NULL)
		return 0;
	if (must_rest(p)) {
		atomic_store(&t->held, true);
		return 0;
	}
	n = atomic_load(&t->undelivered);
	if (n + quota / 4 < quota)
		return quota - n;
	/*
	 * Say so first, look again then: the caller's thread shrinks the
	 * number first and looks at held then. Held stays until the next
	 * step: a peer with two streams asks twice.
	 */
	atomic_store(&t->held, true);
	if (io_has_room(p))
		peer_runnable(p);
	return 0;
}

bool
io_has_room(const struct fanout_io *p)
{
	return atomic_load(&p->task->undelivered) <=
	    p->worker->eng->host_buffer / 2;
}

int
fanout_io_emit(struct fanout_io *p, enum fanout_kind kind, const void *data,
    size_t len)
{
	struct task *t = p->task;
	struct event *e;

	if (t == NULL || len == 0)
		return 0;
	if ((e = event_new(kind, data, len)) == NULL)
		return -1;
	p->idle_since = p->worker->now;
	charge(p, len);
	if (kind == FANOUT_EV_OUT)
		t->result.out_bytes += len;
	else
		t->result.err_bytes += len;
	e->task = t;
	e->ev.job = t->job->id;
	e->ev.host = (size_t)(t - t->job->tasks);
	e->ev.name = p->name;
	atomic_fetch_add(&t->undelivered, len);
	worker_tell(p->worker, e);
	return 0;
}

/* The host's own input, and then what comes for all. */
static ssize_t
read_input(struct fanout_io *p, void *buf, size_t len)
{
	struct task *t = p->task;
	struct stream *s = job_stream(t);
	bool room = false;
	ssize_t n = 0;

	if (s != NULL)
		n = stream_read(s, buf, len, &room);
	if (room)
		worker_tell(p->worker, &s->room);
	if (n == -2)
		return 0;
	if (n == 0 && t->job->feed != NULL) {
		n = feed_read(t->job->feed, t->input_off, buf, len);
		if (n > 0)
			t->input_off += (uint64_t)n;
	}
	return n;
}

ssize_t
fanout_io_input(struct fanout_io *p, void *buf, size_t len)
{
	ssize_t n;

	if (p->task == NULL)
		return 0;
	/* As for held: say so first, so that news in between is not missed. */
	p->starving = true;
	if (must_rest(p))
		return -1;
	n = read_input(p, buf, len);
	if (n != -1)
		p->starving = false;
	if (n > 0) {
		charge(p, (size_t)n);
		p->task->result.in_bytes += (uint64_t)n;
		atomic_store(&p->task->taken, p->task->result.in_bytes);
		p->idle_since = p->worker->now;
	}
	return n;
}

void
fanout_io_moved(struct fanout_io *p, uint64_t bytes)
{
	if (p->task == NULL || bytes == 0)
		return;
	p->task->result.in_bytes += bytes;
	atomic_store(&p->task->taken, p->task->result.in_bytes);
	p->idle_since = p->worker->now;
}

int
fanout_io_grace(struct fanout_io *p)
{
	return p->worker->eng->grace_ms;
}

/* The result stands but for this: what is said of it comes behind the text. */
void
fanout_io_fate(struct fanout_io *p, enum fanout_fate fate, int64_t pid,
    const char *text)
{
	static const char *const words[] = {
		[FANOUT_F_NONE] = "",
		[FANOUT_F_KILLED] = "; killed",
		[FANOUT_F_RUNNING] = "; still running",
		[FANOUT_F_UNKNOWN] = "; it may still be running"
	};
	struct fanout_result *r;
	char more[128], safe[128];

	if (p->state != PEER_ENDING || p->task == NULL)
		return;
	r = &p->task->result;
	r->fate = fate;
	r->pid = pid;
	(void)snprintf(more, sizeof(more), "%s%s%s%s", words[fate],
	    *text != '\0' ? " (" : "", text, *text != '\0' ? ")" : "");
	(void)fo_vis_line(safe, sizeof(safe), more, strlen(more));
	(void)strlcat(r->text, safe, sizeof(r->text));
}

struct fanout_result *
fanout_io_result(struct fanout_io *p)
{
	return p->state == PEER_BUSY ? &p->task->result : &p->scratch;
}

void
fanout_io_fail(struct fanout_io *p, enum fanout_class cls, int sys_errno,
    int lib_err, const char *fmt, ...)
{
	struct fanout_result *r = fanout_io_result(p);
	va_list ap;

	r->stage = p->stage;
	va_start(ap, fmt);
	fo_vfail(r, cls, sys_errno, lib_err, fmt, ap);
	va_end(ap);
}

bool
fanout_io_logs(struct fanout_io *p, int level)
{
	return level <= p->worker->eng->log_level;
}

void
fanout_io_log(struct fanout_io *p, int level, const char *fmt, ...)
{
	char raw[512], safe[512];
	struct event *e;
	va_list ap;

	if (!fanout_io_logs(p, level))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	(void)fo_vis_line(safe, sizeof(safe), raw, strlen(raw));
	if ((e = event_new(FANOUT_EV_LOG, safe, strlen(safe))) == NULL)
		return;		/* a log line may be lost, an outcome not */
	e->ev.level = level;
	e->ev.name = p->name;
	if (p->task != NULL && p->task->job->carrier == NULL) {
		e->ev.job = p->task->job->id;
		e->ev.host = (size_t)(p->task - p->task->job->tasks);
	}
	worker_tell(p->worker, e);
}

/* Notes are lines that begin with the digit of their level. */
void
fanout_plan_log(struct fanout_plan *plan, int level, const char *fmt, ...)
{
	size_t len = plan->notes != NULL ? strlen(plan->notes) : 0;
	char raw[512], safe[512], *notes;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	(void)fo_vis_line(safe, sizeof(safe), raw, strlen(raw));
	if ((notes = realloc(plan->notes, len + strlen(safe) + 3)) == NULL)
		return;
	(void)snprintf(notes + len, strlen(safe) + 3, "%d%s\n", level & 7, safe);
	plan->notes = notes;
}

void
io_tell_notes(struct fanout_io *p, struct fanout_plan *plan)
{
	char *line, *rest = plan->notes;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			fanout_io_log(p, line[0] - '0', "%s", line + 1);
	free(plan->notes);
	plan->notes = NULL;
}

void
fanout_io_critical(struct fanout_io *p, void (*fn)(void *), void *arg)
{
	struct engine *eng = p->worker->eng;

	pthread_mutex_lock(&eng->critical);
	fn(arg);
	pthread_mutex_unlock(&eng->critical);
}
