/*
 * target.h - the options that name hosts, for all tools.
 */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "dead.h"
#include "options.h"

#define CLI_TARGET_FILES 16

struct cli_target {
	struct fanout_selection *selection;
	struct fanout_groups *groups;	/* of the system; NULL: not needed */
	unsigned pick, seed;		/* 0: all; 0: at random */
	const char *slice;		/* NULL: all */

	/* only show them */
	bool	 list, fold, count, regroup, explain;
	unsigned split;			/* 0: not */

	bool	 named;			/* hosts, by an option */
	const char *files[CLI_TARGET_FILES];	/* host files, those named */
	size_t	 nfiles;
	struct fanout *way;		/* explain: asked how each is reached;
					 * NULL: not. The tool's own */
	struct cli_dead dead;

	char	*caret;		/* where an expression is wrong, two lines;
				 * NULL: nowhere */
};

/* Which hosts; and what to show of them instead of a run. */
extern const struct cli_option cli_target_options[], cli_show_options[];

/* argv tells whether to keep account of who named what (--explain). */
int	cli_target_init(struct cli_target *, char **argv,
	    struct fanout_error *);
void	cli_target_clear(struct cli_target *);

/* The hosts, at least one; the caller frees them. Once. */
int	cli_target_hosts(struct cli_target *, struct fanout_hosts **,
	    struct fanout_error *);

/* Does the command line only ask for the names? Then print them (show.c);
 * words: hosts that --explain is asked about, NULL at the end. Returns the
 * exit status. */
bool	cli_target_shows(const struct cli_target *);
int	cli_target_show(const struct cli_target *, const struct fanout_hosts *,
	    char *const *words);

#endif
