/*
 * ccp.h - what the command line asks for, and doing it.
 */
#ifndef CCP_H
#define CCP_H

#include "cli/expand.h"
#include "cli/tool.h"
#include "copy.h"
#include "get.h"

struct ccp {
	struct cli_target target;
	struct cli_connect connect;
	struct cli_look	 look;
	struct cli_plan	 plan;
	struct cli_again again;
	struct cli_expand expand;
	struct source_opts source;
	struct copy_opts copy;
	struct become	 become;
	bool		 gather;	/* from the hosts */
	struct get_opts	 get;
	const char	*max_size;	/* NULL: not given */
	const char	*rate, *host_rate;	/* likewise */
	uint64_t	 bytes_per_sec, host_bytes_per_sec;	/* 0: any */
	const char	*mode;		/* octal; NULL: as it is */
	char		**excludes;	/* NULL at the end; or NULL */
	size_t		 nexcludes;
	bool		 backup, yes;
	bool		 help, version;
	const char	*completion;	/* shell; NULL: not asked for */
	char		**given;	/* after the options; NULL at the end */
	char		**words;	/* files and DEST: those, or of saved */
	char		**saved;	/* of a run that is tried again; or NULL */
	char		*command;	/* files and DEST, for a report */
	char		*own_dest;	/* one argument: its absolute path */
};

/* 0, or an error that says what to do about it. */
int	ccp_options(struct ccp *, int argc, char **argv,
	    struct fanout_error *);
void	ccp_usage(FILE *);
int	ccp_completion(const char *shell);	/* the exit status */
void	ccp_clear(struct ccp *);

struct cli_tool ccp_tool(struct ccp *);

/* Return the exit status; what is wrong has been said. */
int	ccp_run(struct ccp *);
int	ccp_copy_to(struct ccp *, const struct fanout_hosts *);

/* temp.c: the names of temporary folders. 0, or -1: no memory. */
int	temp_names(struct copy *);

#endif
