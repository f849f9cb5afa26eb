/*
 * lock.h - an advisory lock on every host, so that two who roll out do not do
 * so at once. It is held by a session of its own, for as long as that is open:
 * it is free again whatever ends this process.
 *
 * That is a connection beside the one the command has. A process that outlived
 * its channel on that one would spare a login, but nobody would see it end.
 *
 * There it is the folder /tmp/fanout-lock.NAME (or below FANOUT_LOCK_DIR):
 * flock(1) on it, or a folder in it where there is no flock. Who holds it is
 * told by a file in it.
 */
#ifndef LOCK_H
#define LOCK_H

#include "cli/ask.h"

#define LOCK_WATCH_MS 100	/* so often it is looked at */

struct lock_host;

struct lock {
	const char *name;		/* NULL: none is wanted */

	/* once taken */
	struct fanout	*engine;
	fanout_job	 job;
	struct fanout_hosts *hosts;
	struct lock_host *at;		/* one a host */
	const char	**skip;		/* those that are not begun, and why */
	char		 token[33];	/* of this run */
	size_t		 undecided, held, taken, lost;
	int64_t		 watched;	/* when it was looked at last */
	size_t		 untold;	/* of those that are lost */
	bool		 releasing, warned;
	struct fanout_result judged;	/* of lock_judge() */
};

int	lock_check(const struct lock *, struct fanout_error *);

/*
 * On all hosts that are not skipped, or on none: 0, or the exit status, and
 * what is wrong has been said. A host that could not be asked has failed: it
 * is skipped, see lock_failure(). command: what is run, to tell others.
 */
int	lock_take(struct lock *, const struct fanout_hosts *,
	    const char *const *skip, const struct fanout_opts *,
	    struct cli_ask *, const char *command);

/* Why it could not be taken; NULL: it was. */
const struct fanout_result *lock_failure(const struct lock *, size_t host);

/*
 * While the run goes on, as often as may be: true for a remark on a host that
 * has lost it, which is good until the next call. It is in l->skip from then
 * on.
 */
bool	lock_watch(struct lock *, struct fanout_event *);

/* What became of a host, its event DONE in the run: a host that has lost the
 * lock is not ok; one that was not begun for that has failed. */
void	lock_judge(struct lock *, struct fanout_event *);

/*
 * All are free again. Hosts that only now are seen to have lost it before are
 * named in a line; free(3) it. NULL: there is none. l->lost tells how many had
 * lost it in all.
 */
char	*lock_release(struct lock *);

#endif
