/*
 * hostfile.h - files of host expressions, as pdsh's WCOLL files.
 *
 * One expression a line. '#' begins a comment anywhere in a line. "#include
 * NAME" in column 1, with exactly one word, reads another file: NAME is an
 * absolute path, one that begins with ./ or ../, or is looked for in the
 * folder of the file that names it (standard input: the current folder). A
 * file is read once, however often it is included. (pdsh(1), wcoll.c)
 */
#ifndef FO_HOSTFILE_H
#define FO_HOSTFILE_H

#include <stdbool.h>

#include "fanout.h"

struct fo_trace;

/*
 * set = set , file; "-" is standard input, read to its end. On failure the
 * set is as it was and the error names file and line.
 */
int	fo_hostfile_add(struct fanout_hosts *set, const char *path,
	    struct fanout_groups *, struct fanout_error *);

/* The same, each line noted in a trace (NULL: none), as what is left out
 * where leaves_out says so. */
int	fo_hostfile_trace(struct fanout_hosts *set, const char *path,
	    struct fanout_groups *, struct fo_trace *, bool leaves_out,
	    struct fanout_error *);

#endif
