/*
 * carrier.h - jump hosts: one login to each carries the connections of all
 * hosts behind it.
 *
 * A carrier is a peer like any other, on the worker of the host that first
 * needed it, with a task and a job of its own that the caller never sees. A
 * host behind it is its passenger: the *ride* is where the two meet. When the
 * carrier has opened the way, the passenger gets one end of a socket pair, and
 * the carrier's transport pumps the other one.
 *
 * One lock guards all carriers and rides; workers tell each other by
 * worker_notify().
 */
#ifndef FO_CARRIER_H
#define FO_CARRIER_H

#include <pthread.h>
#include <sys/queue.h>

#include "fanout_transport.h"
#include "task.h"

struct engine;
struct worker;

enum ride_state {
	RIDE_WAITS,		/* for its turn */
	RIDE_OPENING,		/* the carrier asks for the way */
	RIDE_OPEN,		/* fd is the passenger's end */
	RIDE_FAILED,		/* why says */
	RIDE_LEFT		/* the passenger wants it no more */
};

struct fanout_ride {
	TAILQ_ENTRY(fanout_ride) link;	/* the carrier's waiting */
	struct carrier	*carrier;
	enum ride_state	 state;
	bool		 queued;	/* in waiting */
	bool		 held;		/* the carrier's transport has it */
	int		 worker;	/* the passenger's */
	int		 fd;		/* OPEN: until it is taken; else -1 */
	char		*address;
	unsigned	 port;
	struct fanout_result why;
};

enum carrier_state { CARRIER_STARTS, CARRIER_UP, CARRIER_DOWN };

struct carrier {
	TAILQ_ENTRY(carrier) link;
	enum carrier_state state;
	bool		 was_up;
	int		 worker;
	struct carrier	*on;		/* it is a passenger itself; NULL: not */
	TAILQ_HEAD(, fanout_ride) waiting;
	struct fanout_result why;	/* DOWN */
	struct job	 job;		/* its peer's, never told of */
	struct task	 task;
	struct host	*host;		/* its name, as in plan.via */
};

struct carriers {
	pthread_mutex_t	 mu;
	TAILQ_HEAD(, carrier) list;
};

int	carriers_init(struct carriers *);	/* 0, -1 with errno */
void	carriers_destroy(struct carriers *);	/* no worker runs any more */

/*
 * On the passenger's worker: p rides on plan.via from now on. 0, or -1 with
 * the reason in why: the carrier is known not to work, memory, a loop.
 */
int	ride_begin(struct fanout_io *, struct fanout_result *why);
enum ride_state ride_look(struct fanout_io *, struct fanout_result *why);
int	ride_take(struct fanout_io *);		/* OPEN: the descriptor */
void	ride_leave(struct fanout_io *);

/* The passenger's session was lost: was it the carrier's fault? */
bool	ride_was_lost(struct fanout_io *, struct fanout_result *why);

/* The carrier's task is over: so is the carrier. */
void	carrier_over(struct engine *, struct carrier *);

/* Is there a ride for the carrier's transport to look at? */
bool	carrier_is_wanted(struct fanout_io *);

#endif
