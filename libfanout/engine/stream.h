/*
 * stream.h - standard input of one host, written by the caller's thread and
 * read by the worker that has the host.
 *
 * Bytes wait in memory, STREAM_ROOM at most. Each side asks first and is told
 * later: a reader that found nothing is to be woken after the next write, a
 * writer that found no room gets one event when half of it is free again.
 */
#ifndef FO_STREAM_H
#define FO_STREAM_H

#include <sys/types.h>

#include <pthread.h>
#include <stdbool.h>

#include "queue.h"

#define STREAM_ROOM (256 * 1024)

struct chunk;
STAILQ_HEAD(chunks, chunk);

struct stream {
	struct event	 room;		/* embedded in its task's job */

	pthread_mutex_t	 mu;		/* guards the rest */
	struct chunks	 list;
	size_t		 size;		/* bytes in it */
	bool		 ended;		/* no more will be written */
	bool		 cut;		/* nor does anything else follow */
	bool		 closed;	/* nobody will read it */
	bool		 hungry;	/* the reader found nothing */
	bool		 wants_room;	/* the writer found too little room */
	bool		 room_queued;	/* its event is on the way */
};

void	stream_init(struct stream *, struct task *, const struct fanout_event *);
void	stream_destroy(struct stream *);

/* ---- the caller's thread ---- */

/* Bytes taken; -1: no memory; -2: it is closed. *wake: the reader waits for them. */
ssize_t	stream_write(struct stream *, const void *, size_t, bool *wake);
void	stream_end(struct stream *, bool cut, bool *wake);
void	stream_room_seen(struct stream *);	/* its event was delivered */
void	stream_close(struct stream *);		/* nobody reads it any more */

/* ---- the worker ---- */

/* Bytes; 0: that was all; -1: none yet; -2: and nothing follows. *room: the
 * room event is to be queued. */
ssize_t	stream_read(struct stream *, void *, size_t, bool *room);

#endif
