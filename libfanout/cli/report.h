/*
 * report.h - each run is saved, so that it can be looked at and tried again.
 *
 * A report is the file ID.TOOL.jsonl below $XDG_STATE_HOME/fanout/runs: first
 * a line about the run, then the events that json.c writes. It grows while the
 * run goes on, so that whatever ends the process leaves a report that names
 * the hosts that were not over. Its writer holds a lock (flock) on it. The ID
 * is the time in UTC, to the millisecond: 20261224T180000Z-042.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <limits.h>

#include "options.h"
#include "view.h"

struct cli_words {
	char	**word;
	size_t	 count;
};

/* The options about reports: what to keep of this run; and what to do with
 * one that was kept, instead of a run. */
struct cli_report_opts {
	bool	 none, output;		/* --no-report --report-output */
	unsigned keep_runs, keep_days;	/* 0: not given */
	bool	 location, runs, show, compare;
	const char *retry;		/* which hosts; NULL: not asked for */
};

extern const struct cli_option cli_report_options[];

/* A run that is to be saved. */
struct cli_record {
	const struct cli_report_opts *opts;
	const char *command;
	const struct cli_words *words;	/* options that a retry needs */
	const char *retry_of;		/* ID, or NULL */
};

/* Begins a report. NULL: it cannot be; why has been said on err, as a warning:
 * the run goes on without. */
struct cli_view *cli_report_view(const struct cli_record *,
	    const struct cli_roster *, struct cli_sink *err);

/* The folder; made if it is not there. 0, or -1 and errno. */
int	cli_report_dir(char *path, size_t size, bool make);

/* Collecting words: 0, or -1 without memory. */
int	cli_words_add(struct cli_words *, const char *, size_t);
void	cli_words_clear(struct cli_words *);

/* Takes an option as it was parsed, for cli_parse_noting(): "--name=value". */
int	cli_words_note(struct cli_words *, const struct cli_option *,
	    const char *value);

/* Is this the name of a report of a tool (NULL: of any)? */
bool	cli_report_name(const char *file, const char *tool);

#endif
