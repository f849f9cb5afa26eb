#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ini.h"
#include "lines.h"

static struct fo_ini_key *
find(const struct fo_ini *ini, const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < ini->n; i++)
		if (strcmp(ini->keys[i].section, section) == 0 &&
		    strcasecmp(ini->keys[i].key, key) == 0)
			return &ini->keys[i];
	return NULL;
}

const char *
fo_ini_get(const struct fo_ini *ini, const char *section, const char *key)
{
	const struct fo_ini_key *k = find(ini, section, key);

	return k == NULL ? NULL : k->value;
}

void
fo_ini_free(struct fo_ini *ini)
{
	size_t i;

	for (i = 0; i < ini->n; i++) {
		free(ini->keys[i].section);
		free(ini->keys[i].key);
		free(ini->keys[i].value);
	}
	free(ini->keys);
	memset(ini, 0, sizeof(*ini));
}

/* The key, with this value; NULL when memory runs out. */
static struct fo_ini_key *
set(struct fo_ini *ini, const char *section, const char *key, const char *value)
{
	struct fo_ini_key *k = find(ini, section, key), *n;
	size_t cap = ini->cap * 2 + 8;
	char *copy;

	if (k != NULL) {
		if ((copy = strdup(value)) == NULL)
			return NULL;
		free(k->value);
		k->value = copy;
		return k;
	}
	if (ini->n == ini->cap) {
		if ((n = reallocarray(ini->keys, cap, sizeof(*n))) == NULL)
			return NULL;
		ini->keys = n;
		ini->cap = cap;
	}
	k = &ini->keys[ini->n++];
	k->section = strdup(section);
	k->key = strdup(key);
	k->value = strdup(value);
	return k->section != NULL && k->key != NULL && k->value != NULL ? k :
	    NULL;
}

static int
go_on(struct fo_ini_key *k, const char *more)
{
	char *joined;

	if (asprintf(&joined, "%s\n%s", k->value, more) == -1)
		return FANOUT_ENOMEM;
	free(k->value);
	k->value = joined;
	return 0;
}

static char *
trim(char *s)
{
	char *end = strchr(s, '\0');

	while (end > s && strchr(" \t\r", end[-1]) != NULL)
		*--end = '\0';
	return s + strspn(s, " \t");
}

/* last: the key that an indented line continues; NULL: none. */
static int
read_line(struct fo_ini *ini, struct fo_lines *l, char **section,
    struct fo_ini_key **last, struct fanout_error *err)
{
	char *s = trim(l->line), *sep, *close;

	if (*s == '\0' || *s == '#' || *s == ';')
		return 0;
	if (s > l->line && *last != NULL)
		return go_on(*last, s);
	*last = NULL;
	if (*s == '[') {
		if ((close = strchr(s, ']')) == NULL)
			return fo_lines_error(l, FANOUT_EPARSE,
			    "expected ']' behind the section", err);
		*close = '\0';
		free(*section);
		return (*section = strdup(s + 1)) == NULL ? FANOUT_ENOMEM : 0;
	}
	if ((sep = strpbrk(s, ":=")) == NULL || sep == s || *section == NULL)
		return fo_lines_error(l, FANOUT_EPARSE,
		    *section == NULL ? "expected a [section] first" :
		    "expected \"key: value\"", err);
	*sep = '\0';
	*last = set(ini, *section, trim(s), trim(sep + 1));
	return *last == NULL ? FANOUT_ENOMEM : 0;
}

int
fo_ini_read(struct fo_ini *ini, const char *path, struct fanout_error *err)
{
	struct fo_lines l;
	struct fo_ini_key *last = NULL;
	char *section = NULL;
	int rc;

	if ((rc = fo_lines_open(&l, path, err)) != 0)
		return rc;
	while ((rc = fo_lines_next(&l, err)) == 1)
		if ((rc = read_line(ini, &l, &section, &last, err)) != 0) {
			if (rc == FANOUT_ENOMEM)
				(void)fo_error(err, rc, "out of memory");
			break;
		}
	free(section);
	fo_lines_close(&l);
	return rc;
}
