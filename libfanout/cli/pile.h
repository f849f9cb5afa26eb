/*
 * pile.h - hosts that said the same and ended the same.
 *
 * What a host said stands in a store (its slot is the host's index). When the
 * host is over it goes to the pile of those like it, and its bytes are let go
 * if the pile has them already: what is kept is one text a pile. The cost is
 * that of the bytes, however many piles there are.
 */
#ifndef CLI_PILE_H
#define CLI_PILE_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct cli_pile {
	uint64_t hash;		/* of the text by which hosts are compared */
	int	 cause;		/* whatever else must be equal; sorts piles */
	size_t	 slot;		/* the host whose bytes are kept */
	size_t	 lowest;	/* its first host */
	uint32_t index;		/* counted as they were made */
	size_t	 count;
	size_t	 first;		/* index of the first member below */
	bool	 exact;		/* of all the bytes as they came are the same */
	struct cli_pile *next;	/* with the same place in the table */
};

struct cli_piles {
	struct cli_store *raw, *masked;	/* not ours; masked may be NULL */
	struct cli_pile **table;	/* by hash */
	size_t	 mask;			/* size of the table less one */
	struct cli_pile **all;
	size_t	 count, room;
	uint32_t *of;			/* pile of each host, from 1; 0: none */
	size_t	 hosts;
	uint64_t seed[2];
	struct cli_reader reader[2];
};

/* masked: the texts by which hosts are compared, if they are not those of raw.
 * 0, or -1 without memory. */
int	cli_piles_init(struct cli_piles *, size_t hosts, struct cli_store *raw,
	    struct cli_store *masked);
void	cli_piles_clear(struct cli_piles *);

/* The host is over. 0, or -1 and errno: it is in no pile. */
int	cli_piles_add(struct cli_piles *, size_t host, int cause);

/*
 * In the end: the hosts sorted by pile, so that those of a pile p are
 * members[p->first] and the p->count - 1 behind it, in their order. The piles
 * are sorted too: by cause, the largest first, then by their first member; or
 * only by their first member. free(3) the members. NULL: no memory.
 * Once.
 */
size_t	*cli_piles_finish(struct cli_piles *, bool by_first);

#endif
