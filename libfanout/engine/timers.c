#include <stdlib.h>

#include "timers.h"

void
timers_free(struct timers *t)
{
	free(t->heap);
}

int
timers_reserve(struct timers *t, size_t n)
{
	struct timer **heap;
	size_t cap;

	if (n <= t->cap)
		return 0;
	cap = n < 64 ? 64 : n + n / 2;
	if ((heap = reallocarray(t->heap, cap, sizeof(*heap))) == NULL)
		return -1;
	t->heap = heap;
	t->cap = cap;
	return 0;
}

static void
place(struct timers *t, struct timer *x, size_t i)
{
	t->heap[i] = x;
	x->slot = i + 1;
}

static void
sift_up(struct timers *t, struct timer *x, size_t i)
{
	size_t up;

	for (; i > 0; i = up) {
		up = (i - 1) / 2;
		if (t->heap[up]->when <= x->when)
			break;
		place(t, t->heap[up], i);
	}
	place(t, x, i);
}

static void
sift_down(struct timers *t, struct timer *x, size_t i)
{
	size_t down;

	for (; (down = 2 * i + 1) < t->len; i = down) {
		if (down + 1 < t->len &&
		    t->heap[down + 1]->when < t->heap[down]->when)
			down++;
		if (x->when <= t->heap[down]->when)
			break;
		place(t, t->heap[down], i);
	}
	place(t, x, i);
}

void
timers_set(struct timers *t, struct timer *x, int64_t when)
{
	int64_t old = x->when;

	x->when = when;
	if (x->slot == 0)
		sift_up(t, x, t->len++);
	else if (when < old)
		sift_up(t, x, x->slot - 1);
	else
		sift_down(t, x, x->slot - 1);
}

void
timers_clear(struct timers *t, struct timer *x)
{
	struct timer *last;
	size_t i;

	if (x->slot == 0)
		return;
	i = x->slot - 1;
	x->slot = 0;
	last = t->heap[--t->len];
	if (last == x)
		return;
	if (i > 0 && last->when < t->heap[(i - 1) / 2]->when)
		sift_up(t, last, i);
	else
		sift_down(t, last, i);
}

struct timer *
timers_first(const struct timers *t)
{
	return t->len > 0 ? t->heap[0] : NULL;
}
