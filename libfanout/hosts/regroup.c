/*
 * regroup.c - say a set by the groups it consists of.
 *
 * Of the groups that lie wholly in the set, the largest are taken first, and
 * only as long as they share no host with one taken before (as nodeset -r).
 * What remains is folded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "expr.h"
#include "groups.h"
#include "set.h"

struct candidate {
	const char *name;
	struct fanout_hosts *hosts;
	size_t	 at;		/* where its source has it */
};

struct regroup {
	const struct fanout_hosts *set;
	struct fo_expr ex;	/* groups, source, err */
	struct fanout_hosts *names;
	struct candidate *c;
	size_t	 n;
};

/* "@" "source:" name, as one writes it; NULL: no memory. */
static char *
reference(const struct regroup *r, const char *name)
{
	char *ref;

	if (asprintf(&ref, "@%s%s%s", r->ex.source == NULL ? "" :
	    r->ex.source, r->ex.source == NULL ? "" : ":", name) == -1)
		return NULL;
	return ref;
}

static bool
is_within(const struct fanout_hosts *a, const struct fanout_hosts *b)
{
	size_t i;

	if (a->n == 0 || a->n > b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (fo_set_find(b, a->e[i].name, a->e[i].len) == FANOUT_NOHOST)
			return false;
	return true;
}

/* Look the group up and keep it if it lies within the set. */
static int
consider(struct regroup *r, size_t at)
{
	struct candidate *c = &r->c[r->n];
	char *ref;
	int rc;

	c->name = r->names->e[at].name;
	c->at = at;
	if ((rc = fanout_hosts_new(&c->hosts)) != 0 ||
	    (ref = reference(r, c->name)) == NULL) {
		fanout_hosts_free(c->hosts);
		return fo_error(r->ex.err, FANOUT_ENOMEM, "out of memory");
	}
	rc = fo_groups_eval(&r->ex, 0, ref, c->hosts);
	free(ref);
	if (rc == 0 && is_within(c->hosts, r->set))
		r->n++;
	else
		fanout_hosts_free(c->hosts);
	return rc;
}

static int
larger_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->hosts->n != y->hosts->n)
		return x->hosts->n > y->hosts->n ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

static int
find_candidates(struct regroup *r)
{
	size_t i;
	int rc;

	if ((rc = fo_groups_of(&r->ex, r->set, r->names)) != 0)
		return rc;
	if ((r->c = calloc(r->names->n + 1, sizeof(*r->c))) == NULL)
		return fo_error(r->ex.err, FANOUT_ENOMEM, "out of memory");
	for (i = 0; rc == 0 && i < r->names->n; i++)
		rc = consider(r, i);
	qsort(r->c, r->n, sizeof(*r->c), larger_first);
	return rc;
}

/* Take groups out of rest as long as they are in it whole. */
static int
print_groups(struct regroup *r, struct fanout_hosts *rest, FILE *f)
{
	const char *sep = "";
	char *ref, *fold;
	size_t i;

	for (i = 0; i < r->n; i++) {
		if (!is_within(r->c[i].hosts, rest))
			continue;
		if ((ref = reference(r, r->c[i].name)) == NULL ||
		    fanout_hosts_subtract(rest, r->c[i].hosts) != 0) {
			free(ref);
			return FANOUT_ENOMEM;
		}
		fprintf(f, "%s%s", sep, ref);
		free(ref);
		sep = ",";
	}
	if (rest->n == 0)
		return 0;
	if (fanout_hosts_fold(rest, &fold) != 0)
		return FANOUT_ENOMEM;
	fprintf(f, "%s%s", sep, fold);
	free(fold);
	return 0;
}

static int
print(struct regroup *r, char **out)
{
	struct fanout_hosts *rest;
	size_t size;
	FILE *f;
	int rc;

	if ((rc = fanout_hosts_copy(&rest, r->set)) != 0)
		return rc;
	if ((f = open_memstream(out, &size)) == NULL)
		rc = FANOUT_ENOMEM;
	else {
		rc = print_groups(r, rest, f);
		if (fclose(f) != 0 || *out == NULL || rc != 0) {
			rc = FANOUT_ENOMEM;
			free(*out);
			*out = NULL;
		}
	}
	fanout_hosts_free(rest);
	return rc;
}

int
fanout_hosts_regroup(const struct fanout_hosts *set, struct fanout_groups *g,
    const char *source, char **out, struct fanout_error *err)
{
	struct regroup r = { .set = set, .ex = { .groups = g,
	    .source = source, .err = err } };
	size_t i;
	int rc;

	*out = NULL;
	if ((rc = fanout_hosts_new(&r.names)) != 0)
		return fo_error(err, rc, "out of memory");
	if ((rc = find_candidates(&r)) == 0 && (rc = print(&r, out)) != 0)
		(void)fo_error(err, rc, "out of memory");
	for (i = 0; i < r.n; i++)
		fanout_hosts_free(r.c[i].hosts);
	free(r.c);
	fanout_hosts_free(r.names);
	return rc;
}
