/*
 * drive_int.h - between drive.c, which pulls events, and batch.c, which says
 * what is run next.
 */
#ifndef CLI_DRIVE_INT_H
#define CLI_DRIVE_INT_H

#include "drive.h"
#include "progress.h"

struct drive {
	const struct cli_run *run;
	struct fanout_opts opts;	/* of the run, and what batches need */
	struct fanout	*engine;
	bool		 abandoned;	/* with jobs that are not over */
	struct cli_roster roster;
	struct cli_views views;
	struct cli_view	*report;	/* NULL: there is none */
	struct cli_sink	 out, err;
	struct cli_progress progress;
	int64_t		 stopped;	/* when; 0: goes on */
	int		 stop_ms;	/* how long from then */
	bool		 kill_due;	/* to be said */
	bool		 interrupted;	/* stopped by the user */
	bool		 report_due;
	struct { size_t events, bytes; } taken;	/* since the last wait */

	/* the job under way */
	fanout_job	 job;
	size_t		*map;		/* its hosts among all; NULL: all */
	struct fanout_hosts *set;	/* if there is a map */
	struct fanout_result result;	/* one that was changed */

	/* batch.c */
	bool		 halted;	/* stopped by a rule */
	char		 why[160];
	size_t		 unfit;		/* did not stand a check */
	struct cli_terminal terminal;	/* to confirm */
	off_t		 input;		/* where standard input begins */
	int		 spool;		/* a copy of it; -1: none */

	/* a check under way */
	bool		 checking;
	struct cli_roster check_roster;
	struct cli_view	*check_view;	/* NULL: as JSON */
};

/* drive.c */
void	cli_drive_say(struct drive *, const char *line);
void	cli_drive_stop(struct drive *);
void	cli_drive_loop(struct drive *);		/* until no job is left */
void	cli_drive_attend(struct drive *);
void	cli_drive_tick(struct drive *);
void	cli_drive_remarks(struct drive *);	/* of the tool's own */

/* batch.c: 0, or -1: why has been said, and nothing is run. */
int	cli_batches_open(struct drive *);
int	cli_batches_run(struct drive *);
void	cli_batches_close(struct drive *);

/* An event of the job under way, before anybody sees it: its host becomes one
 * of all hosts. False: it is the check's, and has been taken. */
bool	cli_batches_event(struct drive *, struct fanout_event *);

/* The same, once it is one of the run: a rule may have kept its host from
 * beginning. */
void	cli_batches_amend(struct drive *, struct fanout_event *);

/* After this host is over: must the run stop? */
void	cli_batches_rules(struct drive *, const char *host);

#endif
