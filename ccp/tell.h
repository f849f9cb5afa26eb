/*
 * tell.h - what a copy changes, or would change, on which hosts: those with
 * the same to be told are told of together.
 */
#ifndef TELL_H
#define TELL_H

#include "cli/sink.h"
#include "copy.h"

/* How an entry stands; kept by each host in h->told. */
enum told { TOLD_SAME = '=', TOLD_NEW = '+', TOLD_CHANGED = '~',
    TOLD_MODE = 'm' };

/* It is decided what is to be done on this host. */
void	tell_note(struct host *);

/* A file as it is there, for --diff: takes bytes, from malloc(3). */
void	tell_old(struct host *, uint32_t entry, char *bytes, size_t len);

/* All groups, once the run is over. */
void	tell_all(struct copy *, struct cli_sink *);
void	tell_free(struct copy *);

/* Does any host differ from what it should be? */
bool	tell_differs(const struct copy *);

#endif
