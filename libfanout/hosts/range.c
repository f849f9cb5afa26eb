#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "pattern.h"

/* Where the scanner of one bracket stands. */
struct scan {
	const char *s;
	size_t	 len, at;
	size_t	 base;
	struct fanout_error *err;
};

static void
skip_blanks(struct scan *sc)
{
	while (sc->at < sc->len &&
	    (sc->s[sc->at] == ' ' || sc->s[sc->at] == '\t'))
		sc->at++;
}

static int
expected(struct scan *sc, const char *what)
{
	return fo_error_at(sc->err, FANOUT_EPARSE, sc->base + sc->at, 0,
	    "expected %s", what);
}

/* digits: how many were written, leading zeros included. */
static int
number(struct scan *sc, uint64_t *v, size_t *digits, const char *what)
{
	size_t start;

	skip_blanks(sc);
	start = sc->at;
	*v = 0;
	while (sc->at < sc->len && sc->s[sc->at] >= '0' &&
	    sc->s[sc->at] <= '9') {
		if (sc->at - start == FO_DIGITS_MAX) {
			sc->at = start;
			return fo_error_at(sc->err, FANOUT_ELIMIT,
			    sc->base + start, 0,
			    "a number of more than %d digits in a range",
			    FO_DIGITS_MAX);
		}
		*v = *v * 10 + (uint64_t)(sc->s[sc->at++] - '0');
	}
	if ((*digits = sc->at - start) == 0)
		return expected(sc, what);
	skip_blanks(sc);
	return 0;
}

static bool
next_is(struct scan *sc, char c)
{
	if (sc->at >= sc->len || sc->s[sc->at] != c)
		return 0;
	sc->at++;
	return 1;
}

/* One "a", "a-b" or "a-b/step". */
static int
range(struct scan *sc, struct fo_range *r)
{
	size_t lo_at, step_at, lo_digits, hi_digits, digits;
	int rc;

	skip_blanks(sc);
	lo_at = sc->at;
	if ((rc = number(sc, &r->lo, &lo_digits, "a number")) != 0)
		return rc;
	r->hi = r->lo;
	r->step = 1;
	r->stepped = false;
	r->width = lo_digits > 1 && sc->s[lo_at] == '0' ?
	    (unsigned)lo_digits : 0;
	if (!next_is(sc, '-'))
		return 0;
	skip_blanks(sc);
	step_at = sc->at;
	if ((rc = number(sc, &r->hi, &hi_digits, "the end of the range")) != 0)
		return rc;
	if ((r->width != 0 || (hi_digits > 1 && sc->s[step_at] == '0')) &&
	    lo_digits != hi_digits) {
		sc->at = lo_at;
		return fo_error_at(sc->err, FANOUT_EPARSE, sc->base + lo_at, 0,
		    "padded bounds of a range must be equally long");
	}
	if (r->hi < r->lo)
		return fo_error_at(sc->err, FANOUT_EPARSE, sc->base + lo_at, 0,
		    "the range runs backwards");
	if (!(r->stepped = next_is(sc, '/')))
		return 0;
	step_at = sc->at;
	if ((rc = number(sc, &r->step, &digits, "a step")) != 0)
		return rc;
	if (r->step == 0)
		return fo_error_at(sc->err, FANOUT_EPARSE,
		    sc->base + step_at, 0, "a step of 0 never ends");
	return 0;
}

static int
append(struct fo_pattern *p, const struct fo_range *r)
{
	struct fo_range *n;
	size_t cap;

	if (p->nrange == p->range_cap) {
		cap = p->range_cap ? p->range_cap * 2 : 4;
		if ((n = reallocarray(p->range, cap, sizeof(*n))) == NULL)
			return FANOUT_ENOMEM;
		p->range = n;
		p->range_cap = cap;
	}
	p->range[p->nrange++] = *r;
	return 0;
}

int
fo_ranges_parse(struct fo_pattern *p, const char *s, size_t len, size_t base,
    struct fanout_error *err)
{
	struct scan sc = { s, len, 0, base, err };
	struct fo_range r;
	int rc;

	do {
		if ((rc = range(&sc, &r)) != 0)
			return rc;
		if (append(p, &r) != 0)
			return fo_error(err, FANOUT_ENOMEM, "out of memory");
	} while (next_is(&sc, ','));
	if (sc.at < len)
		return expected(&sc, "',' or ']'");
	return 0;
}

size_t
fo_number(char *p, uint64_t v, unsigned width)
{
	char rev[20];
	size_t n = 0, i;

	do
		rev[n++] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	while (n < width && n < sizeof(rev))
		rev[n++] = '0';
	for (i = 0; i < n; i++)
		p[i] = rev[n - 1 - i];
	return n;
}
