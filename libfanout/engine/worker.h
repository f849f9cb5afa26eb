/*
 * worker.h - one thread, one event loop, and the peers it owns for life.
 *
 * Other threads reach a worker in two ways only: worker_notify() makes it
 * look at everything once (admission, cancels, room, input), and
 * worker_looked_up() puts a finished look-up into its inbox.
 */
#ifndef FO_WORKER_H
#define FO_WORKER_H

#include <pthread.h>

#include "peer.h"
#include "queue.h"
#include "resolve.h"
#include "timers.h"

TAILQ_HEAD(peer_list, fanout_io);
TAILQ_HEAD(lookup_list, lookup);

struct engine;

struct worker {
	struct engine	*eng;
	int		 index;
	pthread_t	 thread;
	int		 epfd, wakefd;
	atomic_bool	 notified;	/* wakefd has been written */
	atomic_bool	 stop;

	pthread_mutex_t	 mu;		/* guards inbox */
	struct lookup_list inbox;

	/* the thread's own */
	int64_t		 now;		/* clock at this turn of the loop */
	struct peer_list peers;		/* all */
	struct peer_list run;		/* to be stepped */
	struct peer_list dead;		/* freed at the end of the turn */
	size_t		 npeers;
	size_t		 mine;		/* in flight */
	bool		 freed;		/* a slot or a host since we last asked */
	struct timers	 timers;
	int64_t		 admit_due;	/* when admission may say more */
	struct events	 told;		/* on their way to the queue */
	unsigned	 ntold;
};

int	worker_init(struct worker *, struct engine *, int index);
int	worker_start(struct worker *);		/* 0 or errno */
void	worker_join(struct worker *);		/* after worker_stop() */
void	worker_destroy(struct worker *);
void	worker_stop(struct worker *);		/* end everything in order */
void	worker_notify(struct worker *);
void	worker_looked_up(struct worker *, struct lookup *);

/*
 * On the worker's own thread: an event for the caller, at the latest at the
 * end of this turn; with others it costs one waking. What must not overtake
 * them (from other threads, or by another way) has them handed over first.
 */
void	worker_tell(struct worker *, struct event *);
void	worker_hand_over(struct worker *);

#endif
