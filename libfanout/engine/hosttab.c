/*
 * hosttab.c - the hosts an engine has ever been given, by name: what makes a
 * kept session findable by the next job. The caller's thread only.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static size_t
hash(const char *name)
{
	uint64_t h = 14695981039346656037u;	/* FNV-1a */

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return (size_t)h;
}

static int
grow(struct engine *eng)
{
	size_t i, n = eng->nbuckets == 0 ? 256 : eng->nbuckets * 2;
	struct host **table, *h;

	if ((table = calloc(n, sizeof(*table))) == NULL)
		return -1;
	for (i = 0; i < eng->nbuckets; i++)
		while ((h = eng->hosts[i]) != NULL) {
			eng->hosts[i] = h->hash_next;
			h->hash_next = table[hash(h->name) % n];
			table[hash(h->name) % n] = h;
		}
	free(eng->hosts);
	eng->hosts = table;
	eng->nbuckets = n;
	return 0;
}

struct host *
engine_host(struct engine *eng, const char *name)
{
	size_t len = strlen(name) + 1;
	struct host *h, **bucket;

	if (eng->nhosts >= eng->nbuckets && grow(eng) == -1)
		return NULL;
	bucket = &eng->hosts[hash(name) % eng->nbuckets];
	for (h = *bucket; h != NULL; h = h->hash_next)
		if (strcmp(h->name, name) == 0)
			return h;
	if ((h = calloc(1, sizeof(*h) + len)) == NULL)
		return NULL;
	memcpy(h->name, name, len);
	STAILQ_INIT(&h->tasks);
	h->worker = -1;
	h->hash_next = *bucket;
	*bucket = h;
	eng->nhosts++;
	return h;
}

void
engine_hosts_free(struct engine *eng)
{
	struct host *h;
	size_t i;

	for (i = 0; i < eng->nbuckets; i++)
		while ((h = eng->hosts[i]) != NULL) {
			eng->hosts[i] = h->hash_next;
			free(h);
		}
	free(eng->hosts);
}
