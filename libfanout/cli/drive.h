/*
 * drive.h - one job from its submission to its summary.
 *
 * The loop that all tools share: pull events, show them, keep the roster,
 * attend to the user's signals also while a slow reader makes us wait.
 */
#ifndef CLI_DRIVE_H
#define CLI_DRIVE_H

#include "roster.h"
#include "view.h"

struct cli_run {
	const struct fanout_opts *opts;
	const struct fanout_hosts *hosts;	/* at least one */
	const struct fanout_cmd *cmd;
	struct cli_look look;
	bool	 largest_status;	/* as pdsh -S */
};

/*
 * Returns the exit status; what went wrong has been said on stderr. Where
 * nobody reads our output any more it does not return: the run is canceled
 * and the process ends by SIGPIPE.
 */
int	cli_drive(const struct cli_run *);

/* Before anything is opened: descriptors 0 to 2 exist, so that nothing else
 * is mistaken for them, and as many more may be opened as the system lets us. */
void	cli_prepare(void);

#endif
