/*
 * pairs.h - the files of a key that is being replaced, here:
 *
 *	KEY, KEY.pub		the key
 *	KEY.new, KEY.new.pub	the one that is to follow it, while it is not
 *				proven yet
 *	KEY.old, KEY.old.pub	the one before it
 *	KEY.rotate		hosts that may still have the one before it, one
 *				a line; as long as there is one, it goes on
 */
#ifndef PAIRS_H
#define PAIRS_H

#include "fanout.h"

struct pairs {
	char	*key, *new, *old, *list;
	bool	 going_on;	/* there is a list: old is to be replaced by key */
};

/* 0 or an error. */
int	pairs_init(struct pairs *, const char *key, struct fanout_error *);
void	pairs_clear(struct pairs *);

/* "TYPE BLOB" of FILE.pub, and its whole line; free(3). 0 or an error. */
int	pairs_read(const char *file, char **word, char **line,
	    struct fanout_error *);

/* The new one becomes the key, and the key the old one. 0 or an error. */
int	pairs_switch(struct pairs *, struct fanout_error *);

/* The hosts of the list; written whole, gone when there are none. */
int	pairs_load(const struct pairs *, struct fanout_hosts *,
	    struct fanout_error *);
int	pairs_save(const struct pairs *, const struct fanout_hosts *,
	    struct fanout_error *);

#endif
