#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/err.h"
#include "yamlread.h"

#define LIBYAML "libyaml-0.so.2"

struct library {
	void	*handle;
	int	(*initialize)(yaml_parser_t *);
	void	(*set_input_file)(yaml_parser_t *, FILE *);
	int	(*parse)(yaml_parser_t *, yaml_event_t *);
	void	(*event_delete)(yaml_event_t *);
	void	(*parser_delete)(yaml_parser_t *);
};

struct fo_yaml {
	struct library lib;
	yaml_parser_t parser;
	bool	 made;		/* the parser is */
	yaml_event_t ev;	/* the current one */
	FILE	*f;
	const char *path;
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
open_library(struct fo_yaml *y)
{
	struct library *lib = &y->lib;
	bool all = true;

	if ((lib->handle = dlopen(LIBYAML, RTLD_NOW | RTLD_LOCAL)) == NULL)
		return fo_error(y->err, FANOUT_ECONFIG,
		    "%s: reading it needs %s (on Debian libyaml-0-2)",
		    y->path, LIBYAML);
	*(void **)&lib->initialize = symbol(lib, "yaml_parser_initialize",
	    &all);
	*(void **)&lib->set_input_file = symbol(lib,
	    "yaml_parser_set_input_file", &all);
	*(void **)&lib->parse = symbol(lib, "yaml_parser_parse", &all);
	*(void **)&lib->event_delete = symbol(lib, "yaml_event_delete", &all);
	*(void **)&lib->parser_delete = symbol(lib, "yaml_parser_delete",
	    &all);
	return all ? 0 : fo_error(y->err, FANOUT_ECONFIG, "%s is not the "
	    "libyaml we know", LIBYAML);
}

int
fo_yaml_expected(const struct fo_yaml *y, const char *what)
{
	size_t line = y->ev.start_mark.line + 1;

	return fo_error_at(y->err, FANOUT_EPARSE, 0, (unsigned)line,
	    "%s:%zu: expected %s", y->path, line, what);
}

/* The next event, whatever it is; the one before is freed. */
static int
next(struct fo_yaml *y)
{
	size_t line;

	y->lib.event_delete(&y->ev);
	if (y->lib.parse(&y->parser, &y->ev))
		return 0;
	memset(&y->ev, 0, sizeof(y->ev));
	line = y->parser.problem_mark.line + 1;
	return fo_error_at(y->err, FANOUT_EPARSE, 0, (unsigned)line,
	    "%s:%zu: %s", y->path, line, y->parser.problem == NULL ?
	    "out of memory" : y->parser.problem);
}

/* Where streams and documents begin and end is of no interest. */
int
fo_yaml_next(struct fo_yaml *y)
{
	int rc;

	do {
		rc = next(y);
	} while (rc == 0 && (y->ev.type == YAML_STREAM_START_EVENT ||
	    y->ev.type == YAML_DOCUMENT_START_EVENT ||
	    y->ev.type == YAML_DOCUMENT_END_EVENT));
	return rc;
}

enum fo_yaml_kind
fo_yaml_kind(const struct fo_yaml *y)
{
	switch (y->ev.type) {
	case YAML_SCALAR_EVENT:
		return FO_YAML_SCALAR;
	case YAML_SEQUENCE_START_EVENT:
		return FO_YAML_LIST;
	case YAML_SEQUENCE_END_EVENT:
		return FO_YAML_LIST_END;
	case YAML_MAPPING_START_EVENT:
		return FO_YAML_MAP;
	case YAML_MAPPING_END_EVENT:
		return FO_YAML_MAP_END;
	case YAML_STREAM_END_EVENT:
		return FO_YAML_END;
	default:
		return FO_YAML_OTHER;
	}
}

const char *
fo_yaml_text(const struct fo_yaml *y)
{
	const char *s = (const char *)y->ev.data.scalar.value;

	return y->ev.data.scalar.plain_implicit &&
	    (strcmp(s, "~") == 0 || strcmp(s, "null") == 0) ? "" : s;
}

int
fo_yaml_skip(struct fo_yaml *y)
{
	unsigned depth = 0;
	int rc;

	do {
		switch (fo_yaml_kind(y)) {
		case FO_YAML_LIST:
		case FO_YAML_MAP:
			depth++;
			break;
		case FO_YAML_LIST_END:
		case FO_YAML_MAP_END:
			depth--;
			break;
		case FO_YAML_END:
			return fo_yaml_expected(y, "more");
		default:
			break;
		}
		rc = fo_yaml_next(y);
	} while (rc == 0 && depth > 0);
	return rc;
}

void
fo_yaml_close(struct fo_yaml *y)
{
	if (y == NULL)
		return;
	if (y->made) {
		y->lib.event_delete(&y->ev);
		y->lib.parser_delete(&y->parser);
	}
	if (y->lib.handle != NULL)
		(void)dlclose(y->lib.handle);
	if (y->f != NULL)
		(void)fclose(y->f);
	free(y);
}

int
fo_yaml_open(struct fo_yaml **out, const char *path, struct fanout_error *err)
{
	struct fo_yaml *y;
	int rc;

	*out = NULL;
	if ((y = calloc(1, sizeof(*y))) == NULL)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	y->path = path;
	y->err = err;
	if ((y->f = fopen(path, "re")) == NULL) {
		rc = errno == EACCES || errno == EPERM ? 0 :
		    fo_error_sys(err, "cannot open %s", path);
		fo_yaml_close(y);
		return rc;
	}
	if ((rc = open_library(y)) == 0) {
		if (!(y->made = y->lib.initialize(&y->parser)))
			rc = fo_error(err, FANOUT_ENOMEM, "out of memory");
		else
			y->lib.set_input_file(&y->parser, y->f);
	}
	if (rc == 0)
		rc = fo_yaml_next(y);
	if (rc != 0) {
		fo_yaml_close(y);
		return rc;
	}
	*out = y;
	return 0;
}
