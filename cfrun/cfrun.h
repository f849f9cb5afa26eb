/*
 * cfrun.h - what the command line asks for, and doing it.
 */
#ifndef CFRUN_H
#define CFRUN_H

#include "cli/tool.h"

enum way { BY_CFENGINE, BY_SSH, BY_AUTO };

struct cfrun {
	struct cli_target target;
	struct cli_connect connect;
	struct cli_look look;
	struct cli_plan plan;
	struct cli_again again;

	const char *file;		/* cfrun.hosts; NULL: where it is */
	const char *workdir, *registry;	/* NULL: the usual ones */
	const char *user;
	const char *transport;
	enum way way;			/* made of it */
	const char *define, *select, *bundles;	/* NULL: none */
	unsigned port, splay, background;
	int	 debug;
	bool	 trust_new, ask, silent, any_host, ping, runagent_status;
	bool	 help, version;
	const char *completion;		/* shell; NULL: not asked for */

	int	 rest;			/* the first word of argv */
	/* Words of argv, or of words. */
	char	**hosts;
	char	**options;		/* for the agent */
	char	**classes;
	size_t	 nhosts, noptions, nclasses;
	char	*command;		/* those for the agent, a line each */
	char	**words;		/* the same, of a run tried again */
};

/* 0, or an error that says what to do about it. */
int	cfrun_options(struct cfrun *, int argc, char **argv,
	    struct fanout_error *);
void	cfrun_usage(FILE *);
int	cfrun_completion(const char *shell);	/* the exit status */
void	cfrun_clear(struct cfrun *);

struct cli_tool cfrun_tool(struct cfrun *);

/* Returns the exit status; what is wrong has been said. */
int	cfrun_run(struct cfrun *);

#endif
