/*
 * option.c - the arguments of the options that select hosts.
 *
 * The forms of pdsh's -w are known here only: files, groups and library
 * calls take plain expressions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "expr.h"
#include "groups.h"
#include "hostfile.h"
#include "pattern.h"
#include "select.h"
#include "set.h"

/* One argument while it is read. */
struct arg {
	struct fanout_selection *sel;
	const char *s;
	size_t	 at;
	bool	 exclude;	/* of -x */
	struct fanout_hosts *acc;	/* what the argument names so far */
	struct fanout_error *err;
};

static int
fail(const struct arg *a, size_t at, const char *what)
{
	return fo_error_at(a->err, FANOUT_EPARSE, at, 0, "%s", what);
}

static size_t
skip_blanks(const char *s, size_t at)
{
	while (s[at] == ' ' || s[at] == '\t')
		at++;
	return at;
}

/* Where the item at from ends: at a ',' or the end, blanks before it cut. */
static size_t
item_end(const char *s, size_t from, size_t *next)
{
	size_t end = from + strcspn(s + from, ",");

	*next = end;
	while (end > from && (s[end - 1] == ' ' || s[end - 1] == '\t'))
		end--;
	return end;
}

/* One word with * or ? as a filter on whatever is selected in the end. */
static int
mask_filter(struct arg *a, const char *mask, size_t len)
{
	struct fo_filter *f;
	char *p;
	size_t i;

	if (2 * len + 3 > FO_REGEX_MAX)
		return 0;	/* no name is as long */
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return fo_error(a->err, FANOUT_ENOMEM, "out of memory");
	p = f->text;
	*p++ = '^';
	for (i = 0; i < len; i++) {
		if (mask[i] == '*' || mask[i] == '?')
			*p++ = '.';
		else if (mask[i] == '.' || mask[i] == '+')
			*p++ = '\\';
		if (mask[i] != '?')
			*p++ = mask[i];
	}
	*p = '$';
	if (regcomp(&f->re, f->text, REG_EXTENDED | REG_NOSUB) != 0) {
		free(f);
		return fo_error(a->err, FANOUT_ENOMEM, "out of memory");
	}
	STAILQ_INSERT_TAIL(&a->sel->filters, f, link);
	return 0;
}

/*
 * Words with * or ? that leave hosts out mean those that are selected, too,
 * not only those that a group knows: "-w n[1-9] -x 'n*'" leaves nothing.
 */
static int
mask_filters(struct arg *a, size_t from, size_t len, bool *masks_only)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+=~*?";
	size_t at, end, next;
	int rc = 0;

	*masks_only = true;
	for (at = from; rc == 0 && at < from + len; at = next + 1) {
		at = skip_blanks(a->s, at);
		end = item_end(a->s, at, &next);
		if (end > from + len)
			end = from + len;
		if (strcspn(a->s + at, "*?") < end - at &&
		    strspn(a->s + at, plain) >= end - at)
			rc = mask_filter(a, a->s + at, end - at);
		else
			*masks_only = false;
	}
	return rc;
}

static int
eval(struct arg *a, struct fanout_hosts *set, size_t from, size_t len)
{
	struct fo_expr ex = { .text = a->s + from, .len = len, .base = from,
	    .err = a->err, .trace = a->sel->trace,
	    .leaves_out = set == a->sel->drop && !a->exclude };
	bool masks_only = false;
	int rc;

	if (memchr(ex.text, '@', len) != NULL ||
	    memchr(ex.text, '*', len) != NULL ||
	    memchr(ex.text, '?', len) != NULL)
		if ((rc = fo_select_groups(a->sel, a->err)) != 0)
			return rc;
	ex.groups = a->sel->groups;
	if ((a->exclude || set == a->sel->drop) &&
	    (rc = mask_filters(a, from, len, &masks_only)) != 0)
		return rc;
	rc = fo_expr_apply(set, &ex);
	/* Without any groups there is nobody else that could be meant. */
	return rc == FANOUT_ECONFIG && masks_only ? 0 : rc;
}

static int
load(struct arg *a, struct fanout_hosts *set, const char *path, size_t len)
{
	char *copy;
	int rc;

	if (len == 0)
		return fail(a, (size_t)(path - a->s), "expected a file name");
	if ((rc = fo_select_groups(a->sel, a->err)) != 0)
		return rc;
	if ((copy = strndup(path, len)) == NULL)
		return fo_error(a->err, FANOUT_ENOMEM, "out of memory");
	if (strcmp(copy, "-") == 0 && a->sel->input_read)
		rc = fail(a, (size_t)(path - a->s),
		    "standard input was read already");
	else
		rc = fo_hostfile_trace(set, copy, a->sel->groups,
		    a->sel->trace, set == a->sel->drop && !a->exclude,
		    a->err);
	a->sel->input_read |= strcmp(copy, "-") == 0;
	free(copy);
	return rc;
}

/* "/re/" at a->at; the closing '/' may be left out (pdsh). */
static int
regex_item(struct arg *a, bool keep)
{
	size_t from = a->at + 1, end, k;
	char why[128];
	struct fo_filter *f;
	int rc;

	for (end = from; a->s[end] != '\0' && a->s[end] != '/'; end++)
		if (a->s[end] == '\\' && a->s[end + 1] != '\0')
			end++;
	if (a->s[end] == '/')
		a->at = skip_blanks(a->s, end + 1);
	else
		end = item_end(a->s, from, &a->at);
	if (a->s[a->at] != '\0' && a->s[a->at] != ',')
		return fail(a, a->at, "expected ',' behind the /regex/");
	if ((k = end - from) > FO_REGEX_MAX)
		return fo_error_at(a->err, FANOUT_ELIMIT, from, 0,
		    "a regex of more than %d characters", FO_REGEX_MAX);
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return fo_error(a->err, FANOUT_ENOMEM, "out of memory");
	memcpy(f->text, a->s + from, k);
	if ((rc = regcomp(&f->re, f->text, REG_EXTENDED | REG_NOSUB)) != 0) {
		(void)regerror(rc, &f->re, why, sizeof(why));
		rc = fo_error_at(a->err, rc == REG_ESPACE ? FANOUT_ENOMEM :
		    FANOUT_EPARSE, from, 0, "/%s/: %s", f->text, why);
		free(f);
		return rc;
	}
	f->keep = keep;
	STAILQ_INSERT_TAIL(&a->sel->filters, f, link);
	return 0;
}

static int
file_item(struct arg *a, struct fanout_hosts *set)
{
	size_t from = a->at + 1, end = item_end(a->s, from, &a->at);

	return load(a, set, a->s + from, end - from);
}

/* What begins with '-': standard input, or something to leave out. */
static int
minus_item(struct arg *a)
{
	size_t from = a->at + 1, len;

	if (a->s[from] == '\0' || a->s[from] == ',' ||
	    a->s[skip_blanks(a->s, from)] == '\0') {
		a->at = skip_blanks(a->s, from);
		return load(a, a->acc, a->s + from - 1, 1);
	}
	if (a->exclude)
		return fail(a, a->at, "-x leaves out already: no '-' here");
	a->at = from;
	if (a->s[from] == '^')
		return file_item(a, a->sel->drop);
	if (a->s[from] == '/')
		return regex_item(a, false);
	len = fo_pattern_span(a->s + from, strlen(a->s + from), ",!&^");
	a->at = skip_blanks(a->s, from + len);
	if (a->s[a->at] != '\0' && a->s[a->at] != ',')
		return fail(a, a->at,
		    "expected ',' behind what '-' leaves out");
	return eval(a, a->sel->drop, from, len);
}

/* A stretch of plain expression: up to a ',' with one of pdsh's behind. */
static int
plain_items(struct arg *a)
{
	size_t from = a->at, at = from, next;

	for (;;) {
		at += fo_pattern_span(a->s + at, strlen(a->s + at), ",");
		if (a->s[at] == '\0')
			break;
		next = skip_blanks(a->s, at + 1);
		if (a->s[at] == ',' && a->s[next] != '\0' &&
		    strchr("^-/", a->s[next]) != NULL)
			break;
		at++;
	}
	a->at = at;
	return eval(a, a->acc, from, at - from);
}

static int
one_item(struct arg *a)
{
	switch (a->s[a->at]) {
	case '^':
		return file_item(a, a->acc);
	case '-':
		return minus_item(a);
	case '/':
		return regex_item(a, !a->exclude);
	default:
		return plain_items(a);
	}
}

/* Do the items from here on name hosts, or only leave some out? */
static bool
names_hosts(const char *s)
{
	size_t at, len;

	for (at = skip_blanks(s, 0);; at = skip_blanks(s, at + 1)) {
		len = fo_pattern_span(s + at, strlen(s + at), ",");
		if (s[at] != '/' && (s[at] != '-' || len == 1))
			return true;
		at += len;
		at += strcspn(s + at, ",");
		if (s[at] == '\0')
			return false;
	}
}

static int
all_items(struct arg *a)
{
	int rc;

	for (;;) {
		a->at = skip_blanks(a->s, a->at);
		if ((rc = one_item(a)) != 0)
			return rc;
		if (a->s[a->at] == '\0')
			return 0;
		a->at++;
	}
}

/* -w and -x: the argument stands for itself, then joins the others. */
int
fo_select_hosts(struct fanout_selection *sel, const char *s, bool exclude,
    struct fanout_error *err)
{
	struct arg a = { .sel = sel, .s = s, .exclude = exclude, .err = err };
	struct fanout_hosts *into = exclude ? sel->drop : sel->take;
	int rc;

	if (!exclude)
		sel->named |= names_hosts(s);
	if (!fo_expr_shrinks(s, strlen(s))) {
		a.acc = into;
		return all_items(&a);
	}
	if ((rc = fanout_hosts_new(&a.acc)) != 0)
		return fo_set_error(into, rc, err);
	a.acc->max = into->max;
	if ((rc = all_items(&a)) == 0 &&
	    (rc = fanout_hosts_union(into, a.acc)) != 0)
		(void)fo_set_error(into, rc, err);
	fanout_hosts_free(a.acc);
	return rc;
}

/* A query of genders has signs that are operators elsewhere. */
static bool
is_query(const char *s, size_t len)
{
	return memchr(s, '~', len) != NULL || memchr(s, '(', len) != NULL ||
	    memmem(s, len, "&&", 2) != NULL ||
	    memmem(s, len, "||", 2) != NULL || memmem(s, len, "--", 2) != NULL;
}

static int
query(const struct fo_expr *ex, struct fanout_hosts *into)
{
	struct fanout_hosts *set;
	int rc;

	if ((rc = fanout_hosts_new(&set)) != 0)
		return fo_set_error(into, rc, ex->err);
	set->max = into->max;
	if ((rc = fo_groups_eval(ex, 0, ex->text, set)) != 0) {
		fanout_hosts_free(set);
		return rc;
	}
	rc = fanout_hosts_union(into, set);
	if (ex->trace == NULL)
		fanout_hosts_free(set);
	else if (fo_trace_note(ex->trace, NULL, ',', ex->text, ex->len,
	    set) != 0)
		rc = FANOUT_ENOMEM;
	return rc == 0 ? 0 : fo_set_error(into, rc, ex->err);
}

/* -g and -X: names of groups, the '@' understood. */
int
fo_select_group(struct fanout_selection *sel, const char *s, bool exclude,
    struct fanout_error *err)
{
	struct fanout_hosts *into = exclude ? sel->drop : sel->take;
	struct fo_expr ex = { .err = err, .trace = sel->trace };
	size_t at = 0, len;
	char *ref;
	int rc, n;

	if ((rc = fo_select_groups(sel, err)) != 0)
		return rc;
	ex.groups = sel->groups;
	for (;;) {
		at = skip_blanks(s, at);
		if ((len = fo_pattern_span(s + at, strlen(s + at), ",")) == 0)
			return fo_error_at(err, FANOUT_EPARSE, at, 0,
			    "expected the name of a group");
		n = asprintf(&ref, "%s%.*s", s[at] == '@' ? "" : "@",
		    (int)len, s + at);
		if (n == -1)
			return fo_error(err, FANOUT_ENOMEM, "out of memory");
		ex.text = ref;
		ex.len = (size_t)n;
		rc = is_query(ref, (size_t)n) ? query(&ex, into) :
		    fo_expr_apply(into, &ex);
		free(ref);
		if (rc != 0 && err != NULL)	/* as if it had no '@' */
			err->offset = at + (s[at] != '@' && err->offset > 0 ?
			    err->offset - 1 : err->offset);
		if (rc != 0)
			return rc;
		at = skip_blanks(s, at + len);
		if (s[at] == '\0')
			return 0;
		if (s[at++] != ',')
			return fo_error_at(err, FANOUT_EPARSE, at - 1, 0,
			    "expected ',' before this");
	}
}

int
fo_select_file(struct fanout_selection *sel, const char *path,
    struct fanout_error *err)
{
	struct arg a = { .sel = sel, .s = path, .err = err };

	return load(&a, sel->take, path, strlen(path));
}
