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

	/* bytes, where they count; known: of how many */
	bool	 counts;
	uint64_t bytes, of;	/* of 0: that is not known */
	uint64_t before;	/* when the rate was computed last, */
	int64_t	 rated;		/* ms */
	double	 rate;		/* bytes a second, lately */
};

/* How often it is drawn anew at most. */
#define CLI_PROGRESS_MS 250

/* fd is a terminal, or -1. */
void	cli_progress_init(struct cli_progress *, int fd);

/* So many bytes were moved. */
void	cli_progress_bytes(struct cli_progress *, uint64_t bytes, uint64_t of);

/* If it is time for that; a run that is soon over has none. */
void	cli_progress_draw(struct cli_progress *, const struct cli_roster *);
void	cli_progress_hide(struct cli_progress *);

/* "120/200 done, 64 running, 3 failed, 310 of 1024 MiB, 58 MiB/s, 0:12 left":
 * ms since the begin. */
void	cli_progress_text(const struct cli_progress *, char *, size_t,
	    const struct cli_roster *, int64_t ms);

/* How long the rest takes if it goes on as so far, in ms; -1: nobody knows. */
int64_t	cli_progress_left(const struct cli_roster *, int64_t ms);

#endif
