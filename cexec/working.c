#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "working.h"

int
working_open(struct working *w, const struct fanout_hosts *hosts,
    struct fanout_error *e)
{
	*w = (struct working){ .groups = NULL };
	if (fanout_hosts_copy(&w->all, hosts) != 0 ||
	    fanout_hosts_new(&w->out) != 0)
		return cli_nomem(e);
	return 0;
}

void
working_close(struct working *w)
{
	fanout_hosts_free(w->all);
	fanout_hosts_free(w->out);
	fanout_groups_free(w->groups);
	*w = (struct working){ .groups = NULL };
}

static int
parse(struct working *w, const char *expr, struct fanout_hosts **hosts,
    struct fanout_error *e)
{
	int rc;

	*hosts = NULL;
	if (w->groups == NULL) {
		if (fanout_groups_new(&w->groups) != 0)
			return cli_nomem(e);
		if ((rc = fanout_groups_system(w->groups, e)) != 0) {
			fanout_groups_free(w->groups);
			w->groups = NULL;
			return rc;
		}
	}
	if (fanout_hosts_new(hosts) != 0)
		return cli_nomem(e);
	fanout_hosts_use_groups(*hosts, w->groups);
	if ((rc = fanout_hosts_add(*hosts, expr, e)) == 0 &&
	    fanout_hosts_count(*hosts) == 0)
		rc = cli_error(e, FANOUT_EINVAL, "these are no hosts");
	return rc;
}

static void
replace(struct fanout_hosts **old, struct fanout_hosts *new)
{
	fanout_hosts_free(*old);
	*old = new;
}

/* A host that is taken out is it whatever its user or port. */
static int
take_out(struct working *w, const char *expr, struct fanout_error *e)
{
	struct fanout_hosts *rest;
	int rc;

	if (fanout_hosts_copy(&rest, w->all) != 0)
		return cli_nomem(e);
	fanout_hosts_use_groups(rest, w->groups);
	if ((rc = fanout_hosts_remove(rest, expr, e)) != 0) {
		fanout_hosts_free(rest);
		return rc;
	}
	fanout_hosts_use_groups(rest, NULL);
	if (fanout_hosts_count(rest) == fanout_hosts_count(w->all)) {
		fanout_hosts_free(rest);
		return cli_error(e, FANOUT_EINVAL, "none of these is among "
		    "the hosts");
	}
	if (fanout_hosts_intersect(w->out, rest) != 0) {
		fanout_hosts_free(rest);
		return cli_nomem(e);
	}
	replace(&w->all, rest);
	return 0;
}

int
working_change(struct working *w, char how, const char *expr,
    struct fanout_error *e)
{
	struct fanout_hosts *hosts = NULL, *copy = NULL;
	int rc;

	if ((rc = parse(w, expr, &hosts, e)) != 0) {
		fanout_hosts_free(hosts);
		return rc;
	}
	if (how == '-')
		rc = take_out(w, expr, e);
	else if (fanout_hosts_copy(&copy, how == '@' ? hosts : w->all) != 0 ||
	    fanout_hosts_union(copy, hosts) != 0 ||
	    fanout_hosts_subtract(w->out, hosts) != 0) {
		fanout_hosts_free(copy);
		rc = cli_nomem(e);
	} else {
		replace(&w->all, copy);
		(void)fanout_hosts_intersect(w->out, w->all);
	}
	fanout_hosts_free(hosts);
	return rc;
}

int
working_hosts(const struct working *w, struct fanout_hosts **hosts,
    struct fanout_error *e)
{
	if (fanout_hosts_copy(hosts, w->all) != 0)
		return cli_nomem(e);
	if (fanout_hosts_subtract(*hosts, w->out) == 0)
		return 0;
	fanout_hosts_free(*hosts);
	return cli_nomem(e);
}

char *
working_leave_out(struct working *w, const struct cli_roster *r,
    bool (*lost)(const struct cli_place *, const void *), const void *arg)
{
	bool any = false;
	size_t i;

	if (r->failed == 0)
		return NULL;
	for (i = 0; i < r->count; i++)
		if (lost(&r->places[i], arg) && fanout_hosts_add(w->out,
		    fanout_hosts_at(r->hosts, i), NULL) == 0)
			any = true;
	return any ? cli_roster_fold(r, lost, arg) : NULL;
}
