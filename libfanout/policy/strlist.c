#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strlist.h"

char **
strlist_new(void)
{
	return calloc(1, sizeof(char *));
}

size_t
strlist_len(char *const *list)
{
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	return n;
}

int
strlist_take(char ***list, char *s)
{
	size_t n = strlist_len(*list);
	char **v;

	if (s == NULL)
		return -1;
	if ((v = reallocarray(*list, n + 2, sizeof(*v))) == NULL) {
		free(s);
		return -1;
	}
	v[n] = s;
	v[n + 1] = NULL;
	*list = v;
	return 0;
}

int
strlist_add(char ***list, const char *s)
{
	return strlist_take(list, strdup(s));
}

int
strlist_addf(char ***list, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return n == -1 ? -1 : strlist_take(list, s);
}

bool
strlist_has(char *const *list, const char *s)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcmp(*list, s) == 0)
			return true;
	return false;
}

void
strlist_free(char **list)
{
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}
