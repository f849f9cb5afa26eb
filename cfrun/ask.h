/*
 * ask.h - new keys, shown to the user, who decides (-i).
 */
#ifndef ASK_H
#define ASK_H

#include "registry.h"
#include "transport.h"

/*
 * Looks at the keys of all hosts and asks about those that are new. Those that
 * are trusted then are in *trusted (NULL: none). 0 or an error.
 */
int	ask_keys(struct registry **trusted, const struct cfengine_config *,
	    const struct fanout_opts *, const struct fanout_hosts *,
	    struct fanout_error *);

#endif
