/*
 * target.h - the options that name hosts, for all tools.
 */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "options.h"

struct cli_target {
	struct fanout_selection *selection;
	unsigned pick;			/* 0: all */
	bool	 list, fold, count;	/* only show them */
};

extern const struct cli_option cli_target_options[];

int	cli_target_init(struct cli_target *, struct fanout_error *);
void	cli_target_clear(struct cli_target *);

/* The hosts, at least one; the caller frees them. Once. */
int	cli_target_hosts(struct cli_target *, struct fanout_hosts **,
	    struct fanout_error *);

/* Does the command line only ask for the names? Then print them; returns the
 * exit status. */
bool	cli_target_shows(const struct cli_target *);
int	cli_target_show(const struct cli_target *,
	    const struct fanout_hosts *);

#endif
