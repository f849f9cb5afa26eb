/*
 * history.h - looking at runs that were saved, for all tools.
 */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include "report.h"

/* Do the options fit together? Also reads FANOUT_KEEP. 0 or an error. */
int	cli_history_check(struct cli_report_opts *, struct fanout_error *);

/* Is it this that is asked for, not a run? Then do it: words are what stands
 * behind the options, IDs, NULL at the end. Returns the exit status; what is
 * wrong has been said. */
bool	cli_history_acts(const struct cli_report_opts *);
int	cli_history_act(const struct cli_report_opts *, struct cli_look *,
	    char *const *words);

#endif
