/*
 * Myers' algorithm ("An O(ND) difference algorithm", 1986): for d = 0, 1, ...
 * how far d changes can come on each diagonal, until the end is reached; then
 * the way back.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"

#define CONTEXT 3

/* At most so many changes are looked for; memory is their square. */
#define CHANGES_MAX 1000

struct diff {
	const struct cli_line *a, *b;	/* between common beginning and end */
	ptrdiff_t n, m;
	size_t	 before;	/* lines of the common beginning */
	int	**trace;	/* for each d the diagonals -d to d */
	bool	*gone, *came;	/* of a, of b: changed? */
};

int
cli_text_init(struct cli_text *t, char *bytes, size_t len)
{
	const char *p = bytes, *end = bytes + len, *nl;
	struct cli_line *l;
	size_t i, count = 0;

	for (i = 0; i < len; i++)
		count += bytes[i] == '\n';
	*t = (struct cli_text){ .bytes = bytes };
	t->lines = calloc(count + 1, sizeof(*t->lines));
	if (t->lines == NULL) {
		free(bytes);
		t->bytes = NULL;
		return -1;
	}
	while (p < end) {
		l = &t->lines[t->count++];
		nl = memchr(p, '\n', (size_t)(end - p));
		l->text = p;
		l->len = (size_t)((nl != NULL ? nl : end) - p);
		l->hash = 0xcbf29ce484222325;
		for (i = 0; i < l->len; i++)
			l->hash = (l->hash ^ (unsigned char)p[i]) *
			    0x100000001b3;
		p += l->len + (nl != NULL);
	}
	return 0;
}

void
cli_text_clear(struct cli_text *t)
{
	free(t->bytes);
	free(t->lines);
	*t = (struct cli_text){ NULL, NULL, 0 };
}

static bool
same(const struct cli_line *a, const struct cli_line *b)
{
	return a->hash == b->hash && a->len == b->len &&
	    memcmp(a->text, b->text, a->len) == 0;
}

/* One round of d changes; the diagonal on which the end was reached, or -d-1. */
static ptrdiff_t
round_of(struct diff *x, ptrdiff_t d)
{
	const int *before = d > 0 ? x->trace[d - 1] + d - 1 : NULL;
	int *now = x->trace[d] + d;
	ptrdiff_t k, i;

	for (k = -d; k <= d; k += 2) {
		if (d == 0)
			i = 0;
		else if (k == -d || (k != d && before[k - 1] < before[k + 1]))
			i = before[k + 1];
		else
			i = before[k - 1] + 1;
		while (i < x->n && i - k < x->m && i - k >= 0 &&
		    same(&x->a[i], &x->b[i - k]))
			i++;
		now[k] = (int)i;
		if (i >= x->n && i - k >= x->m)
			return k;
	}
	return -d - 1;
}

static void
way_back(struct diff *x, ptrdiff_t d)
{
	ptrdiff_t k = x->n - x->m, i, j;
	const int *before;

	for (; d > 0; d--) {
		before = x->trace[d - 1] + d - 1;
		if (k == -d || (k != d && before[k - 1] < before[k + 1])) {
			k++;
			i = before[k];
			j = i - k;
			if (j < x->m)
				x->came[j] = true;
		} else {
			k--;
			i = before[k];
			if (i < x->n)
				x->gone[i] = true;
		}
	}
}

static int
find_changes(struct diff *x)
{
	ptrdiff_t d, max = x->n + x->m;
	int rc = 0;

	if (max > CHANGES_MAX)
		max = CHANGES_MAX;
	if ((x->trace = calloc((size_t)max + 1, sizeof(*x->trace))) == NULL)
		return -1;
	for (d = 0; d <= max; d++) {
		x->trace[d] = calloc((size_t)(2 * d + 1), sizeof(int));
		if (x->trace[d] == NULL) {
			rc = -1;
			break;
		}
		if (round_of(x, d) != -d - 1) {
			way_back(x, d);
			break;
		}
	}
	if (d > max) {
		memset(x->gone, true, (size_t)x->n * sizeof(*x->gone));
		memset(x->came, true, (size_t)x->m * sizeof(*x->came));
	}
	for (d = 0; d <= max; d++)
		free(x->trace[d]);
	free(x->trace);
	return rc;
}

/* Leaves out what both begin and end with. */
static void
trim(struct diff *x, const struct cli_text *a, const struct cli_text *b)
{
	x->a = a->lines;
	x->b = b->lines;
	x->n = (ptrdiff_t)a->count;
	x->m = (ptrdiff_t)b->count;
	while (x->n > 0 && x->m > 0 && same(x->a, x->b)) {
		x->a++;
		x->b++;
		x->n--;
		x->m--;
		x->before++;
	}
	while (x->n > 0 && x->m > 0 && same(&x->a[x->n - 1], &x->b[x->m - 1])) {
		x->n--;
		x->m--;
	}
}

struct walk {
	const struct diff *x;
	const struct cli_text *a, *b;
	cli_diff_line put;
	void	*ctx;
};

static bool
gone(const struct walk *w, size_t i)
{
	return i >= w->x->before && i - w->x->before < (size_t)w->x->n &&
	    w->x->gone[i - w->x->before];
}

static bool
came(const struct walk *w, size_t j)
{
	return j >= w->x->before && j - w->x->before < (size_t)w->x->m &&
	    w->x->came[j - w->x->before];
}

/* "12", "12,3"; of no lines the line before. */
static int
range(char *buf, size_t size, size_t from, size_t to)
{
	if (to - from == 1)
		return snprintf(buf, size, "%zu", from + 1);
	return snprintf(buf, size, "%zu,%zu", to == from ? from : from + 1,
	    to - from);
}

/* From line i of a and j of b on; to where is known. */
static void
put_hunk(const struct walk *w, size_t i, size_t i_end, size_t j, size_t j_end)
{
	char ra[48], rb[48], head[112];
	const struct cli_line *l;

	range(ra, sizeof(ra), i, i_end);
	range(rb, sizeof(rb), j, j_end);
	snprintf(head, sizeof(head), "@@ -%s +%s @@", ra, rb);
	w->put(w->ctx, '@', head, strlen(head));
	while (i < i_end || j < j_end) {
		if (i < i_end && gone(w, i)) {
			l = &w->a->lines[i++];
			w->put(w->ctx, '-', l->text, l->len);
		} else if (j < j_end && came(w, j)) {
			l = &w->b->lines[j++];
			w->put(w->ctx, '+', l->text, l->len);
		} else {
			l = &w->a->lines[i++];
			w->put(w->ctx, ' ', l->text, l->len);
			j++;
		}
	}
}

/* Changes that are no more than twice the context apart are one hunk. */
static void
put_hunks(const struct walk *w)
{
	size_t i = 0, j = 0, from_i, from_j, quiet;

	for (;;) {
		while (i < w->a->count && !gone(w, i) && !came(w, j)) {
			i++;
			j++;
		}
		if (i == w->a->count && !came(w, j))
			return;
		from_i = i < CONTEXT ? 0 : i - CONTEXT;
		from_j = j - (i - from_i);
		for (quiet = 0; quiet <= 2 * CONTEXT;) {
			if (gone(w, i)) {
				i++;
				quiet = 0;
			} else if (came(w, j)) {
				j++;
				quiet = 0;
			} else if (i < w->a->count) {
				i++;
				j++;
				quiet++;
			} else
				break;
		}
		if (quiet > CONTEXT) {
			i -= quiet - CONTEXT;
			j -= quiet - CONTEXT;
		}
		put_hunk(w, from_i, i, from_j, j);
	}
}

int
cli_diff(const struct cli_text *a, const struct cli_text *b, cli_diff_line put,
    void *ctx)
{
	struct diff x = { .trace = NULL };
	const struct walk w = { &x, a, b, put, ctx };
	int rc = -1;

	trim(&x, a, b);
	x.gone = calloc((size_t)x.n + 1, sizeof(*x.gone));
	x.came = calloc((size_t)x.m + 1, sizeof(*x.came));
	if (x.gone != NULL && x.came != NULL &&
	    (rc = find_changes(&x)) == 0)
		put_hunks(&w);
	free(x.gone);
	free(x.came);
	return rc;
}
