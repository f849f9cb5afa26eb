/*
 * edit.h - a file of a host that is to change: lines go, others come at its
 * end. All else stays as it is, byte for byte.
 */
#ifndef EDIT_H
#define EDIT_H

#include <stdio.h>

#include "answer.h"
#include "setup.h"

struct edit {
	int	 number;	/* as the host has it */
	const char *path;	/* this and old point into the record */
	size_t	 path_len;
	const char *old;	/* NULL: it is not there */
	size_t	 len;
	bool	*gone;		/* one a line */
	size_t	 lines, dropped;
	char	*more;		/* whole lines */
	size_t	 more_len, added;
	bool	 failed;	/* there was no memory */

	/* of edit_next */
	size_t	 at, line;
};

/* r: a file, which outlives it. */
void	edit_begin(struct edit *, const struct record *r);
void	edit_clear(struct edit *);

/* The next line that is there, without its newline. */
bool	edit_next(struct edit *, const char **, size_t *len);
void	edit_rewind(struct edit *);
void	edit_drop(struct edit *);		/* the line that came last */
void	edit_add(struct edit *, const char *line);

bool	edit_changes(const struct edit *);
size_t	edit_size(const struct edit *);		/* of the new file */

/* As script.h has it, but for the "commit". */
void	edit_send(const struct edit *, FILE *reply);

/* What would change, as a diff. */
void	edit_show(const struct edit *, const struct setup *, size_t host,
	    struct cli_sink *out);

/* So, where only one line comes to a file of so many. */
void	edit_show_more(const struct setup *, size_t host, const char *path,
	    size_t lines, const char *line, struct cli_sink *out);

#endif
