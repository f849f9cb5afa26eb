#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "spill.h"

/* So much a slot may always keep in memory, beside the budget. */
#define FAIR_SHARE 256
#define BLOCK 32768

struct extent {
	off_t	 at;
	off_t	 len;
};

/* The beginning of a line: first the extents on disk, then the memory. */
struct partial {
	char	*data;
	size_t	 len, size;
	struct extent *extents;
	size_t	 nextents;
};

struct cli_lines {
	struct partial *slots;
	size_t	 nslots;
	size_t	 budget;
	size_t	 used;		/* allocated in memory by all */
	bool	 one_by_one;
	cli_piece piece;
	void	*ctx;
	struct cli_spill spill;
	char	 block[BLOCK];
};

struct cli_lines *
cli_lines_new(size_t slots, size_t budget, bool one_by_one, cli_piece piece,
    void *ctx)
{
	struct cli_lines *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	if ((l->slots = calloc(slots, sizeof(*l->slots))) == NULL) {
		free(l);
		return NULL;
	}
	l->nslots = slots;
	l->budget = budget;
	l->one_by_one = one_by_one;
	l->piece = piece;
	l->ctx = ctx;
	l->spill = (struct cli_spill)CLI_SPILL_INIT;
	return l;
}

void
cli_lines_free(struct cli_lines *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->nslots; i++) {
		free(l->slots[i].data);
		free(l->slots[i].extents);
	}
	cli_spill_close(&l->spill);
	free(l->slots);
	free(l);
}

static bool
waits(const struct partial *p)
{
	return p->len > 0 || p->nextents > 0;
}

static void
forget(struct cli_lines *l, struct partial *p)
{
	off_t spilled = 0;
	size_t i;

	for (i = 0; i < p->nextents; i++)
		spilled += p->extents[i].len;
	if (p->nextents > 0)
		cli_spill_release(&l->spill, spilled);
	free(p->extents);
	p->extents = NULL;
	p->nextents = 0;
	p->len = 0;
	if (p->size > FAIR_SHARE) {
		l->used -= p->size;
		free(p->data);
		p->data = NULL;
		p->size = 0;
	}
}

/* Remembers where on disk the next bytes of the line are. */
static int
add_extent(struct partial *p, off_t at, size_t len)
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
to_disk(struct cli_lines *l, struct partial *p, const char *data, size_t len)
{
	off_t at;

	if (len == 0)
		return 0;
	if (cli_spill_add(&l->spill, data, len, &at) == -1)
		return -1;
	if (add_extent(p, at, len) == 0)
		return 0;
	cli_spill_release(&l->spill, (off_t)len);
	return -1;
}

static int
grow(struct cli_lines *l, struct partial *p, size_t need)
{
	size_t size = p->size == 0 ? FAIR_SHARE : p->size;
	char *data;

	while (size < need)
		size *= 2;
	if (size > FAIR_SHARE && l->used - p->size + size > l->budget)
		return -1;
	if ((data = realloc(p->data, size)) == NULL)
		return -1;
	l->used += size - p->size;
	p->data = data;
	p->size = size;
	return 0;
}

/* In memory if it may grow, else what is there and the new bytes on disk. */
static int
keep(struct cli_lines *l, struct partial *p, const char *data, size_t len)
{
	if (p->len + len <= p->size || grow(l, p, p->len + len) == 0) {
		memcpy(p->data + p->len, data, len);
		p->len += len;
		return 0;
	}
	if (to_disk(l, p, p->data, p->len) == -1)
		return -1;
	p->len = 0;
	return to_disk(l, p, data, len);
}

/* Hands out what waits. Unreadable bytes of our own file are lost: errno. */
static int
hand_out(struct cli_lines *l, size_t slot, bool *starts)
{
	struct partial *p = &l->slots[slot];
	struct extent e;
	size_t i, n;
	int rc = 0;

	for (i = 0; i < p->nextents && rc == 0; i++)
		for (e = p->extents[i]; e.len > 0; e.at += (off_t)n,
		    e.len -= (off_t)n) {
			n = e.len < BLOCK ? (size_t)e.len : BLOCK;
			if ((rc = cli_spill_get(&l->spill, e.at, l->block,
			    n)) == -1)
				break;
			l->piece(l->ctx, slot, *starts, l->block, n);
			*starts = false;
		}
	if (p->len > 0) {
		l->piece(l->ctx, slot, *starts, p->data, p->len);
		*starts = false;
	}
	forget(l, p);
	return rc;
}

/* The lines of a chunk that ends with a newline. */
static int
whole_lines(struct cli_lines *l, size_t slot, const char *data, size_t len)
{
	struct partial *p = &l->slots[slot];
	const char *end;
	bool starts = true;
	size_t n;
	int rc = 0;

	if (waits(p)) {
		end = memchr(data, '\n', len);
		n = (size_t)(end - data) + 1;
		/* In one piece if it fits: no character is cut in two. */
		if (keep(l, p, data, n) == 0) {
			rc = hand_out(l, slot, &starts);
		} else {
			rc = hand_out(l, slot, &starts);
			l->piece(l->ctx, slot, starts, data, n);
		}
		data += n;
		len -= n;
	}
	while (len > 0) {
		n = len;
		if (l->one_by_one) {
			end = memchr(data, '\n', len);
			n = (size_t)(end - data) + 1;
		}
		l->piece(l->ctx, slot, true, data, n);
		data += n;
		len -= n;
	}
	return rc;
}

int
cli_lines_add(struct cli_lines *l, size_t slot, const char *data, size_t len)
{
	struct partial *p = &l->slots[slot];
	const char *last = memrchr(data, '\n', len);
	size_t n = last == NULL ? 0 : (size_t)(last - data) + 1;
	bool starts = true;
	int error, rc = 0;

	if (n > 0)
		rc = whole_lines(l, slot, data, n);
	if (n == len || keep(l, p, data + n, len - n) == 0)
		return rc;
	error = errno;
	hand_out(l, slot, &starts);
	l->piece(l->ctx, slot, starts, data + n, len - n);
	errno = error;
	return -1;
}

bool
cli_lines_end(struct cli_lines *l, size_t slot)
{
	bool starts = true;

	if (!waits(&l->slots[slot]))
		return false;
	hand_out(l, slot, &starts);
	return true;
}
