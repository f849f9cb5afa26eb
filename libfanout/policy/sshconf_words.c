#include <stdlib.h>
#include <string.h>

#include "pattern.h"
#include "sshconf_int.h"
#include "strlist.h"

#define BLANK " \t\r\n"

/* One word from *s into dst, without quotes and escapes. -1: open quote. */
static int
take_word(const char **sp, char *dst)
{
	const char *s = *sp;
	char quote = '\0';

	for (; *s != '\0'; s++) {
		if (*s == '\\' && (s[1] == '\'' || s[1] == '"' ||
		    s[1] == '\\' || (quote == '\0' && s[1] == ' ')))
			*dst++ = *++s;
		else if (quote == '\0' && (*s == ' ' || *s == '\t'))
			break;
		else if (quote == '\0' && (*s == '"' || *s == '\''))
			quote = *s;
		else if (quote != '\0' && *s == quote)
			quote = '\0';
		else
			*dst++ = *s;
	}
	*dst = '\0';
	*sp = s;
	return quote == '\0' ? 0 : -1;
}

int
words_split(const char *s, char ***argv)
{
	char *word;

	*argv = NULL;
	for (;;) {
		s += strspn(s, " \t");
		if (*s == '\0' || *s == '#')
			return 0;
		if ((word = malloc(strlen(s) + 1)) == NULL)
			break;
		if (take_word(&s, word) == -1) {
			free(word);
			strlist_free(*argv);
			*argv = NULL;
			return -1;
		}
		if (strlist_take(argv, word) == -1)
			break;
	}
	strlist_free(*argv);
	*argv = NULL;
	return -2;
}

/* One "=" may stand between a keyword and its value. */
bool
words_keyword(char *line, char **keyword, char **rest)
{
	size_t len = strlen(line);
	char *p;

	while (len > 0 && strchr(BLANK "\f", line[len - 1]) != NULL)
		line[--len] = '\0';
	line += strspn(line, BLANK);
	if (*line == '\0' || *line == '#')
		return false;
	p = line;
	*keyword = words_delim(&p);
	if (*keyword == NULL || **keyword == '\0')
		return false;
	ascii_lower(*keyword);
	if (p == NULL)
		p = line + strlen(line);
	*rest = p + strspn(p, BLANK);
	return true;
}

char *
words_delim(char **s)
{
	char *start = *s, *p, *q;

	if (start == NULL)
		return NULL;
	if ((p = strpbrk(start, BLANK "\"=")) == NULL) {
		*s = NULL;
		return start;
	}
	if (*p == '"') {
		memmove(p, p + 1, strlen(p));
		if ((q = strchr(p, '"')) == NULL) {
			*s = NULL;
			return NULL;
		}
		*q++ = '\0';
		*s = q + strspn(q, BLANK);
		return start;
	}
	q = p + 1 + strspn(p + 1, BLANK);
	if (*p != '=' && *q == '=')
		q += 1 + strspn(q + 1, BLANK);
	*p = '\0';
	*s = q;
	return start;
}
