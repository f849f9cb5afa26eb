/*
 * fanout_transport.h - how the engine drives one host, whatever the protocol.
 *
 * A transport is a table of functions. The engine makes one *peer* per host
 * and drives it as a non-blocking state machine: it never blocks, never
 * sleeps, and says what it waits for through the fanout_io_* calls.
 *
 *	open     once per engine: read configuration and keys
 *	plan     once per host, on a look-up thread (may block): where to go
 *	         (the engine resolves and connects the address of the plan)
 *	new      the peer is made on the worker that owns it for life
 *	start    a task is given to it; several one after the other where
 *	         sessions are kept
 *	step     go on until nothing can be done without waiting
 *	cancel   end the task soon, in order; step goes on until it returns DONE
 *	close    end the session politely; step goes on until it returns CLOSED
 *	free     let go of everything now, whatever the state
 *
 * Threads: open and close_all run on the caller's thread; plan on look-up threads,
 * one call at a time, so that it may fill caches in shared (what a peer reads of
 * them must not change once its plan is made); everything else
 * on the peer's one worker. Nothing takes a lock; only open and plan may block.
 */
#ifndef FANOUT_TRANSPORT_H
#define FANOUT_TRANSPORT_H

#include <sys/types.h>

#include "fanout.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct fanout_io;	/* the engine's side of one peer */

/* Where to go for one host; filled by plan, zeroed before. */
struct fanout_plan {
	char	*address;	/* name or number to resolve; NULL: no network.
				 * malloc(3)ed, freed by the engine */
	unsigned port;
	int	 family;	/* AF_UNSPEC, AF_INET, AF_INET6 */
	int	 connect_ms;	/* -1: the engine's own; plan starts with -1 */
	int	 attempts;	/* rounds over the addresses; 0 is 1 */
	char	*source;	/* our address to connect from, in digits;
				 * NULL: any. As address */
	unsigned round;		/* so often again() said true; filled before */
	char	*via;		/* address is to be reached from this host,
				 * which the engine logs in to once for all;
				 * planned as a host of this name. malloc(3)ed,
				 * freed by the engine; NULL: from here */
	bool	 carries;	/* set before: it is such a host itself */
	void	*priv;		/* the transport's; freed by plan_free */
	char	*notes;		/* see fanout_plan_log; the engine's */
};

/* A line for the user, told once the plan is made (level 0: always). */
void	fanout_plan_log(struct fanout_plan *, int level, const char *fmt, ...)
	    __attribute__((__format__(printf, 3, 4)));

struct fanout_task {
	const char *command;	/* NULL: log in only */
	bool	 carry;		/* log in, then open ways for others: see
				 * fanout_io_ride() */
	bool	 has_input;	/* fanout_io_input will give standard input */
	bool	 subsystem;	/* command is the name of one */
	bool	 tty;
	bool	 bulk;		/* much standard input is to come */
	bool	 more;		/* its session stays for tasks to come */
	int	 input_fd;	/* a regular file that is all of the input, from
				 * its offset on: fanout_io_input need not be
				 * called; -1: there is none such */
};

enum fanout_verdict {
	FANOUT_WAIT,		/* stepped again on a watched event or timer */
	FANOUT_MORE,		/* more to do; stepped again after the others */
	FANOUT_DONE,		/* the task is over: the result is filled */
	FANOUT_CLOSED		/* after close, or the session died idle; with
				 * a task that a kept session has not got past
				 * stage OPEN: it is begun anew on a new one */
};

struct fanout_transport {
	size_t	 size;		/* sizeof(struct fanout_transport) */
	const char *name;
	unsigned descriptors;	/* that one peer holds at most */

	int	(*open)(void **shared, void *config,
		    const struct fanout_opts *, struct fanout_error *);
	void	(*close_all)(void *shared);

	/* 0, or -1 with the result's class and text saying why. */
	int	(*plan)(void *shared, const char *host, struct fanout_plan *,
		    struct fanout_result *);
	void	(*plan_free)(void *shared, struct fanout_plan *);

	/* fd: connected, non-blocking, now the peer's; -1 without network. */
	void	*(*peer_new)(void *shared, struct fanout_io *,
		    const char *host, const struct fanout_plan *, int fd);
	void	(*start)(void *peer, const struct fanout_task *);
	enum fanout_verdict (*step)(void *peer);
	void	(*cancel)(void *peer);
	void	(*close)(void *peer);
	void	(*free)(void *peer);

	/* Optional: what plan would do for this host, and why, in lines that
	 * are safe to print; malloc(3)ed, NULL: out of memory. On the
	 * caller's thread, while nothing is planned. */
	char	*(*explain)(void *shared, const char *host);

	/* Optional: the task failed, or its host could not be connected to,
	 * before its command began: is there another way? Then it is planned
	 * and begun anew; the old peer is freed. On the worker. */
	bool	(*again)(void *shared, const struct fanout_plan *,
		    const struct fanout_result *);
};

/* One of the library's own by its name, to build upon; NULL: there is none.
 * Their config is NULL. */
const struct fanout_transport *fanout_transport_named(const char *name);

/* ---- what a peer may call, from its functions above only --------------- */

#define FANOUT_WATCHES 6

/*
 * Watch fd for POLLIN and POLLOUT (0: not now, whatever happens to it).
 * Each slot holds one fd; -1 empties it. Empty it before closing the fd.
 */
void	fanout_io_watch(struct fanout_io *, unsigned slot, int fd, short events);

/* Step once more after so many ms, whatever happens; -1: not any more. */
void	fanout_io_timer(struct fanout_io *, int ms);

/* Enter a stage; its deadline starts. KEX to AUTH share the login deadline. */
void	fanout_io_stage(struct fanout_io *, enum fanout_stage);

/* Bytes of output that may be emitted now. 0: stop reading; the peer is
 * stepped again when there is room. */
size_t	fanout_io_room(struct fanout_io *);

/* Hand over output (FANOUT_EV_OUT or _ERR); len at most the room.
 * 0, or -1 when memory ran out (then fail the task). */
int	fanout_io_emit(struct fanout_io *, enum fanout_kind, const void *,
	    size_t);

/* As read(2) on the standard input of the task: bytes, 0 at its end,
 * -1: none yet, stepped again when there is, -2: it could not be read. */
ssize_t	fanout_io_input(struct fanout_io *, void *, size_t);

/* So many bytes of input went another way (input_fd). */
void	fanout_io_moved(struct fanout_io *, uint64_t);

/* The result to fill before DONE; status is -1 and class OK at start. */
struct fanout_result *fanout_io_result(struct fanout_io *);

/* Fill the result as a failure; the text is made safe to print and cut. */
void	fanout_io_fail(struct fanout_io *, enum fanout_class, int sys_errno,
	    int lib_err, const char *fmt, ...)
	    __attribute__((__format__(printf, 5, 6)));

/* A task that is canceled: how long after SIGTERM comes SIGKILL (ms); -1: what
 * it runs is to be left alone. */
int	fanout_io_grace(struct fanout_io *);

/* After cancel, before DONE: what became of what it ran, and what else there
 * is to say of it ("": nothing). Never said of a command that was begun, it is
 * FANOUT_F_UNKNOWN. */
void	fanout_io_fate(struct fanout_io *, enum fanout_fate, int64_t pid,
	    const char *text);

/* A line for the user who asked for it (level 0: always, 1 -v, 2 -vv). */
void	fanout_io_log(struct fanout_io *, int level, const char *fmt, ...)
	    __attribute__((__format__(printf, 3, 4)));
bool	fanout_io_logs(struct fanout_io *, int level);

/*
 * Questions for the user, where the caller answers any. While one stands, the
 * deadline of the stage rests.
 */
bool	fanout_io_can_ask(const struct fanout_io *, enum fanout_ask_kind);

/* Ask (the id is not looked at); a question that stood before is forgotten.
 * 0, or -1: nobody answers, or memory ran out. */
int	fanout_io_ask(struct fanout_io *, const struct fanout_ask *);

/*
 * The same, but one question for all peers of the engine that use this key,
 * and one answer, which is checked on a thread of its own, where that may
 * take its time: 0 it is right, 1 it is wrong (asked again, three times in
 * all), -1 no answer will do. arg must live as long as the engine.
 */
typedef int (*fanout_check_fn)(void *arg, const char *answer);
int	fanout_io_ask_once(struct fanout_io *, const struct fanout_ask *,
	    const char *key, fanout_check_fn, void *arg);

/*
 * 0: no answer yet; stepped again when there is. 1: it is there (*text, NULL
 * after ask_once), until fanout_io_forget(). -1: there will be none; *text
 * says why.
 */
int	fanout_io_answer(struct fanout_io *, const char **text);
void	fanout_io_forget(struct fanout_io *);

/*
 * A peer whose task is to carry: the connections that others want. Once logged
 * in it asks for one after the other, and is stepped when more may have come.
 */
struct fanout_ride;

/* The next one, now held by the peer; NULL: none. */
struct fanout_ride *fanout_io_ride(struct fanout_io *, const char **address,
	    unsigned *port);
bool	fanout_io_ride_queued(struct fanout_io *);	/* are there more? */
bool	fanout_io_ride_left(struct fanout_io *, struct fanout_ride *);

/* What becomes of it; the ride is not the peer's any more. open: the way is
 * there; returns the stream to pump, the peer's to close, or -1: nobody wants
 * it any more. later: at the end of the queue. */
int	fanout_io_ride_open(struct fanout_io *, struct fanout_ride *);
void	fanout_io_ride_fail(struct fanout_io *, struct fanout_ride *,
	    enum fanout_class, int sys_errno, const char *text);
void	fanout_io_ride_later(struct fanout_io *, struct fanout_ride *);

/* lib_err of class LOST: it hung up before it said a word. */
#define FANOUT_HUNG_UP (-10002)

/* Run fn alone: no other peer of this engine is in its own critical call.
 * It must be short and must not block on the network. */
void	fanout_io_critical(struct fanout_io *, void (*fn)(void *), void *);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
