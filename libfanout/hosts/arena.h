/*
 * arena.h - many short strings, freed together.
 *
 * Strings never move, so pointers to them stay good until fo_arena_free().
 * Not thread-safe: an arena belongs to whatever holds it.
 */
#ifndef FO_ARENA_H
#define FO_ARENA_H

#include <stddef.h>

struct fo_arena_chunk;

struct fo_arena {
	struct fo_arena_chunk *chunks;	/* the newest first */
};

/* A copy of len bytes with a NUL behind them; NULL when memory runs out. */
char	*fo_arena_dup(struct fo_arena *, const char *, size_t len);
void	 fo_arena_free(struct fo_arena *);

#endif
