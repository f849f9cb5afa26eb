/*
 * A file for each host that was tried: DIR/HOST, its bytes as they came, empty
 * if it said nothing. While the host is at work it is DIR/.HOST.part, and the
 * file of an earlier run is still there. So it stays where a part of it could
 * not be written: a file with the host's name is whole.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "safename.h"
#include "view.h"

/* Of a host's file .part. */
enum part { PART_NONE, PART_BEGUN, PART_TORN };

struct dir {
	const char *path;	/* NULL: not wanted */
	int	 fd;
	unsigned char *parts;	/* enum part, one a host */
};

struct outdir_view {
	struct cli_view	 view;
	struct dir	 dirs[2];	/* for stdout, stderr */
	bool		 warned;
};

static int
part_name(char *dst, size_t size, const char *name)
{
	char safe[256];

	if (cli_safe_name(safe, sizeof(safe), name) == -1)
		return -1;
	if ((size_t)snprintf(dst, size, ".%s.part", safe) >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

static void
warn_once(struct outdir_view *o, const struct dir *d, const char *host)
{
	char line[400];
	int error = errno;

	o->view.broken = true;
	if (o->warned)
		return;
	o->warned = true;
	snprintf(line, sizeof(line), "%.160s: the file of %.100s is not all "
	    "there: %s", d->path, host, strerror(error));
	cli_sink_say(o->view.err, line);
}

static int
write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if ((n = write(fd, data, len)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Opened each time: hosts need the descriptors more. */
static int
append(struct dir *d, size_t host, const char *name, const char *data,
    size_t len)
{
	int flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, fd, rc;
	char part[NAME_MAX + 1];

	if (part_name(part, sizeof(part), name) == -1)
		return -1;
	if (d->parts[host] == PART_TORN)
		return 0;
	if (d->parts[host] == PART_BEGUN)
		flags |= O_APPEND;
	else if (unlinkat(d->fd, part, 0) == 0 || errno == ENOENT)
		flags |= O_CREAT | O_EXCL;
	d->parts[host] = PART_TORN;
	if ((fd = openat(d->fd, part, flags, 0666)) == -1)
		return -1;
	rc = write_all(fd, data, len);
	if (close(fd) == -1)
		rc = -1;
	if (rc == 0)
		d->parts[host] = PART_BEGUN;
	return rc;
}

static int
finish(struct dir *d, size_t host, const char *name)
{
	char part[NAME_MAX + 1], safe[256];

	if (d->parts[host] == PART_NONE && append(d, host, name, "", 0) == -1)
		return -1;
	if (d->parts[host] == PART_TORN)
		return 0;
	if (part_name(part, sizeof(part), name) == -1 ||
	    cli_safe_name(safe, sizeof(safe), name) == -1)
		return -1;
	d->parts[host] = PART_NONE;
	return renameat(d->fd, part, d->fd, safe);
}

static void
host_over(struct outdir_view *o, size_t host, const char *name, bool tried)
{
	struct dir *d;

	for (d = o->dirs; d < o->dirs + 2; d++)
		if (d->path != NULL && (tried || d->parts[host] != PART_NONE) &&
		    finish(d, host, name) == -1)
			warn_once(o, d, name);
}

static void
on_event(struct cli_view *v, const struct fanout_event *ev)
{
	struct outdir_view *o = (struct outdir_view *)v;
	const struct fanout_result *r = ev->result;
	struct dir *d = &o->dirs[ev->kind == FANOUT_EV_ERR];

	if (ev->kind == FANOUT_EV_DONE)
		host_over(o, ev->host, ev->name, r->cls != FANOUT_C_SKIPPED &&
		    !(r->cls == FANOUT_C_CANCELED &&
		    r->stage == FANOUT_S_QUEUE));
	else if ((ev->kind == FANOUT_EV_OUT || ev->kind == FANOUT_EV_ERR) &&
	    d->path != NULL &&
	    append(d, ev->host, ev->name, ev->data, ev->len) == -1)
		warn_once(o, d, ev->name);
}

static void
on_rest(struct cli_view *v, const struct cli_roster *r)
{
	struct outdir_view *o = (struct outdir_view *)v;
	size_t i;

	for (i = 0; i < r->count; i++)
		if (r->places[i].given_up)
			host_over(o, i, fanout_hosts_at(r->hosts, i),
			    r->places[i].code != CLI_NOT_BEGUN);
}

static void
free_view(struct cli_view *v)
{
	struct outdir_view *o = (struct outdir_view *)v;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (o->dirs[i].fd != -1)
			close(o->dirs[i].fd);
		free(o->dirs[i].parts);
	}
	free(o);
}

static int
open_dir(struct dir *d, const char *path, size_t hosts)
{
	if ((d->path = path) == NULL)
		return 0;
	if (mkdir(path, 0777) == -1 && errno != EEXIST) {
		warn("cannot make %s", path);
		return -1;
	}
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd == -1 || faccessat(d->fd, ".", W_OK | X_OK, AT_EACCESS) == -1) {
		warn("cannot write into %s", path);
		return -1;
	}
	if ((d->parts = calloc(hosts, sizeof(*d->parts))) == NULL) {
		warnx("out of memory");
		return -1;
	}
	return 0;
}

/* Both in one folder would be one file. */
static bool
same(const struct dir *a, const struct dir *b)
{
	struct stat sa, sb;

	return a->fd != -1 && b->fd != -1 && fstat(a->fd, &sa) == 0 &&
	    fstat(b->fd, &sb) == 0 && sa.st_dev == sb.st_dev &&
	    sa.st_ino == sb.st_ino;
}

struct cli_view *
cli_outdir_view(const struct cli_look *look, const struct cli_roster *r,
    struct cli_sink *err)
{
	struct outdir_view *o;

	if ((o = calloc(1, sizeof(*o))) == NULL) {
		warnx("out of memory");
		return NULL;
	}
	o->view = (struct cli_view){ .event = on_event, .rest = on_rest,
	    .free = free_view, .err = err };
	o->dirs[0].fd = o->dirs[1].fd = -1;
	if (open_dir(&o->dirs[0], look->outdir, r->count) == -1 ||
	    open_dir(&o->dirs[1], look->errdir, r->count) == -1) {
		free_view(&o->view);
		return NULL;
	}
	if (same(&o->dirs[0], &o->dirs[1])) {
		warnx("--outdir and --errdir are the same folder");
		free_view(&o->view);
		return NULL;
	}
	return &o->view;
}
