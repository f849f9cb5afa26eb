#include <stdlib.h>
#include <string.h>

#include "arena.h"

#define CHUNK_MIN	1024
#define CHUNK_MAX	(1024 * 1024)

struct fo_arena_chunk {
	struct fo_arena_chunk *next;
	size_t	 size, used;
	char	 data[];
};

/* Chunks double, so that a small set stays small and a big one has few. */
static struct fo_arena_chunk *
grow(struct fo_arena *a, size_t need)
{
	struct fo_arena_chunk *c;
	size_t size = CHUNK_MIN;

	if (a->chunks != NULL && a->chunks->size < CHUNK_MAX)
		size = a->chunks->size * 2;
	else if (a->chunks != NULL)
		size = CHUNK_MAX;
	if (size < need)
		size = need;
	if ((c = malloc(sizeof(*c) + size)) == NULL)
		return NULL;
	c->size = size;
	c->used = 0;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

char *
fo_arena_dup(struct fo_arena *a, const char *s, size_t len)
{
	struct fo_arena_chunk *c = a->chunks;
	char *p;

	if (c == NULL || c->size - c->used <= len)
		if ((c = grow(a, len + 1)) == NULL)
			return NULL;
	p = c->data + c->used;
	c->used += len + 1;
	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

void
fo_arena_free(struct fo_arena *a)
{
	struct fo_arena_chunk *c;

	while ((c = a->chunks) != NULL) {
		a->chunks = c->next;
		free(c);
	}
}
