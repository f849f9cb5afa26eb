/*
 * name.h - what may stand in [user@]name[:port], and taking one apart.
 *
 * A name is letters, digits and - _ . + = ~ and, in addresses, : and %
 * (zone, RFC 4007). It never begins with '-' (ssh would take it for an
 * option) or '.', so that it is safe as an argument and as a file name.
 * International names are written in their ASCII form (RFC 5890).
 */
#ifndef FO_NAME_H
#define FO_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* May this byte stand in a host (user and port included), brackets aside? */
bool	fo_name_char(unsigned char);

/* Has it a user, a port or brackets, so that splitting it is worth while? */
bool	fo_name_has_parts(const char *, size_t len);

/*
 * Check a whole entry and write its canonical form, of at most its own
 * length, in place: [v6] without a port loses its brackets. NULL when it is
 * well, else what is wrong: static text, to be read after "host NAME: ".
 */
const char *fo_name_check(char *, size_t *len);

#endif
