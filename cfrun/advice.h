/*
 * advice.h - what a failure means and what to do about it.
 *
 * cf-serverd says little, often nothing; what its silence means is known from
 * when it fell silent.
 */
#ifndef ADVICE_H
#define ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "frame.h"

#define ADVICE_CLOSED							\
	"cf-serverd hangs up at once: we are not in its allowconnects, or "	\
	"it has maxconnections already (or allowallconnects lacks us)"
#define ADVICE_NO_TRUST							\
	"it does not trust our key %s: our localhost.pub has to be in its "	\
	"ppkeys as USER-DIGEST.pub"
#define ADVICE_NO_ANSWER						\
	"cf-serverd hangs up without an answer"
#define ADVICE_LOST							\
	"the connection was lost before the agent's end; it may go on"
#define ADVICE_KILLED							\
	"the agent was killed by a signal"
#define ADVICE_MAY_REST							\
	"it said nothing; without --no-lock in cfruncommand, an agent does "	\
	"nothing within a minute of its last run"
#define ADVICE_NO_STATUS						\
	"no exit status: cf-serverd %s is too old to tell (3.18 can)"
#define ADVICE_UNKNOWN							\
	"its key %s is not known here: compare it with what cf-key -p says "	\
	"there, then -i, -T or csshsetup brings it"
#define ADVICE_CHANGED							\
	"its key is %s, but should be %s (%s); if that is right, remove the "	\
	"line there"
#define ADVICE_OTHERS							\
	"its key %s is that of %s; if they share it, trust it with -i or -T"

/* Since 3.18 the status of the agent is told. "": not known, so it does. */
bool	advice_tells_exit(const char *release);

/* Is this cfruncommand one whose agent keeps its locks? */
bool	advice_may_rest(const struct reply_text *command);

/* A refusal, in words; exec: what was asked for. */
void	advice_refusal(enum reply, const struct reply_text *,
	    const char *exec, char *out, size_t size);

#endif
