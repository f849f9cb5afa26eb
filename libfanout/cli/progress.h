/*
 * progress.h - one line on a terminal that says how far a run is, and goes
 * away before anything else is written there.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "roster.h"

struct cli_progress {
	int	 fd;		/* -1: there is no terminal, nothing is shown */
	bool	 shown;
	int64_t	 began, drawn;	/* ms, monotonic */
};

/* How often it is drawn anew at most. */
#define CLI_PROGRESS_MS 250

/* fd is a terminal, or -1. */
void	cli_progress_init(struct cli_progress *, int fd);

/* If it is time for that; a run that is soon over has none. */
void	cli_progress_draw(struct cli_progress *, const struct cli_roster *);
void	cli_progress_hide(struct cli_progress *);

/* "120/200 done, 64 running, 3 failed, 0:12 left": ms since the begin. */
void	cli_progress_text(char *, size_t, const struct cli_roster *,
	    int64_t ms);

/* How long the rest takes if it goes on as so far, in ms; -1: nobody knows. */
int64_t	cli_progress_left(const struct cli_roster *, int64_t ms);

#endif
