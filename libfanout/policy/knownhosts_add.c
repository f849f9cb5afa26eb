#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/err.h"
#include "knownhosts.h"
#include "knownhosts_line.h"

#define LINE_MAX_BYTES (64 * 1024)

/* Make the folder of path, and what is missing above it. */
static int
make_folder(const char *path, struct fanout_error *e)
{
	char *dir, *p;
	int rc = 0;

	if ((dir = strdup(path)) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	for (p = dir + 1; (p = strchr(p, '/')) != NULL && rc == 0; p++) {
		*p = '\0';
		if (mkdir(dir, 0700) == -1 && errno != EEXIST)
			rc = fo_error_sys(e, "cannot make the folder %s", dir);
		*p = '/';
	}
	free(dir);
	return rc;
}

/* /dev/null: who names it wants nothing recorded. */
static bool
is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static int
open_file(const char *path, struct fanout_error *e)
{
	const int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY;
	struct stat st;
	int fd;

	fd = open(path, flags, 0600);
	if (fd == -1 && errno == ENOENT) {
		if (make_folder(path, e) != 0)
			return -1;
		fd = open(path, flags, 0600);
	}
	if (fd == -1) {
		if (errno == ELOOP)
			(void)fo_error_sys(e, "will not write to %s through a "
			    "symbolic link", path);
		else
			(void)fo_error_sys(e, "cannot write to %s", path);
		return -1;
	}
	if (fstat(fd, &st) == -1 ||
	    (!S_ISREG(st.st_mode) && !is_null(&st))) {
		(void)fo_error(e, FANOUT_ECONFIG, "%s is not a regular file",
		    path);
		close(fd);
		return -1;
	}
	return fd;
}

static int
lock(int fd, const char *path, struct fanout_error *e)
{
	while (flock(fd, LOCK_EX) == -1)
		if (errno != EINTR)
			return fo_error_sys(e, "cannot lock %s", path);
	return 0;
}

/*
 * Lock the file that has this name now: ssh-keygen -R and others replace the
 * file, and what we hold may be the one that they removed.
 */
static int
open_locked(const char *path, struct fanout_error *e)
{
	struct stat mine, there;
	int fd, tries;

	for (tries = 0; tries < 100; tries++) {
		if ((fd = open_file(path, e)) == -1)
			return -1;
		if (lock(fd, path, e) != 0) {
			close(fd);
			return -1;
		}
		if (fstat(fd, &mine) == 0 && lstat(path, &there) == 0 &&
		    mine.st_dev == there.st_dev && mine.st_ino == there.st_ino)
			return fd;
		close(fd);
	}
	(void)fo_error(e, FANOUT_ESYS, "%s is being replaced all the time",
	    path);
	return -1;
}

static char *
read_locked(int fd, size_t *len)
{
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) == -1 ||
	    (text = malloc((size_t)st.st_size + 1)) == NULL)
		return NULL;
	for (*len = 0; *len < (size_t)st.st_size; *len += (size_t)n) {
		n = pread(fd, text + *len, (size_t)st.st_size - *len,
		    (off_t)*len);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1) {
			free(text);
			return NULL;
		} else if (n == 0)
			break;
	}
	return text;
}

struct want {
	const char *path;
	const char *name;
	const void *blob;
	size_t	 len;
};

/* 1: this line has the key; 0: it says nothing of the host; -1: error. */
static int
look_at(const struct want *w, const char *line, size_t len, unsigned number,
    struct fanout_error *e)
{
	struct kh_line l;
	unsigned char *blob;
	const char *why;
	ssize_t n;
	int rc = 0;

	if (kh_line_parse(&l, line, len, &why) != 1 || l.mark == KH_CA ||
	    !kh_line_names(&l, w->name))
		return 0;
	if ((blob = malloc(l.key_len)) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory"), -1;
	n = kh_line_decode(&l, blob);
	if (n == (ssize_t)w->len && memcmp(blob, w->blob, w->len) == 0)
		rc = l.mark == KH_PLAIN ? 1 : -1;
	else if (n != -1 && l.mark == KH_PLAIN)
		rc = -1;
	free(blob);
	if (rc == -1)
		(void)fo_error(e, FANOUT_ECONFIG, l.mark == KH_REVOKE ?
		    "%s:%u: the key of %s is marked as revoked" :
		    "%s:%u: a different key was recorded for %s meanwhile",
		    w->path, number, w->name);
	return rc;
}

/*
 * 1: the key is there; 0: not; -1: another one is, or an error. As for ssh,
 * one matching line is enough beside others.
 */
static int
look_through(const struct want *w, const char *text, size_t len,
    struct fanout_error *e)
{
	const char *p, *nl, *end = text + len;
	struct fanout_error first = { 0 }, this;
	unsigned number = 0;
	int rc = 0, r;

	for (p = text; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		r = look_at(w, p, (size_t)(nl - p), ++number, &this);
		if (r == 1)
			return 1;
		if (r == -1 && rc == 0) {
			rc = -1;
			first = this;
		}
	}
	if (rc == -1 && e != NULL)
		*e = first;
	return rc;
}

static int
hash_name(const char *name, char *out, size_t size)
{
	unsigned char salt[KH_SALT_LEN], md[SHA_DIGEST_LENGTH];
	char s64[FO_B64_SIZE(sizeof(salt))], m64[FO_B64_SIZE(sizeof(md))];
	struct kh_query q;
	struct kh_hash h;
	int n;

	arc4random_buf(salt, sizeof(salt));
	kh_hash_key(&h, salt);
	kh_query_init(&q, name);
	kh_hash_name(&h, &q, md);
	if (fo_b64_encode(salt, sizeof(salt), s64, sizeof(s64)) == -1 ||
	    fo_b64_encode(md, sizeof(md), m64, sizeof(m64)) == -1)
		return -1;
	n = snprintf(out, size, "|1|%s|%s", s64, m64);
	return n < 0 || (size_t)n >= size ? -1 : 0;
}

/* The whole line, malloc(3)ed; begins with a newline if one is missing. */
static char *
make_line(const struct want *w, bool newline, bool hashed)
{
	char type[64], name[KH_NAME_MAX], *b64, *line = NULL;

	if (blob_type(w->blob, w->len, type, sizeof(type)) == -1 ||
	    w->len > LINE_MAX_BYTES ||
	    (b64 = malloc(FO_B64_SIZE(w->len))) == NULL)
		return NULL;
	if (fo_b64_encode(w->blob, w->len, b64, FO_B64_SIZE(w->len)) == -1 ||
	    (hashed ? hash_name(w->name, name, sizeof(name)) :
	    strlcpy(name, w->name, sizeof(name)) >= sizeof(name) ? -1 : 0) ||
	    asprintf(&line, "%s%s %s %s\n", newline ? "\n" : "", name, type,
	    b64) == -1)
		line = NULL;
	free(b64);
	return line;
}

/* All of the line or nothing of it. */
static int
write_line(int fd, const struct want *w, const char *line, size_t old,
    struct fanout_error *e)
{
	size_t len = strlen(line);
	struct stat st;
	ssize_t n;

	do
		n = write(fd, line, len);
	while (n == -1 && errno == EINTR);
	if (n == (ssize_t)len)
		return 0;
	if (n == -1)
		return fo_error_sys(e, "cannot write to %s", w->path);
	/* Programs that take no lock may have written after us: then a torn
	 * line stays, which readers ignore. */
	if (fstat(fd, &st) == 0 && (size_t)st.st_size == old + (size_t)n &&
	    ftruncate(fd, (off_t)old) == 0)
		errno = ENOSPC;
	return fo_error_sys(e, "cannot write a whole line to %s", w->path);
}

static int
append(int fd, const struct want *w, bool hashed, bool *added,
    struct fanout_error *e)
{
	struct stat st;
	char *text, *line;
	size_t len;
	bool newline;
	int rc;

	if (fstat(fd, &st) == 0 && is_null(&st))
		return 0;
	if ((text = read_locked(fd, &len)) == NULL)
		return fo_error_sys(e, "cannot read %s", w->path);
	rc = look_through(w, text, len, e);
	newline = len > 0 && text[len - 1] != '\n';
	free(text);
	if (rc != 0)
		return rc == 1 ? 0 : FANOUT_ECONFIG;
	if ((line = make_line(w, newline, hashed)) == NULL)
		return fo_error(e, FANOUT_EINVAL, "the key of %s cannot be "
		    "recorded: it is malformed or too long", w->name);
	if ((rc = write_line(fd, w, line, len, e)) == 0 && added != NULL)
		*added = true;
	free(line);
	return rc;
}

int
knownhosts_append(const char *path, const char *host, unsigned port,
    const void *blob, size_t len, bool hash, struct fanout_error *e,
    bool *added)
{
	char name[KH_NAME_MAX];
	struct want w = { path, name, blob, len };
	int fd, rc;

	if (added != NULL)
		*added = false;
	if (path == NULL)
		return 0;
	/* Such a name would mean more than this host (as in ssh). */
	if (strpbrk(host, "@?*#[]|'\"\\, \t\r\n!") != NULL ||
	    kh_name(name, host, port) == -1)
		return fo_error(e, FANOUT_EINVAL, "the name %s cannot be "
		    "recorded in %s", host, path);
	if ((fd = open_locked(path, e)) == -1)
		return e != NULL ? e->code : FANOUT_ESYS;
	rc = append(fd, &w, hash, added, e);
	close(fd);	/* and unlock */
	return rc;
}
