#include <stdlib.h>
#include <string.h>

#include "index.h"

static int
compare(const void *one, const void *other)
{
	const struct entry *a = one, *b = other;
	size_t n = a->len < b->len ? a->len : b->len;
	int rc = memcmp(a->text, b->text, n);

	if (rc != 0 || a->len == b->len)
		return rc;
	return a->len < b->len ? -1 : 1;
}

int
index_add(struct index *x, const char *text, size_t len, size_t member,
    size_t part)
{
	struct entry *list;

	if (x->count == x->room) {
		list = reallocarray(x->list, x->room * 2 + 64, sizeof(*list));
		if (list == NULL)
			return -1;
		x->list = list;
		x->room = x->room * 2 + 64;
	}
	x->list[x->count++] = (struct entry){ text, len, member, part, 0 };
	return 0;
}

void
index_sort(struct index *x)
{
	if (x->count > 0)
		qsort(x->list, x->count, sizeof(*x->list), compare);
}

void
index_clear(struct index *x)
{
	free(x->list);
	*x = (struct index){ .list = NULL };
}

struct entry *
index_find(const struct index *x, const char *text, size_t len)
{
	const struct entry want = { .text = text, .len = len };
	size_t from = 0, to = x->count, mid;

	while (from < to) {
		mid = from + (to - from) / 2;
		if (compare(&x->list[mid], &want) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from < x->count && compare(&x->list[from], &want) == 0 ?
	    &x->list[from] : NULL;
}

struct entry *
index_again(const struct index *x, const struct entry *e)
{
	size_t next = (size_t)(e - x->list) + 1;

	return next < x->count && compare(&x->list[next], e) == 0 ?
	    &x->list[next] : NULL;
}
