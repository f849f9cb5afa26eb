/*
 * expr.h - evaluating an expression over a set.
 *
 *	expr	= operand { op operand }
 *	op	= "," union | "!" difference | "&" intersection | "^" xor
 *	operand	= pattern | "@" group
 *
 * Left to right, all operators alike, no parentheses (ClusterShell's rule).
 */
#ifndef FO_EXPR_H
#define FO_EXPR_H

#include <stdbool.h>
#include <stddef.h>

#include "fanout.h"

struct fo_trace;

struct fo_expr {
	const char *text;
	size_t	 len;
	size_t	 base;		/* added to offsets in errors */
	struct fanout_groups *groups;	/* NULL: an @group is an error */
	const char *source;	/* of groups without one; NULL: the default */
	struct fanout_error *err;
	struct fo_trace *trace;	/* notes each operand; NULL: none */
	const char *place;	/* of the text, for the trace: "file:line" */
	bool	 leaves_out;	/* for the trace: it stands behind a '-' */
};

/* Has it an operator other than ','? Then a failure cannot be undone by
 * cutting the set back. */
bool	fo_expr_shrinks(const char *, size_t len);

/*
 * set = set , text. On failure the set holds part of the work: the caller
 * throws it away or truncates it. The groups may be asked, and may block.
 */
int	fo_expr_apply(struct fanout_hosts *set, const struct fo_expr *);

/* set = set , text; on failure the set is as it was. */
int	fo_expr_add(struct fanout_hosts *set, const struct fo_expr *);

#endif
