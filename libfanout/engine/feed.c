#include <sys/eventfd.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "feed.h"
#include "thread.h"

struct feed {
	int		 fd;
	bool		 regular;
	off_t		 start;		/* regular: where the input begins */
	void		(*news)(void *);
	void		*arg;
	pthread_t	 thread;
	int		 stopfd;	/* eventfd: the thread is to end */

	pthread_mutex_t	 mu;		/* guards the rest */
	char		*mem;		/* the first FEED_MEMORY bytes */
	int		 spool;		/* the bytes after them; -1: none yet */
	uint64_t	 size;		/* bytes there are */
	bool		 ended;
	int		 error;		/* errno; with ended */
};

static int
open_spool(void)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (dir == NULL || dir[0] != '/')
		dir = "/tmp";
	if ((fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) != -1)
		return fd;
	if (snprintf(path, sizeof(path), "%s/fanout.XXXXXXXXXX", dir) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = mkostemp(path, O_CLOEXEC)) != -1)
		(void)unlink(path);
	return fd;
}

static int
write_at(int fd, const char *buf, size_t len, off_t off)
{
	ssize_t n;

	for (; len > 0; buf += n, len -= (size_t)n, off += n) {
		n = pwrite(fd, buf, len, off);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return -1;
	}
	return 0;
}

/*
 * Only the feed's thread writes, and only beyond size: readers below it need
 * the lock to learn size, not to copy.
 */
static int
append(struct feed *f, const char *buf, size_t len)
{
	uint64_t size = f->size;
	size_t n = 0;
	int spool = f->spool;

	if (size < FEED_MEMORY) {
		n = FEED_MEMORY - size < len ? FEED_MEMORY - size : len;
		memcpy(f->mem + size, buf, n);
	}
	if (n < len) {
		if (spool == -1 && (spool = open_spool()) == -1)
			return -1;
		if (write_at(spool, buf + n, len - n,
		    (off_t)(size + n - FEED_MEMORY)) == -1) {
			if (f->spool == -1)
				close(spool);
			return -1;
		}
	}
	pthread_mutex_lock(&f->mu);
	f->spool = spool;
	f->size = size + len;
	pthread_mutex_unlock(&f->mu);
	return 0;
}

static void
end(struct feed *f, int error)
{
	pthread_mutex_lock(&f->mu);
	f->ended = true;
	f->error = error;
	pthread_mutex_unlock(&f->mu);
}

/* False when the input is over or the feed is to stop. */
static bool
fill(struct feed *f, char *buf, size_t size)
{
	struct pollfd pfd[2] = {
		{ .fd = f->fd, .events = POLLIN },
		{ .fd = f->stopfd, .events = POLLIN }
	};
	ssize_t n;

	if (poll(pfd, 2, -1) == -1)
		return errno == EINTR;
	if (pfd[1].revents != 0)
		return false;
	n = read(f->fd, buf, size);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0 || append(f, buf, (size_t)n) == -1) {
		end(f, n == 0 ? 0 : errno);
		return false;
	}
	return true;
}

static void *
feed_main(void *arg)
{
	struct feed *f = arg;
	static const size_t size = 256 * 1024;
	char *buf;
	bool more;

	if ((buf = malloc(size)) == NULL)
		end(f, ENOMEM);
	do {
		more = buf != NULL && fill(f, buf, size);
		f->news(f->arg);
	} while (more);
	free(buf);
	return NULL;
}

static int
start_thread(struct feed *f)
{
	if ((f->mem = malloc(FEED_MEMORY)) == NULL)
		return -1;
	if ((f->stopfd = eventfd(0, EFD_CLOEXEC)) == -1)
		return -1;
	if ((errno = thread_start(&f->thread, feed_main, f)) != 0) {
		close(f->stopfd);
		f->stopfd = -1;
		return -1;
	}
	return 0;
}

int
feed_new(struct feed **out, int fd, void (*news)(void *), void *arg)
{
	struct feed *f;
	struct stat st;

	*out = NULL;
	if (fstat(fd, &st) == -1 || (f = calloc(1, sizeof(*f))) == NULL)
		return -1;
	f->fd = fd;
	f->news = news;
	f->arg = arg;
	f->spool = f->stopfd = -1;
	f->regular = S_ISREG(st.st_mode);
	pthread_mutex_init(&f->mu, NULL);
	if (f->regular)
		f->start = lseek(fd, 0, SEEK_CUR);
	else if (start_thread(f) == -1) {
		feed_free(f);
		return -1;
	}
	*out = f;
	return 0;
}

void
feed_free(struct feed *f)
{
	uint64_t one = 1;

	if (f == NULL)
		return;
	if (f->stopfd != -1) {
		if (write(f->stopfd, &one, sizeof(one)) == sizeof(one))
			pthread_join(f->thread, NULL);
		close(f->stopfd);
	}
	if (f->spool != -1)
		close(f->spool);
	free(f->mem);
	pthread_mutex_destroy(&f->mu);
	free(f);
}

int
feed_fd(const struct feed *f)
{
	return f->regular ? f->fd : -1;
}

static ssize_t
read_at(int fd, void *buf, size_t len, off_t off)
{
	ssize_t n;

	do
		n = pread(fd, buf, len, off);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -2 : n;
}

ssize_t
feed_read(struct feed *f, uint64_t off, void *buf, size_t len)
{
	uint64_t size;
	int error, spool;
	bool ended;

	if (f->regular)
		return read_at(f->fd, buf, len, f->start + (off_t)off);
	pthread_mutex_lock(&f->mu);
	size = f->size;
	ended = f->ended;
	error = f->error;
	spool = f->spool;
	pthread_mutex_unlock(&f->mu);

	if (off < size) {
		if (off >= FEED_MEMORY)
			return read_at(spool, buf, len < size - off ? len :
			    size - off, (off_t)(off - FEED_MEMORY));
		if (size > FEED_MEMORY)
			size = FEED_MEMORY;
		if (len > size - off)
			len = size - off;
		memcpy(buf, f->mem + off, len);
		return (ssize_t)len;
	}
	if (!ended)
		return -1;
	if (error == 0)
		return 0;
	errno = error;
	return -2;
}
