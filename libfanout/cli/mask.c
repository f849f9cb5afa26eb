#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "fanout.h"
#include "mask.h"

struct scan {
	const char *start, *p, *end;
	const char *host;
	size_t	 host_len, short_len;
};

static bool
is_alnum(char c)
{
	return isalnum((unsigned char)c) != 0;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_xdigit(char c)
{
	return isxdigit((unsigned char)c) != 0;
}

/* How many digits stand at p. */
static size_t
digits(const char *p, const char *end)
{
	const char *s = p;

	while (p < end && is_digit(*p))
		p++;
	return (size_t)(p - s);
}

static bool
ends_word(const struct scan *s, const char *p)
{
	return p == s->end || !is_alnum(*p);
}

/* A character that would make the name part of a longer one. */
static bool
in_name(char c)
{
	return is_alnum(c) || c == '-' || c == '_';
}

static size_t
match_host(const struct scan *s)
{
	const size_t lens[] = { s->host_len, s->short_len };
	const char *after;
	size_t i;

	if (s->p > s->start && in_name(s->p[-1]))
		return 0;
	for (i = 0; i < 2; i++) {
		if (lens[i] == 0 || (size_t)(s->end - s->p) < lens[i] ||
		    strncasecmp(s->p, s->host, lens[i]) != 0)
			continue;
		after = s->p + lens[i];
		if (after == s->end || !in_name(*after))
			return lens[i];
	}
	return 0;
}

static size_t
match_ipv4(const struct scan *s)
{
	const char *p = s->p;
	size_t n;
	int part;

	for (part = 0; part < 4; part++) {
		n = digits(p, s->end);
		if (n == 0 || n > 3)
			return 0;
		p += n;
		if (part < 3 && (p == s->end || *p++ != '.'))
			return 0;
	}
	/* 1.2.3.4.5 is a version. */
	if (p < s->end && *p == '.' && p + 1 < s->end && is_digit(p[1]))
		return 0;
	return ends_word(s, p) ? (size_t)(p - s->p) : 0;
}

/* Hexadecimal groups between colons: six pairs are a MAC address; eight, or
 * fewer with a "::", are IPv6. */
static size_t
match_colons(const struct scan *s)
{
	const char *p = s->p;
	size_t groups = 0, pairs = 0, n;
	bool gap = false;

	for (;;) {
		for (n = 0; p + n < s->end && is_xdigit(p[n]); n++)
			;
		if (n > 4)
			return 0;
		groups += n > 0;
		pairs += n == 2;
		p += n;
		if (p == s->end || *p != ':')
			break;
		if (p + 1 < s->end && p[1] == ':') {
			if (gap)
				return 0;
			gap = true;
			p++;
		} else if (n == 0 && !gap)
			return 0;
		p++;
	}
	if (!ends_word(s, p) || groups > 8)
		return 0;
	if ((gap && groups > 0 && p - s->p > 2) || groups == 8 ||
	    (groups == 6 && pairs == 6))
		return (size_t)(p - s->p);
	return 0;
}

/* h:mm or hh:mm, :ss, a fraction, and a zone as in ISO 8601. */
static const char *
clock_time(const struct scan *s, const char *p)
{
	size_t n = digits(p, s->end);

	if (n < 1 || n > 2 || p + n == s->end || p[n] != ':' ||
	    digits(p + n + 1, s->end) != 2)
		return NULL;
	p += n + 3;
	if (p < s->end && *p == ':' && digits(p + 1, s->end) == 2)
		p += 3;
	if (p < s->end && (*p == '.' || *p == ',') &&
	    (n = digits(p + 1, s->end)) > 0)
		p += n + 1;
	if (p < s->end && *p == 'Z')
		return p + 1;
	if (p < s->end && (*p == '+' || *p == '-') &&
	    (n = digits(p + 1, s->end)) >= 2 && n <= 4) {
		p += n + 1;
		if (n == 2 && p < s->end && *p == ':' &&
		    digits(p + 1, s->end) == 2)
			p += 3;
	}
	return p;
}

static size_t
match_time(const struct scan *s)
{
	const char *p = s->p, *q;
	char sep;

	/* 2026-12-24, 2026/12/24, with a time behind T or not. */
	if (digits(p, s->end) == 4 && s->end - p >= 10 &&
	    ((sep = p[4]) == '-' || sep == '/') &&
	    digits(p + 5, s->end) == 2 && p[7] == sep &&
	    digits(p + 8, s->end) == 2) {
		q = p + 10;
		if (q < s->end && *q == 'T' &&
		    (p = clock_time(s, q + 1)) != NULL)
			q = p;
	} else if ((q = clock_time(s, p)) == NULL)
		return 0;
	return ends_word(s, q) ? (size_t)(q - s->p) : 0;
}

static size_t
match_name_of_time(const struct scan *s)
{
	static const char names[] = "Mon Tue Wed Thu Fri Sat Sun "
	    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ";
	const char *n;

	if (s->end - s->p < 3 || !ends_word(s, s->p + 3))
		return 0;
	for (n = names; *n != '\0'; n += 4)
		if (memcmp(n, s->p, 3) == 0)
			return 3;
	return 0;
}

static size_t
match_number(const struct scan *s)
{
	const char *p = s->p;
	size_t n = digits(p, s->end);

	if (n == 0)
		return 0;
	if (n == 1 && *p == '0' && s->end - p > 2 && p[1] == 'x' &&
	    is_xdigit(p[2])) {
		for (p += 2; p < s->end && is_xdigit(*p); p++)
			;
		return (size_t)(p - s->p);
	}
	p += n;
	if (p < s->end && *p == '.' && (n = digits(p + 1, s->end)) > 0)
		p += n + 1;
	return (size_t)(p - s->p);
}

/* What stands at s->p, how long it is (0: nothing to mask). */
static const char *
match(const struct scan *s, size_t *len)
{
	bool within = s->p > s->start && is_alnum(s->p[-1]);

	if ((*len = match_host(s)) > 0)
		return "<host>";
	if (within)
		return NULL;
	if ((*len = match_ipv4(s)) > 0 || (*len = match_colons(s)) > 0)
		return "<addr>";
	if ((*len = match_time(s)) > 0 || (*len = match_name_of_time(s)) > 0)
		return "<time>";
	if ((*len = match_number(s)) > 0)
		return "<n>";
	return NULL;
}

static void
set_host(struct scan *s, const char *host)
{
	struct fanout_hostspec spec;
	const char *dot;

	if (host == NULL || fanout_host_split(host, &spec) != 0)
		return;
	s->host = spec.name;
	s->host_len = spec.name_len;
	dot = memchr(spec.name, '.', spec.name_len);
	/* The beginning of an address is no name. */
	if (dot != NULL && !is_digit(spec.name[spec.name_len - 1]))
		s->short_len = (size_t)(dot - spec.name);
}

size_t
cli_mask(char *dst, const char *src, size_t len, const char *host)
{
	struct scan s = { .start = src, .p = src, .end = src + len };
	const char *mask;
	char *d = dst;
	size_t n;

	set_host(&s, host);
	while (s.p < s.end) {
		if (*s.p == ' ' || *s.p == '\t') {
			while (s.p < s.end && (*s.p == ' ' || *s.p == '\t'))
				s.p++;
			*d++ = ' ';
		} else if ((mask = match(&s, &n)) != NULL) {
			len = strlen(mask);
			memcpy(d, mask, len);
			d += len;
			s.p += n;
		} else
			*d++ = *s.p++;
	}
	return (size_t)(d - dst);
}
