/*
 * targets.h - the clients of a run: those of cfrun.hosts, or the part of them
 * that the command line names, and what is asked of each.
 */
#ifndef TARGETS_H
#define TARGETS_H

#include "cfrun.h"
#include "request.h"

struct targets {
	struct fanout_cfhosts *file;	/* NULL: there is none */
	struct fanout_hosts *hosts;
	struct request	 common;	/* what is asked of all */
	char		*command;	/* the same as a task's command */
	char		**commands;	/* a host's own, or NULL; NULL: none */
	bool		*informed;	/* will a client tell its changes? */
};

/* workdir: of CFEngine. 0 or an error that says what to do. */
int	targets_find(struct targets *, struct cfrun *, const char *workdir,
	    struct fanout_error *);
void	targets_clear(struct targets *);

/* What is to be asked of them; after find. */
int	targets_ask(struct targets *, const struct cfrun *,
	    struct fanout_error *);

#endif
