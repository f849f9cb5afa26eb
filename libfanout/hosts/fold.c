#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"
#include "pattern.h"
#include "set.h"

#define VALUE(v)	((v) & ((UINT64_C(1) << FO_FOLD_SHIFT) - 1))
#define DIGITS(v)	((unsigned)((v) >> FO_FOLD_SHIFT))

struct fold {
	const struct fanout_hosts *set;
	struct fanout_hosts *shapes;	/* numbers the shapes */
	uint32_t *shape;		/* of each host */
	uint64_t *num;			/* all numbers, host after host */
	size_t	 nnum, num_cap;
	size_t	*first;			/* of each host: its first in num */
	uint32_t *dims;			/* of each shape */
	uint32_t *count;		/* of each shape: its hosts */
	uint32_t *order;		/* hosts, shape by shape */
	const uint64_t **row;
};

/* ---- ranges ------------------------------------------------------------ */

/* Is it written with leading zeros? */
static bool
padded(uint64_t v)
{
	uint64_t tens = 1;
	unsigned i;

	for (i = 1; i < DIGITS(v); i++)
		tens *= 10;
	return DIGITS(v) > 1 && VALUE(v) < tens;
}

/* Is b what comes after a in a range that began at from? A range may grow by
 * a digit (9-10) unless it pads. */
static bool
follows(uint64_t from, uint64_t a, uint64_t b)
{
	if (b == a + 1)
		return true;
	return VALUE(b) == VALUE(a) + 1 && DIGITS(b) == DIGITS(a) + 1 &&
	    !padded(from) && !padded(b);
}

static void
print_number(FILE *f, uint64_t v)
{
	char buf[20];

	fwrite_unlocked(buf, 1, fo_number(buf, VALUE(v), DIGITS(v)), f);
}

void
fo_fold_numbers(FILE *f, const uint64_t *v, size_t n)
{
	size_t i, from;

	if (n == 1) {
		print_number(f, v[0]);
		return;
	}
	putc_unlocked('[', f);
	for (i = 0; i < n; i++) {
		from = i;
		while (i + 1 < n && follows(v[from], v[i], v[i + 1]))
			i++;
		if (from > 0)
			putc_unlocked(',', f);
		print_number(f, v[from]);
		if (i > from) {
			putc_unlocked('-', f);
			print_number(f, v[i]);
		}
	}
	putc_unlocked(']', f);
}

int
fo_fold_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* ---- shapes ------------------------------------------------------------ */

static int
add_number(struct fold *fd, uint64_t v, size_t digits)
{
	uint64_t *n;
	size_t cap;

	if (fd->nnum == fd->num_cap) {
		cap = fd->num_cap + fd->num_cap / 2 + fd->set->n;
		if ((n = reallocarray(fd->num, cap, sizeof(*n))) == NULL)
			return FANOUT_ENOMEM;
		fd->num = n;
		fd->num_cap = cap;
	}
	fd->num[fd->nnum++] = (uint64_t)digits << FO_FOLD_SHIFT | v;
	return 0;
}

/*
 * The shape of a name into buf. Bracketed addresses stay as they are: a
 * range within those brackets would not parse.
 */
static int
shape_of(struct fold *fd, const struct fo_entry *e, char *buf, size_t *len)
{
	const char *s = e->name;
	size_t i, k, n = 0;
	uint64_t v;

	if (memchr(s, '[', e->len) != NULL) {
		memcpy(buf, s, *len = e->len);
		return 0;
	}
	for (i = 0; i < e->len; i = k) {
		v = 0;
		for (k = i; s[k] >= '0' && s[k] <= '9'; k++)
			if (k - i < FO_DIGITS_MAX)
				v = v * 10 + (uint64_t)(s[k] - '0');
		if (k == i) {
			buf[n++] = s[k++];
		} else if (k - i > FO_DIGITS_MAX) {
			memcpy(buf + n, s + i, k - i);
			n += k - i;
		} else {
			buf[n++] = FO_FOLD_MARK;
			if (add_number(fd, v, k - i) != 0)
				return FANOUT_ENOMEM;
		}
	}
	*len = n;
	return 0;
}

static int
find_shapes(struct fold *fd)
{
	char buf[FO_HOST_MAX + 1];
	size_t i, len, at;

	for (i = 0; i < fd->set->n; i++) {
		fd->first[i] = fd->nnum;
		if (shape_of(fd, &fd->set->e[i], buf, &len) != 0 ||
		    fo_set_intern(fd->shapes, buf, len, &at) < 0)
			return FANOUT_ENOMEM;
		fd->shape[i] = (uint32_t)at;
		fd->dims[at] = (uint32_t)(fd->nnum - fd->first[i]);
		fd->count[at]++;
	}
	return 0;
}

/* Hosts of one shape side by side, both in order of their coming. */
static int
sort_by_shape(struct fold *fd)
{
	uint32_t *next;
	size_t i, sum = 0;

	if ((next = reallocarray(NULL, fd->shapes->n, sizeof(*next))) == NULL)
		return FANOUT_ENOMEM;
	for (i = 0; i < fd->shapes->n; i++) {
		next[i] = (uint32_t)sum;
		sum += fd->count[i];
	}
	for (i = 0; i < fd->set->n; i++)
		fd->order[next[fd->shape[i]]++] = (uint32_t)i;
	free(next);
	return 0;
}

/* ---- printing ---------------------------------------------------------- */

/* Which number varies: its index; dims: none; dims + 1: several. */
static size_t
varying(const struct fo_shape *sh)
{
	size_t d, r, which = sh->dims;

	for (d = 0; d < sh->dims; d++)
		for (r = 1; r < sh->rows; r++)
			if (sh->row[r][d] != sh->row[0][d]) {
				if (which != sh->dims)
					return sh->dims + 1;
				which = d;
				break;
			}
	return which;
}

static int
print_line(FILE *f, const struct fo_shape *sh, size_t which)
{
	uint64_t *col;
	const char *p;
	size_t d = 0, r;
	bool sorted = true;

	if ((col = reallocarray(NULL, sh->rows, sizeof(*col))) == NULL)
		return FANOUT_ENOMEM;
	for (r = 0; which < sh->dims && r < sh->rows; r++) {
		col[r] = sh->row[r][which];
		sorted &= r == 0 || col[r - 1] < col[r];
	}
	if (!sorted)
		qsort(col, sh->rows, sizeof(*col), fo_fold_compare);
	for (p = sh->text; *p != '\0'; p++) {
		if (*p != FO_FOLD_MARK)
			putc_unlocked(*p, f);
		else if (d++ == which)
			fo_fold_numbers(f, col, sh->rows);
		else
			print_number(f, sh->row[0][d - 1]);
	}
	free(col);
	return 0;
}

static int
print_shapes(struct fold *fd, FILE *f)
{
	struct fo_shape sh;
	size_t i, k, at = 0, which;
	int rc = 0;

	for (i = 0; rc == 0 && i < fd->shapes->n; i++) {
		sh.text = fd->shapes->e[i].name;
		sh.dims = fd->dims[i];
		sh.rows = fd->count[i];
		sh.row = fd->row;
		for (k = 0; k < sh.rows; k++)
			fd->row[k] = fd->num + fd->first[fd->order[at + k]];
		at += sh.rows;
		if (i > 0)
			putc_unlocked(',', f);
		which = varying(&sh);
		rc = which > sh.dims ? fo_fold_product(f, &sh) :
		    print_line(f, &sh, which);
	}
	return rc;
}

static int
set_up(struct fold *fd, const struct fanout_hosts *set)
{
	size_t n = set->n + 1;

	memset(fd, 0, sizeof(*fd));
	fd->set = set;
	if (fanout_hosts_new(&fd->shapes) != 0)
		return FANOUT_ENOMEM;
	fanout_hosts_limit(fd->shapes, n);
	fd->shape = calloc(n, sizeof(*fd->shape));
	fd->first = calloc(n, sizeof(*fd->first));
	fd->dims = calloc(n, sizeof(*fd->dims));
	fd->count = calloc(n, sizeof(*fd->count));
	fd->order = calloc(n, sizeof(*fd->order));
	fd->row = calloc(n, sizeof(*fd->row));
	fd->num = calloc(n, sizeof(*fd->num));
	fd->num_cap = n;
	return fd->num != NULL && fd->shape != NULL && fd->first != NULL &&
	    fd->dims != NULL && fd->count != NULL && fd->order != NULL &&
	    fd->row != NULL ? 0 : FANOUT_ENOMEM;
}

static void
tear_down(struct fold *fd)
{
	fanout_hosts_free(fd->shapes);
	free(fd->shape);
	free(fd->num);
	free(fd->first);
	free(fd->dims);
	free(fd->count);
	free(fd->order);
	free(fd->row);
}

int
fanout_hosts_fold(const struct fanout_hosts *set, char **out)
{
	struct fold fd;
	size_t size;
	FILE *f;
	int rc;

	*out = NULL;
	if ((rc = set_up(&fd, set)) == 0 && (rc = find_shapes(&fd)) == 0)
		rc = sort_by_shape(&fd);
	if (rc == 0 && (f = open_memstream(out, &size)) != NULL) {
		rc = print_shapes(&fd, f);
		if (fclose(f) != 0 || *out == NULL || rc != 0) {
			rc = FANOUT_ENOMEM;
			free(*out);
			*out = NULL;
		}
	} else
		rc = FANOUT_ENOMEM;
	tear_down(&fd);
	return rc;
}
