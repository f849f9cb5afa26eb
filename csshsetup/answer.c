#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "cli/visible.h"
#include "script.h"

#define NUMBER_MAX 9		/* digits */

static const char mark[] = SCRIPT_SAYS;

void
answer_begin(struct answer *a, const char *text, size_t len)
{
	*a = (struct answer){ text, text + len };
}

/* The mark, at the begin of a line; whatever a login prints comes before. */
static const char *
find_mark(const char *p, const char *end)
{
	size_t n = strlen(mark);

	while (p < end) {
		if ((size_t)(end - p) >= n && memcmp(p, mark, n) == 0)
			return p;
		if ((p = memchr(p, '\n', (size_t)(end - p))) == NULL)
			break;
		p++;
	}
	return NULL;
}

static bool
number(const char **p, const char *end, size_t *value)
{
	const char *from = *p;

	for (*value = 0; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		if (*p - from == NUMBER_MAX)
			return false;
		*value = *value * 10 + (size_t)(**p - '0');
	}
	return *p > from;
}

/* "N SIZE PATH": the rest becomes the path. False: it is not whole. */
static bool
take_file(struct answer *a, struct record *r)
{
	const char *p = r->rest, *end = r->rest + r->len;
	size_t n;

	if (!number(&p, end, &n) || n > 9 || p == end || *p++ != ' ')
		return false;
	r->number = (int)n;
	if (p < end && *p == '-')
		p++;
	else if (!number(&p, end, &r->size) ||
	    (size_t)(a->end - a->at) <= r->size)
		return false;
	else {
		r->body = a->at;
		a->at += r->size;
	}
	if (p == end || *p++ != ' ')
		return false;
	r->rest = p;
	r->len = (size_t)(end - p);
	return true;
}

bool
answer_next(struct answer *a, struct record *r)
{
	const char *line, *eol, *p;
	size_t n;

	*r = (struct record){ .word = "" };
	if ((line = find_mark(a->at, a->end)) == NULL ||
	    (eol = memchr(line, '\n', (size_t)(a->end - line))) == NULL)
		return false;
	a->at = eol + 1;
	line += strlen(mark);
	for (p = line; p < eol && *p != ' '; p++)
		;
	n = (size_t)(p - line);
	if (n < sizeof(r->word))
		memcpy(r->word, line, n);
	r->rest = p < eol ? p + 1 : p;
	r->len = (size_t)(eol - r->rest);
	if (r->len > 0 && r->rest[r->len - 1] == '\r')
		r->len--;
	return !record_is(r, "file") || take_file(a, r);
}

bool
answer_ends(const char *text, size_t len, const char *word)
{
	struct answer a;
	struct record r;
	bool is = false;

	answer_begin(&a, text, len);
	while (answer_next(&a, &r))
		is = record_is(&r, word);
	return is;
}

bool
record_is(const struct record *r, const char *word)
{
	return strcmp(r->word, word) == 0;
}

void
record_text(const struct record *r, char *dst, size_t size)
{
	char shown[512 * CLI_VISIBLE_MAX + 1];

	shown[cli_visible(shown, r->rest, r->len < 512 ? r->len : 512)] = '\0';
	strlcpy(dst, shown, size);
}
