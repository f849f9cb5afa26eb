#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "spill.h"

static int
make_file_in(struct cli_spill *s, const char *dir)
{
	char path[1024];

	if ((size_t)snprintf(path, sizeof(path), "%s/fanout.XXXXXXXXXX",
	    dir) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((s->fd = mkostemp(path, O_CLOEXEC)) == -1)
		return -1;
	unlink(path);
	return 0;
}

static int
make_file(struct cli_spill *s)
{
	const char *dir = getenv("TMPDIR");

	if (dir != NULL && *dir != '\0' && make_file_in(s, dir) == 0)
		return 0;
	return make_file_in(s, "/var/tmp");
}

int
cli_spill_add(struct cli_spill *s, const void *data, size_t len, off_t *where)
{
	const char *p = data;
	size_t left = len;
	ssize_t n;

	if (s->fd == -1 && make_file(s) == -1)
		return -1;
	while (left > 0) {
		n = pwrite(s->fd, p, left, s->end + (p - (const char *)data));
		if (n == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		p += n;
		left -= (size_t)n;
	}
	*where = s->end;
	s->end += (off_t)len;
	s->live += (off_t)len;
	return 0;
}

int
cli_spill_get(const struct cli_spill *s, off_t where, void *data, size_t len)
{
	char *p = data;
	ssize_t n;

	while (len > 0) {
		if ((n = pread(s->fd, p, len, where)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (n == 0) {
			errno = EIO;
			return -1;
		}
		p += n;
		len -= (size_t)n;
		where += n;
	}
	return 0;
}

void
cli_spill_release(struct cli_spill *s, off_t where, off_t bytes)
{
	s->live -= bytes;
	/* Failing to shrink costs disk, no more. */
	if (s->live > 0)
		(void)fallocate(s->fd, FALLOC_FL_PUNCH_HOLE |
		    FALLOC_FL_KEEP_SIZE, where, bytes);
	else if (s->end > 0 && ftruncate(s->fd, 0) == 0)
		s->end = 0;
}

void
cli_spill_close(struct cli_spill *s)
{
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
	s->end = s->live = 0;
}
