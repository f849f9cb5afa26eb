/*
 * landing.h - files that come from elsewhere are written below a folder, and
 * nowhere else: each part of a path is opened by itself and must not be a
 * symbolic link; "." and ".." are no parts.
 */
#ifndef LANDING_H
#define LANDING_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct landing {
	int	 dir, fd;	/* where it goes; the temporary file */
	bool	 open;
	char	 temp[96], name[256];
};

/*
 * All return 0, or -1 and errno. root is the folder, path below it; directories
 * on the way are made. temp: what the name of a temporary file begins with.
 */
int	landing_begin(struct landing *, int root, const char *path,
	    const char *temp);
int	landing_write(struct landing *, const void *, size_t);
/* It takes its place, also of an older file. mtime -1: now. */
int	landing_finish(struct landing *, mode_t, int64_t mtime);
void	landing_abort(struct landing *);	/* at any time, also zeroed */

int	landing_dir(int root, const char *path);
int	landing_link(int root, const char *path, const char *target,
	    const char *temp);

#endif
