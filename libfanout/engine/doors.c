/*
 * doors.c - how many log in at one address at the same time.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "doors.h"

#define DOOR_WIDTH 8	/* below the 10 from which sshd drops, by default */

int
doors_init(struct doors *d)
{
	size_t i;

	for (i = 0; i < DOOR_BUCKETS; i++)
		SLIST_INIT(&d->bucket[i]);
	return pthread_mutex_init(&d->mu, NULL);
}

void
doors_destroy(struct doors *d)
{
	pthread_mutex_destroy(&d->mu);
}

static struct door_list *
bucket_of(struct doors *d, const struct address *a)
{
	const unsigned char *p = (const unsigned char *)&a->u;
	uint32_t h = 2166136261u;	/* FNV-1a */
	socklen_t i;

	for (i = 0; i < a->len; i++)
		h = (h ^ p[i]) * 16777619u;
	return &d->bucket[h % DOOR_BUCKETS];
}

static struct door *
find(struct door_list *list, const struct address *a)
{
	struct door *door;

	SLIST_FOREACH(door, list, link)
		if (door->address.len == a->len &&
		    memcmp(&door->address.u, &a->u, a->len) == 0)
			return door;
	if ((door = calloc(1, sizeof(*door))) == NULL)
		return NULL;
	door->address = *a;
	SLIST_INSERT_HEAD(list, door, link);
	return door;
}

bool
doors_enter(struct doors *d, const struct address *a, struct door **door)
{
	bool in = true;

	pthread_mutex_lock(&d->mu);
	*door = find(bucket_of(d, a), a);
	if (*door != NULL && (*door)->entering == DOOR_WIDTH)
		in = false;
	else if (*door != NULL)
		(*door)->entering++;
	pthread_mutex_unlock(&d->mu);
	if (!in)
		*door = NULL;
	return in;
}

void
doors_leave(struct doors *d, struct door *door)
{
	struct door_list *list;

	pthread_mutex_lock(&d->mu);
	if (--door->entering == 0) {
		list = bucket_of(d, &door->address);
		SLIST_REMOVE(list, door, door, link);
		free(door);
	}
	pthread_mutex_unlock(&d->mu);
}
