/*
 * cexec.h - what the command line asks for, and doing it.
 */
#ifndef CEXEC_H
#define CEXEC_H

#include "cli/connect.h"
#include "cli/form.h"
#include "cli/look.h"
#include "cli/plan.h"
#include "cli/saved.h"
#include "cli/target.h"
#include "send.h"

struct cexec {
	struct cli_target target;
	struct cli_connect connect;
	struct cli_look look;
	struct cli_form form;
	struct cli_expand expand;
	struct send send;
	struct cli_plan plan;
	struct cli_report_opts report;
	struct cli_words kept;	/* options that a retry needs */
	struct cli_saved *saved;	/* the run that is tried again; or NULL */
	struct fanout_hosts *again;	/* its hosts */
	bool	 no_stdin, largest;
	bool	 help, version;
	const char *completion;	/* shell; NULL: not asked for */
	char	**words;	/* after the options; NULL at the end */
	char	*command;	/* the words joined with blanks; NULL: none */
};

/* 0, or an error that says what to do about it. */
int	cexec_options(struct cexec *, int argc, char **argv,
	    struct fanout_error *);
void	cexec_usage(FILE *);
int	cexec_completion(const char *shell, struct fanout_error *);
void	cexec_clear(struct cexec *);

/* Returns the exit status; what is wrong has been said. */
int	cexec_run(struct cexec *);

#endif
