/*
 * plain.h - a host without an SFTP server (small devices often have none): all
 * is done by commands of sh(1), in phases of its own.
 *
 *	PROBE	what the destination is, then what is at each place
 *	PLACE	directories, temporary folders and links are made; later hard
 *		links; in the end modes and times; or all of ours is removed
 *
 * SUM, LARGE (each file is one, here) and COMMIT are those of other hosts.
 * Paths are lines that the commands read, so that no name has a newline.
 */
#ifndef PLAIN_H
#define PLAIN_H

#include "copy.h"

/* LOOK ended so: is it that there is no SFTP? Then the first PROBE is begun. */
bool	plain_takes_over(struct host *, const struct fanout_result *);

enum place { PLACE_FIRST, PLACE_LINKS, PLACE_LAST, PLACE_CLEAN };
void	plain_place(struct host *, enum place);
bool	plain_needs(const struct host *, enum place);

/* Commands that are needed are not there: it has failed. */
void	plain_misses(struct host *);

/* The command of PROBE or PLACE is over. */
void	plain_over(struct host *);

/* After PROBE: does the next one follow, and has it been begun? */
bool	plain_probes_on(struct host *);

#endif
