/*
 * request.h - what is asked of one client: options of cf-agent as they are
 * written on our command line, and as each transport can carry them.
 *
 * cf-serverd takes classes and bundles only. Other options become classes
 * named cfrun_opt_*, which cfrun-agent on the client turns back into options.
 * A dry run becomes a bundle of such a name: where there is no cfrun-agent,
 * cf-agent refuses to run at all for want of it, instead of making changes.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>

#include "fanout.h"

struct request {
	char	*classes, *bundles;	/* comma separated; NULL: none */
	char	*shell;		/* the words, quoted for a shell */
	bool	 inform;	/* what the agent changes will be told */
};

void	request_clear(struct request *);
int	request_copy(struct request *, const struct request *);  /* or ENOMEM */

/* One option (with its argument) at a time; native: all must be such as
 * cf-serverd can carry. where is put before the text of an error. */
int	request_words(struct request *, char *const *words, size_t n,
	    bool native, const char *where, struct fanout_error *);
/* The same of a line with blanks between. */
int	request_line(struct request *, const char *line, bool native,
	    const char *where, struct fanout_error *);

int	request_define(struct request *, const char *classes,
	    struct fanout_error *);
int	request_bundles(struct request *, const char *bundles,
	    struct fanout_error *);

/*
 * The command of a task: for transport cfengine its two lines, EXEC and the
 * classes to select by, and on the third what a shell is to run.
 */
int	request_text(const struct request *, const char *select, char **,
	    struct fanout_error *);

#endif
