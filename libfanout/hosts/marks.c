/*
 * marks.c - hosts marked dead: known to be down, on purpose or not, so that
 * runs skip them and say so.
 *
 * The file has a line per mark, "EXPR [since=TIME] [until=TIME] [by=USER]
 * [REASON]", with times as 2026-11-23T14:00Z; '#' begins a comment line. It is
 * replaced whole (temporary file, fsync, rename) under a lock on its folder;
 * lines that a change does not concern stay byte for byte.
 */
#include <sys/file.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "lines.h"
#include "set.h"

#define TIME_FORMAT "%Y-%m-%dT%H:%MZ"
#define TIME_SIZE 32

struct mark {
	STAILQ_ENTRY(mark) link;
	struct fanout_hosts *set;
	time_t	 until;		/* 0: for ever */
	char	*text;		/* why, who and since when; safe to print */
	char	*line;		/* as it stands in the file */
};
STAILQ_HEAD(mark_list, mark);

struct fanout_marks {
	struct mark_list list;	/* a comment line is a mark without a set */
};

static void
mark_free(struct mark *m)
{
	if (m == NULL)
		return;
	fanout_hosts_free(m->set);
	free(m->text);
	free(m->line);
	free(m);
}

void
fanout_marks_free(struct fanout_marks *ms)
{
	struct mark *m;

	if (ms == NULL)
		return;
	while ((m = STAILQ_FIRST(&ms->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&ms->list, link);
		mark_free(m);
	}
	free(ms);
}

/* ---- reading ---- */

static int
parse_time(const char *s, time_t *out)
{
	struct tm tm;
	const char *end;

	memset(&tm, 0, sizeof(tm));
	if ((end = strptime(s, TIME_FORMAT, &tm)) == NULL || *end != '\0')
		return -1;
	*out = timegm(&tm);
	return 0;
}

/* The attributes that lead the rest of a line; what is left is the reason. */
static int
parse_attributes(struct mark *m, char *rest)
{
	char *since = NULL, *by = NULL, *word;
	time_t t;

	while (rest != NULL && *rest != '\0') {
		word = rest;
		if (strncmp(word, "since=", 6) != 0 &&
		    strncmp(word, "until=", 6) != 0 &&
		    strncmp(word, "by=", 3) != 0)
			break;
		rest += strcspn(rest, " \t");
		if (*rest != '\0')
			*rest++ = '\0';
		rest += strspn(rest, " \t");
		if (word[0] == 'b')
			by = word + 3;
		else if (parse_time(word + 6, &t) == -1)
			return -1;
		else if (word[0] == 'u')
			m->until = t;
		else
			since = word + 6;
	}
	return asprintf(&m->text, "marked dead%s%s%s%s%s%s",
	    by != NULL ? " by " : "", by != NULL ? by : "",
	    since != NULL ? " since " : "", since != NULL ? since : "",
	    rest != NULL && *rest != '\0' ? ": " : "",
	    rest != NULL ? rest : "") == -1 ? -2 : 0;
}

static int
parse_mark(struct mark *m, char *line, struct fo_lines *in,
    struct fanout_error *e)
{
	struct fanout_error inner;
	char *rest;
	int rc;

	line += strspn(line, " \t");
	if (*line == '\0' || *line == '#')
		return 0;
	rest = line + strcspn(line, " \t");
	if (*rest != '\0')
		*rest++ = '\0';
	rest += strspn(rest, " \t");
	if ((rc = fanout_hosts_new(&m->set)) != 0)
		return fo_error(e, rc, "out of memory");
	if ((rc = fanout_hosts_add(m->set, line, &inner)) != 0)
		return fo_lines_error(in, rc, inner.text, e);
	if ((rc = parse_attributes(m, rest)) == -1)
		return fo_lines_error(in, FANOUT_EPARSE,
		    "times are written as 2026-11-23T14:00Z", e);
	return rc == 0 ? 0 : fo_error(e, FANOUT_ENOMEM, "out of memory");
}

static int
read_marks(struct fanout_marks *ms, const char *path, struct fanout_error *e)
{
	struct fo_lines in;
	struct mark *m;
	int rc;

	if (access(path, F_OK) == -1 && errno == ENOENT)
		return 0;
	if ((rc = fo_lines_open(&in, path, e)) != 0)
		return rc;
	while ((rc = fo_lines_next(&in, e)) == 1) {
		if ((m = calloc(1, sizeof(*m))) == NULL ||
		    (m->line = strdup(in.line)) == NULL) {
			mark_free(m);
			rc = fo_error(e, FANOUT_ENOMEM, "out of memory");
			break;
		}
		STAILQ_INSERT_TAIL(&ms->list, m, link);
		if ((rc = parse_mark(m, in.line, &in, e)) != 0)
			break;
	}
	fo_lines_close(&in);
	return rc;
}

int
fanout_marks_path(char *buf, size_t size)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (geteuid() == 0)
		n = snprintf(buf, size, "%s", FANOUT_MARKS_SYSTEM);
	else if (base != NULL && base[0] == '/')
		n = snprintf(buf, size, "%s/fanout/dead", base);
	else if (home != NULL && home[0] == '/')
		n = snprintf(buf, size, "%s/.config/fanout/dead", home);
	else
		return FANOUT_EINVAL;
	return n > 0 && (size_t)n < size ? 0 : FANOUT_ELIMIT;
}

int
fanout_marks_load(struct fanout_marks **out, const char *path,
    struct fanout_error *e)
{
	struct fanout_marks *ms;
	char own[4096];
	int rc;

	*out = NULL;
	if ((ms = calloc(1, sizeof(*ms))) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	STAILQ_INIT(&ms->list);
	rc = read_marks(ms, path != NULL ? path : FANOUT_MARKS_SYSTEM, e);
	if (rc == 0 && path == NULL &&
	    fanout_marks_path(own, sizeof(own)) == 0 &&
	    strcmp(own, FANOUT_MARKS_SYSTEM) != 0)
		rc = read_marks(ms, own, e);
	if (rc != 0) {
		fanout_marks_free(ms);
		return rc;
	}
	*out = ms;
	return 0;
}

static bool
holds(const struct mark *m, time_t now)
{
	return m->set != NULL && (m->until == 0 || now < m->until);
}

const char *
fanout_marks_why(const struct fanout_marks *ms, const char *host)
{
	struct fo_entry entry = { .name = host, .len = (uint32_t)strlen(host) };
	time_t now = time(NULL);
	const struct mark *m;

	STAILQ_FOREACH(m, &ms->list, link)
		if (holds(m, now) && fo_set_covers(m->set, &entry))
			return m->text;
	return NULL;
}

int
fanout_marks_each(const struct fanout_marks *ms,
    int (*fn)(const struct fanout_hosts *, const char *why, int64_t until,
    void *), void *arg)
{
	time_t now = time(NULL);
	const struct mark *m;
	int rc = 0;

	STAILQ_FOREACH(m, &ms->list, link)
		if (holds(m, now) &&
		    (rc = fn(m->set, m->text, (int64_t)m->until, arg)) != 0)
			break;
	return rc;
}

/* ---- changing ---- */

/* Open and lock the folder of a file, made if need be; -1 with errno. */
static int
lock_folder(const char *path, char *dir, size_t size)
{
	char *slash, *p;
	int fd;

	if (strlcpy(dir, path, size) >= size ||
	    (slash = strrchr(dir, '/')) == NULL || slash == dir) {
		errno = EINVAL;
		return -1;
	}
	*slash = '\0';
	for (p = dir + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		(void)mkdir(dir, 0755);
		*p = '/';
	}
	if (mkdir(dir, 0755) == -1 && errno != EEXIST)
		return -1;
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	if (flock(fd, LOCK_EX) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
write_lines(const struct fanout_marks *ms, int fd, const char *more)
{
	const struct mark *m;
	FILE *f;
	int bad;

	if ((f = fdopen(fd, "w")) == NULL) {
		close(fd);
		return -1;
	}
	STAILQ_FOREACH(m, &ms->list, link)
		fprintf(f, "%s\n", m->line);
	if (more != NULL)
		fprintf(f, "%s\n", more);
	bad = fflush(f) != 0 || ferror(f) || fsync(fd) == -1;
	return fclose(f) != 0 || bad ? -1 : 0;
}

/* The file becomes the lines of the marks and one more (NULL: none). */
static int
replace(const struct fanout_marks *ms, const char *path, const char *more,
    struct fanout_error *e)
{
	char tmp[4096];
	struct stat st;
	mode_t mode = 0644;
	int fd;

	if (lstat(path, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			return fo_error(e, FANOUT_ECONFIG,
			    "%s is not a plain file", path);
		mode = st.st_mode & 0777;
	}
	if (snprintf(tmp, sizeof(tmp), "%s.XXXXXXXX", path) >=
	    (int)sizeof(tmp))
		return fo_error(e, FANOUT_ELIMIT, "%s: name too long", path);
	if ((fd = mkostemp(tmp, O_CLOEXEC)) == -1)
		return fo_error_sys(e, "%s", tmp);
	if (fchmod(fd, mode) == -1 || write_lines(ms, fd, more) == -1 ||
	    rename(tmp, path) == -1) {
		(void)fo_error_sys(e, "%s", path);
		(void)unlink(tmp);
		return FANOUT_ESYS;
	}
	return 0;
}

static void
format_time(time_t t, char buf[static TIME_SIZE])
{
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(buf, TIME_SIZE, TIME_FORMAT, &tm) == 0)
		buf[0] = '\0';
}

static char *
new_line(const struct fanout_hosts *hosts, const char *reason, int64_t until)
{
	char since[TIME_SIZE], end[TIME_SIZE] = "", *folded, *line;
	const struct passwd *pw = getpwuid(geteuid());

	if (fanout_hosts_fold(hosts, &folded) != 0)
		return NULL;
	format_time(time(NULL), since);
	if (until != 0)
		format_time((time_t)until, end);
	if (asprintf(&line, "%s since=%s%s%s%s%s%s%s", folded, since,
	    until != 0 ? " until=" : "", end,
	    pw != NULL ? " by=" : "", pw != NULL ? pw->pw_name : "",
	    reason != NULL ? " " : "", reason != NULL ? reason : "") == -1)
		line = NULL;
	free(folded);
	return line;
}

int
fanout_marks_add(const char *path, const struct fanout_hosts *hosts,
    const char *reason, int64_t until, struct fanout_error *e)
{
	struct fanout_marks *ms = NULL;
	char dir[4096], *line = NULL;
	int lock, rc;

	if (fanout_hosts_count(hosts) == 0)
		return fo_error(e, FANOUT_EINVAL, "no hosts to mark");
	if (reason != NULL && strpbrk(reason, "\r\n") != NULL)
		return fo_error(e, FANOUT_EINVAL, "a reason is one line");
	if ((lock = lock_folder(path, dir, sizeof(dir))) == -1)
		return fo_error_sys(e, "%s", dir);
	if ((rc = fanout_marks_load(&ms, path, e)) == 0) {
		if ((line = new_line(hosts, reason, until)) == NULL)
			rc = fo_error(e, FANOUT_ENOMEM, "out of memory");
		else
			rc = replace(ms, path, line, e);
	}
	free(line);
	fanout_marks_free(ms);
	close(lock);
	return rc;
}

/* The hosts go out of one mark: true when there is still one left in it. */
static int
shrink(struct mark *m, const char *gone)
{
	size_t before = fanout_hosts_count(m->set);
	char *folded, *line, *rest;
	int rc;

	if ((rc = fanout_hosts_remove(m->set, gone, NULL)) != 0)
		return rc;
	if (fanout_hosts_count(m->set) == before ||
	    fanout_hosts_count(m->set) == 0)
		return 0;
	rest = m->line + strspn(m->line, " \t");
	rest += strcspn(rest, " \t");
	if (fanout_hosts_fold(m->set, &folded) != 0)
		return FANOUT_ENOMEM;
	rc = asprintf(&line, "%s%s", folded, rest);
	free(folded);
	if (rc == -1)
		return FANOUT_ENOMEM;
	free(m->line);
	m->line = line;
	return 0;
}

static int
shrink_all(struct fanout_marks *ms, const struct fanout_hosts *hosts)
{
	struct mark_list keep = STAILQ_HEAD_INITIALIZER(keep);
	struct mark *m;
	char *gone;
	int rc = 0;

	if (fanout_hosts_fold(hosts, &gone) != 0)
		return FANOUT_ENOMEM;
	while ((m = STAILQ_FIRST(&ms->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&ms->list, link);
		if (m->set != NULL && rc == 0)
			rc = shrink(m, gone);
		if (m->set != NULL && fanout_hosts_count(m->set) == 0)
			mark_free(m);
		else
			STAILQ_INSERT_TAIL(&keep, m, link);
	}
	STAILQ_CONCAT(&ms->list, &keep);
	free(gone);
	return rc;
}

int
fanout_marks_remove(const char *path, const struct fanout_hosts *hosts,
    struct fanout_error *e)
{
	struct fanout_marks *ms = NULL;
	char dir[4096];
	int lock, rc;

	if ((lock = lock_folder(path, dir, sizeof(dir))) == -1)
		return fo_error_sys(e, "%s", dir);
	if ((rc = fanout_marks_load(&ms, path, e)) == 0) {
		if ((rc = shrink_all(ms, hosts)) != 0)
			rc = fo_error(e, rc, "out of memory");
		else
			rc = replace(ms, path, NULL, e);
	}
	fanout_marks_free(ms);
	close(lock);
	return rc;
}
