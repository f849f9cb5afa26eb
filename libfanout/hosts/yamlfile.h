/*
 * yamlfile.h - ClusterShell's YAML files of groups (*.yaml of groups.d):
 *
 *	source:
 *	    group: 'nodes'
 *	    group:
 *	        - 'nodes'
 *	        - 'nodes'
 *
 * Read with libyaml, which is loaded when the first such file is met: who
 * has none needs no libyaml.
 */
#ifndef FO_YAMLFILE_H
#define FO_YAMLFILE_H

#include "fanout.h"

/* Add each source of the file as a source of groups. A file that may not be
 * read is passed over; ECONFIG where libyaml is missing. */
int	fo_yamlfile_read(struct fanout_groups *, const char *path,
	    struct fanout_error *);

#endif
