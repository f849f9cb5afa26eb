#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "groups.h"
#include "table.h"
#include "yamlfile.h"
#include "yamlread.h"

struct reader {
	struct fo_yaml *y;
	struct fanout_groups *g;
	struct fanout_error *err;
};

static int
add(struct reader *r, struct fo_table *t, const char *group, const char *s)
{
	if (fo_table_add(t, group, strlen(group), s, strlen(s)) != 0)
		return fo_error(r->err, FANOUT_ENOMEM, "out of memory");
	return 0;
}

/* What a group stands for: a scalar, or a list of them. */
static int
read_group(struct reader *r, struct fo_table *t, const char *group)
{
	int rc;

	if ((rc = fo_yaml_next(r->y)) != 0)
		return rc;
	if (fo_yaml_kind(r->y) == FO_YAML_SCALAR)
		return add(r, t, group, fo_yaml_text(r->y));
	if (fo_yaml_kind(r->y) != FO_YAML_LIST)
		return fo_yaml_expected(r->y, "hosts or a list of hosts");
	if ((rc = add(r, t, group, "")) != 0)
		return rc;
	while ((rc = fo_yaml_next(r->y)) == 0 &&
	    fo_yaml_kind(r->y) == FO_YAML_SCALAR)
		if ((rc = add(r, t, group, fo_yaml_text(r->y))) != 0)
			return rc;
	if (rc == 0 && fo_yaml_kind(r->y) != FO_YAML_LIST_END)
		rc = fo_yaml_expected(r->y, "hosts");
	return rc;
}

static int
read_groups(struct reader *r, struct fo_table *t)
{
	char *group;
	int rc;

	if ((rc = fo_yaml_next(r->y)) != 0)
		return rc;
	if (fo_yaml_kind(r->y) != FO_YAML_MAP)
		return fo_yaml_expected(r->y,
		    "groups: \"group: hosts\" lines");
	while ((rc = fo_yaml_next(r->y)) == 0 &&
	    fo_yaml_kind(r->y) == FO_YAML_SCALAR) {
		if ((group = strdup(fo_yaml_text(r->y))) == NULL)
			return fo_error(r->err, FANOUT_ENOMEM,
			    "out of memory");
		rc = read_group(r, t, group);
		free(group);
		if (rc != 0)
			return rc;
	}
	if (rc == 0 && fo_yaml_kind(r->y) != FO_YAML_MAP_END)
		rc = fo_yaml_expected(r->y, "the name of a group");
	return rc;
}

/* The current event is the name of a source. */
static int
read_source(struct reader *r)
{
	struct fo_table *t = fo_table_new();
	char *name = strdup(fo_yaml_text(r->y));
	int rc;

	if (t == NULL || name == NULL)
		rc = fo_error(r->err, FANOUT_ENOMEM, "out of memory");
	else if ((rc = read_groups(r, t)) == 0) {
		rc = fo_groups_add_source(r->g, name, &fo_table_ops, t,
		    r->err);
		t = NULL;
	}
	fo_table_free(t);
	free(name);
	return rc;
}

static int
read_sources(struct reader *r)
{
	int rc;

	if (fo_yaml_kind(r->y) == FO_YAML_END)
		return 0;
	if (fo_yaml_kind(r->y) != FO_YAML_MAP)
		return fo_yaml_expected(r->y, "group sources");
	while ((rc = fo_yaml_next(r->y)) == 0 &&
	    fo_yaml_kind(r->y) == FO_YAML_SCALAR)
		if ((rc = read_source(r)) != 0)
			return rc;
	if (rc == 0 && fo_yaml_kind(r->y) != FO_YAML_MAP_END)
		rc = fo_yaml_expected(r->y, "the name of a group source");
	return rc;
}

int
fo_yamlfile_read(struct fanout_groups *g, const char *path,
    struct fanout_error *err)
{
	struct reader r = { .g = g, .err = err };
	int rc;

	if ((rc = fo_yaml_open(&r.y, path, err)) != 0 || r.y == NULL)
		return rc;
	rc = read_sources(&r);
	fo_yaml_close(r.y);
	return rc;
}
