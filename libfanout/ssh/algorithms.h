/*
 * algorithms.h - which algorithms to offer: what the configuration wants, of
 * what this libssh2 can do. SHA-1, MD5, CBC and RC4 are not offered unless
 * the configuration names them.
 */
#ifndef FO_ALGORITHMS_H
#define FO_ALGORITHMS_H

#include <stdbool.h>
#include <stddef.h>

enum { ALGO_KEX, ALGO_HOSTKEY, ALGO_CIPHER, ALGO_MAC, ALGO_KINDS };

struct algorithms {
	char	**supported[ALGO_KINDS];	/* each ends with NULL */
	bool	 rsa_sha2;
};

/* Asks libssh2. 0, or -1: out of memory. */
int	algorithms_init(struct algorithms *);
void	algorithms_clear(struct algorithms *);

/*
 * The wanted names (a comma list; NULL: our own preference) that are
 * supported, as a malloc(3)ed comma list. NULL: out of memory, or *none is
 * set: nothing is left.
 */
char	*algorithms_pick(const struct algorithms *, int kind,
	    const char *wanted, bool *none);

#endif
