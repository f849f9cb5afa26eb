#include <string.h>

#include "base/err.h"
#include "expr.h"
#include "groups.h"
#include "name.h"
#include "pattern.h"
#include "set.h"
#include "trace.h"

#define OPERATORS ",!&^"

/* One operand while it is put into a set. */
struct put {
	const struct fo_expr *ex;
	struct fanout_hosts *set;
	size_t	 at;
};

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t
skip_blanks(const struct fo_expr *ex, size_t at)
{
	while (at < ex->len && blank(ex->text[at]))
		at++;
	return at;
}

static int
fail_at(const struct fo_expr *ex, size_t at, const char *what)
{
	return fo_error_at(ex->err, FANOUT_EPARSE, ex->base + at, 0, "%s",
	    what);
}

static int
put_host(void *arg, char *name, size_t len)
{
	struct put *p = arg;
	const char *why;
	int rc;

	if ((why = fo_name_check(name, &len)) != NULL)
		return fo_error_at(p->ex->err, FANOUT_EPARSE,
		    p->ex->base + p->at, 0, "host %.*s: %s",
		    (int)len, name, why);
	if ((rc = fo_set_put(p->set, name, len)) < 0)
		return fo_set_error(p->set, rc, p->ex->err);
	return 0;
}

static int
put_group(void *arg, char *name, size_t len)
{
	struct put *p = arg;

	(void)len;
	return fo_groups_eval(p->ex, p->at, name, p->set);
}

static int
put_masked(void *arg, char *name, size_t len)
{
	struct put *p = arg;

	(void)len;
	return fo_groups_match(p->ex, p->at, name, p->set);
}

/* Refuse before the first name is made what could not be held. */
static int
check_size(const struct put *p, const struct fo_pattern *pat)
{
	if (pat->longest > FO_HOST_MAX)
		return fo_error_at(p->ex->err, FANOUT_ELIMIT,
		    p->ex->base + p->at, 0,
		    "a host name of more than %d characters", FO_HOST_MAX);
	if (pat->names > p->set->max)
		return fo_error_at(p->ex->err, FANOUT_ELIMIT,
		    p->ex->base + p->at, 0,
		    "this names %s%llu hosts: the limit of one set is %zu",
		    pat->names == UINT64_MAX ? "more than " : "",
		    (unsigned long long)pat->names, p->set->max);
	return 0;
}

/* The operand at p->at, len bytes long, into p->set. */
static int
operand(struct put *p, size_t len)
{
	const struct fo_expr *ex = p->ex;
	const char *s = ex->text + p->at;
	struct fo_pattern pat;
	fo_pattern_fn fn = put_host;
	const char *extra = "";
	int rc;

	if (*s == '@') {
		fn = put_group;
		extra = "*/";
	} else if (memchr(s, '*', len) != NULL || memchr(s, '?', len) != NULL) {
		fn = put_masked;
		extra = "*?";
	}
	if ((rc = fo_pattern_parse(&pat, s, len, ex->base + p->at, extra,
	    ex->err)) != 0)
		return rc;
	if ((rc = check_size(p, &pat)) == 0 && fn == put_host &&
	    fo_set_reserve(p->set, pat.names) != 0)
		rc = fo_error(ex->err, FANOUT_ENOMEM, "out of memory");
	if (rc == 0)
		rc = fo_pattern_each(&pat, fn, p);
	fo_pattern_free(&pat);
	return rc;
}

static int
combine(struct fanout_hosts *set, char op, const struct fanout_hosts *right)
{
	switch (op) {
	case ',':
		return fanout_hosts_union(set, right);
	case '!':
		return fanout_hosts_subtract(set, right);
	case '&':
		return fanout_hosts_intersect(set, right);
	default:
		return fanout_hosts_xor(set, right);
	}
}

/* The trace takes the operand's set over. */
static int
note(const struct put *p, char op, size_t len)
{
	const struct fo_expr *ex = p->ex;

	if (ex->trace == NULL) {
		fanout_hosts_free(p->set);
		return 0;
	}
	return fo_trace_note(ex->trace, ex->place, ex->leaves_out ? '-' : op,
	    ex->text + p->at, len, p->set);
}

/* set = set op operand. A union that nobody traces needs no second set. */
static int
step(struct fanout_hosts *set, char op, struct put *p, size_t len)
{
	int rc;

	p->set = set;
	if (op == ',' && p->ex->trace == NULL)
		return operand(p, len);
	if ((rc = fanout_hosts_new(&p->set)) != 0)
		return fo_set_error(set, rc, p->ex->err);
	p->set->max = set->max;
	if ((rc = operand(p, len)) != 0) {
		fanout_hosts_free(p->set);
		return rc;
	}
	rc = combine(set, op, p->set);
	if (note(p, op, len) != 0 && rc == 0)
		rc = FANOUT_ENOMEM;
	return rc == 0 ? 0 : fo_set_error(set, rc, p->ex->err);
}

int
fo_expr_apply(struct fanout_hosts *set, const struct fo_expr *ex)
{
	struct put p = { .ex = ex };
	char op = ',';
	size_t len;
	int rc;

	for (;;) {
		p.at = skip_blanks(ex, p.at);
		len = fo_pattern_span(ex->text + p.at, ex->len - p.at,
		    OPERATORS);
		if (len == 0)
			return fail_at(ex, p.at,
			    "expected a host name or @group");
		if ((rc = step(set, op, &p, len)) != 0)
			return rc;
		p.at = skip_blanks(ex, p.at + len);
		if (p.at == ex->len)
			return 0;
		op = ex->text[p.at];
		if (op == '\0' || strchr(OPERATORS, op) == NULL)
			return fail_at(ex, p.at,
			    "expected an operator (, ! & ^) before this");
		p.at++;
	}
}

bool
fo_expr_shrinks(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] == '!' || s[i] == '&' || s[i] == '^')
			return true;
	return false;
}

int
fo_expr_add(struct fanout_hosts *set, const struct fo_expr *ex)
{
	struct fanout_hosts *tmp;
	size_t was = set->n;
	int rc;

	if (!fo_expr_shrinks(ex->text, ex->len)) {
		if ((rc = fo_expr_apply(set, ex)) != 0)
			fo_set_truncate(set, was);
		return rc;
	}
	if ((rc = fanout_hosts_new(&tmp)) != 0)
		return fo_set_error(set, rc, ex->err);
	tmp->max = set->max;
	if ((rc = fo_expr_apply(tmp, ex)) == 0 &&
	    (rc = fanout_hosts_union(set, tmp)) != 0)
		(void)fo_set_error(set, rc, ex->err);
	fanout_hosts_free(tmp);
	return rc;
}

static struct fo_expr
expr_of(const struct fanout_hosts *set, const char *text,
    struct fanout_error *err)
{
	return (struct fo_expr){ .text = text, .len = strlen(text),
	    .groups = set->groups, .err = err };
}

int
fanout_hosts_add(struct fanout_hosts *set, const char *text,
    struct fanout_error *err)
{
	struct fo_expr ex = expr_of(set, text, err);

	return fo_expr_add(set, &ex);
}

int
fanout_hosts_remove(struct fanout_hosts *set, const char *text,
    struct fanout_error *err)
{
	struct fo_expr ex = expr_of(set, text, err);
	struct fanout_hosts *mask;
	int rc;

	if ((rc = fanout_hosts_new(&mask)) != 0)
		return fo_set_error(set, rc, err);
	mask->max = set->max;
	if ((rc = fo_expr_apply(mask, &ex)) == 0 &&
	    (rc = fanout_hosts_subtract(set, mask)) != 0)
		(void)fo_set_error(set, rc, err);
	fanout_hosts_free(mask);
	return rc;
}
