/*
 * interactive.h - cexec without a command, on a terminal: one command after
 * the other, on sessions that stay open.
 */
#ifndef INTERACTIVE_H
#define INTERACTIVE_H

#include "cexec.h"

/* Is there somebody at a terminal? */
bool	interactive_can(void);

/* Do the options make sense there? 0 or an error. */
int	interactive_check(const struct cexec *, struct fanout_error *);

/* Until the end of input. Returns the exit status: that of the last command. */
int	interactive(struct cexec *, const struct fanout_hosts *);

#endif
