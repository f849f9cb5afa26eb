/*
 * queue.h - events on their way from the workers to the caller's thread.
 *
 * Any worker puts, one caller takes. The file descriptor is readable while
 * the queue holds something or a wake is due. Nothing is ever dropped: what
 * bounds the queue is each task's quota of undelivered bytes (task.h).
 */
#ifndef FO_QUEUE_H
#define FO_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "fanout.h"

struct task;

/*
 * START and DONE live inside their task, so that no lack of memory can keep
 * them from being told; the others are allocated with their bytes.
 */
struct event {
	STAILQ_ENTRY(event) link;
	struct fanout_event ev;
	struct task	*task;		/* NULL: of no task */
	bool		 embedded;	/* part of the task: do not free */
};				/* the bytes of an allocated one follow */
STAILQ_HEAD(events, event);

struct queue {
	pthread_mutex_t	 mu;		/* guards list and signalled */
	struct events	 list;
	bool		 signalled;	/* fd has been made readable */
	atomic_bool	 woken;
	int		 fd;		/* eventfd */
};

int	queue_init(struct queue *);	/* 0 or -1 with errno */
void	queue_destroy(struct queue *);	/* frees what was not taken */
void	queue_put(struct queue *, struct event *);
void	queue_put_all(struct queue *, struct events *);	/* and empties it */

/* Move everything to the end of into; clears the fd when nothing came. */
void	queue_take(struct queue *, struct events *into);

/* Wait until something is there or woken; 0 when time is up. */
int	queue_wait(struct queue *, int timeout_ms);

/* Async-signal-safe, any thread. queue_woken() reports it once. */
void	queue_wake(struct queue *);
bool	queue_woken(struct queue *);

/* An event with room for len bytes, copied from data; NULL: out of memory. */
struct event *event_new(enum fanout_kind, const void *data, size_t len);

#endif
