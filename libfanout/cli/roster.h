/*
 * roster.h - where every host of a run stands, and what became of it.
 */
#ifndef CLI_ROSTER_H
#define CLI_ROSTER_H

#include "fanout.h"

enum cli_state { CLI_WAITS, CLI_RUNS, CLI_OVER };

struct cli_place {
	unsigned char state;	/* enum cli_state */
	unsigned char cls;	/* enum fanout_class, when over */
	unsigned char stage;	/* enum fanout_stage, when over */
	bool	 given_up;	/* it is over without a DONE */
	short	 code;		/* exit status; signal: its number; canceled:
				 * 0 or CLI_NOT_BEGUN; else 0 */
	int64_t	 since;		/* ms, monotonic: when it began to run */
};

#define CLI_NOT_BEGUN 1

/* How the text of a host begins that was skipped because the run stopped. */
#define CLI_NOT_BEGUN_TEXT "not begun"

/* How it begins where the status is that of a command which an option named:
 * of which one, and what that means, is not to be seen from the status. */
#define CLI_OPTION_TEXT "--"

struct cli_roster {
	const struct fanout_hosts *hosts;	/* not ours */
	size_t	 count;
	size_t	 running, over;
	size_t	 failed, skipped;	/* of those that are over */
	struct cli_place *places;
};

int	cli_roster_init(struct cli_roster *, const struct fanout_hosts *);
void	cli_roster_clear(struct cli_roster *);
void	cli_roster_event(struct cli_roster *, const struct fanout_event *);

/* Whatever is not over counts as canceled: the run was given up. */
void	cli_roster_give_up(struct cli_roster *);

/* The folded names of those for which want() is true; free(3). NULL: no
 * memory. */
char	*cli_roster_fold(const struct cli_roster *,
	    bool (*want)(const struct cli_place *, const void *), const void *);

/* "exit 7", "signal TERM", "auth": the cause, in words. */
void	cli_cause(const struct cli_place *, char *, size_t);

/* Class and code as one number, to sort and compare by. */
int	cli_cause_key(const struct cli_place *);

/* How far a host came: it was never reached or logged into. */
bool	cli_unreached(const struct cli_place *);

int64_t	cli_now(void);		/* ms, monotonic */

#endif
