#include <sys/eventfd.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue.h"

int
queue_init(struct queue *q)
{
	memset(q, 0, sizeof(*q));
	STAILQ_INIT(&q->list);
	if ((q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		return -1;
	if ((errno = pthread_mutex_init(&q->mu, NULL)) != 0) {
		close(q->fd);
		return -1;
	}
	return 0;
}

void
queue_destroy(struct queue *q)
{
	struct event *e;

	while ((e = STAILQ_FIRST(&q->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&q->list, link);
		if (!e->embedded)
			free(e);
	}
	close(q->fd);
	pthread_mutex_destroy(&q->mu);
}

static void
raise_fd(int fd)
{
	int save = errno;
	uint64_t one = 1;

	/* It only fails when the counter is full, and then it is readable. */
	if (write(fd, &one, sizeof(one)) == -1)
		errno = save;
}

static void
lower_fd(int fd)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) == -1)
		return;		/* it was not raised */
}

void
queue_put(struct queue *q, struct event *e)
{
	struct events one = STAILQ_HEAD_INITIALIZER(one);

	STAILQ_INSERT_TAIL(&one, e, link);
	queue_put_all(q, &one);
}

void
queue_put_all(struct queue *q, struct events *all)
{
	bool raise;

	pthread_mutex_lock(&q->mu);
	STAILQ_CONCAT(&q->list, all);
	raise = !q->signalled;
	q->signalled = true;
	pthread_mutex_unlock(&q->mu);
	if (raise)
		raise_fd(q->fd);
}

void
queue_take(struct queue *q, struct events *into)
{
	pthread_mutex_lock(&q->mu);
	if (!STAILQ_EMPTY(&q->list)) {
		STAILQ_CONCAT(into, &q->list);
	} else if (!atomic_load(&q->woken)) {
		/*
		 * The fd stays readable until a take finds nothing: between
		 * two takes the caller still holds events of the last one.
		 * Whatever signalled says: who put or woke last may have
		 * raised the fd only after its event was taken.
		 */
		q->signalled = false;
		lower_fd(q->fd);
	}
	pthread_mutex_unlock(&q->mu);
}

int
queue_wait(struct queue *q, int timeout_ms)
{
	struct pollfd pfd = { .fd = q->fd, .events = POLLIN };
	int n;

	n = poll(&pfd, 1, timeout_ms);
	return n > 0 || (n == -1 && errno == EINTR);
}

void
queue_wake(struct queue *q)
{
	atomic_store(&q->woken, true);
	raise_fd(q->fd);
}

bool
queue_woken(struct queue *q)
{
	if (!atomic_exchange(&q->woken, false))
		return false;
	pthread_mutex_lock(&q->mu);
	if (STAILQ_EMPTY(&q->list)) {
		q->signalled = false;
		lower_fd(q->fd);
	}
	pthread_mutex_unlock(&q->mu);
	return true;
}

struct event *
event_new(enum fanout_kind kind, const void *data, size_t len)
{
	struct event *e;

	if ((e = malloc(sizeof(*e) + len)) == NULL)
		return NULL;
	memset(e, 0, sizeof(*e));
	e->ev.kind = kind;
	if (len > 0)
		memcpy(e + 1, data, len);
	e->ev.data = e + 1;
	e->ev.len = len;
	return e;
}
