/*
 * sess.h - one host's SSH session: a state machine over non-blocking libssh2.
 *
 *	HANDSHAKE -> HOSTKEY -> AUTH -> READY
 *	READY -> OPEN -> ENV (-> TTY) -> EXEC -> RUN -> STATUS -> RELEASE -> READY
 *	EXEC, RUN -> SETTLE -> KILL_OPEN -> KILL_EXEC -> KILL_WAIT -> BYE
 *	READY -> ENV, READY -> DISCARD -> OPEN	(a channel of before: sess_ahead.c)
 *	READY -> CARRY			(a jump host: sess_carry.c)
 *	any -> BYE -> OVER
 *
 * One function a state (sess_<state>), in the file of its phase: sess_login.c,
 * sess_auth.c (and auth.h), sess_start.c, sess_run.c, sess_kill.c, sess_end.c.
 * Each goes on as far as it can and says how it went; only sess.c moves between them and
 * sets what to wait for.
 *
 * libssh2 wants a call that could not send its packet whole repeated before
 * any other (otherwise it answers BAD_USE): within RUN, which has several
 * calls going, s->pending remembers which.
 */
#ifndef FO_SESS_H
#define FO_SESS_H

#include <libssh2.h>

#include <stdbool.h>

#include "auth.h"
#include "fanout_transport.h"
#include "policy/agent.h"
#include "shared.h"

enum sess_state {
	SESS_HANDSHAKE,
	SESS_HOSTKEY,
	SESS_AUTH,
	SESS_READY,
	SESS_CARRY,
	SESS_DISCARD,
	SESS_OPEN,
	SESS_ENV,
	SESS_TTY,
	SESS_EXEC,
	SESS_RUN,
	SESS_STATUS,
	SESS_RELEASE,
	SESS_SETTLE,
	SESS_KILL_OPEN,
	SESS_KILL_EXEC,
	SESS_KILL_WAIT,
	SESS_BYE,
	SESS_OVER,
	SESS_NSTATES
};

enum sess_res {
	RES_NEXT,	/* this state is done: s->state has the next */
	RES_WAIT,	/* for the socket, for input, or for room */
	RES_MORE,	/* there is more, but others want their turn */
	RES_DONE,	/* the task is over, the session stays */
	RES_FAIL	/* the result says why; the session is of no use */
};

/* What is known of the channel for the next task (sess_ahead.c). */
enum sess_ahead { AHEAD_NONE, AHEAD_ASKED, AHEAD_OPEN, AHEAD_BACK,
    AHEAD_REFUSED };

enum sess_pending { PEND_NONE, PEND_READ_OUT, PEND_READ_ERR, PEND_WRITE,
    PEND_EOF, PEND_HOLD, PEND_LAST, PEND_NEXT };

struct sess {
	struct fanout_io *io;
	const struct hostplan *plan;
	int		 fd;
	enum sess_state	 state;
	LIBSSH2_SESSION	*ssh;
	LIBSSH2_CHANNEL	*channel;
	LIBSSH2_CHANNEL	*next, *last;	/* of the tasks beside (sess_ahead.c) */
	uint32_t	 number, next_number;	/* as the server calls them */
	uint32_t	 confirmed;	/* the last one that was opened */

	unsigned char	 early[256];	/* received, not yet given to libssh2 */
	size_t		 early_off, early_len;
	bool		 collects;	/* what is sent, until the step ends */
	size_t		 collected;
	unsigned char	*rest;		/* the socket did not take it yet */
	size_t		 rest_off, rest_len;
	int		 send_error;	/* nothing can be sent any more */

	/* waiting */
	bool		 blocked;	/* a call of this step said EAGAIN */
	bool		 held;		/* no room for output */
	int64_t		 held_since;	/* and nothing given out, ms; 0: not */
	bool		 sealed;	/* all came that will: nothing is read */
	unsigned	 idle_steps;	/* in a row without a byte moved */
	uint64_t	 moved;		/* bytes through the socket */
	uint64_t	 came;		/* of these, what was received */
	struct {
		uint64_t came;		/* when it was last looked at */
		int64_t	 at;		/* and that was new, ms; 0: never */
		int	 probes;	/* since then */
	} alive;			/* ServerAliveInterval */
	bool		 keyed;		/* the first key exchange is done */
	bool		 over;		/* for libssh2 the socket is dead */
	unsigned	 recvs;		/* calls to receive in this step */
	bool		 dry;		/* this step took all there was */
	bool		 rests;		/* between tasks, and watched */
	enum sess_ahead	 ahead;		/* the channel of the next task */
	int64_t		 ahead_due;	/* when it is given back, ms */
	bool		 ahead_late;	/* not to be had beside a command */
	size_t		 memory;	/* what libssh2 has of us, bytes */
	size_t		 windows;	/* what others may have on their way */
	bool		 hung_up;	/* the socket is of no use any more */
	char		 farewell[96];	/* what the server said to that */

	/* login */
	size_t		 ident;		/* index of the one being tried */
	struct auth	 auth;
	struct agent_call *agent;	/* signing */
	char		 sign_text[128];	/* why there was no signature */
	struct carry	*carry;		/* what it carries for others */
	bool		 resting;	/* nothing to carry: nothing is read */
	bool		 drop_wait;	/* the call that waits is to fail */
	bool		 key_changed;	/* the host's, and it was let pass */
	bool		 wipe;		/* what libssh2 frees may be secret */
	bool		 starve;	/* its next allocation fails */

	/* the task */
	const char	*command;	/* NULL: none, or log in only */
	bool		 subsystem, tty;
	bool		 has_task, has_input;
	bool		 canceled;
	bool		 more;		/* tasks will follow this one */
	bool		 had_channel;	/* a task before had one */
	unsigned	 open_tries;
	bool		 carries;
	size_t		 env;		/* of SetEnv: the next */
	bool		 doomed;	/* canceled while it was being started */
	enum sess_pending pending;
	bool		 eof_sent, tty_ended;
	bool		 saw_status;
	bool		 result_set;
	char		*input;		/* INPUT_CHUNK, while there is input */
	size_t		 in_off, in_len;

	/* ending it, when it is canceled */
	LIBSSH2_CHANNEL	*killer;
	char		 verdict[96];	/* what the killer said so far */
	size_t		 verdict_len;
};

#define SESS_WATCH_SOCKET 0
#define SESS_WATCH_AGENT 1
#define SESS_WATCH_CARRY 2

/* Bytes a server may send ahead of us, for one command. */
#define SESS_WINDOW (256 * 1024)
#define SESS_WINDOW_COPY (2 * 1024 * 1024)	/* of files */

/* Standard input is sent in pieces of this size. */
#define SESS_INPUT_CHUNK (32 * 1024)

void	*sess_new(void *shared, struct fanout_io *, const char *host,
	    const struct fanout_plan *, int fd);
void	sess_start(void *, const struct fanout_task *);
enum fanout_verdict sess_step(void *);
void	sess_cancel(void *);
void	sess_close(void *);
void	sess_free(void *);

/* ---- the states ---- */
enum sess_res sess_handshake(struct sess *);
enum sess_res sess_hostkey(struct sess *);
enum sess_res sess_auth(struct sess *);
enum sess_res sess_carry(struct sess *);
enum sess_res auth_key(struct sess *);
enum sess_res auth_prompts(struct sess *);
enum sess_res auth_password(struct sess *);
enum sess_res sess_discard(struct sess *);
enum sess_res sess_open(struct sess *);
enum sess_res sess_env(struct sess *);
enum sess_res sess_tty(struct sess *);
enum sess_res sess_exec(struct sess *);
enum sess_res sess_run(struct sess *);
enum sess_res sess_status(struct sess *);
enum sess_res sess_release(struct sess *);
enum sess_res sess_settle(struct sess *);
enum sess_res sess_kill_open(struct sess *);
enum sess_res sess_kill_exec(struct sess *);
enum sess_res sess_kill_wait(struct sess *);
enum sess_res sess_bye(struct sess *);

/* ---- for them ---- */

/* The socket under libssh2 (sess_socket.c). Between the two what is sent is
 * collected; 1: all of it is sent, 0: not yet, -1: it cannot be. */
void	sock_init(struct sess *);
void	sock_collect(struct sess *);
int	sock_flush(struct sess *);

/* The next state. */
enum sess_res sess_goto(struct sess *, enum sess_state);

/* RUN: the call that had to come first, if there is one (see pending). */
enum sess_res sess_finish_pending(struct sess *);

/* What libssh2 has of the command's output already goes out, room or not. */
void	sess_drain(struct sess *);

/* A channel for a command; NULL and libssh2's errno, as it says. */
LIBSSH2_CHANNEL *sess_channel(struct sess *, unsigned window);

/* The channel of the next task is asked for, with the end of this one or where
 * it may be (as the greeting says) with its start: 1: s->ahead says how it
 * went, 0: not yet, -1: it failed. The last one's is closed: 1, 0, -1 alike. */
void	ahead_greeted(struct sess *);
void	ahead_ask(struct sess *);
void	ahead_ask_early(struct sess *);
int	ahead_look(struct sess *);
int	ahead_close_last(struct sess *);

/* At rest: 1: all that came was read, 0: nothing was, -1: the session is
 * lost. Where the next task goes on. */
int	ahead_rest(struct sess *);
int	ahead_read(struct sess *);	/* the same, where something came */
enum sess_state ahead_state(struct sess *);

/* A libssh2 call said EAGAIN: note that, and RES_WAIT. */
enum sess_res sess_again(struct sess *);

/* A libssh2 call failed with rc: a class by its cause, doing what. */
enum sess_res sess_error(struct sess *, int rc, const char *doing);

/* What a method of login came to: logged in; another try or another method;
 * or the connection is at its end. */
enum sess_res auth_accepted(struct sess *, const char *how);
enum sess_res auth_refused(struct sess *);
enum sess_res auth_error(struct sess *, int rc);

/* May a probe be sent? libssh2 forgets one that cannot be, and is then out of
 * step. */
bool	sess_may_probe(const struct sess *);

/* RUN has nothing to do: ask a silent server, or RES_FAIL when it is gone. */
enum sess_res sess_alive(struct sess *);

/* A jump host's: let go of what is carried; a freed message of this session. */
void	carry_free(struct sess *);
void	carry_saw(struct sess *, const unsigned char *msg, size_t max);

/* Where nothing is read: 1: something came, 0: nothing, -1: the server has
 * hung up. */
int	sess_peek(const struct sess *);

/* Fail without libssh2's having said anything. */
enum sess_res sess_fail(struct sess *, enum fanout_class, const char *fmt, ...)
	    __attribute__((__format__(printf, 3, 4)));

#endif
