/*
 * fiber.h - a function that can stop in its middle and go on later, on a
 * stack of its own.
 *
 * For one call of libssh2: keyboard-interactive login asks its questions by a
 * callback that must have the answers when it returns, and a worker may not
 * wait for a person. The callback stops the fiber instead.
 */
#ifndef FO_FIBER_H
#define FO_FIBER_H

#include <stdbool.h>

struct fiber;

struct fiber *fiber_new(void (*fn)(void *), void *arg);	/* NULL: memory */
void	fiber_free(struct fiber *);	/* wherever it stands; NULL is fine */

/* Go on until it stops or its function returns; true: that one returned. */
bool	fiber_run(struct fiber *);
void	fiber_stop(struct fiber *);	/* within it */

#endif
