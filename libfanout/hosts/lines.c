#include <sys/stat.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lines.h"

int
fo_lines_take(struct fo_lines *l, FILE *f, const char *path,
    struct fanout_error *err)
{
	struct stat st;
	int rc;

	memset(l, 0, sizeof(*l));
	l->path = path;
	if (fstat(fileno(f), &st) == 0) {
		if (!S_ISDIR(st.st_mode)) {
			l->f = f;
			return 0;
		}
		errno = EISDIR;
	}
	rc = fo_error_sys(err, "cannot read %s", path);
	(void)fclose(f);
	return rc;
}

int
fo_lines_open(struct fo_lines *l, const char *path, struct fanout_error *err)
{
	FILE *f = fopen(path, "re");

	if (f != NULL)
		return fo_lines_take(l, f, path, err);
	memset(l, 0, sizeof(*l));
	return fo_error_sys(err, "cannot open %s", path);
}

void
fo_lines_close(struct fo_lines *l)
{
	if (l->f != NULL)
		(void)fclose(l->f);
	free(l->line);
	memset(l, 0, sizeof(*l));
}

int
fo_lines_error(const struct fo_lines *l, int code, const char *what,
    struct fanout_error *err)
{
	return fo_error_at(err, code, 0, l->number, "%s:%u: %s", l->path,
	    l->number, what);
}

static int
grow(struct fo_lines *l, struct fanout_error *err)
{
	size_t cap = l->cap == 0 ? 256 : l->cap * 2;
	char *p;

	if (cap > FO_LINE_MAX)
		return fo_lines_error(l, FANOUT_ELIMIT,
		    "a line of more than 16 MiB", err);
	if ((p = realloc(l->line, cap)) == NULL)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	l->line = p;
	l->cap = cap;
	return 0;
}

int
fo_lines_next(struct fo_lines *l, struct fanout_error *err)
{
	int c, rc;

	l->len = 0;
	l->number++;
	for (;;) {
		if (l->len + 1 >= l->cap && (rc = grow(l, err)) != 0)
			return rc;
		if ((c = getc_unlocked(l->f)) == EOF || c == '\n')
			break;
		if (c == '\0')
			return fo_lines_error(l, FANOUT_EPARSE,
			    "a NUL byte: this is no text file", err);
		l->line[l->len++] = (char)c;
	}
	if (c == EOF && ferror(l->f))
		return fo_error_sys(err, "cannot read %s", l->path);
	l->line[l->len] = '\0';
	return c == '\n' || l->len > 0;
}

char *
fo_lines_trim(struct fo_lines *l)
{
	char *s = l->line, *end;

	s[strcspn(s, "#")] = '\0';
	s += strspn(s, " \t\r");
	for (end = strchr(s, '\0'); end > s && strchr(" \t\r", end[-1]) !=
	    NULL;)
		*--end = '\0';
	return s;
}
