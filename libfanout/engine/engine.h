/*
 * engine.h - many hosts: jobs in, events out. The layer's face to fanout.c.
 *
 * It drives transports (fanout_transport.h) and knows none by name.
 */
#ifndef FO_ENGINE_H
#define FO_ENGINE_H

#include "admit.h"
#include "asks.h"
#include "carrier.h"
#include "doors.h"
#include "pace.h"
#include "queue.h"
#include "resolve.h"
#include "task.h"
#include "worker.h"

struct engine_times {		/* ms; 0: no deadline */
	int	 resolve, connect, login, idle, command, close;
};

TAILQ_HEAD(job_list, job);
#define JOB_BUCKETS 512

struct engine {
	const struct fanout_transport *transport;
	void		*shared;	/* what its open() made */
	struct engine_times times;
	size_t		 host_buffer;
	unsigned	 retries;
	bool		 keep;
	int		 grace_ms;
	int		 log_level;
	unsigned	 max_workers;

	struct queue	 queue;
	struct admit	 admit;
	struct asks	 asks;
	struct carriers	 carriers;
	struct doors	 doors;
	struct pace	 pace;		/* of all hosts */
	uint64_t	 host_rate;	/* of each; 0: any */
	struct resolver	*resolver;
	struct worker	*workers;	/* max_workers of them */
	atomic_uint	 nworkers;	/* that run */
	pthread_mutex_t	 critical;	/* fanout_io_critical */

	/* any thread, under jobs_mu: fanout_cancel finds its job here */
	pthread_mutex_t	 jobs_mu;
	struct job_list	 jobs;

	/* the caller's thread */
	fanout_job	 last_job;
	struct job	*by_id[JOB_BUCKETS];
	size_t		 unfinished;	/* jobs with a DONE not delivered */
	struct events	 taken;		/* from the queue, to be delivered */
	struct event	*current;	/* what the caller looks at now */
	struct host	**hosts;	/* hash table of all ever named */
	size_t		 nhosts, nbuckets;
};

/* The options are complete (no zero meaning a default). */
int	engine_new(struct engine **, const struct fanout_transport *,
	    const struct fanout_opts *, struct fanout_error *);
void	engine_free(struct engine *);
int	engine_submit(struct engine *, const struct fanout_hosts *,
	    const struct fanout_cmd *, fanout_job *, struct fanout_error *);
void	engine_cancel(struct engine *, fanout_job);
void	engine_leave_out(struct engine *, const char *host);
ssize_t	engine_write(struct engine *, fanout_job, size_t host, const void *,
	    size_t);
int	engine_write_end(struct engine *, fanout_job, size_t host, bool cut);
uint64_t engine_taken(struct engine *, fanout_job, size_t host);
int	engine_next(struct engine *, struct fanout_event *, int timeout_ms);

/* ---- for the engine's own files ---- */

/* All workers, but for one (NULL: none). */
void	engine_notify(struct engine *, const struct worker *but);

/* admit_done(), and whoever waited for the slot is told. */
void	engine_landed(struct engine *, struct host *, bool kept);

/* The task's result stands: its DONE goes out; do not touch it again. The
 * worker whose thread it is, or NULL on the caller's. */
void	engine_task_done(struct engine *, struct worker *, struct task *);
struct host *engine_host(struct engine *, const char *name);
void	engine_hosts_free(struct engine *);

#endif
