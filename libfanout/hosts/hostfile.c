#include <sys/queue.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "expr.h"
#include "hostfile.h"
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
	SLIST_HEAD(, seen) seen;
	unsigned depth;
};

static int	read_file(struct reader *, const char *path);

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Cut the comment and the blanks around off; the new length. */
static size_t
trim(char **line, size_t len)
{
	char *hash = memchr(*line, '#', len);

	if (hash != NULL)
		len = (size_t)(hash - *line);
	while (len > 0 && blank((*line)[len - 1]))
		len--;
	while (len > 0 && blank(**line)) {
		(*line)++;
		len--;
	}
	return len;
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

static int
one_line(struct reader *rd, const char *path, unsigned lineno, char *line,
    size_t len)
{
	struct fanout_error inner;
	struct fo_expr ex = { .groups = rd->groups, .err = &inner };
	char *name, *p = line;
	int rc;

	if (memchr(line, '\0', len) != NULL)
		return fo_error_at(rd->err, FANOUT_EPARSE, 0, lineno,
		    "%s:%u: a NUL byte: this is no text file", path, lineno);
	if ((name = included(line)) != NULL)
		return include(rd, path, name);
	if ((len = trim(&p, len)) == 0)
		return 0;
	ex.text = p;
	ex.len = len;
	if ((rc = fo_expr_add(rd->set, &ex)) == 0)
		return 0;
	return fo_error_at(rd->err, rc, inner.offset + (size_t)(p - line),
	    lineno, "%s:%u:%zu: %s", path, lineno,
	    inner.offset + (size_t)(p - line) + 1, inner.text);
}

static int
read_lines(struct reader *rd, const char *path, FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	unsigned lineno = 0;
	ssize_t len;
	int rc = 0;

	while (rc == 0 && (len = getline(&line, &size, f)) != -1) {
		if (len > 0 && line[len - 1] == '\n')
			line[--len] = '\0';
		rc = one_line(rd, path, ++lineno, line, (size_t)len);
	}
	if (rc == 0 && ferror(f))
		rc = fo_error_sys(rd->err, "cannot read %s", path);
	free(line);
	return rc;
}

/* 1: it was read before. */
static int
note_seen(struct reader *rd, FILE *f, const char *path)
{
	struct stat st;
	struct seen *s;

	if (fstat(fileno(f), &st) == -1)
		return fo_error_sys(rd->err, "cannot read %s", path);
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return fo_error_sys(rd->err, "cannot read %s", path);
	}
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
read_file(struct reader *rd, const char *path)
{
	bool input = strcmp(path, "-") == 0;
	int rc, fd = -1;
	FILE *f;

	if (rd->depth == INCLUDE_DEPTH)
		return fo_error(rd->err, FANOUT_ELIMIT,
		    "%s: files include each other more than %d deep", path,
		    INCLUDE_DEPTH);
	if (input)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	f = input ? fd == -1 ? NULL : fdopen(fd, "r") : fopen(path, "re");
	if (f == NULL) {
		rc = fo_error_sys(rd->err, "cannot open %s",
		    input ? "standard input" : path);
		if (fd != -1)
			(void)close(fd);
		return rc;
	}
	rd->depth++;
	if ((rc = note_seen(rd, f, path)) == 0)
		rc = read_lines(rd, input ? "standard input" : path, f);
	rd->depth--;
	(void)fclose(f);
	return rc < 0 ? rc : 0;
}

int
fo_hostfile_add(struct fanout_hosts *set, const char *path,
    struct fanout_groups *groups, struct fanout_error *err)
{
	struct reader rd = { .set = set, .groups = groups, .err = err };
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
fanout_hosts_load(struct fanout_hosts *set, const char *path,
    struct fanout_error *err)
{
	return fo_hostfile_add(set, path, set->groups, err);
}
