/*
 * plan.h - which hosts come when, and when a run stops (for all tools).
 *
 * Hosts are worked on in batches, one after the other: first the canaries, if
 * there are any, then so many at a time; without either all are one batch.
 * Hosts that are skipped anyway are in the first one and count nowhere.
 */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include "options.h"
#include "roster.h"

#define CLI_PLAN_STEPS 32

struct cli_plan {
	/* options */
	const char *canary, *batch, *max_fail, *check;
	int	 pause_ms;
	bool	 confirm, fail_fast, random;

	/* made by cli_plan_make */
	size_t	*order;		/* indices of the hosts, as they come */
	size_t	 count, skipped;	/* of all; of these, in front */
	size_t	 canaries;	/* behind them; 0: none */
	size_t	 steps[CLI_PLAN_STEPS];	/* sizes of batches; the last goes on */
	size_t	 nsteps;	/* 0: all at once */
	size_t	 next;		/* how many were given out */
	unsigned batches;	/* given out */
	size_t	 allowed;	/* failures; SIZE_MAX: any number */
};

extern const struct cli_option cli_plan_options[];
extern const struct cli_option cli_plan_check_options[];

/* Do the options make sense? Before the hosts are known. 0 or an error. */
int	cli_plan_check(const struct cli_plan *, struct fanout_error *);

/* skip: as in struct fanout_cmd. seed 0: others each time. 0 or an error. */
int	cli_plan_make(struct cli_plan *, const struct fanout_hosts *,
	    const char *const *skip, uint64_t seed, struct fanout_error *);
void	cli_plan_clear(struct cli_plan *);

/* How many hosts the next batch has, from order[next] on; 0: there is none. */
size_t	cli_plan_size(const struct cli_plan *);

/* It begins: next is behind it now. */
void	cli_plan_take(struct cli_plan *);

/* Is all one batch? Was the one taken last that of the canaries? */
bool	cli_plan_whole(const struct cli_plan *);
bool	cli_plan_tried_canaries(const struct cli_plan *);

/*
 * After a host is over, in the middle of a batch; and after a batch, with how
 * many failed, or did not stand the check, in it and so far: why the run must
 * stop. false: it goes on.
 */
bool	cli_plan_halts(const struct cli_plan *, const struct cli_roster *,
	    const char *host, char *why, size_t);
bool	cli_plan_ends(const struct cli_plan *, size_t in_batch, size_t so_far,
	    char *why, size_t);

#endif
