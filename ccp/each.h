/*
 * each.h - what each host is to have, and where: the same for all, or with
 * --expand what stands for %h and so on in the words.
 */
#ifndef EACH_H
#define EACH_H

#include "cli/expand.h"
#include "copy.h"

struct each {
	size_t	 n;		/* hosts */
	struct load **loads;	/* one a host */
	char	**dests;	/* likewise; NULL: one for all */
	const char **skip;	/* hosts that are skipped, and why */
	const struct fanout_result **ahead;	/* those whose files are
						 * missing: why */
};

/*
 * Walks the files, words, once for each different list of them. A file that is
 * missing is an error if all hosts are to have it, else that of its hosts
 * alone. skip: hosts that are skipped anyway, or NULL. 0 or an error.
 */
int	each_find(struct each *, struct copy *, char *const *words,
	    const struct source_opts *, struct cli_expand *,
	    const char *const *skip, struct fanout_error *);

/* The copy was made: each host is given what is its own. */
void	each_give(const struct each *, struct copy *);
void	each_free(struct each *);

#endif
