/*
 * addrcache.h - addresses found for names, for the life of an engine.
 *
 * Only successes are kept. No lock: resolve.c calls it under its own.
 */
#ifndef FO_ADDRCACHE_H
#define FO_ADDRCACHE_H

#include <stdbool.h>

#include "resolve.h"

#define ADDRCACHE_BUCKETS 1024

struct addrcache {
	struct cached	*bucket[ADDRCACHE_BUCKETS];
};

bool	addrcache_get(const struct addrcache *, const char *name,
	    unsigned port, int family, struct addresses *);
void	addrcache_put(struct addrcache *, const char *name, unsigned port,
	    int family, const struct addresses *);
void	addrcache_clear(struct addrcache *);

#endif
