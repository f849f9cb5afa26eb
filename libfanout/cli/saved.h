/*
 * saved.h - a report (report.h) that is read again.
 */
#ifndef CLI_SAVED_H
#define CLI_SAVED_H

#include "report.h"

struct cli_sum {
	uint64_t out, err;	/* of what a host said */
	bool	 unfit;		/* it did not stand --check */
};

struct cli_saved {
	char	*path, *id;
	char	*tool, *command, *user, *from, *directory, *retry_of;
	double	 time, ended_at;	/* seconds since 1970 */
	struct cli_words words;		/* its options */
	struct fanout_hosts *hosts;
	struct cli_roster roster;	/* hosts that are not over have no DONE */
	struct cli_sum	*sums;
	uint64_t fed;		/* most bytes of input that a host was given */
	int	 exit;
	bool	 ended;		/* there is a summary: the run came to its end */
	bool	 running;	/* it is being written */
	bool	 outputs;	/* there is output in it */
};

/*
 * id: a part of an ID that only one has; NULL: the last run of this tool, or
 * the one before that, and so on. 0 or an error.
 */
int	cli_saved_load(struct cli_saved **, const char *id, unsigned before,
	    struct fanout_error *);
void	cli_saved_free(struct cli_saved *);	/* NULL is fine */

/* The path alone, as above; free(3). */
int	cli_saved_find(char **path, const char *id, unsigned before,
	    struct fanout_error *);
int	cli_saved_open(struct cli_saved **, const char *path,
	    struct fanout_error *);

/* Its events once more; hosts that were not over are given up in the end. */
int	cli_saved_replay(const struct cli_saved *, struct cli_roster *,
	    struct cli_views *, struct fanout_error *);

/*
 * The hosts to try again: failed, unreachable, succeeded, timeout, exit=N,
 * skipped, unfinished, all, or the name of a class. The caller frees the set,
 * which may be empty.
 */
int	cli_saved_pick(const struct cli_saved *, const char *which,
	    struct fanout_hosts **, struct fanout_error *);

#endif
