#include <sys/queue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "groups.h"
#include "pattern.h"
#include "set.h"
#include "upcall.h"

#define UNKNOWN 1	/* no error yet: another source may know the group */

/* What is asked of a source; also the byte behind its name in a key. */
enum ask { ASK_GROUP = 'g', ASK_ALL = '*', ASK_NAMES = '@' };

struct source {
	TAILQ_ENTRY(source) link;
	char	*name;
	const struct fo_source_ops *ops;
	void	*self;
};

struct answer {
	struct fanout_hosts *set;	/* NULL: not asked yet */
	bool	 busy;		/* being made: whoever asks now is part of it */
};

struct fanout_groups {
	TAILQ_HEAD(, source) sources;
	struct fanout_hosts *keys;	/* source, ':', enum ask, group */
	struct answer *answers;		/* by index of keys */
	size_t	 nanswers;
	int	 ms;		/* that a source may take to answer */
};

struct query {
	const struct fo_expr *ex;
	size_t	 at;
	const char *ref;	/* as written, for messages */
	struct source *src;
	enum ask ask;
	const char *group;
};

int
fanout_groups_new(struct fanout_groups **out)
{
	struct fanout_groups *g;

	*out = NULL;
	if ((g = calloc(1, sizeof(*g))) == NULL)
		return FANOUT_ENOMEM;
	if (fanout_hosts_new(&g->keys) != 0) {
		free(g);
		return FANOUT_ENOMEM;
	}
	TAILQ_INIT(&g->sources);
	g->ms = FO_UPCALL_MS;
	*out = g;
	return 0;
}

static void
source_free(struct source *s)
{
	if (s->ops->free != NULL)
		s->ops->free(s->self);
	free(s->name);
	free(s);
}

void
fanout_groups_free(struct fanout_groups *g)
{
	struct source *s;
	size_t i;

	if (g == NULL)
		return;
	for (i = 0; i < g->nanswers; i++)
		fanout_hosts_free(g->answers[i].set);
	free(g->answers);
	fanout_hosts_free(g->keys);
	while ((s = TAILQ_FIRST(&g->sources)) != NULL) {
		TAILQ_REMOVE(&g->sources, s, link);
		source_free(s);
	}
	free(g);
}

void
fanout_groups_deadline(struct fanout_groups *g, int ms)
{
	g->ms = ms;
}

int
fo_groups_ms(const struct fanout_groups *g)
{
	return g->ms;
}

static struct source *
find_source(const struct fanout_groups *g, const char *name, size_t len)
{
	struct source *s;

	TAILQ_FOREACH(s, &g->sources, link)
		if (strlen(s->name) == len && memcmp(s->name, name, len) == 0)
			return s;
	return NULL;
}

bool
fo_groups_has_source(const struct fanout_groups *g, const char *name,
    size_t len)
{
	return find_source(g, name, len) != NULL;
}

int
fo_groups_add_source(struct fanout_groups *g, const char *name,
    const struct fo_source_ops *ops, void *self, struct fanout_error *err)
{
	struct source *s;

	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->name = strdup(name)) == NULL) {
		free(s);
		if (ops->free != NULL)
			ops->free(self);
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	}
	s->ops = ops;
	s->self = self;
	if (find_source(g, name, strlen(name)) != NULL) {
		source_free(s);
		return fo_error(err, FANOUT_ECONFIG,
		    "the group source '%s' is there twice", name);
	}
	TAILQ_INSERT_TAIL(&g->sources, s, link);
	return 0;
}

size_t
fo_groups_count(const struct fanout_groups *g)
{
	struct source *s;
	size_t n = 0;

	TAILQ_FOREACH(s, &g->sources, link)
		n++;
	return n;
}

int
fo_groups_move(struct fanout_groups *g, const char *name, size_t to,
    struct fanout_error *err)
{
	struct source *s = find_source(g, name, strlen(name)), *at;

	if (s == NULL)
		return fo_error(err, FANOUT_ECONFIG,
		    "there is no group source '%s'", name);
	TAILQ_REMOVE(&g->sources, s, link);
	for (at = TAILQ_FIRST(&g->sources); at != NULL && to > 0; to--)
		at = TAILQ_NEXT(at, link);
	if (at != NULL)
		TAILQ_INSERT_BEFORE(at, s, link);
	else
		TAILQ_INSERT_TAIL(&g->sources, s, link);
	return 0;
}

int
fanout_groups_prefer(struct fanout_groups *g, const char *name,
    struct fanout_error *err)
{
	return fo_groups_move(g, name, 0, err);
}

/* ---- what a source said ------------------------------------------------ */

/*
 * Make the text of a source one expression, in place: blanks and newlines
 * between words become commas, those beside operators go.
 */
static void
to_expr(char *text)
{
	char *in, *out = text;
	bool bracket = false, gap = false;

	for (in = text; *in != '\0'; in++) {
		if (*in == ' ' || *in == '\t' || *in == '\n' || *in == '\r') {
			gap = !bracket;
			continue;
		}
		if (gap && out > text && strchr(",!&^", out[-1]) == NULL &&
		    strchr(",!&^", *in) == NULL)
			*out++ = ',';
		gap = false;
		if (*in == '[' || *in == ']')
			bracket = *in == '[';
		*out++ = *in;
	}
	*out = '\0';
}

static int
eval_text(const struct query *q, char *text, struct fanout_hosts *set)
{
	struct fanout_error inner;
	struct fo_expr ex = *q->ex;
	int rc;

	to_expr(text);
	if (*text == '\0')
		return 0;
	ex.text = text;
	ex.len = strlen(text);
	ex.base = 0;
	ex.source = q->src->name;
	ex.err = &inner;
	ex.trace = NULL;
	if ((rc = fo_expr_apply(set, &ex)) == 0)
		return 0;
	return fo_error_at(q->ex->err, rc, q->ex->base + q->at, 0, "%s: %s",
	    q->ref, inner.text);
}

/* A failure of the source itself, not of what it said. */
static int
source_failed(const struct query *q, int rc, const struct fanout_error *inner)
{
	return fo_error_at(q->ex->err, rc, q->ex->base + q->at, 0,
	    "%s: group source '%s': %s", q->ref, q->src->name, inner->text);
}

static int
put_name(void *set, char *name, size_t len)
{
	int rc = fo_set_put(set, name, len);

	return rc < 0 ? rc : 0;
}

/* Names of groups may be folded: rack[1-4]. */
static int
put_names(const struct query *q, char *text, struct fanout_hosts *set)
{
	struct fo_pattern pat;
	struct fanout_error inner;
	char *word, *rest = text;
	size_t len;
	int rc = 0;

	to_expr(text);
	while (rc == 0 && *rest != '\0') {
		len = fo_pattern_span(rest, strlen(rest), ",");
		word = rest;
		rest += len + (rest[len] == ',');
		if (len == 0)
			continue;
		if ((rc = fo_pattern_parse(&pat, word, len, 0, "/*?!&^", &inner))
		    != 0)
			return source_failed(q, rc, &inner);
		if (pat.longest > FO_HOST_MAX || pat.names > set->max)
			rc = FANOUT_ELIMIT;
		else
			rc = fo_pattern_each(&pat, put_name, set);
		fo_pattern_free(&pat);
	}
	return rc == 0 ? 0 : fo_set_error(set, rc, q->ex->err);
}

static int	ask(const struct query *, struct fanout_hosts *);

static int
unknown(const struct query *q)
{
	return fo_error_at(q->ex->err, FANOUT_EPARSE, q->ex->base + q->at, 0,
	    "there is no group '%s'%s%s%s", q->group,
	    q->src == NULL ? "" : " in the group source '",
	    q->src == NULL ? "" : q->src->name, q->src == NULL ? "" : "'");
}

static int
ask_names(const struct query *q, struct fanout_hosts *set)
{
	struct fanout_error inner = { 0 };
	char *text = NULL;
	int rc;

	if ((rc = q->src->ops->list(q->src->self, &text, &inner)) != 0)
		return source_failed(q, rc, &inner);
	if (text != NULL)
		rc = put_names(q, text, set);
	free(text);
	return rc;
}

/* All hosts of a source that cannot say so itself: those of its groups. */
static int
ask_each(const struct query *q, struct fanout_hosts *set)
{
	struct fanout_hosts *names;
	struct query each = *q;
	size_t i;
	int rc;

	if ((rc = fanout_hosts_new(&names)) != 0)
		return fo_set_error(set, rc, q->ex->err);
	each.ask = ASK_NAMES;
	each.group = "";
	rc = ask(&each, names);
	each.ask = ASK_GROUP;
	for (i = 0; rc == 0 && i < names->n; i++) {
		each.group = names->e[i].name;
		if ((rc = ask(&each, set)) == UNKNOWN)
			rc = unknown(&each);
	}
	fanout_hosts_free(names);
	return rc;
}

static int
ask_source(const struct query *q, struct fanout_hosts *set)
{
	const struct fo_source_ops *ops = q->src->ops;
	struct fanout_error inner = { 0 };
	char *text = NULL;
	int rc;

	if (q->ask == ASK_NAMES)
		return ask_names(q, set);
	if (q->ask == ASK_ALL && ops->all == NULL)
		return ask_each(q, set);
	rc = q->ask == ASK_ALL ? ops->all(q->src->self, &text, &inner) :
	    ops->map(q->src->self, q->group, &text, &inner);
	if (rc != 0)
		return source_failed(q, rc, &inner);
	if (text == NULL && q->ask == ASK_ALL)
		return ask_each(q, set);
	if (text == NULL)
		return UNKNOWN;
	rc = eval_text(q, text, set);
	free(text);
	return rc;
}

/* ---- asking once ------------------------------------------------------- */

/* The index of the answer to this query; there is a place for it. */
static int
find_answer(const struct query *q, size_t *at)
{
	struct fanout_groups *g = q->ex->groups;
	struct answer *n;
	char *key;
	int rc, len;

	len = asprintf(&key, "%s:%c%s", q->src->name, q->ask, q->group);
	if (len == -1)
		return FANOUT_ENOMEM;
	rc = fo_set_intern(g->keys, key, (size_t)len, at);
	free(key);
	if (rc <= 0 || *at < g->nanswers)
		return rc;
	n = recallocarray(g->answers, g->nanswers, *at * 2 + 8, sizeof(*n));
	if (n == NULL) {
		fo_set_truncate(g->keys, *at);
		return FANOUT_ENOMEM;
	}
	g->answers = n;
	g->nanswers = *at * 2 + 8;
	return 0;
}

static int
ask_once(const struct query *q, size_t at)
{
	struct fanout_groups *g = q->ex->groups;
	struct fanout_hosts *set;
	int rc;

	if (g->answers[at].set != NULL)
		return 0;
	if (g->answers[at].busy)
		return fo_error_at(q->ex->err, FANOUT_ECONFIG,
		    q->ex->base + q->at, 0, "%s is defined by itself", q->ref);
	if ((rc = fanout_hosts_new(&set)) != 0)
		return fo_error(q->ex->err, rc, "out of memory");
	g->answers[at].busy = true;
	rc = ask_source(q, set);
	g->answers[at].busy = false;
	if (rc == 0)
		g->answers[at].set = set;
	else
		fanout_hosts_free(set);
	return rc;
}

static int
ask(const struct query *q, struct fanout_hosts *set)
{
	size_t at = 0;
	int rc;

	if ((rc = find_answer(q, &at)) < 0)
		return fo_set_error(set, rc, q->ex->err);
	if ((rc = ask_once(q, at)) != 0)
		return rc;
	if ((rc = fanout_hosts_union(set, q->ex->groups->answers[at].set)) != 0)
		return fo_set_error(set, rc, q->ex->err);
	return 0;
}

/* ---- references -------------------------------------------------------- */

static int
no_source(const struct fo_expr *ex, size_t at, const char *name, size_t len)
{
	if (ex->groups == NULL || TAILQ_EMPTY(&ex->groups->sources))
		return fo_error_at(ex->err, FANOUT_ECONFIG, ex->base + at, 0,
		    "no group source is there: write /etc/fanout/groups "
		    "(fanout(7))");
	return fo_error_at(ex->err, FANOUT_EPARSE, ex->base + at, 0,
	    "there is no group source '%.*s'", (int)len, name);
}

/* The first source that has the group, or for @* that has any host. */
static int
ask_in_turn(struct query *q, struct fanout_hosts *set)
{
	size_t was = set->n;
	int rc = UNKNOWN;

	TAILQ_FOREACH(q->src, &q->ex->groups->sources, link) {
		if ((rc = ask(q, set)) < 0)
			return rc;
		if (rc == 0 && (q->ask != ASK_ALL || set->n > was))
			return 0;
	}
	return q->ask == ASK_GROUP ? UNKNOWN : 0;
}

/* Take a reference apart: the source may be left out. */
static int
parse_ref(struct query *q, const char *ref, const char **source, size_t *len)
{
	const char *s = ref + 1, *colon = strchr(s, ':');

	q->ref = ref;
	q->group = "";
	*source = s;
	*len = 0;
	if (*s == '@') {
		q->ask = ASK_NAMES;
		*len = strlen(*source = s + 1);
		return 0;
	}
	if (colon != NULL) {
		*len = (size_t)(colon - s);
		s = colon + 1;
	}
	if (*s == '\0' || colon == ref + 1)
		return fo_error_at(q->ex->err, FANOUT_EPARSE,
		    q->ex->base + q->at, 0, "expected @group or @source:group");
	q->ask = strcmp(s, "*") == 0 ? ASK_ALL : ASK_GROUP;
	if (q->ask == ASK_GROUP)
		q->group = s;
	return 0;
}

int
fo_groups_eval(const struct fo_expr *ex, size_t at, const char *ref,
    struct fanout_hosts *set)
{
	struct query q = { .ex = ex, .at = at };
	const char *source;
	size_t len;
	int rc;

	if ((rc = parse_ref(&q, ref, &source, &len)) != 0)
		return rc;
	if (len == 0 && ex->source != NULL)
		len = strlen(source = ex->source);
	if (ex->groups == NULL || TAILQ_EMPTY(&ex->groups->sources))
		return no_source(ex, at, source, len);
	if (len > 0) {
		q.src = find_source(ex->groups, source, len);
		if (q.src == NULL)
			return no_source(ex, at, source, len);
		rc = ask(&q, set);
	} else
		rc = ask_in_turn(&q, set);
	return rc == UNKNOWN ? unknown(&q) : rc;
}

/* UNKNOWN: it cannot say. */
static int
ask_reverse(const struct query *q, const struct fanout_hosts *set,
    struct fanout_hosts *names)
{
	struct fanout_error inner = { 0 };
	char *text;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < set->n; i++) {
		text = NULL;
		if ((rc = q->src->ops->reverse(q->src->self, set->e[i].name,
		    &text, &inner)) != 0)
			return source_failed(q, rc, &inner);
		rc = text == NULL ? UNKNOWN : put_names(q, text, names);
		free(text);
	}
	return rc;
}

#define REVERSE_MAX 16		/* hosts: a program is run for each */

int
fo_groups_of(const struct fo_expr *ex, const struct fanout_hosts *set,
    struct fanout_hosts *names)
{
	struct query q = { .ex = ex, .ref = "@@", .ask = ASK_NAMES,
	    .group = "" };
	char *ref;
	int rc = UNKNOWN;

	if (ex->groups != NULL)
		q.src = ex->source == NULL ? TAILQ_FIRST(&ex->groups->sources) :
		    find_source(ex->groups, ex->source, strlen(ex->source));
	if (q.src != NULL && q.src->ops->reverse != NULL &&
	    set->n <= REVERSE_MAX)
		rc = ask_reverse(&q, set, names);
	if (rc != UNKNOWN)
		return rc;
	if (asprintf(&ref, "@@%s", ex->source == NULL ? "" : ex->source) == -1)
		return fo_error(ex->err, FANOUT_ENOMEM, "out of memory");
	rc = fo_groups_eval(ex, 0, ref, names);
	free(ref);
	return rc;
}

int
fo_groups_known(struct fanout_groups *g, const char *source, const char *group,
    bool *known, struct fanout_error *err)
{
	struct fo_expr ex = { .groups = g, .err = err };
	struct query q = { .ex = &ex, .ref = group, .ask = ASK_GROUP,
	    .group = group };
	struct fanout_hosts *set;
	int rc;

	*known = false;
	if (source != NULL && (q.src = find_source(g, source,
	    strlen(source))) == NULL)
		return 0;
	if (fanout_hosts_new(&set) != 0)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	rc = source != NULL ? ask(&q, set) : ask_in_turn(&q, set);
	*known = rc == 0 && (set->n > 0 || source == NULL);
	fanout_hosts_free(set);
	return rc == UNKNOWN ? 0 : rc;
}
