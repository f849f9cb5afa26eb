/*
 * task.h - the records the engine keeps: jobs, their tasks (one job on one
 * host), and the hosts.
 *
 * Who may touch what: a job's and a task's constants by all; the fields under
 * "worker" by the worker whose peer runs the task; what is atomic by any;
 * the fields under "admission" under its lock; the rest by the caller's
 * thread.
 */
#ifndef FO_TASK_H
#define FO_TASK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "feed.h"
#include "queue.h"
#include "stream.h"

struct host;
struct carrier;

struct job {
	TAILQ_ENTRY(job) link;		/* caller: all that are not finished */
	struct job	*hash_next;	/* caller */
	fanout_job	 id;
	char		*command;	/* of all; NULL: none, or log in only */
	char		**commands;	/* one a task; NULL: command is it */
	bool		 subsystem, tty, bulk;
	bool		 keep;		/* its sessions, for another job */
	struct feed	*feed;		/* NULL: no standard input for all */
	struct stream	*streams;	/* one a task; NULL: none of their own */
	struct task	*tasks;		/* one a host, in the set's order */
	size_t		 ntasks;
	size_t		 left;		/* caller: DONEs not delivered yet */
	atomic_bool	 canceled;
	struct carrier	*carrier;	/* a jump host's own job; NULL: not */
};

struct task {
	STAILQ_ENTRY(task) link;	/* admission: the host's list */
	struct job	*job;
	struct host	*host;
	bool		 skipped;	/* never begun: see fanout_cmd.skip */
	bool		 left_out;	/* admission: nor this one any more */
	struct event	 start, done;	/* always there: never out of memory */
	atomic_size_t	 undelivered;	/* bytes of output on their way */
	atomic_bool	 held;		/* worker waits for it to shrink */
	atomic_int	 worker;	/* who to tell then */
	atomic_int	 stage;		/* enum fanout_stage, for the curious */
	_Atomic uint64_t taken;		/* bytes of its input, likewise */

	/* worker */
	struct fanout_result result;
	int64_t		 queued, admitted, running;	/* clock, ms; 0: not yet */
	uint64_t	 input_off;	/* of the feed */
	unsigned	 round;		/* ways that were tried before */
	unsigned	 retries;	/* times it was tried again */
};
STAILQ_HEAD(task_list, task);

/*
 * A host as named, for the life of the engine. Its tasks run one after the
 * other. It is in exactly one place: at rest (no task), in an admission
 * queue, or in flight on a worker. A kept session has a worker also at rest.
 */
enum host_place { HOST_REST, HOST_QUEUED, HOST_FLIGHT };

struct fanout_io;

struct host {
	STAILQ_ENTRY(host) link;	/* admission: its queue */
	struct host	*hash_next;	/* caller */
	struct task_list tasks;		/* admission: not started yet */
	enum host_place	 place;		/* admission */
	bool		 logs_in;	/* admission: in flight for that */
	int64_t		 when;		/* admission: in later, until then */
	int		 worker;	/* admission: of its session; -1: none */
	struct fanout_io *peer;		/* worker: its session; NULL: none */
	char		 name[];
};

#endif
