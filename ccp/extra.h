/*
 * extra.h - --delete: what is in the copied directories there and not here.
 *
 * It is listed before anything is changed (state LIST), and removed once all
 * else is done (state DELETE). Links are removed, never followed. What --exclude
 * names stays, and so do the folders in which it is.
 */
#ifndef EXTRA_H
#define EXTRA_H

#include "copy.h"

/* Entries of a source in the order in which their names are looked up; once. 0,
 * or -1: no memory. */
int	extra_index(struct load *);

enum go	at_list(struct host *);
enum go	at_delete(struct host *);

/* How many there are to be removed. */
uint32_t extra_count(const struct host *);

/* Their paths, sorted, each with a NUL, and one more at the end; free(3). NULL:
 * there are none, or no memory. */
char	*extra_text(const struct host *);
void	extra_free(struct host *);

#endif
