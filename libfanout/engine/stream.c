#include <stdlib.h>
#include <string.h>

#include "stream.h"

struct chunk {
	STAILQ_ENTRY(chunk) link;
	size_t		 off, len;	/* what of data is still to be read */
	char		 data[];
};

void
stream_init(struct stream *s, struct task *t, const struct fanout_event *like)
{
	pthread_mutex_init(&s->mu, NULL);
	STAILQ_INIT(&s->list);
	s->room.ev = *like;
	s->room.ev.kind = FANOUT_EV_ROOM;
	s->room.task = t;
	s->room.embedded = true;
}

static void
drop(struct stream *s)
{
	struct chunk *c;

	while ((c = STAILQ_FIRST(&s->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->list, link);
		/* It may have been a password. */
		explicit_bzero(c->data, c->len);
		free(c);
	}
	s->size = 0;
}

void
stream_destroy(struct stream *s)
{
	drop(s);
	pthread_mutex_destroy(&s->mu);
}

ssize_t
stream_write(struct stream *s, const void *data, size_t len, bool *wake)
{
	struct chunk *c;
	size_t room;

	*wake = false;
	pthread_mutex_lock(&s->mu);
	if (s->closed || s->ended) {
		pthread_mutex_unlock(&s->mu);
		return -2;
	}
	room = s->size < STREAM_ROOM ? STREAM_ROOM - s->size : 0;
	if (len > room) {
		s->wants_room = true;
		len = room;
	}
	if (len > 0) {
		if ((c = malloc(sizeof(*c) + len)) == NULL) {
			pthread_mutex_unlock(&s->mu);
			return -1;
		}
		c->off = 0;
		c->len = len;
		memcpy(c->data, data, len);
		STAILQ_INSERT_TAIL(&s->list, c, link);
		s->size += len;
		*wake = s->hungry;
		s->hungry = false;
	}
	pthread_mutex_unlock(&s->mu);
	return (ssize_t)len;
}

void
stream_end(struct stream *s, bool cut, bool *wake)
{
	pthread_mutex_lock(&s->mu);
	s->cut |= cut && !s->ended;
	s->ended = true;
	*wake = s->hungry;
	s->hungry = false;
	pthread_mutex_unlock(&s->mu);
}

void
stream_room_seen(struct stream *s)
{
	pthread_mutex_lock(&s->mu);
	s->room_queued = false;
	pthread_mutex_unlock(&s->mu);
}

void
stream_close(struct stream *s)
{
	pthread_mutex_lock(&s->mu);
	s->closed = true;
	drop(s);
	pthread_mutex_unlock(&s->mu);
}

/* From the first chunk; it goes when it is used up. */
static size_t
take(struct stream *s, char *buf, size_t len)
{
	struct chunk *c = STAILQ_FIRST(&s->list);

	if (len > c->len - c->off)
		len = c->len - c->off;
	memcpy(buf, c->data + c->off, len);
	explicit_bzero(c->data + c->off, len);
	c->off += len;
	s->size -= len;
	if (c->off == c->len) {
		STAILQ_REMOVE_HEAD(&s->list, link);
		free(c);
	}
	return len;
}

ssize_t
stream_read(struct stream *s, void *buf, size_t len, bool *room)
{
	size_t n = 0;
	bool ended, cut;

	*room = false;
	pthread_mutex_lock(&s->mu);
	while (n < len && !STAILQ_EMPTY(&s->list))
		n += take(s, (char *)buf + n, len - n);
	ended = s->ended;
	cut = s->cut;
	s->hungry = n == 0 && !ended;
	if (s->wants_room && !s->room_queued && s->size <= STREAM_ROOM / 2) {
		s->wants_room = false;
		s->room_queued = *room = true;
	}
	pthread_mutex_unlock(&s->mu);
	if (n == 0 && cut)
		return -2;
	return n > 0 || ended ? (ssize_t)n : -1;
}
