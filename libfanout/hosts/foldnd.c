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

struct grid {
	const struct fo_shape *sh;
	struct dim *dim;
	uint32_t *cell;		/* rows * dims: a rank, or an index of sets */
	size_t	 rows;
	uint32_t *list;		/* ranks of the list being made */
};

struct by {			/* what qsort_r compares by */
	const struct grid *grid;
	size_t	 last;		/* the dimension that counts least */
};

static void
grid_free(struct grid *grid)
{
	size_t d;

	for (d = 0; grid->dim != NULL && d < grid->sh->dims; d++) {
		free(grid->dim[d].value);
		fanout_hosts_free(grid->dim[d].sets);
	}
	free(grid->dim);
	free(grid->cell);
	free(grid->list);
}

/* The numbers of one dimension, and the rank of each row's. */
static int
rank(struct grid *grid, size_t d)
{
	const struct fo_shape *sh = grid->sh;
	struct dim *dim = &grid->dim[d];
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

		grid->cell[r * sh->dims + d] = (uint32_t)(v - dim->value);
	}
	return 0;
}

static int
grid_new(struct grid *grid, const struct fo_shape *sh)
{
	size_t d;

	memset(grid, 0, sizeof(*grid));
	grid->sh = sh;
	grid->rows = sh->rows;
	grid->dim = calloc(sh->dims, sizeof(*grid->dim));
	grid->cell = reallocarray(NULL, sh->rows * sh->dims, sizeof(*grid->cell));
	grid->list = reallocarray(NULL, sh->rows, sizeof(*grid->list));
	if (grid->dim == NULL || grid->cell == NULL || grid->list == NULL)
		return FANOUT_ENOMEM;
	for (d = 0; d < sh->dims; d++)
		if (rank(grid, d) != 0)
			return FANOUT_ENOMEM;
	return 0;
}

static int
compare(const void *a, const void *b, void *arg)
{
	const uint32_t *x = a, *y = b;
	const struct by *by = arg;
	size_t d;

	for (d = 0; d < by->grid->sh->dims; d++)
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
fold_dim(struct grid *grid, size_t d)
{
	size_t dims = grid->sh->dims, r, n, out = 0, id;
	struct by by = { grid, d };
	uint32_t *row;

	if (fanout_hosts_new(&grid->dim[d].sets) != 0)
		return FANOUT_ENOMEM;
	fanout_hosts_limit(grid->dim[d].sets, grid->sh->rows);
	qsort_r(grid->cell, grid->rows, dims * sizeof(*grid->cell), compare, &by);
	for (r = 0; r < grid->rows; r += n) {
		row = grid->cell + r * dims;
		for (n = 0; r + n < grid->rows && same_but(row, row + n * dims,
		    dims, d); n++)
			grid->list[n] = row[n * dims + d];
		if (fo_set_intern(grid->dim[d].sets, (const char *)grid->list,
		    n * sizeof(*grid->list), &id) < 0)
			return FANOUT_ENOMEM;
		row[d] = (uint32_t)id;
		memmove(grid->cell + out++ * dims, row, dims * sizeof(*row));
	}
	grid->rows = out;
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
	const struct grid *grid = arg;
	uint32_t u, v;
	size_t d;

	for (d = 0; d < grid->sh->dims; d++) {
		u = rank_in(&grid->dim[d], x[d], 0);
		v = rank_in(&grid->dim[d], y[d], 0);
		if (u != v)
			return u < v ? -1 : 1;
	}
	return 0;
}

static int
grid_fold(struct grid *grid, const struct fo_shape *sh, bool last_first)
{
	size_t i;

	if (grid_new(grid, sh) != 0)
		return FANOUT_ENOMEM;
	for (i = 0; i < sh->dims; i++)
		if (fold_dim(grid, last_first ? sh->dims - 1 - i : i) != 0)
			return FANOUT_ENOMEM;
	qsort_r(grid->cell, grid->rows, sh->dims * sizeof(*grid->cell),
	    compare_folded, grid);
	return 0;
}

static void
print_row(FILE *f, const struct grid *grid, const uint32_t *row, uint64_t *tmp)
{
	const struct dim *dim = grid->dim;
	const char *p;
	size_t i, n;

	for (p = grid->sh->text; *p != '\0'; p++) {
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
	struct grid grid;
	uint64_t *tmp;
	char *text = NULL;
	size_t r;
	FILE *f = NULL;

	tmp = reallocarray(NULL, sh->rows, sizeof(*tmp));
	if (grid_fold(&grid, sh, last_first) == 0 && tmp != NULL &&
	    (f = open_memstream(&text, len)) != NULL) {
		for (r = 0; r < grid.rows; r++) {
			if (r > 0)
				putc_unlocked(',', f);
			print_row(f, &grid, grid.cell + r * sh->dims, tmp);
		}
		if (fclose(f) != 0) {
			free(text);
			text = NULL;
		}
	}
	free(tmp);
	grid_free(&grid);
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
