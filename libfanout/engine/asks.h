/*
 * asks.h - questions for the user: put by peers, answered on the caller's
 * thread.
 *
 * A question of one host has one peer waiting for it, whose it is until
 * asks_leave(). One with a key is put once: all peers that ask with that key
 * wait for it, its answer is checked on a thread of its own, and what came of
 * it is kept, for those that ask later.
 */
#ifndef FO_ASKS_H
#define FO_ASKS_H

#include <pthread.h>
#include <sys/queue.h>

#include "base/secret.h"
#include "fanout_transport.h"
#include "queue.h"

enum ask_state {
	ASK_OPEN,		/* the user has it */
	ASK_CHECKING,		/* with a key: there is an answer */
	ASK_GOOD,		/* answered, and right */
	ASK_REFUSED		/* there will be no answer: why says */
};

struct ask {
	TAILQ_ENTRY(ask) link;
	uint64_t	 id;
	int		 worker;	/* whose peer waits; -1: with a key */
	char		*key;		/* NULL: of one host */
	fanout_check_fn	 check;
	void		*arg;
	enum ask_state	 state;
	int64_t		 due;
	struct fo_secret answer;
	const char	*why;		/* static */
	struct event	*text;		/* with a key: to put it again */
};

struct asks {
	pthread_mutex_t	 mu;		/* guards the rest, and every ask */
	pthread_cond_t	 work;		/* something to check, or stop */
	TAILQ_HEAD(, ask) list;
	uint64_t	 last;
	pthread_t	 checker;
	bool		 running, stop;

	/* constant */
	unsigned	 can;		/* fanout_opts.can_answer */
	int		 ms;
	struct queue	*queue;
	void		(*news)(void *arg, int worker);	/* -1: any */
	void		*arg;
};

int	asks_init(struct asks *, unsigned can, int ms, struct queue *,
	    void (*news)(void *, int), void *arg);	/* 0, -1 with errno */

/* Nobody puts or answers any more; waits for an answer being checked. */
void	asks_stop(struct asks *);
void	asks_destroy(struct asks *);

/* of: job, host and name of the event. NULL: nobody answers, memory. */
struct ask *asks_put(struct asks *, const struct fanout_ask *,
	    const struct fanout_event *of, int worker);
struct ask *asks_join(struct asks *, const struct fanout_ask *,
	    const char *key, fanout_check_fn, void *arg);

/* For who waits. text: the answer, or why there is none. */
enum ask_state asks_look(struct asks *, const struct ask *,
	    const char **text, int64_t *due);
void	asks_expire(struct asks *, struct ask *, int64_t now);
void	asks_leave(struct asks *, struct ask *);

/* 0, FANOUT_EINVAL, FANOUT_ELIMIT, FANOUT_ENOMEM. The caller's thread. */
int	asks_answer(struct asks *, uint64_t id, const char *text);

#endif
