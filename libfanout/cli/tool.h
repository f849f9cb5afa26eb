/*
 * tool.h - what all tools do alike around the run that is their own: a run that
 * is tried again, a look at those that were saved, hosts that are only shown.
 */
#ifndef CLI_TOOL_H
#define CLI_TOOL_H

#include "connect.h"
#include "look.h"
#include "plan.h"
#include "saved.h"
#include "target.h"

/* About runs that were saved, this one or another. */
struct cli_again {
	struct cli_report_opts report;
	struct cli_words kept;		/* options that a retry needs */
	bool	 columns;		/* also what host files say of hosts: the
					 * tool has cli_expand_options */
	struct cli_saved *saved;	/* the run that is tried again; or NULL */
	struct fanout_hosts *hosts;	/* its hosts */
};

/* A tool: its own structure, and what all have in theirs. */
struct cli_tool {
	void	*self;
	struct cli_target *target;
	struct cli_connect *connect;
	struct cli_look *look;
	struct cli_again *again;

	/* As if no option had been given. 0 or an error. */
	int	(*begin)(void *self, char **argv, struct fanout_error *);
	/* Its options; by cli_parse_noting(), with cli_again_note or more. */
	int	(*parse)(void *self, int argc, char **argv,
		    struct fanout_error *);
	void	(*clear)(void *self);

	/* On these hosts. Returns the exit status; what is wrong has been
	 * said. */
	int	(*run)(void *self, const struct fanout_hosts *);
	/* What its transports need to know of a run, for --explain; or NULL. */
	void	(*way)(void *self, struct fanout_opts *);
};

/* Options that a retry needs; ctx is a struct cli_again. Not kept are hosts,
 * also as canaries, what is asked about reports, and where secrets are read. */
int	cli_again_note(void *ctx, const struct cli_group *,
	    const struct cli_option *, const char *value);
void	cli_again_clear(struct cli_again *);

/* For cli_drive(). */
struct cli_record cli_again_record(const struct cli_again *,
	    const char *command);

/*
 * --retry: what was saved decides on command and hosts, so all is parsed once
 * more, what was saved before what was given now. id: as for cli_saved_load().
 */
int	cli_again_load(const struct cli_tool *, int argc, char **argv,
	    const char *id, struct fanout_error *);

/* Selects its hosts; -x and -X may leave out some of them. */
int	cli_again_select(const struct cli_again *, struct cli_target *,
	    struct fanout_error *);

/* Is there no host to try again? Then that has been said. */
bool	cli_again_none(const struct cli_again *);

/* What is about to be done; command: NULL if it goes without saying. */
void	cli_again_announce(const struct cli_again *,
	    const struct fanout_hosts *, const char *command);

/* The hosts are only shown. Returns the exit status. */
int	cli_tool_show(const struct cli_tool *, const struct fanout_hosts *,
	    char *const *words);

/* What the options ask for. words: what stands behind them; command: what is
 * run, for those to read who try it again. Returns the exit status. */
int	cli_tool_run(const struct cli_tool *, char *const *words,
	    const char *command);

#endif
