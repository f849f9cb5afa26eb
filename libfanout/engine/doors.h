/*
 * doors.h - how many log in at one address at the same time.
 *
 * Many names and users may be one server, and a server drops some of those
 * who have not logged in yet when they are too many (sshd_config(5),
 * MaxStartups: from 10 on). Every call is safe from any thread.
 */
#ifndef FO_DOORS_H
#define FO_DOORS_H

#include <sys/queue.h>

#include <pthread.h>
#include <stdbool.h>

#include "resolve.h"

#define DOOR_BUCKETS 256

struct door {			/* an address at which somebody logs in */
	SLIST_ENTRY(door) link;
	struct address	 address;
	unsigned	 entering;
};
SLIST_HEAD(door_list, door);

struct doors {
	pthread_mutex_t	 mu;		/* guards the rest */
	struct door_list bucket[DOOR_BUCKETS];
};

int	doors_init(struct doors *);	/* 0 or errno */
void	doors_destroy(struct doors *);	/* all have left */

/* False: there are as many as may be; come again. Otherwise *door is to be
 * left, or NULL (out of memory: nobody counts). */
bool	doors_enter(struct doors *, const struct address *, struct door **);
void	doors_leave(struct doors *, struct door *);

#endif
