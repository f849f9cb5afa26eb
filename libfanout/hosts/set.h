/*
 * set.h - the host set itself: an ordered list of names with a hash index.
 *
 * Names are stored once, in one arena; entries keep the order in which they
 * came. Everything here is linear in what it touches. A set belongs to one
 * thread at a time; nothing is shared between sets.
 */
#ifndef FO_SET_H
#define FO_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fanout.h"
#include "arena.h"

/* The longest [user@]name[:port], without the NUL. */
#define FO_HOST_MAX	511

struct fo_entry {
	const char *name;	/* in the arena */
	uint32_t hash;
	uint32_t len;
};

struct fanout_hosts {
	struct fo_arena arena;
	struct fo_entry *e;	/* n entries in order */
	size_t	 n, cap;
	uint64_t *slot;		/* the index by hash: see slot_of() */
	size_t	 nslot;		/* a power of two, or 0 */
	uint64_t seed;		/* of the hash: names cannot be made to clash */
	size_t	 max;		/* entries */
	struct fanout_groups *groups;	/* not ours; may be NULL */
};

/* Append a name unless it is there. 1: added, 0: was there, negative:
 * ENOMEM, or ELIMIT when the set is full. The name is not checked. */
int	fo_set_put(struct fanout_hosts *, const char *, size_t len);

/* The same, and where it stands. A set may so number any strings of bytes. */
int	fo_set_intern(struct fanout_hosts *, const char *, size_t len,
	    size_t *at);

/* Make place for so many more entries; 0 or ENOMEM. */
int	fo_set_reserve(struct fanout_hosts *, size_t more);

/* Index of exactly this name, or FANOUT_NOHOST. */
size_t	fo_set_find(const struct fanout_hosts *, const char *, size_t len);

/* Forget the entries from n on, the last ones put. */
void	fo_set_truncate(struct fanout_hosts *, size_t n);

/* Keep the entries whose mark is not 0; marks has one byte an entry. */
int	fo_set_keep(struct fanout_hosts *, const unsigned char *marks);

/* Does the mask name this entry? A mask entry without user or port stands
 * for every user or port of that name. */
bool	fo_set_covers(const struct fanout_hosts *mask, const struct fo_entry *);

/* The error that goes with what fo_set_put() returned. */
int	fo_set_error(const struct fanout_hosts *, int code,
	    struct fanout_error *);

#endif
