/*
 * select.c - from the options of a command line to one set of hosts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "groups.h"
#include "hostfile.h"
#include "select.h"
#include "set.h"

int
fanout_selection_new(struct fanout_selection **out)
{
	struct fanout_selection *sel;

	*out = NULL;
	if ((sel = calloc(1, sizeof(*sel))) == NULL)
		return FANOUT_ENOMEM;
	STAILQ_INIT(&sel->filters);
	if (fanout_hosts_new(&sel->take) != 0 ||
	    fanout_hosts_new(&sel->drop) != 0) {
		fanout_selection_free(sel);
		return FANOUT_ENOMEM;
	}
	*out = sel;
	return 0;
}

void
fanout_selection_free(struct fanout_selection *sel)
{
	struct fo_filter *f;

	if (sel == NULL)
		return;
	while ((f = STAILQ_FIRST(&sel->filters)) != NULL) {
		STAILQ_REMOVE_HEAD(&sel->filters, link);
		regfree(&f->re);
		free(f);
	}
	fanout_hosts_free(sel->take);
	fanout_hosts_free(sel->drop);
	fanout_groups_free(sel->own);
	fo_trace_free(sel->trace);
	free(sel);
}

void
fanout_selection_use_groups(struct fanout_selection *sel,
    struct fanout_groups *g)
{
	sel->groups = g;
}

void
fanout_selection_limit(struct fanout_selection *sel, size_t max)
{
	fanout_hosts_limit(sel->take, max);
	fanout_hosts_limit(sel->drop, max);
}

void
fanout_selection_pick(struct fanout_selection *sel, size_t n,
    const uint64_t *seed)
{
	sel->pick = true;
	sel->pick_n = n;
	if (seed != NULL)
		sel->seed = *seed;
	else
		arc4random_buf(&sel->seed, sizeof(sel->seed));
}

/* The groups are looked for when something first needs them. */
int
fo_select_groups(struct fanout_selection *sel, struct fanout_error *err)
{
	int rc;

	if (sel->groups != NULL)
		return 0;
	if (fanout_groups_new(&sel->own) != 0)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	if ((rc = fanout_groups_system(sel->own, err)) != 0) {
		fanout_groups_free(sel->own);
		sel->own = NULL;
		return rc;
	}
	sel->groups = sel->own;
	return 0;
}

/* Note where what follows is from, if anybody will ask. */
static int
begin(struct fanout_selection *sel, const char *where, bool exclude,
    struct fanout_error *err)
{
	if (sel->trace == NULL ||
	    fo_trace_begin(sel->trace, where, exclude) == 0)
		return 0;
	return fo_error(err, FANOUT_ENOMEM, "out of memory");
}

int
fanout_selection_add(struct fanout_selection *sel, enum fanout_select how,
    const char *text, struct fanout_error *err)
{
	char where[] = { '-', (char)how, '\0' };
	bool exclude = how == FANOUT_SELECT_NOT_HOSTS ||
	    how == FANOUT_SELECT_NOT_GROUP;
	int rc;

	if ((rc = begin(sel, how == FANOUT_SELECT_FILE ? "--hostfile" : where,
	    exclude, err)) != 0)
		return rc;
	sel->named |= !exclude && how != FANOUT_SELECT_HOSTS;
	switch (how) {
	case FANOUT_SELECT_HOSTS:
	case FANOUT_SELECT_NOT_HOSTS:
		return fo_select_hosts(sel, text, exclude, err);
	case FANOUT_SELECT_GROUP:
	case FANOUT_SELECT_NOT_GROUP:
		return fo_select_group(sel, text, exclude, err);
	case FANOUT_SELECT_ALL:
		return fo_select_group(sel, "*", false, err);
	case FANOUT_SELECT_FILE:
		return fo_select_file(sel, text, err);
	}
	return fo_error(err, FANOUT_EINVAL, "no such way to select hosts");
}

/* ---- the whole --------------------------------------------------------- */

static int
take_members(struct fanout_selection *sel, struct fanout_error *err)
{
	bool known;
	int rc;

	/* A live cluster knows better than a file. */
	if ((rc = fo_select_groups(sel, err)) != 0 || (rc = fo_groups_known(
	    sel->groups, "cluster", "members", &known, err)) != 0)
		return rc;
	if (known)
		return fo_select_group(sel, "cluster:members", false, err);
	if ((rc = fo_groups_known(sel->groups, NULL, "members", &known,
	    err)) != 0)
		return rc;
	if (!known)
		return fo_error(err, FANOUT_ECONFIG,
		    "no hosts are given: use -w, -g, -a or --hostfile, set "
		    "CFANOUT_HOSTS or WCOLL to a file of hosts, or define the "
		    "group 'members' in /etc/fanout/groups");
	return fo_select_group(sel, "members", false, err);
}

/* No option named a host. */
static int
take_default(struct fanout_selection *sel, struct fanout_error *err)
{
	static const char *const vars[] = { "CFANOUT_HOSTS", "WCOLL" };
	struct fanout_error inner;
	const char *path;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(vars) / sizeof(vars[0]); i++) {
		path = getenv(vars[i]);
		if (path == NULL || *path == '\0')
			continue;
		if ((rc = fo_select_groups(sel, err)) != 0 ||
		    (rc = begin(sel, vars[i], false, err)) != 0)
			return rc;
		rc = fo_hostfile_trace(sel->take, path, sel->groups,
		    sel->trace, false, &inner);
		if (rc == 0)
			return 0;
		return fo_error_at(err, rc, inner.offset, inner.line,
		    "%s: %s", vars[i], inner.text);
	}
	if ((rc = begin(sel, "the default", false, err)) != 0)
		return rc;
	return take_members(sel, err);
}

static bool
passes(const struct fanout_selection *sel, const struct fo_entry *e)
{
	struct fanout_hostspec hs;
	char name[FO_HOST_MAX + 1];
	struct fo_filter *f;

	if (fo_set_covers(sel->drop, e))
		return false;
	if (STAILQ_EMPTY(&sel->filters) ||
	    fanout_host_split(e->name, &hs) != 0)
		return true;
	memcpy(name, hs.name, hs.name_len);
	name[hs.name_len] = '\0';
	STAILQ_FOREACH(f, &sel->filters, link)
		if ((regexec(&f->re, name, 0, NULL, 0) == 0) != f->keep)
			return false;
	return true;
}

bool
fanout_selection_named(const struct fanout_selection *sel)
{
	return sel->named;
}

bool
fanout_selection_leaves_out(const struct fanout_selection *sel,
    const char *host)
{
	struct fanout_hosts *one;
	bool out = false;

	if (fanout_hosts_new(&one) != 0)
		return false;
	if (fo_set_put(one, host, strlen(host)) == 1)
		out = !passes(sel, &one->e[0]);
	fanout_hosts_free(one);
	return out;
}

static int
apply_filters(struct fanout_selection *sel, struct fanout_error *err)
{
	unsigned char *marks;
	size_t i;

	if (sel->take->n == 0)
		return 0;
	if ((marks = malloc(sel->take->n)) == NULL)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	for (i = 0; i < sel->take->n; i++)
		marks[i] = passes(sel, &sel->take->e[i]);
	fo_set_keep(sel->take, marks);
	free(marks);
	return 0;
}

int
fanout_selection_finish(struct fanout_hosts **out, struct fanout_selection *sel,
    struct fanout_error *err)
{
	int rc;

	*out = NULL;
	if (!sel->named && (rc = take_default(sel, err)) != 0)
		return rc;
	sel->named = true;
	if ((rc = apply_filters(sel, err)) != 0)
		return rc;
	rc = sel->pick ? fanout_hosts_pick(out, sel->take, sel->pick_n,
	    &sel->seed) : fanout_hosts_copy(out, sel->take);
	return rc == 0 ? 0 : fo_set_error(sel->take, rc, err);
}

int
fanout_selection_trace(struct fanout_selection *sel)
{
	if (sel->trace == NULL)
		sel->trace = fo_trace_new();
	return sel->trace == NULL ? FANOUT_ENOMEM : 0;
}

/* Regexes are matched last. */
static void
explain_filters(const struct fanout_selection *sel, const char *host, FILE *f)
{
	struct fanout_hostspec hs;
	char name[FO_HOST_MAX + 1];
	const struct fo_filter *fl;

	if (fanout_host_split(host, &hs) != 0 || hs.name_len > FO_HOST_MAX)
		return;
	memcpy(name, hs.name, hs.name_len);
	name[hs.name_len] = '\0';
	STAILQ_FOREACH(fl, &sel->filters, link)
		if ((regexec(&fl->re, name, 0, NULL, 0) == 0) != fl->keep)
			fprintf(f, "left out by %s/%s/\n",
			    fl->keep ? "" : "-", fl->text);
}

int
fanout_selection_explain(const struct fanout_selection *sel, const char *host,
    char **out)
{
	size_t size;
	FILE *f;

	*out = NULL;
	if (sel->trace == NULL)
		return FANOUT_EINVAL;
	if ((f = open_memstream(out, &size)) == NULL)
		return FANOUT_ENOMEM;
	fo_trace_print(sel->trace, host, f);
	explain_filters(sel, host, f);
	if (fclose(f) == 0 && *out != NULL)
		return 0;
	free(*out);
	*out = NULL;
	return FANOUT_ENOMEM;
}
