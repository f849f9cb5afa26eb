/*
 * spill.h - bytes that wait on disk, so that memory stays bounded.
 *
 * One unlinked file for all; nobody else can see it and nothing is left of it.
 * It lives in $TMPDIR or /var/tmp, not in /tmp, which often is memory itself.
 * What is released gives its room back, where the file system can do that.
 */
#ifndef CLI_SPILL_H
#define CLI_SPILL_H

#include <sys/types.h>

struct cli_spill {
	int	 fd;	/* -1: not made yet */
	off_t	 end;
	off_t	 live;	/* bytes not released */
};
#define CLI_SPILL_INIT { -1, 0, 0 }

/* Appends; *where is what to read it back by. 0, or -1 and errno. */
int	cli_spill_add(struct cli_spill *, const void *, size_t, off_t *where);

/* Reads exactly so many bytes. 0, or -1 and errno. */
int	cli_spill_get(const struct cli_spill *, off_t where, void *, size_t);

/* Those bytes are no longer needed. */
void	cli_spill_release(struct cli_spill *, off_t where, off_t bytes);
void	cli_spill_close(struct cli_spill *);

#endif
