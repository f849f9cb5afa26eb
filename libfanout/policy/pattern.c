#include <string.h>

#include "pattern.h"

static char
lower_of(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

void
ascii_lower(char *s)
{
	for (; *s != '\0'; s++)
		*s = lower_of(*s);
}

/*
 * Going back only to the last star is enough, which keeps hostile patterns
 * from costing exponential time.
 */
static bool
match_n(const char *s, const char *p, size_t len, bool lower)
{
	const char *end = p + len, *star = NULL, *from = NULL;

	while (*s != '\0') {
		if (p < end && *p == '*') {
			star = ++p;
			from = s;
		} else if (p < end &&
		    (*p == '?' || (lower ? lower_of(*p) : *p) == *s)) {
			p++;
			s++;
		} else if (star != NULL) {
			p = star;
			s = ++from;
		} else
			return false;
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

bool
pattern_match(const char *s, const char *pattern)
{
	return match_n(s, pattern, strlen(pattern), false);
}

int
pattern_list_n(const char *s, const char *list, size_t len, bool lower)
{
	const char *end = list + len, *comma;
	bool negated;
	int found = 0;

	while (list < end) {
		if ((negated = *list == '!'))
			list++;
		comma = memchr(list, ',', (size_t)(end - list));
		if (comma == NULL)
			comma = end;
		if (match_n(s, list, (size_t)(comma - list), lower)) {
			if (negated)
				return -1;
			found = 1;
		}
		list = comma + 1;
	}
	return found;
}

int
pattern_list(const char *s, const char *list, bool lower)
{
	return pattern_list_n(s, list, strlen(list), lower);
}
