/*
 * caret.c - show where in an expression an error is.
 */
#include <stdlib.h>
#include <string.h>

#include "fanout.h"

#define CARET_INDENT	4
#define CARET_COLUMNS	70	/* of the expression, around the place */

char *
fanout_error_caret(const struct fanout_error *err, const char *text)
{
	size_t len = strlen(text), at = err->offset, from = 0, i;
	char *out, *p;

	if (err->line != 0 || at > len ||
	    (err->code != FANOUT_EPARSE && at == 0))
		return NULL;
	if (at > CARET_COLUMNS / 2 && len > CARET_COLUMNS)
		from = at - CARET_COLUMNS / 2;
	if (len - from > CARET_COLUMNS)
		len = from + CARET_COLUMNS;
	out = malloc(2 * (CARET_INDENT + CARET_COLUMNS + 2) + 1);
	if (out == NULL)
		return NULL;
	p = out;
	for (i = 0; i < CARET_INDENT; i++)
		*p++ = ' ';
	/* One column a byte, or the caret would point elsewhere. */
	for (i = from; i < len; i++)
		*p++ = text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?';
	*p++ = '\n';
	for (i = 0; i < CARET_INDENT + at - from; i++)
		*p++ = ' ';
	memcpy(p, "^\n", 3);
	return out;
}
