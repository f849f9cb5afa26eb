/*
 * peer.h - the engine's side of one host: from look-up to farewell.
 *
 *	LOOKUP -> DIAL -> BUSY -> (KEPT -> BUSY)* -> CLOSING -> freed
 *	                   |
 *	                   +-> ENDING (canceled or past a deadline) -> CLOSING
 *
 * Everything here runs on the worker that owns the peer. A transport sees it
 * as an opaque struct fanout_io.
 */
#ifndef FO_PEER_H
#define FO_PEER_H

#include <sys/queue.h>

#include "fanout_transport.h"
#include "pace.h"
#include "task.h"
#include "timers.h"

enum peer_state {
	PEER_LOOKUP,	/* the resolver has it */
	PEER_DIAL,	/* connecting */
	PEER_BUSY,	/* the transport works on a task */
	PEER_ENDING,	/* the task's result stands, the transport ends it */
	PEER_KEPT,	/* a session without a task */
	PEER_CLOSING,	/* saying good-bye */
	PEER_DEAD	/* freed at the end of this turn */
};

struct watch {
	struct fanout_io *peer;
	int		 fd;		/* -1: empty */
	short		 events;	/* 0: not in the epoll set */
};

struct fanout_io {
	TAILQ_ENTRY(fanout_io) link;	/* worker's peers, or its dead */
	TAILQ_ENTRY(fanout_io) run_link;
	bool		 runnable;	/* in the worker's run list */
	struct worker	*worker;
	struct host	*host;		/* NULL: the books know it no more */
	const char	*name;		/* the host's */
	struct task	*task;		/* NULL: KEPT and CLOSING */
	enum peer_state	 state;
	struct lookup	*lookup;	/* in LOOKUP the resolver's; then ours */
	void		*impl;		/* the transport's peer */
	struct watch	 watch[FANOUT_WATCHES];

	/* DIAL, where the descriptors watched are being connected */
	size_t		 address;	/* index of the next to try */
	int		 round;		/* over all of them, done */
	int		 dial_error;	/* why one failed; 0: none did */
	struct door	*door;		/* held until it has logged in */

	struct timer	 timer;		/* earliest of what follows */
	int64_t		 stage_due;	/* the stage's own deadline */
	int64_t		 command_due;
	int64_t		 idle_since;	/* last byte either way */
	int64_t		 step_due;	/* fanout_io_timer, or next address */
	int64_t		 pace_due;	/* when more may be moved */
	enum fanout_stage stage;
	bool		 logs_in;	/* until it has, or has given up */
	bool		 starving;	/* waits for standard input */
	struct pace	 pace;
	bool		 begun;		/* ENDING: a command runs there */
	bool		 reused;	/* the session was kept for this task */
	struct fanout_ride *ride;	/* through a jump host; NULL: not */
	struct ask	*ask;		/* what it waits for; NULL: nothing */
	int64_t		 ask_due;	/* as far as known */
	bool		 resting;	/* the stage's deadline, meanwhile */
	int64_t		 stage_left;	/* ms that will be left of it */
	struct fanout_result scratch;	/* where results go that do not count */
};

struct worker;
struct carrier;

/* Take on a task just admitted. */
void	peer_begin(struct worker *, struct task *);
void	peer_begin_carrier(struct worker *, struct carrier *);
void	peer_looked_up(struct fanout_io *);	/* its lookup is its own again */
void	peer_run(struct fanout_io *);		/* one step */
void	peer_expire(struct fanout_io *);	/* its timer is due */
void	peer_scan(struct fanout_io *);		/* see worker_notify */
void	peer_close(struct fanout_io *);		/* a KEPT one: say good-bye */
void	peer_stop(struct fanout_io *);		/* the engine ends */
void	peer_free(struct fanout_io *);		/* a DEAD one */

/* ---- between the files of the peer ---- */

void	peer_runnable(struct fanout_io *);
void	peer_enter(struct fanout_io *, enum fanout_stage);
void	peer_restart_stage(struct fanout_io *);	/* its deadline begins now */
void	peer_set_timer(struct fanout_io *);

/* In stage CLOSE: more time, as what runs there is to be ended first. */
void	peer_allow_grace(struct fanout_io *);
void	peer_connected(struct fanout_io *, int fd);	/* -1: no network */

/* The task's result as a failure, then the end of task and peer: for the
 * states in which the transport has nothing yet. */
void	peer_fail(struct fanout_io *, enum fanout_class, int sys_errno,
	    int lib_err, const char *fmt, ...)
	    __attribute__((__format__(printf, 5, 6)));

/* The same while the transport works: it is asked to end the task. */
void	peer_end(struct fanout_io *, enum fanout_class, const char *fmt, ...)
	    __attribute__((__format__(printf, 3, 4)));

/* The task's result as it stands: DONE is queued; task becomes NULL. */
void	peer_finish(struct fanout_io *);
void	peer_bury(struct fanout_io *);

/* The host and its task went back to admission: the end of the peer only. */
void	peer_desert(struct fanout_io *);

/* Has the caller taken enough for a held task to go on? */
bool	io_has_room(const struct fanout_io *);

/* Is there a limit to how fast bytes are moved? */
bool	io_is_paced(const struct fanout_io *);

/* Has its question been answered, or not in time? */
bool	io_is_answered(struct fanout_io *);
void	io_expire_ask(struct fanout_io *);

/* Log the lines that the plan left, once. */
void	io_tell_notes(struct fanout_io *, struct fanout_plan *);

void	dial_next(struct fanout_io *);	/* start what is to be tried now */
void	dial_step(struct fanout_io *);
void	dial_stop(struct fanout_io *);

/* It has logged in, or will not: others may, at its address. */
void	peer_leave_door(struct fanout_io *);

#endif
