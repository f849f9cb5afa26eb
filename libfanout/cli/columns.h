/*
 * columns.h - what host files say of hosts, beside their names:
 *
 *	node[1-8]	# rack=r1 role=web "owner=Ann Smith"
 *
 * A comment is that only if its first word is NAME=VALUE; later lines and
 * files add to a host, and the last one said counts.
 */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include "fanout.h"

struct cli_columns;

int	cli_columns_new(struct cli_columns **, struct fanout_error *);
void	cli_columns_free(struct cli_columns *);		/* NULL is fine */
int	cli_columns_read(struct cli_columns *, const char *path,
	    struct fanout_error *);

/* NULL: nothing is said. A line of a name alone is for every user and port. */
const char *cli_columns_get(const struct cli_columns *, const char *host,
	    const char *name, size_t len);

#endif
