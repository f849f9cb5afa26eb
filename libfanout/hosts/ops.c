/*
 * ops.c - operations of two sets. What they do to entries that carry a user
 * or a port is told in fanout.h.
 */
#include <stdlib.h>
#include <string.h>

#include "set.h"

int
fanout_hosts_union(struct fanout_hosts *a, const struct fanout_hosts *b)
{
	size_t i, was = a->n;
	int rc;

	if (a == b)
		return 0;
	if (b->n > a->n && fo_set_reserve(a, b->n - a->n) != 0)
		return FANOUT_ENOMEM;
	for (i = 0; i < b->n; i++)
		if ((rc = fo_set_put(a, b->e[i].name, b->e[i].len)) < 0) {
			fo_set_truncate(a, was);
			return rc;
		}
	return 0;
}

/* Keep of a what the mask covers, or what it does not. */
static int
filter(struct fanout_hosts *a, const struct fanout_hosts *mask, bool covered)
{
	unsigned char *marks;
	size_t i;

	if (a->n == 0)
		return 0;
	if ((marks = malloc(a->n)) == NULL)
		return FANOUT_ENOMEM;
	for (i = 0; i < a->n; i++)
		marks[i] = fo_set_covers(mask, &a->e[i]) == covered;
	fo_set_keep(a, marks);
	free(marks);
	return 0;
}

int
fanout_hosts_subtract(struct fanout_hosts *a, const struct fanout_hosts *b)
{
	return filter(a, b, false);
}

int
fanout_hosts_intersect(struct fanout_hosts *a, const struct fanout_hosts *b)
{
	return filter(a, b, true);
}

int
fanout_hosts_xor(struct fanout_hosts *a, const struct fanout_hosts *b)
{
	unsigned char *marks;
	size_t i, k, was = a->n;
	int rc;

	if ((marks = malloc(was + b->n + 1)) == NULL)
		return FANOUT_ENOMEM;
	memset(marks, 1, was + b->n);
	for (i = 0; i < b->n; i++) {
		k = fo_set_find(a, b->e[i].name, b->e[i].len);
		if (k != FANOUT_NOHOST)
			marks[k] = 0;
	}
	for (i = 0; a != b && i < b->n; i++)
		if ((rc = fo_set_put(a, b->e[i].name, b->e[i].len)) < 0) {
			fo_set_truncate(a, was);
			free(marks);
			return rc;
		}
	fo_set_keep(a, marks);
	free(marks);
	return 0;
}
