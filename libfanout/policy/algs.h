/*
 * algs.h - OpenSSH's lists of algorithms, and the "+", "-", "^" of
 * ssh_config(5) applied to them.
 */
#ifndef FO_ALGS_H
#define FO_ALGS_H

#include <stdbool.h>

enum algs_kind {
	ALGS_CIPHERS,
	ALGS_MACS,
	ALGS_KEX,
	ALGS_HOSTKEY,		/* HostKeyAlgorithms */
	ALGS_PUBKEY		/* PubkeyAcceptedAlgorithms */
};

/* OpenSSH 9.2's own choice, in order; static. */
const char *algs_default(enum algs_kind);

/*
 * The list that a value of the keyword stands for; malloc(3)ed. Patterns
 * choose among the names that OpenSSH has; a plain name is kept even when
 * unknown, since a newer OpenSSH may have it. NULL: no memory, or (*bad set)
 * nothing is left of it.
 */
char	*algs_apply(enum algs_kind, const char *value, bool *bad);

/* Is it well-formed? */
bool	algs_valid(const char *value);

#endif
