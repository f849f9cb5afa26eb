/*
 * attempt.h - logging in anew, to see whether one key opens the door.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "setup.h"

enum attempt {
	ATTEMPT_NONE,
	ATTEMPT_LET_IN,		/* by this key */
	ATTEMPT_OTHER,		/* by another one, and it may not have come to
				 * this one */
	ATTEMPT_REFUSED,	/* this one was tried, and refused */
	ATTEMPT_FAILED		/* it did not come to that */
};

struct attempts {
	struct setup *setup;
	const char *key;	/* private key file */
	bool	 agent;		/* the agent may have it; then others that it
				 * has may come first */
	enum attempt *verdict;	/* one a host */
	struct fanout_result *result;

	/* of a run */
	bool	*by_key, *by_other;
};

/* As setup_part(); nothing becomes of the hosts. attempts_clear in any case. */
int	attempts_run(struct attempts *, setup_want);
void	attempts_clear(struct attempts *);

#endif
