/*
 * genders.c - groups from a genders file.
 *
 *	nodes attr[=value],attr[=value],...
 *
 * nodes is a list of names, with brackets as in pdsh's hostlist; "%n" in a
 * value is the name of the node, "%%" is "%"; '#' begins a comment. A node
 * may stand on several lines. (genders' TUTORIAL; nodeattr(1))
 *
 * A group is an attribute, attr=value, or a query of them: "&&", "||" and
 * "--" from left to right, "~" before what it complements, parentheses.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "expr.h"
#include "lines.h"
#include "set.h"
#include "sources.h"
#include "table.h"

#define DEPTH_MAX	32

struct genders {
	struct fo_table *attrs;	/* "attr" and "attr=value": their nodes */
	struct fanout_hosts *all;
};

static void
genders_free(void *self)
{
	struct genders *gd = self;

	if (gd == NULL)
		return;
	fo_table_free(gd->attrs);
	fanout_hosts_free(gd->all);
	free(gd);
}

/* The value with %n and %% replaced, into buf. */
static int
expand_value(char *buf, size_t size, const char *value, const char *node)
{
	size_t n = 0, len;

	for (; *value != '\0'; value++) {
		if (n + 2 >= size)
			return FANOUT_ELIMIT;
		if (*value == '%' && value[1] == 'n') {
			len = strlen(node);
			if (n + len + 1 >= size)
				return FANOUT_ELIMIT;
			memcpy(buf + n, node, len);
			n += len;
			value++;
		} else {
			if (*value == '%' && value[1] == '%')
				value++;
			buf[n++] = *value;
		}
	}
	buf[n] = '\0';
	return 0;
}

/* One attribute of one node, under its name and under name=value. */
static int
add_attr(struct genders *gd, const char *attr, const char *node)
{
	size_t len = strcspn(attr, "=");
	char key[1024];
	int rc;

	if ((rc = fo_table_add(gd->attrs, attr, len, node, strlen(node))) != 0)
		return rc;
	if (attr[len] == '\0')
		return 0;
	if ((rc = expand_value(key, sizeof(key), attr, node)) != 0)
		return rc;
	return fo_table_add(gd->attrs, key, strlen(key), node, strlen(node));
}

static int
add_line(struct genders *gd, struct fo_lines *l, char *s,
    struct fanout_error *err)
{
	struct fanout_error inner;
	struct fanout_hosts *nodes;
	struct fo_expr ex = { .text = s, .err = &inner };
	char *attrs, *attr;
	size_t i;
	int rc;

	ex.len = strcspn(s, " \t");
	attrs = s + ex.len + strspn(s + ex.len, " \t");
	if (attrs[strcspn(attrs, " \t")] != '\0')
		return fo_lines_error(l, FANOUT_EPARSE,
		    "no blanks are allowed between attributes", err);
	if (fanout_hosts_new(&nodes) != 0)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	if ((rc = fo_expr_apply(nodes, &ex)) != 0)
		(void)fo_lines_error(l, rc, inner.text, err);
	else if ((rc = fanout_hosts_union(gd->all, nodes)) != 0)
		(void)fo_set_error(gd->all, rc, err);
	while (rc == 0 && (attr = strsep(&attrs, ",")) != NULL)
		for (i = 0; rc == 0 && *attr != '\0' && i < nodes->n; i++)
			if ((rc = add_attr(gd, attr, nodes->e[i].name)) != 0)
				(void)fo_lines_error(l, rc,
				    fanout_strerror(rc), err);
	fanout_hosts_free(nodes);
	return rc;
}

static int
read_genders(struct genders *gd, const char *path, struct fanout_error *err)
{
	struct fo_lines l;
	char *s;
	int rc;

	if ((rc = fo_lines_open(&l, path, err)) != 0)
		return rc;
	while ((rc = fo_lines_next(&l, err)) == 1) {
		s = fo_lines_trim(&l);
		if (*s != '\0' && (rc = add_line(gd, &l, s, err)) != 0)
			break;
	}
	fo_lines_close(&l);
	return rc;
}

/* ---- queries ----------------------------------------------------------- */

struct parser {
	struct genders *gd;
	const char *s;
	unsigned depth;
	bool	 known;		/* some attribute was */
	struct fanout_error *err;
};

static int	query(struct parser *, struct fanout_hosts *);

static int
no_memory(struct parser *p)
{
	return fo_error(p->err, FANOUT_ENOMEM, "out of memory");
}

static int
add_text(struct parser *p, const char *text, struct fanout_hosts *set)
{
	struct fo_expr ex = { .text = text, .len = strlen(text),
	    .err = p->err };

	p->known = true;
	return fo_expr_apply(set, &ex);
}

/* "~term": all nodes but those of the term. */
static int
complement(struct parser *p, struct fanout_hosts *set,
    int (*term)(struct parser *, struct fanout_hosts *))
{
	struct fanout_hosts *not;
	int rc;

	if (fanout_hosts_new(&not) != 0)
		return no_memory(p);
	p->s++;
	if ((rc = term(p, not)) == 0 &&
	    (fanout_hosts_union(set, p->gd->all) != 0 ||
	    fanout_hosts_subtract(set, not) != 0))
		rc = no_memory(p);
	fanout_hosts_free(not);
	return rc;
}

static int
term(struct parser *p, struct fanout_hosts *set)
{
	const char *text, *from = p->s;
	char *name;
	int rc;

	if (p->depth == DEPTH_MAX)
		return fo_error(p->err, FANOUT_ELIMIT,
		    "a query nested more than %d deep", DEPTH_MAX);
	p->depth++;
	if (*p->s == '~') {
		rc = complement(p, set, term);
	} else if (*p->s == '(') {
		p->s++;
		rc = query(p, set);
		if (rc == 0 && *p->s != ')')
			rc = fo_error(p->err, FANOUT_EPARSE,
			    "expected ')' in the query before \"%s\"", p->s);
		else if (rc == 0)
			p->s++;
	} else {
		while (*p->s != '\0' && *p->s != ')' && *p->s != '(' &&
		    strncmp(p->s, "&&", 2) != 0 &&
		    strncmp(p->s, "||", 2) != 0 &&
		    strncmp(p->s, "--", 2) != 0)
			p->s++;
		if ((name = strndup(from, (size_t)(p->s - from))) == NULL)
			return no_memory(p);
		text = fo_table_get(p->gd->attrs, name);
		rc = *name == '\0' ? fo_error(p->err, FANOUT_EPARSE,
		    "expected an attribute in the query before \"%s\"", p->s) :
		    text == NULL ? 0 : add_text(p, text, set);
		free(name);
	}
	p->depth--;
	return rc;
}

static int
query(struct parser *p, struct fanout_hosts *set)
{
	struct fanout_hosts *right;
	char op;
	int rc;

	if ((rc = term(p, set)) != 0)
		return rc;
	while (*p->s != '\0' && *p->s != ')') {
		op = *p->s;
		if (strncmp(p->s, "&&", 2) != 0 &&
		    strncmp(p->s, "||", 2) != 0 && strncmp(p->s, "--", 2) != 0)
			return fo_error(p->err, FANOUT_EPARSE,
			    "expected && || or -- in the query before \"%s\"",
			    p->s);
		p->s += 2;
		if (fanout_hosts_new(&right) != 0)
			return no_memory(p);
		if ((rc = term(p, right)) == 0 && (op == '&' ?
		    fanout_hosts_intersect(set, right) : op == '|' ?
		    fanout_hosts_union(set, right) :
		    fanout_hosts_subtract(set, right)) != 0)
			rc = no_memory(p);
		fanout_hosts_free(right);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
genders_map(void *self, const char *group, char **out,
    struct fanout_error *err)
{
	struct parser p = { .gd = self, .s = group, .err = err };
	struct fanout_hosts *set;
	int rc;

	*out = NULL;
	if (fanout_hosts_new(&set) != 0)
		return no_memory(&p);
	if ((rc = query(&p, set)) == 0 && *p.s != '\0')
		rc = fo_error(err, FANOUT_EPARSE,
		    "unexpected \"%s\" in the query", p.s);
	if (rc == 0 && p.known && fanout_hosts_fold(set, out) != 0)
		rc = no_memory(&p);
	fanout_hosts_free(set);
	return rc;
}

static int
genders_list(void *self, char **out, struct fanout_error *err)
{
	struct genders *gd = self;

	return fo_table_ops.list(gd->attrs, out, err);
}

static int
genders_all(void *self, char **out, struct fanout_error *err)
{
	struct genders *gd = self;

	return fanout_hosts_fold(gd->all, out) == 0 ? 0 :
	    fo_error(err, FANOUT_ENOMEM, "out of memory");
}

static const struct fo_source_ops genders_ops = {
	.map = genders_map, .list = genders_list, .all = genders_all,
	.free = genders_free
};

int
fo_source_genders(struct fanout_groups *g, struct fanout_error *err)
{
	const char *path = getenv("PDSH_GENDERS_FILE");
	struct genders *gd;
	int rc;

	if (path == NULL || *path == '\0') {
		path = "/etc/genders";
		if (access(path, F_OK) == -1)
			return 0;
	}
	if ((gd = calloc(1, sizeof(*gd))) == NULL ||
	    (gd->attrs = fo_table_new()) == NULL ||
	    fanout_hosts_new(&gd->all) != 0) {
		genders_free(gd);
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	}
	if ((rc = read_genders(gd, path, err)) != 0) {
		genders_free(gd);
		return rc;
	}
	return fo_groups_add_source(g, "genders", &genders_ops, gd, err);
}
