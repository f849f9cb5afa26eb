/*
 * table.h - a group source whose groups are known beforehand: those of a
 * file, a membership, an inventory. Readers of such things fill a table and
 * hand it to fo_groups_add_source() with fo_table_ops.
 */
#ifndef FO_TABLE_H
#define FO_TABLE_H

#include "groups.h"

struct fo_table;

/* map: the texts added for a group; list: all names; all: the group "all",
 * else the hosts of every group. */
extern const struct fo_source_ops fo_table_ops;

struct fo_table *fo_table_new(void);	/* NULL: no memory */
void	fo_table_free(void *);		/* a struct fo_table or NULL */

/* Add to a group, making it if need be. The text is an expression, or "".
 * 0 or ENOMEM. */
int	fo_table_add(struct fo_table *, const char *group, size_t group_len,
	    const char *text, size_t text_len);

/* What was added under this name, or NULL; the table's own. */
const char *fo_table_get(const struct fo_table *, const char *group);

/* flatfile.c: lines "group: expression" of a file into the table. '#' begins
 * a comment. A group on several lines is their union. (ClusterShell's
 * groups file, nodeset(1)) */
int	fo_flatfile_read(struct fo_table *, const char *path,
	    struct fanout_error *);

#endif
