/*
 * store.h - bytes of many slots, each in its order.
 *
 * They wait in memory up to a budget that all slots share, then on disk
 * (spill.h). Nothing is added, dropped or changed.
 */
#ifndef CLI_STORE_H
#define CLI_STORE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "spill.h"

struct cli_store {
	struct cli_stored *slots;
	size_t	 nslots;
	size_t	 budget;	/* may be raised at any time */
	size_t	 used;		/* allocated in memory by all */
	struct cli_spill spill;
};

/* 0, or -1 without memory. */
int	cli_store_init(struct cli_store *, size_t slots, size_t budget);
void	cli_store_clear(struct cli_store *);

/* 0, or -1 and errno: then nothing of these bytes was kept. */
int	cli_store_add(struct cli_store *, size_t slot, const void *, size_t);

/* How many bytes a slot has, and the last of them (0: none, or on disk). */
off_t	cli_store_len(const struct cli_store *, size_t slot);
char	cli_store_last(const struct cli_store *, size_t slot);

/* The slot is empty again. */
void	cli_store_drop(struct cli_store *, size_t slot);

/* Reading a slot from its beginning, piece by piece. */
#define CLI_READER_BLOCK 32768
struct cli_reader {
	const struct cli_store *store;
	size_t	 slot;
	size_t	 extent;	/* the one that comes next */
	off_t	 gone;		/* of that one */
	bool	 memory;	/* what is in memory has been handed out */
	char	 block[CLI_READER_BLOCK];
};

void	cli_reader_open(struct cli_reader *, const struct cli_store *,
	    size_t slot);

/* 1: a piece, good until the next call or change; 0: the end; -1 and errno. */
int	cli_reader_next(struct cli_reader *, const char **, size_t *);

#endif
