/*
 * dead.h - hosts marked dead: marking them, and skipping them in a run.
 */
#ifndef CLI_DEAD_H
#define CLI_DEAD_H

#include "options.h"

struct cli_dead {
	bool	 include;		/* run on them all the same */
	bool	 list;
	const char *mark, *alive;	/* expressions; NULL: not asked for */
	const char *reason, *until;
};

/* For a struct cli_dead. */
extern const struct cli_option cli_dead_options[];

/* Is marking, not running, what is asked for? Then do it; returns the exit
 * status. */
bool	cli_dead_acts(const struct cli_dead *);
int	cli_dead_act(const struct cli_dead *);

/*
 * Why each host of a set is skipped (NULL: it is not), for struct fanout_cmd.
 * *skip is NULL when none is. Both are freed by cli_dead_free.
 */
int	cli_dead_find(const struct cli_dead *, const struct fanout_hosts *,
	    struct fanout_marks **, const char ***skip, struct fanout_error *);
void	cli_dead_free(struct fanout_marks *, const char **skip);

#endif
