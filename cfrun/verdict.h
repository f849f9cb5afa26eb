/*
 * verdict.h - what became of the promises of each client.
 *
 * Read from what the agent says, whatever brought it here: its errors, its
 * changes where it tells them, the account of all promises that cfrun-agent
 * (or a verbose agent) gives at the end.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "cli/roster.h"

/* X(symbol, name) */
#define VERDICTS(X)			\
	X(NONE, "none")			\
	X(KEPT, "kept")			\
	X(REPAIRED, "repaired")		\
	X(NOT_KEPT, "not kept")		\
	X(DONE, "done")			\
	X(IDLE, "did nothing")

enum verdict {
#define VERDICT_X(sym, name) VERDICT_##sym,
	VERDICTS(VERDICT_X)
#undef VERDICT_X
	NVERDICTS
};

const char *verdict_name(enum verdict);

#define VERDICT_LINE 400

struct verdict_host {
	enum verdict	 verdict;
	unsigned	 errors, changes, rests;	/* lines */
	bool		 counted;	/* the account was given: percent */
	double		 kept, repaired, not_kept;
	char		 first_error[120];
	unsigned short	 len;
	char		 line[VERDICT_LINE];	/* so far; longer ones are cut */
};

/* Output of a client; line is called for each that is whole, if not NULL. */
void	verdict_output(struct verdict_host *, const char *, size_t,
	    void (*line)(void *, const struct verdict_host *, bool is_error),
	    void *);

/*
 * The client is over. informed: its agent was to tell its changes. An agent
 * that ended well but says that promises were not kept becomes a failure.
 */
void	verdict_done(struct verdict_host *, struct fanout_result *,
	    bool informed);

/* "27 kept; 2 repaired: node[3,7]"; free(3). NULL: nothing to say. */
char	*verdict_summary(const struct verdict_host *, size_t,
	    const struct fanout_hosts *);

#endif
