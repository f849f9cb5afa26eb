/*
 * ini.h - configuration files of sections and keys, as Python's ConfigParser
 * reads them: "[section]", "key: value" or "key = value", '#' and ';' begin
 * comment lines, an indented line continues the value. Keys are compared
 * without case, the last value of a key counts.
 */
#ifndef FO_INI_H
#define FO_INI_H

#include <stddef.h>

#include "fanout.h"

struct fo_ini_key {
	char	*section, *key, *value;
};

struct fo_ini {
	struct fo_ini_key *keys;	/* in order of their first coming */
	size_t	 n, cap;
};

/* Add the keys of a file; those already there get its values. */
int	fo_ini_read(struct fo_ini *, const char *path, struct fanout_error *);
/* NULL: it is not there. */
const char *fo_ini_get(const struct fo_ini *, const char *section,
	    const char *key);
void	fo_ini_free(struct fo_ini *);

#endif
