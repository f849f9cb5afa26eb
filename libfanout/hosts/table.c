#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "set.h"
#include "table.h"

struct text {
	char	*s;		/* malloc(3)ed; what was added, by commas */
	size_t	 len, cap;
};

struct fo_table {
	struct fanout_hosts *names;	/* numbers the groups */
	struct text *text;		/* by index of names */
	size_t	 cap;
};

struct fo_table *
fo_table_new(void)
{
	struct fo_table *t;

	if ((t = calloc(1, sizeof(*t))) == NULL ||
	    fanout_hosts_new(&t->names) != 0) {
		free(t);
		return NULL;
	}
	return t;
}

void
fo_table_free(void *table)
{
	struct fo_table *t = table;
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->names->n; i++)
		free(t->text[i].s);
	free(t->text);
	fanout_hosts_free(t->names);
	free(t);
}

static int
append(struct text *t, const char *s, size_t len)
{
	size_t need = t->len + len + 2;
	char *p;

	if (need > t->cap) {
		if (need < t->cap * 2)
			need = t->cap * 2;
		if ((p = realloc(t->s, need)) == NULL)
			return FANOUT_ENOMEM;
		t->s = p;
		t->cap = need;
	}
	if (t->len > 0 && len > 0)
		t->s[t->len++] = ',';
	memcpy(t->s + t->len, s, len);
	t->s[t->len += len] = '\0';
	return 0;
}

int
fo_table_add(struct fo_table *t, const char *group, size_t group_len,
    const char *text, size_t text_len)
{
	struct text *n;
	size_t at, cap;

	/* The place first: what is numbered must have its text. */
	if (t->names->n == t->cap) {
		cap = t->cap * 2 + 8;
		if ((n = recallocarray(t->text, t->cap, cap, sizeof(*n))) ==
		    NULL)
			return FANOUT_ENOMEM;
		t->text = n;
		t->cap = cap;
	}
	if (fo_set_intern(t->names, group, group_len, &at) < 0)
		return FANOUT_ENOMEM;
	return append(&t->text[at], text, text_len);
}

const char *
fo_table_get(const struct fo_table *t, const char *group)
{
	size_t at = fo_set_find(t->names, group, strlen(group));

	return at == FANOUT_NOHOST ? NULL : t->text[at].s;
}

static int
table_map(void *self, const char *group, char **out, struct fanout_error *err)
{
	const char *text = fo_table_get(self, group);

	*out = NULL;
	if (text != NULL && (*out = strdup(text)) == NULL)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	return 0;
}

static int
table_list(void *self, char **out, struct fanout_error *err)
{
	const struct fo_table *t = self;
	struct text all = { 0 };
	size_t i;

	*out = NULL;
	for (i = 0; i < t->names->n; i++)
		if (append(&all, t->names->e[i].name, t->names->e[i].len)
		    != 0) {
			free(all.s);
			return fo_error(err, FANOUT_ENOMEM, "out of memory");
		}
	*out = all.s;
	return 0;
}

static int
table_all(void *self, char **out, struct fanout_error *err)
{
	return table_map(self, "all", out, err);
}

const struct fo_source_ops fo_table_ops = {
	.map = table_map,
	.list = table_list,
	.all = table_all,
	.free = fo_table_free
};
