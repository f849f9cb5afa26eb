/*
 * yamlread.h - YAML as a stream of events, by libyaml, which is loaded when the
 * first such file is met: who has none needs no libyaml.
 */
#ifndef FO_YAMLREAD_H
#define FO_YAMLREAD_H

#include <stdbool.h>
#include <stdio.h>

#include "fanout.h"

enum fo_yaml_kind {
	FO_YAML_SCALAR,
	FO_YAML_LIST, FO_YAML_LIST_END,
	FO_YAML_MAP, FO_YAML_MAP_END,
	FO_YAML_END,		/* of the file */
	FO_YAML_OTHER		/* aliases */
};

struct fo_yaml;

/*
 * Open it and go to its first event. An empty one is at its end at once. A
 * file that may not be read: 0, and *out is NULL. ECONFIG where libyaml is
 * missing. path must outlive it.
 */
int	fo_yaml_open(struct fo_yaml **out, const char *path,
	    struct fanout_error *);
void	fo_yaml_close(struct fo_yaml *);	/* NULL is fine */

enum fo_yaml_kind fo_yaml_kind(const struct fo_yaml *);

/* A scalar; "" for null. Lives until the next event. */
const char *fo_yaml_text(const struct fo_yaml *);

/* Go on to the next event; skip: past the node that is the current one. */
int	fo_yaml_next(struct fo_yaml *);
int	fo_yaml_skip(struct fo_yaml *);

/* An error "path:line: expected what"; its code. */
int	fo_yaml_expected(const struct fo_yaml *, const char *what);

#endif
