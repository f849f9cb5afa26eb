#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "name.h"
#include "pattern.h"
#include "set.h"

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t
digits_of(uint64_t v)
{
	size_t n = 1;

	while ((v /= 10) != 0)
		n++;
	return n;
}

/* An IPv6 address in brackets: at the beginning or behind the user's '@'. */
static size_t
v6_span(const char *s, size_t at, size_t len)
{
	const char *close = memchr(s + at, ']', len - at);

	if (close == NULL || (at > 0 && s[at - 1] != '@') ||
	    memchr(s + at, ':', (size_t)(close - s) - at) == NULL)
		return 0;
	return (size_t)(close - s) - at + 1;
}

size_t
fo_pattern_span(const char *s, size_t len, const char *stop)
{
	const char *close;
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] == '[') {
			if ((close = memchr(s + i, ']', len - i)) == NULL)
				return len;
			i = (size_t)(close - s);
		} else if (s[i] == ' ' || s[i] == '\t' ||
		    strchr(stop, s[i]) != NULL)
			break;
	}
	return i;
}

static struct fo_seg *
add_seg(struct fo_pattern *p, const char *lit, size_t len)
{
	struct fo_seg *n;
	size_t cap;

	if (p->nseg == p->seg_cap) {
		cap = p->seg_cap ? p->seg_cap * 2 : 4;
		if ((n = reallocarray(p->seg, cap, sizeof(*n))) == NULL)
			return NULL;
		p->seg = n;
		p->seg_cap = cap;
	}
	n = &p->seg[p->nseg++];
	n->lit = lit;
	n->len = len;
	n->first = p->nrange;
	n->count = 0;
	return n;
}

/* Multiply the number of names by this bracket's and find the longest. */
static void
count_names(struct fo_pattern *p, const struct fo_seg *seg)
{
	uint64_t n = 0;
	size_t i, longest = 0, k;

	for (i = seg->first; i < seg->first + seg->count; i++) {
		const struct fo_range *r = &p->range[i];

		n += (r->hi - r->lo) / r->step + 1;
		k = r->width ? r->width : digits_of(r->hi);
		if (k > longest)
			longest = k;
	}
	p->longest += longest;
	if (__builtin_mul_overflow(p->names, n, &p->names))
		p->names = UINT64_MAX;
}

/* The length of the literal at s; an offending byte is an error. */
static int
literal(const char *s, size_t at, size_t len, size_t *end, size_t base,
    const char *extra, struct fanout_error *err)
{
	size_t v6;

	for (; at < len; at++) {
		if (s[at] == '[') {
			if ((v6 = v6_span(s, at, len)) == 0)
				break;
			at += v6 - 1;
		} else if (s[at] == ']')
			return fo_error_at(err, FANOUT_EPARSE, base + at, 0,
			    "a ']' without its '['");
		else if (!fo_name_char((unsigned char)s[at]) &&
		    (s[at] == '\0' || strchr(extra, s[at]) == NULL))
			return fo_error_at(err, FANOUT_EPARSE, base + at, 0,
			    "'%c' cannot stand in a host name", s[at]);
	}
	*end = at;
	return 0;
}

/*
 * Digits beside a bracket belong to the number. pdsh reads n1[9-10] as n19
 * and n110, ClusterShell as n19 to n110: we refuse to guess.
 */
static int
check_beside(const struct fo_pattern *p, const struct fo_seg *seg, bool before,
    bool after, size_t at, struct fanout_error *err)
{
	size_t i;

	for (i = seg->first; i < seg->first + seg->count; i++) {
		const struct fo_range *r = &p->range[i];

		if (after && r->stepped)
			return fo_error_at(err, FANOUT_EPARSE, at, 0,
			    "a range with a step cannot stand before digits");
		if (r->width == 0 && (before || (after && r->lo == 0)) &&
		    digits_of(r->lo) != digits_of(r->hi))
			return fo_error_at(err, FANOUT_EPARSE, at, 0,
			    "beside digits the bounds of a range must be "
			    "equally long");
	}
	return 0;
}

/* The bracket at s[at]; *end is behind it. */
static int
bracket(struct fo_pattern *p, struct fo_seg *seg, const char *s, size_t at,
    size_t len, size_t *end, size_t base, struct fanout_error *err)
{
	const char *close = memchr(s + at, ']', len - at);
	int rc;

	if (close == NULL)
		return fo_error_at(err, FANOUT_EPARSE, base + at, 0,
		    "this '[' is not closed: expected ']'");
	*end = (size_t)(close - s) + 1;
	if ((rc = fo_ranges_parse(p, s + at + 1, *end - at - 2, base + at + 1,
	    err)) != 0)
		return rc;
	seg->count = p->nrange - seg->first;
	count_names(p, seg);
	return check_beside(p, seg, at > 0 && digit(s[at - 1]),
	    *end < len && digit(s[*end]), base + at, err);
}

/* Two brackets need something between them that is not part of a number. */
static int
check_between(const char *s, size_t from, size_t to, size_t base,
    struct fanout_error *err)
{
	while (from < to && digit(s[from]))
		from++;
	if (from < to)
		return 0;
	return fo_error_at(err, FANOUT_EPARSE, base + to, 0,
	    "expected a letter or a sign between two brackets");
}

int
fo_pattern_parse(struct fo_pattern *p, const char *s, size_t len, size_t base,
    const char *extra, struct fanout_error *err)
{
	struct fo_seg *seg;
	size_t at = 0, end = 0;
	int rc;

	memset(p, 0, sizeof(*p));
	p->names = 1;
	do {
		if ((rc = literal(s, at, len, &end, base, extra, err)) != 0)
			goto fail;
		if (end < len && p->nseg > 0 &&
		    (rc = check_between(s, at, end, base, err)) != 0)
			goto fail;
		if ((seg = add_seg(p, s + at, end - at)) == NULL) {
			rc = fo_error(err, FANOUT_ENOMEM, "out of memory");
			goto fail;
		}
		p->longest += seg->len;
		at = end;
		if (at < len && (rc = bracket(p, seg, s, at, len, &at, base,
		    err)) != 0)
			goto fail;
	} while (at < len);
	return 0;
fail:
	fo_pattern_free(p);
	return rc;
}

void
fo_pattern_free(struct fo_pattern *p)
{
	free(p->seg);
	free(p->range);
	memset(p, 0, sizeof(*p));
}

struct walk {
	const struct fo_pattern *p;
	fo_pattern_fn fn;
	void	*arg;
	char	 buf[FO_HOST_MAX + 1];
	char	 spare[FO_HOST_MAX + 1];	/* the copy that fn may write to */
};

static int
hand_out(struct walk *w, size_t len)
{
	w->buf[len] = '\0';
	memcpy(w->spare, w->buf, len + 1);
	return w->fn(w->arg, w->spare, len);
}

/* Write segment i behind len bytes, for each of its numbers go on. */
static int
walk(struct walk *w, size_t i, size_t len)
{
	const struct fo_seg *seg = &w->p->seg[i];
	uint64_t v;
	size_t k, n;
	int rc;

	memcpy(w->buf + len, seg->lit, seg->len);
	len += seg->len;
	if (seg->count == 0)
		return hand_out(w, len);
	for (k = seg->first; k < seg->first + seg->count; k++) {
		const struct fo_range *r = &w->p->range[k];

		for (v = r->lo;; v += r->step) {
			n = fo_number(w->buf + len, v, r->width);
			rc = i + 1 == w->p->nseg ? hand_out(w, len + n) :
			    walk(w, i + 1, len + n);
			if (rc != 0)
				return rc;
			if (r->hi - v < r->step)
				break;
		}
	}
	return 0;
}

int
fo_pattern_each(const struct fo_pattern *p, fo_pattern_fn fn, void *arg)
{
	struct walk w = { .p = p, .fn = fn, .arg = arg };

	return walk(&w, 0, 0);
}
