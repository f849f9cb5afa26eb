/*
 * lines.h - a text file line by line, with errors that name file and line.
 *
 * A line may be of any length up to FO_LINE_MAX, so that what never ends (a
 * device, a runaway program) does not take all memory. NUL bytes are errors.
 */
#ifndef FO_LINES_H
#define FO_LINES_H

#include <stdio.h>

#include "fanout.h"

#define FO_LINE_MAX	(16 * 1024 * 1024)

struct fo_lines {
	FILE	*f;
	const char *path;	/* for messages; not copied */
	char	*line;		/* the current one, without its newline; may
				 * be written to */
	size_t	 len, cap;
	unsigned number;	/* of the current one, from 1 */
};

/* ESYS when it does not open or is a folder. path must outlive it. */
int	fo_lines_open(struct fo_lines *, const char *path,
	    struct fanout_error *);
/* The same of a stream already open, which is taken over. */
int	fo_lines_take(struct fo_lines *, FILE *, const char *path,
	    struct fanout_error *);
/* 1: a line. 0: the end. Negative: an error. */
int	fo_lines_next(struct fo_lines *, struct fanout_error *);
void	fo_lines_close(struct fo_lines *);

/* An error "path:line: what"; returns code. */
int	fo_lines_error(const struct fo_lines *, int code, const char *what,
	    struct fanout_error *);

/* Cut a comment that '#' begins off, and the blanks around; the rest. */
char	*fo_lines_trim(struct fo_lines *);

#endif
