/*
 * cexec.h - what the command line asks for, and doing it.
 */
#ifndef CEXEC_H
#define CEXEC_H

#include "cli/drive.h"
#include "cli/form.h"
#include "cli/tool.h"
#include "lock.h"
#include "send.h"

struct cexec {
	struct cli_target target;
	struct cli_connect connect;
	struct cli_look look;
	struct cli_form form;
	struct cli_expand expand;
	struct send send;
	struct lock lock;
	struct cli_plan plan;
	struct cli_again again;
	bool	 no_stdin, largest;
	bool	 takes_part;	/* input has a part in the run (input.h) */
	char	*unlocked;	/* to be said at its end; NULL: nothing */
	bool	 help, version;
	const char *completion;	/* shell; NULL: not asked for */
	char	**words;	/* after the options; NULL at the end */
	char	*command;	/* the words joined with blanks; NULL: none, and
				 * they are read from the terminal */

	/* one command after the other (interactive.h); NULL: a single one */
	struct fanout **engine;
	void	(*over)(void *ctx, const struct cli_roster *);
	void	*over_ctx;
};

/* 0, or an error that says what to do about it. */
int	cexec_options(struct cexec *, int argc, char **argv,
	    struct fanout_error *);
void	cexec_usage(FILE *);
int	cexec_completion(const char *shell);	/* the exit status */
void	cexec_clear(struct cexec *);

struct cli_tool cexec_tool(struct cexec *);

/* Return the exit status; what is wrong has been said. */
int	cexec_run(struct cexec *);

/* The command on these hosts. opts: as cexec_opts() filled them. */
int	cexec_opts(struct cexec *, struct fanout_opts *);
int	cexec_run_on(struct cexec *, const struct fanout_opts *,
	    const struct fanout_hosts *);

#endif
