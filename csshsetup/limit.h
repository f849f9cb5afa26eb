/*
 * limit.h - what keys may do that are there already: as --options and --expiry
 * say, where these are given.
 */
#ifndef LIMIT_H
#define LIMIT_H

#include "edit.h"
#include "keyline.h"

bool	limit_given(const struct csshsetup *);

/*
 * A line that came last gets other options, if they are to be others: it goes,
 * and the new one comes at the end of that file. 1: so it is, 0: it is as it is
 * to be, -1: no memory.
 */
int	limit_line(struct edit *, const struct csshsetup *,
	    const struct keyline *);

#endif
