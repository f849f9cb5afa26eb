#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "addrcache.h"

struct cached {
	struct cached	*next;
	char		*name;
	unsigned	 port;
	int		 family;
	struct addresses found;
};

/* FNV-1a */
static size_t
bucket_of(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h % ADDRCACHE_BUCKETS;
}

static struct cached *
lookup(const struct addrcache *c, const char *name, unsigned port, int family)
{
	struct cached *e;

	for (e = c->bucket[bucket_of(name)]; e != NULL; e = e->next)
		if (e->port == port && e->family == family &&
		    strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

bool
addrcache_get(const struct addrcache *c, const char *name, unsigned port,
    int family, struct addresses *found)
{
	const struct cached *e = lookup(c, name, port, family);

	if (e != NULL)
		*found = e->found;
	return e != NULL;
}

void
addrcache_put(struct addrcache *c, const char *name, unsigned port,
    int family, const struct addresses *found)
{
	struct cached *e;
	size_t b = bucket_of(name);

	/* Two threads may have asked for the same name. */
	if (lookup(c, name, port, family) != NULL)
		return;
	if ((e = malloc(sizeof(*e))) == NULL)
		return;		/* asked again next time */
	if ((e->name = strdup(name)) == NULL) {
		free(e);
		return;
	}
	e->port = port;
	e->family = family;
	e->found = *found;
	e->next = c->bucket[b];
	c->bucket[b] = e;
}

void
addrcache_clear(struct addrcache *c)
{
	struct cached *e;
	size_t i;

	for (i = 0; i < ADDRCACHE_BUCKETS; i++)
		while ((e = c->bucket[i]) != NULL) {
			c->bucket[i] = e->next;
			free(e->name);
			free(e);
		}
}
