/*
 * timers.h - a binary heap of deadlines: one worker's, no lock.
 *
 * An item embeds a struct timer. O(log n) to set and clear.
 */
#ifndef FO_TIMERS_H
#define FO_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct timer {
	int64_t	 when;		/* ms on the clock of base/clock.h */
	size_t	 slot;		/* place in the heap + 1; 0: not in it */
};

struct timers {
	struct timer **heap;
	size_t	 len, cap;
};

void	timers_free(struct timers *);

/* Make room for one timer more, so that setting it later cannot fail:
 * 0, or -1 when memory ran out. */
int	timers_reserve(struct timers *, size_t n);

void	timers_set(struct timers *, struct timer *, int64_t when);
void	timers_clear(struct timers *, struct timer *);

/* The earliest, NULL when there is none. */
struct timer *timers_first(const struct timers *);

#endif
