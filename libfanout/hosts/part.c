/*
 * part.c - parts of a set: copies, slices, shares, random picks.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "pattern.h"
#include "set.h"

/* The marked entries of a set as a new one. */
static int
copy_marked(struct fanout_hosts **out, const struct fanout_hosts *src,
    const unsigned char *marks)
{
	size_t i;
	int rc;

	if ((rc = fanout_hosts_new(out)) != 0)
		return rc;
	(*out)->max = src->max;
	(*out)->groups = src->groups;
	for (i = 0; i < src->n; i++)
		if ((marks == NULL || marks[i]) &&
		    (rc = fo_set_put(*out, src->e[i].name, src->e[i].len)) < 0) {
			fanout_hosts_free(*out);
			*out = NULL;
			return rc;
		}
	return 0;
}

int
fanout_hosts_copy(struct fanout_hosts **out, const struct fanout_hosts *src)
{
	return copy_marked(out, src, NULL);
}

/* Mark what a range of indices names; what is beyond the end is not there. */
static void
mark(unsigned char *marks, size_t n, const struct fo_range *r)
{
	uint64_t v;

	for (v = r->lo; v <= r->hi && v < n; v += r->step)
		marks[v] = 1;
}

int
fanout_hosts_slice(struct fanout_hosts **out, const struct fanout_hosts *src,
    const char *ranges, struct fanout_error *err)
{
	struct fo_pattern p = { 0 };
	unsigned char *marks;
	size_t i;
	int rc;

	*out = NULL;
	rc = fo_ranges_parse(&p, ranges, strlen(ranges), 0, err);
	marks = calloc(src->n + 1, 1);
	for (i = 0; rc == 0 && marks != NULL && i < p.nrange; i++)
		mark(marks, src->n, &p.range[i]);
	if (rc == 0 && (rc = marks == NULL ? FANOUT_ENOMEM :
	    copy_marked(out, src, marks)) != 0)
		(void)fo_set_error(src, rc, err);
	free(marks);
	fo_pattern_free(&p);
	return rc;
}

int
fanout_hosts_share(struct fanout_hosts **out, const struct fanout_hosts *src,
    size_t parts, size_t i)
{
	unsigned char *marks;
	size_t from, len;
	int rc;

	*out = NULL;
	if (parts == 0 || i >= parts)
		return FANOUT_EINVAL;
	/* The first n % parts shares have one more. */
	len = src->n / parts;
	from = i * len + (i < src->n % parts ? i : src->n % parts);
	len += i < src->n % parts;
	if ((marks = calloc(src->n + 1, 1)) == NULL)
		return FANOUT_ENOMEM;
	memset(marks + from, 1, len);
	rc = copy_marked(out, src, marks);
	free(marks);
	return rc;
}

/* SplitMix64 (Steele, Lea, Flood 2014): good enough to pick hosts by. */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

int
fanout_hosts_pick(struct fanout_hosts **out, const struct fanout_hosts *src,
    size_t n, const uint64_t *seed)
{
	unsigned char *marks;
	uint64_t state;
	size_t i, left;
	int rc;

	*out = NULL;
	if (seed != NULL)
		state = *seed;
	else
		arc4random_buf(&state, sizeof(state));
	if ((marks = calloc(src->n + 1, 1)) == NULL)
		return FANOUT_ENOMEM;
	/* Selection sampling: Knuth, TAOCP 2, 3.4.2, algorithm S. */
	for (i = 0; i < src->n && n > 0; i++) {
		left = src->n - i;
		if (n >= left || next_random(&state) % left < n) {
			marks[i] = 1;
			n--;
		}
	}
	rc = copy_marked(out, src, marks);
	free(marks);
	return rc;
}
