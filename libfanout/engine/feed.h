/*
 * feed.h - standard input of a job: read once, given to every host at the
 * pace of each.
 *
 * A regular file is read in place. Anything else is read by a thread of its
 * own into a spool: the first part in memory, the rest in an unlinked
 * temporary file ($TMPDIR, else /tmp), so a slow host holds up nobody and
 * memory stays bounded however much comes in.
 */
#ifndef FO_FEED_H
#define FO_FEED_H

#include <sys/types.h>

#include <stdint.h>

#define FEED_MEMORY (1024 * 1024)

struct feed;

/*
 * The fd stays the caller's, and open until feed_free. news(arg) is called
 * on the feed's thread whenever more can be read. 0, or -1 with errno.
 */
int	feed_new(struct feed **, int fd, void (*news)(void *), void *arg);
void	feed_free(struct feed *);	/* stops and joins; NULL is fine */

/* A regular file that is read in place: its descriptor; else -1. */
int	feed_fd(const struct feed *);

/*
 * Read at an offset, from any thread: bytes; 0: that is the end; -1: nothing
 * there yet, news will tell; -2: it could not be read or spooled, errno.
 */
ssize_t	feed_read(struct feed *, uint64_t off, void *, size_t);

#endif
