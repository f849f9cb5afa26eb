/*
 * xattr.h - --xattrs: extended attributes of files and directories, ACLs and
 * the SELinux context among them (xattr(7)).
 *
 * They are read with the files, and set by setfattr(1) on the host before files
 * are put in their places: phase XATTRS. What it is to read is what getfattr(1)
 * writes.
 */
#ifndef XATTR_H
#define XATTR_H

#include "copy.h"

/* Lines "NAME=0sBASE64"; free(3). *lines is NULL where there are none. 0, or
 * -1 and errno. */
int	xattr_read(const char *path, char **lines);

/* The command line and h->input; NULL: no memory. What it said. */
char	*script_xattrs(struct host *);
void	script_xattrs_over(struct host *);

#endif
