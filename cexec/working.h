/*
 * working.h - the hosts of an interactive session: those that commands run on,
 * and those that are left out since they could not be reached.
 */
#ifndef WORKING_H
#define WORKING_H

#include "cli/roster.h"

struct working {
	struct fanout_groups *groups;	/* of the system; NULL: not needed yet */
	struct fanout_hosts *all, *out;	/* named; of these, left out */
};

/* 0 or an error, as in what follows. */
int	working_open(struct working *, const struct fanout_hosts *,
	    struct fanout_error *);
void	working_close(struct working *);

/*
 * '@', '+' or '-' and an expression: these hosts, these too, not these. Hosts
 * that are named are not left out any more. On failure all is as it was, and
 * the error's offset is in the expression.
 */
int	working_change(struct working *, char how, const char *expr,
	    struct fanout_error *);

/* The hosts to run on, maybe none; the caller frees them. */
int	working_hosts(const struct working *, struct fanout_hosts **,
	    struct fanout_error *);

/* From now on left out: the host of a roster's place i for which lost() is
 * true. Returns the folded names of them; free(3). NULL: none, or no memory. */
char	*working_leave_out(struct working *, const struct cli_roster *,
	    bool (*lost)(const struct cli_place *, const void *),
	    const void *);

#endif
