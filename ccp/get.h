/*
 * get.h - files of the hosts come here: the state GET of an SFTP session.
 *
 * Each host has a folder, DIR/HOST, with the paths as they are there; or, flat,
 * one file FILE.HOST. Nothing is ever written elsewhere, whatever a host says
 * its files are called, and no symbolic link is followed on this side. A file
 * is there whole, or not at all.
 */
#ifndef GET_H
#define GET_H

#include "fanout.h"

struct host;
struct get;

struct get_opts {
	bool	 flat;
	bool	 recursive, preserve, mkdir;
	uint64_t max_size;	/* bytes of one host */
};

/* paths on the hosts, NULL at the end, and the folder here. 0 or an error. */
struct get_all;
int	get_open(struct get_all **, char *const *paths, const char *dir,
	    const struct get_opts *, struct fanout_error *);
void	get_close(struct get_all *);

void	get_free(struct host *);

#endif
