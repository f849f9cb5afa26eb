#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* So much a slot may always keep in memory, beside the budget. */
#define FAIR_SHARE 256

struct extent {
	off_t	 at;
	off_t	 len;
};

/* First the extents on disk, then the memory. */
struct cli_stored {
	char	*data;
	size_t	 len, size;
	struct extent *extents;
	size_t	 nextents;
	off_t	 total;
	char	 last;
};

int
cli_store_init(struct cli_store *s, size_t slots, size_t budget)
{
	*s = (struct cli_store){ .nslots = slots, .budget = budget,
	    .spill = CLI_SPILL_INIT };
	s->slots = calloc(slots, sizeof(*s->slots));
	return s->slots == NULL ? -1 : 0;
}

void
cli_store_clear(struct cli_store *s)
{
	size_t i;

	if (s->slots == NULL)
		return;
	for (i = 0; i < s->nslots; i++) {
		free(s->slots[i].data);
		free(s->slots[i].extents);
	}
	cli_spill_close(&s->spill);
	free(s->slots);
	s->slots = NULL;
}

off_t
cli_store_len(const struct cli_store *s, size_t slot)
{
	return s->slots[slot].total;
}

char
cli_store_last(const struct cli_store *s, size_t slot)
{
	return s->slots[slot].last;
}

void
cli_store_drop(struct cli_store *s, size_t slot)
{
	struct cli_stored *p = &s->slots[slot];
	size_t i;

	for (i = 0; i < p->nextents; i++)
		cli_spill_release(&s->spill, p->extents[i].at,
		    p->extents[i].len);
	free(p->extents);
	p->extents = NULL;
	p->nextents = 0;
	p->len = 0;
	p->total = 0;
	p->last = '\0';
	if (p->size > FAIR_SHARE) {
		s->used -= p->size;
		free(p->data);
		p->data = NULL;
		p->size = 0;
	}
}

/* Remembers where on disk the next bytes are. */
static int
add_extent(struct cli_stored *p, off_t at, size_t len)
{
	struct extent *e = p->nextents > 0 ? &p->extents[p->nextents - 1] : NULL;

	if (e != NULL && e->at + e->len == at) {
		e->len += (off_t)len;
		return 0;
	}
	if ((p->nextents & (p->nextents - 1)) == 0) {
		e = reallocarray(p->extents, p->nextents == 0 ? 1 :
		    p->nextents * 2, sizeof(*e));
		if (e == NULL)
			return -1;
		p->extents = e;
	}
	p->extents[p->nextents++] = (struct extent){ at, (off_t)len };
	return 0;
}

static int
to_disk(struct cli_store *s, struct cli_stored *p, const char *data, size_t len)
{
	off_t at;

	if (len == 0)
		return 0;
	if (cli_spill_add(&s->spill, data, len, &at) == -1)
		return -1;
	if (add_extent(p, at, len) == 0)
		return 0;
	cli_spill_release(&s->spill, at, (off_t)len);
	return -1;
}

static int
grow(struct cli_store *s, struct cli_stored *p, size_t need)
{
	size_t size = p->size == 0 ? FAIR_SHARE : p->size, counted, now;
	char *data;

	while (size < need)
		size *= 2;
	counted = size > FAIR_SHARE ? size : 0;
	now = p->size > FAIR_SHARE ? p->size : 0;
	if (counted > 0 && s->used - now + counted > s->budget)
		return -1;
	if ((data = realloc(p->data, size)) == NULL)
		return -1;
	s->used += counted - now;
	p->data = data;
	p->size = size;
	return 0;
}

/* In memory if it may grow, else what is there and the new bytes on disk. */
static int
keep(struct cli_store *s, struct cli_stored *p, const char *data, size_t len)
{
	if (p->len + len <= p->size || grow(s, p, p->len + len) == 0) {
		memcpy(p->data + p->len, data, len);
		p->len += len;
		return 0;
	}
	if (to_disk(s, p, p->data, p->len) == -1)
		return -1;
	p->len = 0;
	return to_disk(s, p, data, len);
}

int
cli_store_add(struct cli_store *s, size_t slot, const void *data, size_t len)
{
	struct cli_stored *p = &s->slots[slot];

	if (len == 0)
		return 0;
	if (keep(s, p, data, len) == -1)
		return -1;
	p->total += (off_t)len;
	p->last = ((const char *)data)[len - 1];
	return 0;
}

void
cli_reader_open(struct cli_reader *r, const struct cli_store *s, size_t slot)
{
	r->store = s;
	r->slot = slot;
	r->extent = 0;
	r->gone = 0;
	r->memory = false;
}

int
cli_reader_next(struct cli_reader *r, const char **data, size_t *len)
{
	const struct cli_stored *p = &r->store->slots[r->slot];
	const struct extent *e;

	if (r->extent < p->nextents) {
		e = &p->extents[r->extent];
		*len = e->len - r->gone < CLI_READER_BLOCK ?
		    (size_t)(e->len - r->gone) : CLI_READER_BLOCK;
		if (cli_spill_get(&r->store->spill, e->at + r->gone, r->block,
		    *len) == -1)
			return -1;
		*data = r->block;
		if ((r->gone += (off_t)*len) == e->len) {
			r->extent++;
			r->gone = 0;
		}
		return 1;
	}
	if (r->memory || p->len == 0)
		return 0;
	r->memory = true;
	*data = p->data;
	*len = p->len;
	return 1;
}
