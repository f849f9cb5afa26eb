/*
 * knownline.h - one line of known_hosts: "[MARKER] HOSTS TYPE BLOB [COMMENT]".
 */
#ifndef KNOWNLINE_H
#define KNOWNLINE_H

#include <stdbool.h>
#include <stddef.h>

/* Parts of the line that was parsed. */
struct knownline {
	const char *marker, *hosts, *type, *blob;
	size_t	 marker_len, hosts_len, type_len, blob_len;
};

/* False: it has no key. */
bool	knownline_parse(struct knownline *, const char *line, size_t len);

/* key: "TYPE BLOB". */
bool	knownline_has_key(const struct knownline *, const char *key);
bool	knownline_same_type(const struct knownline *, const char *key);

/* Does it name this one, in so many letters or hashed? Patterns name nobody. */
bool	knownline_names(const struct knownline *, const char *name);

/* Does it name none but some of these, which are separated by blanks? */
bool	knownline_only(const struct knownline *, const char *names);

#endif
