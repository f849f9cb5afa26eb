#include <sys/stat.h>

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complete.h"
#include "working.h"

struct list {
	char	**word;
	size_t	 n;
};

static void
add(struct list *l, const char *before, size_t len, const char *word,
    const char *after)
{
	char **more = reallocarray(l->word, l->n + 2, sizeof(*more));

	if (more == NULL)
		return;
	l->word = more;
	if (asprintf(&more[l->n], "%.*s%s%s", (int)len, before, word,
	    after) != -1)
		l->n++;
	more[l->n] = NULL;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **
finish(struct list *l)
{
	size_t i, n = 0;

	if (l->n == 0)
		return NULL;
	qsort(l->word, l->n, sizeof(*l->word), by_name);
	for (i = 0; i < l->n; i++) {
		if (n > 0 && strcmp(l->word[n - 1], l->word[i]) == 0)
			free(l->word[i]);
		else
			l->word[n++] = l->word[i];
	}
	l->word[n] = NULL;
	return l->word;
}

static void
add_hosts(struct list *l, const struct working *w, const char *word,
    size_t len)
{
	size_t i, n = fanout_hosts_count(w->all);
	const char *name;

	for (i = 0; i < n; i++) {
		name = fanout_hosts_at(w->all, i);
		if (strncmp(name, word, len) == 0)
			add(l, "", 0, name, "");
	}
}

/* Entries of a folder; programs: only those that can be run. */
static void
add_files(struct list *l, const char *dir, const char *before, size_t nbefore,
    const char *word, size_t len, bool programs)
{
	struct dirent *d;
	struct stat st;
	DIR *dp;

	if ((dp = opendir(dir)) == NULL)
		return;
	while ((d = readdir(dp)) != NULL) {
		if (strncmp(d->d_name, word, len) != 0 ||
		    (len == 0 && *d->d_name == '.') ||
		    fstatat(dirfd(dp), d->d_name, &st, 0) == -1)
			continue;
		if (programs && (!S_ISREG(st.st_mode) ||
		    (st.st_mode & 0111) == 0))
			continue;
		add(l, before, nbefore, d->d_name,
		    S_ISDIR(st.st_mode) ? "/" : "");
	}
	closedir(dp);
}

static void
add_programs(struct list *l, const char *word, size_t len)
{
	const char *path = getenv("PATH");
	char *copy, *rest, *dir;

	if (path == NULL || (copy = rest = strdup(path)) == NULL)
		return;
	while ((dir = strsep(&rest, ":")) != NULL)
		if (*dir == '/')
			add_files(l, dir, "", 0, word, len, true);
	free(copy);
}

static void
add_paths(struct list *l, const char *word, size_t len)
{
	char dir[PATH_MAX];
	size_t n = len;

	while (n > 0 && word[n - 1] != '/')
		n--;
	if (n == 0 || n >= sizeof(dir))
		return;
	memcpy(dir, word, n);
	dir[n] = '\0';
	add_files(l, dir, word, n, word + n, len - n, false);
}

char **
complete(void *ctx, const char *line, size_t len, size_t *start)
{
	bool names = *line != '\0' && strchr("@+-", *line) != NULL;
	const char *ends = names ? ",!&^ " : " \t;|&<>()'\"`=";
	struct list l = { .n = 0 };
	size_t at = len, first = names || *line == '!';

	while (at > first && strchr(ends, line[at - 1]) == NULL)
		at--;
	*start = at;
	if (names)
		add_hosts(&l, ctx, line + at, len - at);
	else if (memchr(line + at, '/', len - at) != NULL)
		add_paths(&l, line + at, len - at);
	else if (strspn(line, " \t!") >= at)
		add_programs(&l, line + at, len - at);
	return finish(&l);
}
