#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "each.h"

/* The words of a host. */
struct list {
	size_t	 host;
	char	**words;
	char	*key;		/* all of them */
};

static void
free_words(char **words)
{
	size_t i;

	for (i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

static void
free_lists(struct list *l, size_t n)
{
	size_t i;

	for (i = 0; l != NULL && i < n; i++) {
		free_words(l[i].words);
		free(l[i].key);
	}
	free(l);
}

/* NUL between them, as no word has that; what strcmp sees must be all. */
static char *
make_key(char *const *words)
{
	size_t len = 1;
	char *key, *p;
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		len += 2 * strlen(words[i]) + 1;
	if ((key = p = malloc(len)) == NULL)
		return NULL;
	for (i = 0; words[i] != NULL; i++) {
		for (const char *s = words[i]; *s != '\0'; s++) {
			if (*s == '\n' || *s == '\\')
				*p++ = '\\';
			*p++ = *s;
		}
		*p++ = '\n';
	}
	*p = '\0';
	return key;
}

static int
make_list(struct list *l, size_t host, char *const *words,
    struct cli_expand *x, struct fanout_error *e)
{
	size_t i, n = 0;
	int rc;

	while (words[n] != NULL)
		n++;
	l->host = host;
	if ((l->words = calloc(n + 1, sizeof(*l->words))) == NULL)
		return cli_nomem(e);
	for (i = 0; i < n; i++)
		if ((rc = cli_expand(x, host, words[i], false, &l->words[i],
		    e)) != 0)
			return rc;
	return (l->key = make_key(l->words)) != NULL ? 0 : cli_nomem(e);
}

static int
by_key(const void *a, const void *b)
{
	return strcmp(((const struct list *)a)->key,
	    ((const struct list *)b)->key);
}

/* Of one list its hosts go without; they all have the same reason. */
static int
lack(struct each *s, const struct list *from, const struct list *to,
    const char *why, struct fanout_error *e)
{
	struct fanout_result *r;

	if (s->ahead == NULL &&
	    (s->ahead = calloc(s->n, sizeof(*s->ahead))) == NULL)
		return cli_nomem(e);
	for (; from < to; from++) {
		if (s->skip[from->host] != NULL)
			continue;
		if ((r = calloc(1, sizeof(*r))) == NULL)
			return cli_nomem(e);
		r->cls = FANOUT_C_LOCAL;
		r->stage = FANOUT_S_RUN;
		r->status = -1;
		(void)strlcpy(r->text, why, sizeof(r->text));
		s->ahead[from->host] = r;
		s->skip[from->host] = r->text;
	}
	return 0;
}

static int
walk_lists(struct each *s, struct copy *c, struct list *lists,
    const struct source_opts *o, struct fanout_error *e)
{
	struct list *from = lists, *end = lists + s->n, *to;
	struct fanout_error why;
	struct load *l;
	int rc = 0;

	for (; from < end && rc == 0; from = to) {
		for (to = from; to < end && strcmp(to->key, from->key) == 0;
		    to++)
			continue;
		if ((l = copy_load(c)) == NULL)
			return cli_nomem(e);
		if (source_walk(&l->source, from->words, o, &why) != 0)
			rc = lack(s, from, to, why.text, e);
		for (; from < to; from++)
			s->loads[from->host] = l;
	}
	return rc;
}

static int
expand_words(struct each *s, struct copy *c, char *const *words,
    const struct source_opts *o, struct cli_expand *x, struct fanout_error *e)
{
	struct list *lists = calloc(s->n, sizeof(*lists));
	int rc = 0;
	size_t i;

	if (lists == NULL)
		return cli_nomem(e);
	for (i = 0; i < s->n && rc == 0; i++)
		rc = make_list(&lists[i], i, words, x, e);
	if (rc == 0) {
		qsort(lists, s->n, sizeof(*lists), by_key);
		rc = walk_lists(s, c, lists, o, e);
	}
	free_lists(lists, s->n);
	return rc;
}

static int
expand_dests(struct each *s, const char *dest, struct cli_expand *x,
    struct fanout_error *e)
{
	size_t i;
	int rc;

	if ((s->dests = calloc(s->n, sizeof(*s->dests))) == NULL)
		return cli_nomem(e);
	for (i = 0; i < s->n; i++)
		if ((rc = cli_expand(x, i, dest, false, &s->dests[i], e)) != 0)
			return rc;
	return 0;
}

/* A mistake in a command is to be known before anything is copied. */
static int
try_command(const char *command, struct cli_expand *x, struct fanout_error *e)
{
	char *text;
	int rc;

	if (command == NULL || !cli_expand_needed(x, command))
		return 0;
	if ((rc = cli_expand(x, 0, command, true, &text, e)) == 0)
		free(text);
	return rc;
}

static bool
differ(const struct cli_expand *x, char *const *words)
{
	for (; *words != NULL; words++)
		if (cli_expand_needed(x, *words))
			return true;
	return false;
}

int
each_find(struct each *s, struct copy *c, char *const *words,
    const struct source_opts *o, struct cli_expand *x,
    const char *const *skip, struct fanout_error *e)
{
	struct load *l;
	size_t i;
	int rc;

	s->n = fanout_hosts_count(c->hosts);
	s->loads = calloc(s->n, sizeof(*s->loads));
	s->skip = calloc(s->n, sizeof(*s->skip));
	if (s->loads == NULL || s->skip == NULL)
		return cli_nomem(e);
	for (i = 0; skip != NULL && i < s->n; i++)
		s->skip[i] = skip[i];
	if ((cli_expand_needed(x, c->opts.dest) &&
	    (rc = expand_dests(s, c->opts.dest, x, e)) != 0) ||
	    (rc = try_command(c->opts.before, x, e)) != 0 ||
	    (rc = try_command(c->opts.after, x, e)) != 0)
		return rc;
	if (differ(x, words))
		return expand_words(s, c, words, o, x, e);
	if ((l = copy_load(c)) == NULL)
		return cli_nomem(e);
	for (i = 0; i < s->n; i++)
		s->loads[i] = l;
	return source_walk(&l->source, words, o, e);
}

void
each_give(const struct each *s, struct copy *c)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		c->at[i].load = s->loads[i];
		if (s->dests != NULL)
			c->at[i].dest = s->dests[i];
	}
}

void
each_free(struct each *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->dests != NULL)
			free(s->dests[i]);
		if (s->ahead != NULL)
			free((void *)(uintptr_t)s->ahead[i]);
	}
	free(s->loads);
	free(s->dests);
	free(s->skip);
	free(s->ahead);
	*s = (struct each){ .n = 0 };
}
