/*
 * clock.h - monotonic time in milliseconds, and deadlines made of it.
 */
#ifndef FO_CLOCK_H
#define FO_CLOCK_H

#include <stdint.h>

#define FO_NEVER INT64_MAX

int64_t	fo_now(void);	/* ms since some fixed point; never goes back */

/* A deadline so many ms from now; ms <= 0 is FO_NEVER. */
int64_t	fo_deadline(int64_t now, int ms);

/* What to give poll(2): ms until when, -1 for FO_NEVER, 0 when it is past. */
int	fo_until(int64_t now, int64_t when);

#endif
