#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "registry.h"

struct entry {
	char	*host;
	const char *digest;	/* in the same memory */
	size_t	 nth;		/* line */
};

struct registry {
	struct entry *by_host, *by_digest;	/* sorted; the same entries */
	size_t	 count, size;
};

void
registry_free(struct registry *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->count; i++)
		free(r->by_host[i].host);
	free(r->by_host);
	free(r->by_digest);
	free(r);
}

static bool
is_digest(const char *s)
{
	size_t len = strspn(s + 4, "0123456789abcdef");

	return s[4 + len] == '\0' &&
	    ((strncmp(s, "MD5=", 4) == 0 && len == 32) ||
	    (strncmp(s, "SHA=", 4) == 0 && len == 64));
}

static int
add(struct registry *r, const char *host, const char *digest, size_t nth)
{
	struct entry *e;
	size_t len = strlen(host) + 1;

	if (r->count == r->size) {
		e = reallocarray(r->by_host, r->size == 0 ? 64 : r->size * 2,
		    sizeof(*e));
		if (e == NULL)
			return -1;
		r->by_host = e;
		r->size = r->size == 0 ? 64 : r->size * 2;
	}
	e = &r->by_host[r->count];
	if ((e->host = malloc(len + strlen(digest) + 1)) == NULL)
		return -1;
	memcpy(e->host, host, len);
	memcpy(e->host + len, digest, strlen(digest) + 1);
	e->digest = e->host + len;
	e->nth = nth;
	r->count++;
	return 0;
}

/* 0, -1: no memory, -2: it makes no sense. */
static int
add_line(struct registry *r, char *line, size_t nth)
{
	char *host, *digest, *rest = line;

	line[strcspn(line, "#\n")] = '\0';
	while ((host = strsep(&rest, " \t\r")) != NULL && *host == '\0')
		;
	if (host == NULL)
		return 0;
	while ((digest = strsep(&rest, " \t\r")) != NULL && *digest == '\0')
		;
	if (digest == NULL || strlen(digest) < 4 || !is_digest(digest) ||
	    (rest != NULL && rest[strspn(rest, " \t\r")] != '\0'))
		return -2;
	return add(r, host, digest, nth);
}

static int
compare(const struct entry *a, const struct entry *b, int names)
{
	if (names != 0)
		return names;
	return a->nth < b->nth ? -1 : a->nth > b->nth;
}

static int
host_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return compare(x, y, strcasecmp(x->host, y->host));
}

static int
digest_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return compare(x, y, strcmp(x->digest, y->digest));
}

static int
sort(struct registry *r)
{
	size_t i, n = 0;

	if (r->count == 0)
		return 0;
	qsort(r->by_host, r->count, sizeof(*r->by_host), host_order);
	/* Of a host's lines the last one. */
	for (i = 0; i < r->count; i++) {
		if (i + 1 < r->count && strcasecmp(r->by_host[i].host,
		    r->by_host[i + 1].host) == 0)
			free(r->by_host[i].host);
		else
			r->by_host[n++] = r->by_host[i];
	}
	r->count = n;
	if ((r->by_digest = reallocarray(NULL, n, sizeof(*r->by_digest))) ==
	    NULL)
		return -1;
	memcpy(r->by_digest, r->by_host, n * sizeof(*r->by_digest));
	qsort(r->by_digest, n, sizeof(*r->by_digest), digest_order);
	return 0;
}

static int
read_lines(struct registry *r, FILE *f, const char *path,
    struct fanout_error *e)
{
	char *line = NULL;
	size_t size = 0, nth = 0;
	int rc = 0;

	while (rc == 0 && getline(&line, &size, f) != -1)
		rc = add_line(r, line, ++nth);
	free(line);
	if (rc == -2)
		return cli_error(e, FANOUT_ECONFIG, "%s:%zu: a line is a host "
		    "and its digest, MD5=... or SHA=...", path, nth);
	if (rc == 0 && ferror(f))
		return cli_error(e, FANOUT_ESYS, "%s: %s", path,
		    strerror(errno));
	return rc != 0 || sort(r) == -1 ? cli_nomem(e) : 0;
}

int
registry_read(struct registry **out, const char *path, struct fanout_error *e)
{
	struct registry *r;
	FILE *f;
	int rc = 0;

	*out = NULL;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return cli_nomem(e);
	if ((f = fopen(path, "re")) != NULL) {
		rc = read_lines(r, f, path, e);
		(void)fclose(f);
	} else if (errno != ENOENT)
		rc = cli_error(e, FANOUT_ESYS, "%s: %s", path, strerror(errno));
	if (rc != 0) {
		registry_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

const char *
registry_digest(const struct registry *r, const char *host)
{
	size_t low = 0, high = r->count, mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = strcasecmp(host, r->by_host[mid].host);
		if (order == 0)
			return r->by_host[mid].digest;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const char *
registry_owner(const struct registry *r, const char *digest)
{
	size_t low = 0, high = r->count, mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = strcmp(digest, r->by_digest[mid].digest);
		if (order == 0)
			return r->by_digest[mid].host;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/*
 * Open and locked. Who had the lock before may have put a new file in its place
 * (as recipes do): then it is that one. -1: errno.
 */
static int
open_locked(const char *path)
{
	struct stat mine, there;
	int fd;

	for (int tries = 0; tries < 1000; tries++) {
		fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC |
		    O_NOFOLLOW, 0600);
		if (fd == -1)
			return -1;
		if (flock(fd, LOCK_EX) == 0 && fstat(fd, &mine) == 0 &&
		    stat(path, &there) == 0 && mine.st_dev == there.st_dev &&
		    mine.st_ino == there.st_ino)
			return fd;
		close(fd);
	}
	errno = EBUSY;
	return -1;
}

int
registry_add(const char *path, const char *host, const char *digest)
{
	char line[512], last = '\n';
	int fd, len, error = 0;
	off_t end;

	fd = open_locked(path);
	if (fd == -1)
		return errno;
	/* Whoever was killed in mid-line is not continued. */
	if ((end = lseek(fd, 0, SEEK_END)) == -1 ||
	    (end > 0 && pread(fd, &last, 1, end - 1) != 1))
		error = errno;
	len = snprintf(line, sizeof(line), "%s%s %s\n", last == '\n' ? "" : "\n",
	    host, digest);
	if (error == 0 && (len < 0 || (size_t)len >= sizeof(line)))
		error = ENAMETOOLONG;
	else if (error == 0 && write(fd, line, (size_t)len) != len)
		error = errno != 0 ? errno : EIO;
	if (close(fd) == -1 && error == 0)
		error = errno;
	return error;
}
