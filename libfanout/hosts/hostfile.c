#include <sys/queue.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "expr.h"
#include "hostfile.h"
#include "lines.h"
#include "set.h"

#define INCLUDE_DEPTH	16

/* A file that was read: the same one is not read again. */
struct seen {
	SLIST_ENTRY(seen) link;
	dev_t	 dev;
	ino_t	 ino;
};

struct reader {
	struct fanout_hosts *set;
	struct fanout_groups *groups;
	struct fanout_error *err;
	struct fo_trace *trace;
	bool	 leaves_out;
	SLIST_HEAD(, seen) seen;
	unsigned depth;
};

static int	read_file(struct reader *, const char *path);

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The one word behind "#include" or NULL: then it is a comment. */
static char *
included(char *line)
{
	char *word, *end;

	if (strncmp(line, "#include", 8) != 0 || !blank(line[8]))
		return NULL;
	for (word = line + 8; blank(*word); word++)
		;
	for (end = word; *end != '\0' && !blank(*end); end++)
		;
	if (end == word || end[strspn(end, " \t\r")] != '\0')
		return NULL;
	*end = '\0';
	return word;
}

static int
include(struct reader *rd, const char *from, const char *name)
{
	const char *slash = strrchr(from, '/');
	char *path;
	int rc, dir = 0;

	if (*name != '/' && strncmp(name, "./", 2) != 0 &&
	    strncmp(name, "../", 3) != 0 && slash != NULL)
		dir = (int)(slash - from) + 1;
	if (asprintf(&path, "%.*s%s", dir, from, name) == -1)
		return fo_error(rd->err, FANOUT_ENOMEM, "out of memory");
	rc = read_file(rd, path);
	free(path);
	return rc;
}

/* What to say of a word that is NAME=VALUE, and no host. */
static const char *
hint(const char *word)
{
	size_t n = strcspn(word, " \t=#");

	return n > 0 && word[n] == '=' ? "; what is said of a host stands "
	    "behind a #" : "";
}

static int
one_line(struct reader *rd, struct fo_lines *l)
{
	struct fanout_error inner;
	struct fo_expr ex = { .groups = rd->groups, .err = &inner,
	    .trace = rd->trace, .leaves_out = rd->leaves_out };
	char *name, place[256];
	size_t at;
	int rc;

	if ((name = included(l->line)) != NULL)
		return include(rd, l->path, name);
	ex.text = fo_lines_trim(l);
	if (rd->trace != NULL) {
		(void)snprintf(place, sizeof(place), "%s:%u", l->path,
		    l->number);
		ex.place = place;
	}
	if ((ex.len = strlen(ex.text)) == 0 ||
	    (rc = fo_expr_add(rd->set, &ex)) == 0)
		return 0;
	at = inner.offset + (size_t)(ex.text - l->line);
	return fo_error_at(rd->err, rc, at, l->number, "%s:%u:%zu: %s%s",
	    l->path, l->number, at + 1, inner.text,
	    rc == FANOUT_EPARSE ? hint(l->line + at) : "");
}

/* 1: it was read before. */
static int
note_seen(struct reader *rd, struct fo_lines *l)
{
	struct stat st;
	struct seen *s;

	if (fstat(fileno(l->f), &st) == -1)
		return fo_error_sys(rd->err, "cannot read %s", l->path);
	SLIST_FOREACH(s, &rd->seen, link)
		if (s->dev == st.st_dev && s->ino == st.st_ino)
			return 1;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return fo_error(rd->err, FANOUT_ENOMEM, "out of memory");
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	SLIST_INSERT_HEAD(&rd->seen, s, link);
	return 0;
}

static int
open_input(struct fo_lines *l, struct fanout_error *err)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), rc;
	FILE *f = fd == -1 ? NULL : fdopen(fd, "r");

	if (f != NULL)
		return fo_lines_take(l, f, "standard input", err);
	rc = fo_error_sys(err, "cannot read standard input");
	if (fd != -1)
		(void)close(fd);
	return rc;
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
	rc = strcmp(path, "-") == 0 ? open_input(&l, rd->err) :
	    fo_lines_open(&l, path, rd->err);
	if (rc != 0)
		return rc;
	rd->depth++;
	if ((rc = note_seen(rd, &l)) == 0)
		while ((rc = fo_lines_next(&l, rd->err)) == 1)
			if ((rc = one_line(rd, &l)) != 0)
				break;
	rd->depth--;
	fo_lines_close(&l);
	return rc < 0 ? rc : 0;
}

int
fo_hostfile_trace(struct fanout_hosts *set, const char *path,
    struct fanout_groups *groups, struct fo_trace *trace, bool leaves_out,
    struct fanout_error *err)
{
	struct reader rd = { .set = set, .groups = groups, .err = err,
	    .trace = trace, .leaves_out = leaves_out };
	size_t was = set->n;
	struct seen *s;
	int rc;

	if ((rc = read_file(&rd, path)) != 0)
		fo_set_truncate(set, was);
	while ((s = SLIST_FIRST(&rd.seen)) != NULL) {
		SLIST_REMOVE_HEAD(&rd.seen, link);
		free(s);
	}
	return rc;
}

int
fo_hostfile_add(struct fanout_hosts *set, const char *path,
    struct fanout_groups *groups, struct fanout_error *err)
{
	return fo_hostfile_trace(set, path, groups, NULL, false, err);
}

int
fanout_hosts_load(struct fanout_hosts *set, const char *path,
    struct fanout_error *err)
{
	return fo_hostfile_add(set, path, set->groups, err);
}
