/*
 * foldnd.c - folding names in which several numbers vary.
 *
 * Each name is a row of cells. One dimension after the other is folded: rows
 * that agree in all other cells become one, whose cell stands for all their
 * numbers there. A full product so ends as one row, whatever the order of
 * the dimensions; of what is no product, the order decides how short it
 * gets, so both the last first and the first first are tried.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"
#include "set.h"

struct dim {
	uint64_t *value;	/* the different numbers, sorted */
	size_t	 n;
	struct fanout_hosts *sets;	/* numbers lists of ranks, once folded */
};

struct nd {
	const struct fo_shape *sh;
	struct dim *dim;
	uint32_t *cell;		/* rows * dims: a rank, or an index of sets */
	size_t	 rows;
	uint32_t *list;		/* ranks of the list being made */
};

struct by {			/* what qsort_r compares by */
	const struct nd *nd;
	size_t	 last;		/* the dimension that counts least */
};

static void
nd_free(struct nd *nd)
{
	size_t d;

	for (d = 0; nd->dim != NULL && d < nd->sh->dims; d++) {
		free(nd->dim[d].value);
		fanout_hosts_free(nd->dim[d].sets);
	}
	free(nd->dim);
	free(nd->cell);
	free(nd->list);
}

/* The numbers of one dimension, and the rank of each row's. */
static int
rank(struct nd *nd, size_t d)
{
	const struct fo_shape *sh = nd->sh;
	struct dim *dim = &nd->dim[d];
	size_t r, n = 0;

	dim->value = reallocarray(NULL, sh->rows, sizeof(*dim->value));
	if (dim->value == NULL)
		return FANOUT_ENOMEM;
	for (r = 0; r < sh->rows; r++)
		dim->value[r] = sh->row[r][d];
	qsort(dim->value, sh->rows, sizeof(*dim->value), fo_fold_compare);
	for (r = 0; r < sh->rows; r++)
		if (n == 0 || dim->value[r] != dim->value[n - 1])
			dim->value[n++] = dim->value[r];
	dim->n = n;
	for (r = 0; r < sh->rows; r++) {
		const uint64_t *v = bsearch(&sh->row[r][d], dim->value, n,
		    sizeof(*v), fo_fold_compare);

		nd->cell[r * sh->dims + d] = (uint32_t)(v - dim->value);
	}
	return 0;
}

static int
nd_new(struct nd *nd, const struct fo_shape *sh)
{
	size_t d;

	memset(nd, 0, sizeof(*nd));
	nd->sh = sh;
	nd->rows = sh->rows;
	nd->dim = calloc(sh->dims, sizeof(*nd->dim));
	nd->cell = reallocarray(NULL, sh->rows * sh->dims, sizeof(*nd->cell));
	nd->list = reallocarray(NULL, sh->rows, sizeof(*nd->list));
	if (nd->dim == NULL || nd->cell == NULL || nd->list == NULL)
		return FANOUT_ENOMEM;
	for (d = 0; d < sh->dims; d++)
		if (rank(nd, d) != 0)
			return FANOUT_ENOMEM;
	return 0;
}

static int
compare(const void *a, const void *b, void *arg)
{
	const uint32_t *x = a, *y = b;
	const struct by *by = arg;
	size_t d;

	for (d = 0; d < by->nd->sh->dims; d++)
		if (d != by->last && x[d] != y[d])
			return x[d] < y[d] ? -1 : 1;
	d = by->last;
	return x[d] < y[d] ? -1 : x[d] > y[d];
}

static bool
same_but(const uint32_t *x, const uint32_t *y, size_t dims, size_t but)
{
	return memcmp(x, y, but * sizeof(*x)) == 0 && memcmp(x + but + 1,
	    y + but + 1, (dims - but - 1) * sizeof(*x)) == 0;
}

static int
fold_dim(struct nd *nd, size_t d)
{
	size_t dims = nd->sh->dims, r, n, out = 0, id;
	struct by by = { nd, d };
	uint32_t *row;

	if (fanout_hosts_new(&nd->dim[d].sets) != 0)
		return FANOUT_ENOMEM;
	fanout_hosts_limit(nd->dim[d].sets, nd->sh->rows);
	qsort_r(nd->cell, nd->rows, dims * sizeof(*nd->cell), compare, &by);
	for (r = 0; r < nd->rows; r += n) {
		row = nd->cell + r * dims;
		for (n = 0; r + n < nd->rows && same_but(row, row + n * dims,
		    dims, d); n++)
			nd->list[n] = row[n * dims + d];
		if (fo_set_intern(nd->dim[d].sets, (const char *)nd->list,
		    n * sizeof(*nd->list), &id) < 0)
			return FANOUT_ENOMEM;
		row[d] = (uint32_t)id;
		memmove(nd->cell + out++ * dims, row, dims * sizeof(*row));
	}
	nd->rows = out;
	return 0;
}

/* The i-th rank in a folded cell; the arena does not align. */
static uint32_t
rank_in(const struct dim *dim, uint32_t cell, size_t i)
{
	uint32_t v;

	memcpy(&v, dim->sets->e[cell].name + i * sizeof(v), sizeof(v));
	return v;
}

static int
compare_folded(const void *a, const void *b, void *arg)
{
	const uint32_t *x = a, *y = b;
	const struct nd *nd = arg;
	uint32_t u, v;
	size_t d;

	for (d = 0; d < nd->sh->dims; d++) {
		u = rank_in(&nd->dim[d], x[d], 0);
		v = rank_in(&nd->dim[d], y[d], 0);
		if (u != v)
			return u < v ? -1 : 1;
	}
	return 0;
}

static int
nd_fold(struct nd *nd, const struct fo_shape *sh, bool last_first)
{
	size_t i;

	if (nd_new(nd, sh) != 0)
		return FANOUT_ENOMEM;
	for (i = 0; i < sh->dims; i++)
		if (fold_dim(nd, last_first ? sh->dims - 1 - i : i) != 0)
			return FANOUT_ENOMEM;
	qsort_r(nd->cell, nd->rows, sh->dims * sizeof(*nd->cell),
	    compare_folded, nd);
	return 0;
}

static void
print_row(FILE *f, const struct nd *nd, const uint32_t *row, uint64_t *tmp)
{
	const struct dim *dim = nd->dim;
	const char *p;
	size_t i, n;

	for (p = nd->sh->text; *p != '\0'; p++) {
		if (*p != FO_FOLD_MARK) {
			putc_unlocked(*p, f);
			continue;
		}
		n = dim->sets->e[*row].len / sizeof(*row);
		for (i = 0; i < n; i++)
			tmp[i] = dim->value[rank_in(dim, *row, i)];
		fo_fold_numbers(f, tmp, n);
		dim++;
		row++;
	}
}

/* The text of one way to fold; NULL when memory runs out. */
static char *
try_order(const struct fo_shape *sh, bool last_first, size_t *len)
{
	struct nd nd;
	uint64_t *tmp;
	char *text = NULL;
	size_t r;
	FILE *f = NULL;

	tmp = reallocarray(NULL, sh->rows, sizeof(*tmp));
	if (nd_fold(&nd, sh, last_first) == 0 && tmp != NULL &&
	    (f = open_memstream(&text, len)) != NULL) {
		for (r = 0; r < nd.rows; r++) {
			if (r > 0)
				putc_unlocked(',', f);
			print_row(f, &nd, nd.cell + r * sh->dims, tmp);
		}
		if (fclose(f) != 0) {
			free(text);
			text = NULL;
		}
	}
	free(tmp);
	nd_free(&nd);
	return text;
}

int
fo_fold_product(FILE *f, const struct fo_shape *sh)
{
	size_t len1 = 0, len2 = 0;
	char *one = try_order(sh, true, &len1), *two = NULL;
	int rc = FANOUT_ENOMEM;

	if (one != NULL && (two = try_order(sh, false, &len2)) != NULL) {
		if (len2 < len1)
			fwrite_unlocked(two, 1, len2, f);
		else
			fwrite_unlocked(one, 1, len1, f);
		rc = 0;
	}
	free(one);
	free(two);
	return rc;
}
