/*
 * fold.h - from names back to an expression.
 *
 * A number in a name is handled as one word that holds its length and its
 * value, so that 1, 01 and 001 stay apart and sort as ClusterShell sorts
 * them: shorter ones first.
 */
#ifndef FO_FOLD_H
#define FO_FOLD_H

#include <stdint.h>
#include <stdio.h>

#define FO_FOLD_SHIFT	57	/* 10^17 < 2^57; the length is above */
#define FO_FOLD_MARK	'\1'	/* stands for a number in a shape */

/* Names that differ in nothing but their numbers. */
struct fo_shape {
	const char *text;	/* with FO_FOLD_MARK for each number */
	size_t	 dims;		/* how many */
	size_t	 rows;		/* how many names */
	const uint64_t *const *row;	/* dims numbers each, all different */
};

/* Print n sorted numbers as they stand in an expression: one bare, several
 * as ranges in brackets. */
void	fo_fold_numbers(FILE *, const uint64_t *, size_t n);

/* foldnd.c: print a shape in which more than one number varies. 0, ENOMEM */
int	fo_fold_product(FILE *, const struct fo_shape *);

int	fo_fold_compare(const void *, const void *);	/* of two numbers */

#endif
