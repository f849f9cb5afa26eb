/*
 * upcall.h - ask a program and wait for its answer, with a deadline.
 */
#ifndef FO_UPCALL_H
#define FO_UPCALL_H

#include "fanout.h"

#define FO_UPCALL_MS	30000	/* unless fanout_groups_deadline() */
#define FO_UPCALL_MAX	(64 * 1024 * 1024)	/* bytes of an answer */

/*
 * Run argv (argv[0] is looked up in PATH) in the folder dir (NULL: the
 * current one) with /dev/null as its input. *out: all of its standard
 * output, ended by a NUL, free(3); an empty answer is "". A failure (it
 * cannot be run, ends with a status other than 0, by a signal or not in
 * time) is an error that names the program and has the first line it wrote
 * to its standard error. At the deadline its process group is killed.
 */
int	fo_upcall(char *const argv[], const char *dir, int ms, char **out,
	    struct fanout_error *);

#endif
