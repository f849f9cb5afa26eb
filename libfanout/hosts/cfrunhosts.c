/*
 * cfrunhosts.c - the hosts of a cfrun.hosts file (CFEngine 2) as a source
 * with one group, "hosts".
 *
 *	domain = NAME		appended to names without a dot
 *	access = ...		and other keywords: not ours
 *	include = FILE
 *	HOST[:PORT] [options]	the port is cfengine's, not ssh's
 *
 * '#' begins a comment. The file is cfrun.hosts of CFINPUTS, else of
 * /var/lib/cfengine2/inputs or /var/cfengine/inputs. (cfrun(8), cfrun.c)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "lines.h"
#include "sources.h"
#include "table.h"

#define INCLUDE_DEPTH	16

struct reader {
	struct fo_table *t;
	char	*domain;	/* NULL: none */
	unsigned depth;
	struct fanout_error *err;
};

static const char *const keywords[] = {
	"domain", "access", "maxchild", "outputdir", "outputlevel",
	"hostnamekeys", "bindtointerface", "include"
};

static int	read_file(struct reader *, const char *);

/* "keyword = value"; NULL: it is a host. */
static char *
value_of(char *s, const char **keyword)
{
	size_t i, len;

	for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		len = strlen(keywords[i]);
		if (strncmp(s, keywords[i], len) != 0)
			continue;
		s += len + strspn(s + len, " \t");
		if (*s != '=')
			return NULL;
		s += 1 + strspn(s + 1, " \t");
		s[strcspn(s, " \t")] = '\0';
		*keyword = keywords[i];
		return s;
	}
	return NULL;
}

static int
add_host(struct reader *rd, char *s)
{
	char *name;
	int n, rc;

	s[strcspn(s, " \t:")] = '\0';
	n = asprintf(&name, "%s%s%s", s, rd->domain != NULL &&
	    strchr(s, '.') == NULL ? "." : "", rd->domain != NULL &&
	    strchr(s, '.') == NULL ? rd->domain : "");
	if (n == -1)
		return fo_error(rd->err, FANOUT_ENOMEM, "out of memory");
	rc = fo_table_add(rd->t, "hosts", 5, name, (size_t)n);
	free(name);
	return rc == 0 ? 0 : fo_error(rd->err, rc, "out of memory");
}

static int
read_line(struct reader *rd, struct fo_lines *l)
{
	const char *keyword = NULL;
	char *s = fo_lines_trim(l), *value;

	if (*s == '\0')
		return 0;
	if ((value = value_of(s, &keyword)) == NULL)
		return add_host(rd, s);
	if (strcmp(keyword, "include") == 0)
		return read_file(rd, value);
	if (strcmp(keyword, "domain") != 0)
		return 0;
	free(rd->domain);
	return (rd->domain = strdup(value)) == NULL ?
	    fo_error(rd->err, FANOUT_ENOMEM, "out of memory") : 0;
}

static int
read_file(struct reader *rd, const char *path)
{
	struct fo_lines l;
	int rc;

	if (rd->depth == INCLUDE_DEPTH)
		return fo_error(rd->err, FANOUT_ELIMIT,
		    "%s: files include each other more than %d deep", path,
		    INCLUDE_DEPTH);
	if ((rc = fo_lines_open(&l, path, rd->err)) != 0)
		return rc;
	rd->depth++;
	while ((rc = fo_lines_next(&l, rd->err)) == 1)
		if ((rc = read_line(rd, &l)) != 0)
			break;
	rd->depth--;
	fo_lines_close(&l);
	return rc;
}

/* The path of the file, or NULL: there is none. */
static char *
find_file(void)
{
	const char *const dirs[] = { getenv("CFINPUTS"),
	    "/var/lib/cfengine2/inputs", "/var/cfengine/inputs" };
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
fo_source_cfrun(struct fanout_groups *g, struct fanout_error *err)
{
	struct reader rd = { .err = err };
	char *path = find_file();
	int rc;

	if (path == NULL)
		return 0;
	rc = (rd.t = fo_table_new()) == NULL ?
	    fo_error(err, FANOUT_ENOMEM, "out of memory") :
	    read_file(&rd, path);
	free(path);
	free(rd.domain);
	if (rc == 0)
		return fo_groups_add_source(g, "cfrun", &fo_table_ops, rd.t,
		    err);
	fo_table_free(rd.t);
	return rc;
}
