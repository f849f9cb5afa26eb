#include <stdlib.h>
#include <string.h>

#include "ansible.h"
#include "base/err.h"
#include "lines.h"
#include "yamlread.h"

#define BLANKS " \t\r"

static int
nomem(struct fanout_error *err)
{
	return fo_error(err, FANOUT_ENOMEM, "out of memory");
}

/* ---- INI ----------------------------------------------------------------- */

enum section { HOSTS, CHILDREN, OTHER };

/* "key=value key='a value'" behind a host; comments end it. */
static int
read_variables(struct inventory *v, const char *host, char *s)
{
	char *key, *value, *end, quote;

	for (;;) {
		s += strspn(s, BLANKS);
		if (*s == '\0' || *s == '#')
			return 0;
		key = s;
		s += strcspn(s, "=" BLANKS);
		if (*s != '=') {
			s += *s != '\0';
			continue;
		}
		*s++ = '\0';
		quote = *s == '"' || *s == '\'' ? *s++ : '\0';
		value = s;
		end = quote != '\0' ? strchr(s, quote) : s + strcspn(s, BLANKS);
		if (end == NULL)
			end = s + strlen(s);
		s = *end == '\0' ? end : end + 1;
		*end = '\0';
		if (ansible_variable(v, host, key, value) == -1)
			return -1;
	}
}

static int
read_member(struct inventory *v, const char *group, enum section section,
    char *s)
{
	char *rest = s + strcspn(s, BLANKS);

	if (*rest != '\0')
		*rest++ = '\0';
	if (ansible_member(v, group, s, section == CHILDREN) == -1)
		return -1;
	return section == HOSTS ? read_variables(v, s, rest) : 0;
}

/* "[group]", "[group:children]", "[group:vars]". */
static int
read_header(struct inventory *v, struct fo_lines *l, char *s, char **group,
    enum section *section, struct fanout_error *err)
{
	char *end = strchr(s, ']'), *kind;

	if (end == NULL || end == s + 1)
		return fo_lines_error(l, FANOUT_EPARSE, "expected \"[group]\"",
		    err);
	*end = '\0';
	if ((kind = strchr(++s, ':')) != NULL)
		*kind++ = '\0';
	if (kind == NULL)
		*section = HOSTS;
	else if (strcmp(kind, "children") == 0)
		*section = CHILDREN;
	else if (strcmp(kind, "vars") == 0)
		*section = OTHER;
	else
		return fo_lines_error(l, FANOUT_EPARSE, "a section is "
		    "[group], [group:children] or [group:vars]", err);
	free(*group);
	if ((*group = strdup(s)) == NULL || (*section != OTHER &&
	    ansible_member(v, s, NULL, false) == -1))
		return nomem(err);
	return 0;
}

int
ansible_read_ini(struct inventory *v, const char *path,
    struct fanout_error *err)
{
	enum section section = HOSTS;
	char *group = strdup("ungrouped"), *s;
	struct fo_lines l;
	int rc;

	if (group == NULL)
		return nomem(err);
	if ((rc = fo_lines_open(&l, path, err)) != 0) {
		free(group);
		return rc;
	}
	while ((rc = fo_lines_next(&l, err)) == 1) {
		s = l.line + strspn(l.line, BLANKS);
		if (*s == '\0' || *s == '#' || *s == ';')
			continue;
		if (*s == '[' && strchr(s, '=') == NULL) {
			if ((rc = read_header(v, &l, s, &group, &section,
			    err)) != 0)
				break;
		} else if (section != OTHER &&
		    read_member(v, group, section, s) == -1) {
			rc = nomem(err);
			break;
		}
	}
	free(group);
	fo_lines_close(&l);
	return rc;
}

/* ---- YAML ---------------------------------------------------------------- */

struct reader {
	struct fo_yaml *y;
	struct inventory *v;
	struct fanout_error *err;
};

static int	read_group(struct reader *, const char *group);

/* Each key of a map, with what takes its value; a value that is no map is
 * nothing. The current event is the value, and afterwards is behind it. */
static int
each_key(struct reader *r, const char *group,
    int (*fn)(struct reader *, const char *group, const char *key))
{
	char *key;
	int rc;

	if (fo_yaml_kind(r->y) == FO_YAML_SCALAR &&
	    *fo_yaml_text(r->y) == '\0')
		return fo_yaml_next(r->y);
	if (fo_yaml_kind(r->y) != FO_YAML_MAP)
		return fo_yaml_expected(r->y, "names with a colon behind each");
	if ((rc = fo_yaml_next(r->y)) != 0)
		return rc;
	while (rc == 0 && fo_yaml_kind(r->y) == FO_YAML_SCALAR) {
		if ((key = strdup(fo_yaml_text(r->y))) == NULL)
			return nomem(r->err);
		if ((rc = fo_yaml_next(r->y)) == 0)
			rc = fn(r, group, key);
		free(key);
	}
	if (rc != 0)
		return rc;
	return fo_yaml_kind(r->y) == FO_YAML_MAP_END ? fo_yaml_next(r->y) :
	    fo_yaml_expected(r->y, "a name with a colon behind it");
}

static int
on_variable(struct reader *r, const char *host, const char *key)
{
	if (fo_yaml_kind(r->y) == FO_YAML_SCALAR &&
	    ansible_variable(r->v, host, key, fo_yaml_text(r->y)) == -1)
		return nomem(r->err);
	return fo_yaml_skip(r->y);
}

static int
on_host(struct reader *r, const char *group, const char *host)
{
	if (ansible_member(r->v, group, host, false) == -1)
		return nomem(r->err);
	return each_key(r, host, on_variable);
}

static int
on_child(struct reader *r, const char *group, const char *child)
{
	if (ansible_member(r->v, group, child, true) == -1)
		return nomem(r->err);
	return read_group(r, child);
}

static int
on_part(struct reader *r, const char *group, const char *part)
{
	if (strcmp(part, "hosts") == 0)
		return each_key(r, group, on_host);
	if (strcmp(part, "children") == 0)
		return each_key(r, group, on_child);
	return fo_yaml_skip(r->y);
}

static int
read_group(struct reader *r, const char *group)
{
	if (ansible_member(r->v, group, NULL, false) == -1)
		return nomem(r->err);
	return each_key(r, group, on_part);
}

static int
on_top(struct reader *r, const char *none, const char *group)
{
	(void)none;
	return read_group(r, group);
}

int
ansible_read_yaml(struct inventory *v, const char *path,
    struct fanout_error *err)
{
	struct reader r = { .v = v, .err = err };
	int rc;

	if ((rc = fo_yaml_open(&r.y, path, err)) != 0 || r.y == NULL)
		return rc;
	if (fo_yaml_kind(r.y) != FO_YAML_END)
		rc = each_key(&r, "", on_top);
	fo_yaml_close(r.y);
	return rc;
}
