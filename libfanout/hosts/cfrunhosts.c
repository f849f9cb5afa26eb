/*
 * cfrunhosts.c - the file cfrun.hosts of CFEngine 2 (cfrun(8), cfrun.c), read
 * as a whole for cfrun(1), and its names as a source with one group, "hosts".
 *
 *	keyword = value		domain, access, maxchild, outputdir, ...
 *	include = FILE		relative to the folder of this one
 *	HOST[:PORT] [options]	the port is cf-serverd's, not ssh's
 *
 * '#' begins a comment. A domain holds for the lines behind it. CFEngine takes
 * a keyword it does not know for a host; here that is an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "lines.h"
#include "set.h"
#include "sources.h"
#include "table.h"

#define INCLUDE_DEPTH	16

struct fanout_cfhosts {
	struct fanout_cfhost *hosts;
	size_t		 count, size;
	struct fanout_hosts *names;	/* "name:port", to find them again */
	struct fo_arena	 texts;
	struct fanout_cfcontrol control;
};

struct reader {
	struct fanout_cfhosts *cf;
	const char	*domain;	/* "": none */
	unsigned	 depth;
	struct fo_lines	*line;
	const char	*file;
	struct fanout_error *err;
};

static int	read_file(struct reader *, const char *);

static int
no_memory(struct reader *rd)
{
	return fo_error(rd->err, FANOUT_ENOMEM, "out of memory");
}

static int
wrong(struct reader *rd, const char *what)
{
	return fo_lines_error(rd->line, FANOUT_EPARSE, what, rd->err);
}

static const char *
keep(struct reader *rd, const char *s)
{
	return fo_arena_dup(&rd->cf->texts, s, strlen(s));
}

/* ---- settings ---------------------------------------------------------- */

enum setting {
	DOMAIN, ACCESS, MAXCHILD, OUTPUTDIR, OUTPUTLEVEL, HOSTNAMEKEYS, BIND,
	INCLUDE
};

static const char *const keywords[] = {
	[DOMAIN] = "domain", [ACCESS] = "access", [MAXCHILD] = "maxchild",
	[OUTPUTDIR] = "outputdir", [OUTPUTLEVEL] = "outputlevel",
	[HOSTNAMEKEYS] = "hostnamekeys", [BIND] = "bindtointerface",
	[INCLUDE] = "include"
};
#define NKEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

static int
set_text(struct reader *rd, const char **to, const char *value)
{
	return (*to = keep(rd, value)) == NULL ? no_memory(rd) : 0;
}

static int
set_maxchild(struct reader *rd, const char *value)
{
	const char *why;
	long long n = strtonum(value, 0, 100000, &why);

	if (why != NULL)
		return wrong(rd, "maxchild is a number up to 100000");
	rd->cf->control.maxchild = n == 0 ? 1 : (unsigned)n;
	return 0;
}

static int
set_level(struct reader *rd, const char *value)
{
	if (strcmp(value, "normal") != 0 && strcmp(value, "inform") != 0 &&
	    strcmp(value, "error") != 0)
		return wrong(rd, "outputlevel is normal, inform or error");
	return set_text(rd, &rd->cf->control.outputlevel, value);
}

/* A file beside this one, unless its path says where. */
static int
include(struct reader *rd, const char *path)
{
	const char *slash = strrchr(rd->file, '/');
	char *beside;
	int rc;

	if (*path == '/' || slash == NULL)
		return read_file(rd, path);
	if (asprintf(&beside, "%.*s/%s", (int)(slash - rd->file), rd->file,
	    path) == -1)
		return no_memory(rd);
	rc = read_file(rd, beside);
	free(beside);
	return rc;
}

static int
set(struct reader *rd, enum setting what, const char *value)
{
	struct fanout_cfcontrol *c = &rd->cf->control;

	if (*value == '\0')
		return wrong(rd, "there is no value");
	if (what != ACCESS && strpbrk(value, " \t") != NULL)
		return wrong(rd, "there is more than one value");
	switch (what) {
	case DOMAIN:
		return set_text(rd, &rd->domain, value);
	case ACCESS:
		return set_text(rd, &c->access, value);
	case MAXCHILD:
		return set_maxchild(rd, value);
	case OUTPUTDIR:
		return set_text(rd, &c->outputdir, value);
	case OUTPUTLEVEL:
		return set_level(rd, value);
	case HOSTNAMEKEYS:
		c->hostnamekeys = strcmp(value, "true") == 0 ||
		    strcmp(value, "yes") == 0 || strcmp(value, "on") == 0;
		return 0;
	case BIND:
		return set_text(rd, &c->bindtointerface, value);
	case INCLUDE:
		return include(rd, value);
	}
	return 0;
}

/* ---- hosts ------------------------------------------------------------- */

/* Cuts the port off "host:port" or "[address]:port". -1: it is none. */
static int
cut_port(char *s, char **name, unsigned *port)
{
	char *colon = strrchr(s, ':'), *close = strchr(s, ']');
	const char *why = NULL;

	*port = 0;
	*name = s;
	if (*s == '[') {
		if (close == NULL || (close[1] != '\0' && close[1] != ':'))
			return -1;
		*name = s + 1;
		*close = '\0';
		colon = close[1] == ':' ? close + 1 : NULL;
	} else if (colon != NULL && strchr(s, ':') != colon)
		colon = NULL;		/* an IPv6 address without a port */
	if (colon == NULL)
		return 0;
	*colon = '\0';
	*port = (unsigned)strtonum(colon + 1, 1, 65535, &why);
	return why == NULL ? 0 : -1;
}

/* Was it there already? Negative: an error. */
static int
is_new(struct reader *rd, const struct fanout_cfhost *h)
{
	char *key;
	int rc;

	if (asprintf(&key, "%s:%u", h->name, h->port) == -1)
		return FANOUT_ENOMEM;
	rc = fo_set_put(rd->cf->names, key, strlen(key));
	free(key);
	return rc;
}

static bool
is_name(const char *s)
{
	/* What a name or an address is made of, and no expression. */
	return *s != '\0' && *s != '-' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:%")] == '\0';
}

static int
append(struct reader *rd, const struct fanout_cfhost *h)
{
	struct fanout_cfhosts *cf = rd->cf;
	struct fanout_cfhost *more;
	size_t size = cf->size == 0 ? 64 : cf->size * 2;

	if (cf->count == cf->size) {
		more = reallocarray(cf->hosts, size, sizeof(*more));
		if (more == NULL)
			return no_memory(rd);
		cf->hosts = more;
		cf->size = size;
	}
	cf->hosts[cf->count++] = *h;
	return 0;
}

static int
add_host(struct reader *rd, char *s)
{
	struct fanout_cfhost h = { .file = rd->file,
	    .line = rd->line->number };
	char *options = s + strcspn(s, " \t"), *name, *full;
	int rc;

	if (*options != '\0')
		*options++ = '\0';
	options += strspn(options, " \t");
	if (cut_port(s, &name, &h.port) == -1 || !is_name(name))
		return wrong(rd, "this is no host, nor a setting");
	if (*options == '=' || strchr(s, '=') != NULL)
		return wrong(rd, "there is no such setting");
	if (asprintf(&full, "%s%s%s", name, *rd->domain != '\0' &&
	    strpbrk(name, ".:") == NULL ? "." : "",
	    strpbrk(name, ".:") == NULL ? rd->domain : "") == -1)
		return no_memory(rd);
	h.written = keep(rd, name);
	h.name = keep(rd, full);
	h.options = keep(rd, options);
	free(full);
	if (h.written == NULL || h.name == NULL || h.options == NULL)
		return no_memory(rd);
	if ((rc = is_new(rd, &h)) < 0)
		return no_memory(rd);
	return rc == 1 ? append(rd, &h) : 0;
}

/* ---- the file ---------------------------------------------------------- */

/* The value of "keyword = value"; NULL: the line is something else. */
static char *
value_of(char *s, enum setting *what)
{
	size_t i, len = strcspn(s, " \t=");
	char *value = s + len + strspn(s + len, " \t");

	if (*value != '=')
		return NULL;
	for (i = 0; i < NKEYWORDS; i++)
		if (strlen(keywords[i]) == len &&
		    memcmp(keywords[i], s, len) == 0)
			break;
	if (i == NKEYWORDS)
		return NULL;
	value += 1 + strspn(value + 1, " \t");
	*what = (enum setting)i;
	return value;
}

static int
read_line(struct reader *rd)
{
	char *s = fo_lines_trim(rd->line), *value;
	enum setting what;

	if (*s == '\0')
		return 0;
	if ((value = value_of(s, &what)) != NULL)
		return set(rd, what, value);
	return add_host(rd, s);
}

static int
read_file(struct reader *rd, const char *path)
{
	struct reader inner = *rd;
	struct fo_lines l;
	int rc;

	if (rd->depth == INCLUDE_DEPTH)
		return fo_error(rd->err, FANOUT_ELIMIT,
		    "%s: files include each other more than %d deep", path,
		    INCLUDE_DEPTH);
	if ((inner.file = keep(rd, path)) == NULL)
		return no_memory(rd);
	if ((rc = fo_lines_open(&l, inner.file, rd->err)) != 0)
		return rc;
	inner.line = &l;
	inner.depth++;
	while ((rc = fo_lines_next(&l, rd->err)) == 1)
		if ((rc = read_line(&inner)) != 0)
			break;
	fo_lines_close(&l);
	rd->domain = inner.domain;
	return rc;
}

/* The path of the file, or NULL: there is none. */
static char *
find_file(void)
{
	const char *const dirs[] = { getenv("CFINPUTS"), "/etc/fanout",
	    "/var/lib/cfengine3/inputs", "/var/cfengine/inputs",
	    "/var/lib/cfengine2/inputs" };
	char *path;
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (dirs[i] == NULL || *dirs[i] == '\0' ||
		    asprintf(&path, "%s/cfrun.hosts", dirs[i]) == -1)
			continue;
		if (access(path, R_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

int
fanout_cfhosts_load(struct fanout_cfhosts **out, const char *path,
    struct fanout_error *e)
{
	struct reader rd = { .domain = "", .err = e };
	char *found = NULL;
	int rc;

	*out = NULL;
	if (path == NULL && (path = found = find_file()) == NULL)
		return fo_error(e, FANOUT_EIDLE, "there is no cfrun.hosts");
	if ((rd.cf = calloc(1, sizeof(*rd.cf))) == NULL ||
	    fanout_hosts_new(&rd.cf->names) != 0)
		rc = no_memory(&rd);
	else {
		rd.cf->control = (struct fanout_cfcontrol){ "", "", "", "", 0,
		    false };
		rc = read_file(&rd, path);
	}
	free(found);
	if (rc != 0) {
		fanout_cfhosts_free(rd.cf);
		return rc;
	}
	*out = rd.cf;
	return 0;
}

void
fanout_cfhosts_free(struct fanout_cfhosts *cf)
{
	if (cf == NULL)
		return;
	fo_arena_free(&cf->texts);
	fanout_hosts_free(cf->names);
	free(cf->hosts);
	free(cf);
}

size_t
fanout_cfhosts_count(const struct fanout_cfhosts *cf)
{
	return cf->count;
}

const struct fanout_cfhost *
fanout_cfhosts_at(const struct fanout_cfhosts *cf, size_t i)
{
	return i < cf->count ? &cf->hosts[i] : NULL;
}

const struct fanout_cfcontrol *
fanout_cfhosts_control(const struct fanout_cfhosts *cf)
{
	return &cf->control;
}

/* ---- as a source of groups --------------------------------------------- */

int
fo_source_cfrun(struct fanout_groups *g, struct fanout_error *err)
{
	struct fanout_cfhosts *cf;
	struct fo_table *t;
	size_t i;
	int rc;

	if ((rc = fanout_cfhosts_load(&cf, NULL, err)) != 0)
		return rc == FANOUT_EIDLE ? 0 : rc;
	if ((t = fo_table_new()) == NULL)
		rc = FANOUT_ENOMEM;
	for (i = 0; rc == 0 && i < cf->count; i++)
		rc = fo_table_add(t, "hosts", 5, cf->hosts[i].name,
		    strlen(cf->hosts[i].name));
	fanout_cfhosts_free(cf);
	if (rc == 0)
		return fo_groups_add_source(g, "cfrun", &fo_table_ops, t, err);
	fo_table_free(t);
	return fo_error(err, rc, "out of memory");
}
