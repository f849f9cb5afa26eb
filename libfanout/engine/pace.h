/*
 * pace.h - so many bytes a second, and not more.
 *
 * What was moved decides when more may be moved: a pace that was idle lets a
 * tenth of a second's worth through at once. Any thread may use one that all
 * hosts share.
 */
#ifndef FO_PACE_H
#define FO_PACE_H

#include <stdatomic.h>
#include <stdint.h>

struct pace {
	uint64_t	 rate;		/* bytes a second; 0: any number */
	_Atomic int64_t	 free_at;	/* us: not before */
};

void	pace_init(struct pace *, uint64_t rate);

/* In how many ms more may be moved; 0: now. */
int	pace_wait(const struct pace *, int64_t now_ms);

/* So much was. */
void	pace_charge(struct pace *, uint64_t bytes, int64_t now_ms);

#endif
