/*
 * fetch.h - a file of a host, read by SFTP from beginning to end.
 *
 * Pieces are asked for ahead and handed on in order, whatever the order and
 * the size in which they come. It ends at the size it was given, or where the
 * file ends: what has grown meanwhile, or never ends, is not followed.
 */
#ifndef FETCH_H
#define FETCH_H

#include "sftp.h"

#define FETCH_AHEAD 16

struct fetch_piece {
	uint64_t off;
	uint32_t len, got;
	unsigned char *bytes;
	bool	 whole;
};

struct fetch {
	struct sftp	*sftp;
	uint64_t	 size;		/* to be read */
	uint64_t	 asked, given;	/* bytes asked for, handed on */
	struct sftp_handle handle;
	bool		 open;
	bool		 ended;		/* nothing is asked any more */
	const char	*error;		/* why it failed; NULL */
	char		 words[128];	/* error may point here */
	unsigned	 unanswered;
	struct fetch_piece ring[FETCH_AHEAD];
	unsigned	 first;		/* piece that is next to be handed on */

	/* The next bytes. False: no more are wanted. */
	bool		(*take)(void *arg, const void *, size_t);
	/* It is over: error is NULL and given the size, or less. */
	void		(*done)(void *arg, struct fetch *);
	void		*arg;
	sftp_fn		 answer;	/* the caller's: calls fetch_answer */
	uint32_t	 slot;		/* tag for it, below FETCH_SLOTS */
};

/* A tag has the slot in its low bits; the rest is the fetch's own. */
#define FETCH_SLOTS 64

/* Begin. The fields from take on and sftp, size are set by the caller. */
void	fetch_open(struct fetch *, const char *path);

/* An answer came; tag is as it came. */
void	fetch_answer(struct fetch *, uint32_t tag, const struct sftp_answer *);

void	fetch_more(struct fetch *);	/* ask ahead */
void	fetch_free(struct fetch *);	/* its memory, not itself */

#endif
