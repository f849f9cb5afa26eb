#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/err.h"
#include "groups.h"
#include "table.h"
#include "yamlfile.h"

#define LIBYAML "libyaml-0.so.2"

struct library {
	void	*handle;
	int	(*initialize)(yaml_parser_t *);
	void	(*set_input_file)(yaml_parser_t *, FILE *);
	int	(*parse)(yaml_parser_t *, yaml_event_t *);
	void	(*event_delete)(yaml_event_t *);
	void	(*parser_delete)(yaml_parser_t *);
};

struct reader {
	struct library lib;
	yaml_parser_t parser;
	yaml_event_t ev;	/* the current one */
	const char *path;
	struct fanout_groups *g;
	struct fanout_error *err;
};

static void *
symbol(const struct library *lib, const char *name, bool *all)
{
	void *p = dlsym(lib->handle, name);

	*all &= p != NULL;
	return p;
}

static int
open_library(struct reader *r)
{
	struct library *lib = &r->lib;
	bool all = true;

	if ((lib->handle = dlopen(LIBYAML, RTLD_NOW | RTLD_LOCAL)) == NULL)
		return fo_error(r->err, FANOUT_ECONFIG,
		    "%s: reading it needs %s (on Debian libyaml-0-2)",
		    r->path, LIBYAML);
	*(void **)&lib->initialize = symbol(lib, "yaml_parser_initialize",
	    &all);
	*(void **)&lib->set_input_file = symbol(lib,
	    "yaml_parser_set_input_file", &all);
	*(void **)&lib->parse = symbol(lib, "yaml_parser_parse", &all);
	*(void **)&lib->event_delete = symbol(lib, "yaml_event_delete", &all);
	*(void **)&lib->parser_delete = symbol(lib, "yaml_parser_delete",
	    &all);
	if (all)
		return 0;
	(void)dlclose(lib->handle);
	return fo_error(r->err, FANOUT_ECONFIG, "%s is not the libyaml we "
	    "know", LIBYAML);
}

static int
expected(const struct reader *r, const char *what)
{
	size_t line = r->ev.start_mark.line + 1;

	return fo_error_at(r->err, FANOUT_EPARSE, 0, (unsigned)line,
	    "%s:%zu: expected %s", r->path, line, what);
}

/* Go on to the next event; the one before is freed. */
static int
next(struct reader *r)
{
	size_t line;

	r->lib.event_delete(&r->ev);
	if (r->lib.parse(&r->parser, &r->ev))
		return 0;
	memset(&r->ev, 0, sizeof(r->ev));
	line = r->parser.problem_mark.line + 1;
	return fo_error_at(r->err, FANOUT_EPARSE, 0, (unsigned)line,
	    "%s:%zu: %s", r->path, line, r->parser.problem == NULL ?
	    "out of memory" : r->parser.problem);
}

static const char *
text(const struct reader *r)
{
	return (const char *)r->ev.data.scalar.value;
}

/* A scalar to the group; null is as good as nothing. */
static int
add(struct reader *r, struct fo_table *t, const char *group)
{
	const char *s = text(r);

	if (r->ev.data.scalar.plain_implicit &&
	    (strcmp(s, "~") == 0 || strcmp(s, "null") == 0))
		s = "";
	if (fo_table_add(t, group, strlen(group), s, strlen(s)) != 0)
		return fo_error(r->err, FANOUT_ENOMEM, "out of memory");
	return 0;
}

/* What a group stands for: a scalar, or a list of them. */
static int
read_group(struct reader *r, struct fo_table *t, const char *group)
{
	int rc;

	if ((rc = next(r)) != 0)
		return rc;
	if (r->ev.type == YAML_SCALAR_EVENT)
		return add(r, t, group);
	if (r->ev.type != YAML_SEQUENCE_START_EVENT)
		return expected(r, "hosts or a list of hosts");
	if (fo_table_add(t, group, strlen(group), "", 0) != 0)
		return fo_error(r->err, FANOUT_ENOMEM, "out of memory");
	while ((rc = next(r)) == 0 && r->ev.type == YAML_SCALAR_EVENT)
		if ((rc = add(r, t, group)) != 0)
			return rc;
	if (rc == 0 && r->ev.type != YAML_SEQUENCE_END_EVENT)
		rc = expected(r, "hosts");
	return rc;
}

static int
read_groups(struct reader *r, struct fo_table *t)
{
	char *group;
	int rc;

	if ((rc = next(r)) != 0)
		return rc;
	if (r->ev.type != YAML_MAPPING_START_EVENT)
		return expected(r, "groups: \"group: hosts\" lines");
	while ((rc = next(r)) == 0 && r->ev.type == YAML_SCALAR_EVENT) {
		if ((group = strdup(text(r))) == NULL)
			return fo_error(r->err, FANOUT_ENOMEM,
			    "out of memory");
		rc = read_group(r, t, group);
		free(group);
		if (rc != 0)
			return rc;
	}
	if (rc == 0 && r->ev.type != YAML_MAPPING_END_EVENT)
		rc = expected(r, "the name of a group");
	return rc;
}

/* The current event is the name of a source. */
static int
read_source(struct reader *r)
{
	struct fo_table *t = fo_table_new();
	char *name = strdup(text(r));
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

	/* The beginnings of the stream and of the document. */
	if ((rc = next(r)) != 0 || (rc = next(r)) != 0)
		return rc;
	if (r->ev.type == YAML_STREAM_END_EVENT)
		return 0;
	if ((rc = next(r)) != 0)
		return rc;
	if (r->ev.type != YAML_MAPPING_START_EVENT)
		return expected(r, "group sources");
	while ((rc = next(r)) == 0 && r->ev.type == YAML_SCALAR_EVENT)
		if ((rc = read_source(r)) != 0)
			return rc;
	if (rc == 0 && r->ev.type != YAML_MAPPING_END_EVENT)
		rc = expected(r, "the name of a group source");
	return rc;
}

int
fo_yamlfile_read(struct fanout_groups *g, const char *path,
    struct fanout_error *err)
{
	struct reader r = { .path = path, .g = g, .err = err };
	FILE *f = fopen(path, "re");
	int rc;

	if (f == NULL)
		return errno == EACCES || errno == EPERM ? 0 :
		    fo_error_sys(err, "cannot open %s", path);
	if ((rc = open_library(&r)) == 0) {
		if (r.lib.initialize(&r.parser)) {
			r.lib.set_input_file(&r.parser, f);
			rc = read_sources(&r);
			r.lib.event_delete(&r.ev);
			r.lib.parser_delete(&r.parser);
		} else
			rc = fo_error(err, FANOUT_ENOMEM, "out of memory");
		(void)dlclose(r.lib.handle);
	}
	(void)fclose(f);
	return rc;
}
