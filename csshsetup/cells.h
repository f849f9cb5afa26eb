/*
 * cells.h - who reaches whom: a table with a cell for each pair, and how it is
 * shown.
 */
#ifndef CELLS_H
#define CELLS_H

#include "setup.h"

enum cell_state { CELL_NONE, CELL_ASKED, CELL_OK, CELL_BAD, CELL_UNTRIED };

struct cell {
	unsigned char state;	/* enum cell_state */
	bool	 denied;	/* BAD: the login, not the way to it */
	char	*why;		/* BAD, UNTRIED; or NULL */
};

struct cells {
	const struct setup *setup;
	size_t	 n;
	struct cell *cell;	/* n rows (from) of n (to) */
};

/* 0, or -1 without memory. */
int	cells_init(struct cells *, const struct setup *);
void	cells_clear(struct cells *);
struct cell *cells_at(const struct cells *, size_t from, size_t to);
void	cells_set(struct cells *, size_t from, size_t to, enum cell_state,
	    const char *why);

/* Of those that count: all, and which are not OK. */
void	cells_count(const struct cells *, size_t *all, size_t *bad);

/* All of it, as the look of the run says. */
void	cells_show(const struct cells *, struct cli_sink *out);

#endif
