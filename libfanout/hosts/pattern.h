/*
 * pattern.h - one operand of an expression: literals and bracketed ranges.
 *
 *	pattern	= { literal | "[" range { "," range } "]" }
 *	range	= number [ "-" number [ "/" step ] ]
 *
 * after pdsh's hostlist and ClusterShell's NodeSet. A number written with
 * leading zeros pads; both bounds of a padded range are equally long. Blanks
 * around numbers are ignored. A pattern points into the text it was made of
 * and is freed with fo_pattern_free(). Offsets in errors count from the
 * beginning of that text plus the base given.
 */
#ifndef FO_PATTERN_H
#define FO_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fanout.h"

/* Longer digit strings are text: they neither range nor fold. */
#define FO_DIGITS_MAX	17

struct fo_range {
	uint64_t lo, hi, step;
	unsigned width;		/* 0: no padding */
	bool	 stepped;	/* a step was written, if only 1 */
};

struct fo_seg {			/* a literal, then maybe a bracket */
	const char *lit;
	size_t	 len;
	size_t	 first, count;	/* into range; count 0: no bracket follows */
};

struct fo_pattern {
	struct fo_seg *seg;
	size_t	 nseg, seg_cap;
	struct fo_range *range;
	size_t	 nrange, range_cap;
	uint64_t names;		/* how many it stands for; stops at UINT64_MAX */
	size_t	 longest;	/* bytes of the longest of them */
};

/*
 * Parse len bytes as one pattern. extra: further bytes that may stand in
 * literals ("*?" and so on). The text has no blanks outside brackets.
 */
int	fo_pattern_parse(struct fo_pattern *, const char *, size_t len,
	    size_t base, const char *extra, struct fanout_error *);
void	fo_pattern_free(struct fo_pattern *);

/*
 * Call fn for every name, the last bracket running fastest. The buffer may
 * be written to; fn's first result other than 0 ends it and is returned.
 * No name is longer than longest, which the caller has checked against
 * FO_HOST_MAX.
 */
typedef int (*fo_pattern_fn)(void *, char *name, size_t len);
int	fo_pattern_each(const struct fo_pattern *, fo_pattern_fn, void *);

/*
 * The length of the pattern at the beginning of s: up to an operator, a
 * blank or the end, brackets skipped. An open bracket runs to the end.
 */
size_t	fo_pattern_span(const char *s, size_t len, const char *stop);

/* range.c: the inside of one bracket, appended to the pattern. */
int	fo_ranges_parse(struct fo_pattern *, const char *, size_t len,
	    size_t base, struct fanout_error *);

/* The digits of v, padded to width, at p (20 bytes, no NUL); how many. */
size_t	fo_number(char *p, uint64_t v, unsigned width);

#endif
