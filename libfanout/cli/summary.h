/*
 * summary.h - the end of a run: who failed of what, and the exit status.
 */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "roster.h"

#define CLI_EXIT_FAILED 1	/* a command or copy failed somewhere */
#define CLI_EXIT_USAGE 2	/* nothing was run */
#define CLI_EXIT_UNREACHED 3	/* a host was not reached or logged into */
#define CLI_EXIT_BOTH 4		/* 1 and 3 */
#define CLI_EXIT_INTERRUPTED 130

/*
 * "3 of 200 failed: exit 1: node[7,12]; connect-timeout: node44"; free(3).
 * NULL when none failed, or without memory.
 */
char	*cli_summary(const struct cli_roster *);

/* largest: as pdsh -S, the largest status any host gave (a signal counts as
 * 128 and its number), 254 where none came. */
int	cli_status(const struct cli_roster *, bool largest, bool interrupted);

/* Who still runs, one line each for how long, and who waits; free(3). */
char	*cli_who_runs(const struct cli_roster *);

#endif
