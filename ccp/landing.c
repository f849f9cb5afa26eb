#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "landing.h"

/* The directory dir/name, made if it is not there. */
static int
step(int dir, const char *name)
{
	if (mkdirat(dir, name, 0777) == -1 && errno != EEXIST)
		return -1;
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
}

static bool
is_part(const char *name)
{
	return *name != '\0' && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0;
}

/* The directory of the last part, and that part. -1 and errno. */
static int
walk(int root, const char *path, char *last, size_t size)
{
	int dir, next;
	size_t n;

	if ((dir = fcntl(root, F_DUPFD_CLOEXEC, 0)) == -1)
		return -1;
	for (;;) {
		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n >= size) {
			errno = ENAMETOOLONG;
			break;
		}
		memcpy(last, path, n);
		last[n] = '\0';
		path += n;
		/* "./x" is x; ".." leads nowhere. */
		if (strcmp(last, ".") == 0 && *path != '\0')
			continue;
		if (!is_part(last)) {
			errno = EINVAL;
			break;
		}
		if (path[strspn(path, "/")] == '\0')
			return dir;
		if ((next = step(dir, last)) == -1)
			break;
		close(dir);
		dir = next;
	}
	n = (size_t)errno;
	close(dir);
	errno = (int)n;
	return -1;
}

/* Names of temporary files differ within a run; several may be under way. */
static void
temp_name(char *out, size_t size, const char *temp)
{
	static unsigned long count;

	snprintf(out, size, "%s-%lu", temp, count++);
}

int
landing_begin(struct landing *l, int root, const char *path, const char *temp)
{
	if ((l->dir = walk(root, path, l->name, sizeof(l->name))) == -1)
		return -1;
	temp_name(l->temp, sizeof(l->temp), temp);
	l->fd = openat(l->dir, l->temp, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (l->fd == -1) {
		int saved = errno;

		close(l->dir);
		errno = saved;
		return -1;
	}
	l->open = true;
	return 0;
}

int
landing_write(struct landing *l, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n) {
		n = write(l->fd, p, len);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1)
			return -1;
	}
	return 0;
}

static void
end(struct landing *l)
{
	close(l->fd);
	close(l->dir);
	l->open = false;
}

int
landing_finish(struct landing *l, mode_t mode, int64_t mtime)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_NOW },
	    { .tv_sec = (time_t)mtime } };
	mode_t mask = umask(0);

	(void)umask(mask);
	if (fchmod(l->fd, mode & ~mask) == -1 ||
	    (mtime != -1 && futimens(l->fd, times) == -1) ||
	    renameat(l->dir, l->temp, l->dir, l->name) == -1)
		return -1;
	end(l);
	return 0;
}

void
landing_abort(struct landing *l)
{
	int saved = errno;

	if (l->open) {
		(void)unlinkat(l->dir, l->temp, 0);
		end(l);
	}
	errno = saved;
}

int
landing_dir(int root, const char *path)
{
	char last[256];
	int dir = walk(root, path, last, sizeof(last)), made;

	if (dir == -1)
		return -1;
	made = step(dir, last);
	close(dir);
	if (made != -1)
		close(made);
	return made == -1 ? -1 : 0;
}

int
landing_link(int root, const char *path, const char *target, const char *temp)
{
	char last[256], name[96];
	int dir = walk(root, path, last, sizeof(last)), rc;

	if (dir == -1)
		return -1;
	temp_name(name, sizeof(name), temp);
	rc = symlinkat(target, dir, name);
	if (rc == 0 && (rc = renameat(dir, name, dir, last)) == -1)
		(void)unlinkat(dir, name, 0);
	close(dir);
	return rc;
}
