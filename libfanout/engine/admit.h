/*
 * admit.h - which host may start now, and on which worker.
 *
 * At most window hosts are in flight at once, not more sessions are open than
 * descriptors allow, and not more connections are begun a second than asked
 * for. Workers take hosts when they have room, so that the load spreads by
 * itself. Every call is safe from any thread; one lock, held briefly.
 */
#ifndef FO_ADMIT_H
#define FO_ADMIT_H

#include <pthread.h>

#include "task.h"

STAILQ_HEAD(host_list, host);

struct admit {
	pthread_mutex_t	 mu;		/* guards the rest */
	struct host_list cold;		/* waiting, without a session */
	struct host_list later;		/* the same, but not before a time */
	struct host_list *warm;		/* one a worker: with one */
	unsigned	 nworkers;	/* workers that run */
	size_t		 waiting, in_flight;
	size_t		 logging_in;	/* of in_flight */
	size_t		 sessions;	/* open or being opened */
	size_t		 window;
	size_t		 max_sessions;	/* what descriptors allow */
	int64_t		 gap;		/* between connections, ms << 10; 0: any */
	int64_t		 next_connect;	/* gap: not before, in ms << 10 */
	bool		 starved;	/* a worker found no slot for its own */
	int64_t		 retry_at;	/* descriptors ran out: not before */
};

int	admit_init(struct admit *, unsigned max_workers, size_t window,
	    unsigned rate, unsigned gap_ms, unsigned descriptors);
void	admit_destroy(struct admit *);

/* Tasks of one job, to the ends of their hosts' lists. */
void	admit_submit(struct admit *, struct task *, size_t n);

enum admit_answer {
	ADMIT_HOST,	/* the task is yours, the host is in flight */
	ADMIT_WAIT,	/* nothing for you now, or not before *until */
	ADMIT_OTHERS,	/* a host waits, but others have fewer than you */
	ADMIT_EVICT	/* the same, but a kept session must make room */
};
enum admit_answer admit_take(struct admit *, int worker, size_t mine,
	    int64_t now, struct task **, int64_t *until);

/* A host in flight is done with its task; its session is kept or closed.
 * True when a worker other than the caller's may wait for the slot. */
bool	admit_done(struct admit *, struct host *, bool kept);

/* A host in flight is logged in, or gave that up. */
void	admit_logged_in(struct admit *, struct host *);

/* A kept session ended while its host was not in flight. */
void	admit_closed(struct admit *, struct host *);

/* No descriptor was free: the task waits again, in the first place. False
 * when nothing but itself is in flight, so that waiting cannot help. */
bool	admit_retry(struct admit *, struct task *, int64_t now);

/* It failed, and is to be tried once more, but not before so many ms. */
void	admit_later(struct admit *, struct task *, int64_t when);

/* The session was no good: the task waits again, in the first place. */
void	admit_again(struct admit *, struct task *);

/* A host's tasks leave all queues. */
void	admit_leave_out(struct admit *, struct host *, struct task_list *out);

/* Take the tasks of canceled jobs out of all queues. */
void	admit_canceled(struct admit *, struct task_list *out);

/* Those of one job that wait behind another task of their host. */
void	admit_canceled_behind(struct admit *, struct job *,
	    struct task_list *out);

/* Work on hand, waiting and in flight: how many workers are worth it. */
size_t	admit_load(struct admit *);
void	admit_workers(struct admit *, unsigned running);
void	admit_stats(struct admit *, struct fanout_stats *);

#endif
