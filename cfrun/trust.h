/*
 * trust.h - CFEngine's keys: ours, those we trust, and which host has which.
 *
 * A key is known by its file in ppkeys/, and is then good for any host; that
 * is all CFEngine asks. Here it is also bound to a host: a file of lines
 * "host digest" (the registry) says which key is whose.
 */
#ifndef TRUST_H
#define TRUST_H

#include <openssl/evp.h>

#include "fanout.h"

#define TRUST_DIGEST 80		/* "SHA=" and 64 digits */

struct trust;

/*
 * Reads ppkeys/localhost.priv below workdir and the registry (NULL: cfrun.keys
 * there). user: whom we claim to be, also part of key files' names.
 */
int	trust_open(struct trust **, const char *workdir, const char *registry,
	    const char *user, struct fanout_error *);
void	trust_close(struct trust *);		/* NULL is fine */

EVP_PKEY *trust_own_key(const struct trust *);

enum trust_verdict {
	TRUST_YES,		/* known, and this host's */
	TRUST_NEW_HOST,		/* known, and nobody's yet */
	TRUST_UNKNOWN,		/* not in ppkeys */
	TRUST_CHANGED,		/* the registry has another one for this host */
	TRUST_OTHERS,		/* the registry has it for another host */
	TRUST_ERROR		/* out of memory, no RSA key */
};

struct trust_answer {
	enum trust_verdict verdict;
	char	 digest[TRUST_DIGEST];	/* as cf-key says it */
	char	 expected[TRUST_DIGEST];	/* CHANGED: by the registry */
	char	 other[256];		/* OTHERS: the host that has it */
};

/*
 * What of a key that a host shows. address: in digits. Reads the registry as
 * it was when opened. Threads: any, if none is in trust_accept().
 */
void	trust_check(const struct trust *, const char *host,
	    const char *address, const EVP_PKEY *, struct trust_answer *);

/* From now on this is the host's key. 0 or errno; a file may be unwritable. */
int	trust_accept(const struct trust *, const char *host, const EVP_PKEY *);

/* The digest by MD5 ("MD5=...") or else SHA-256 ("SHA=..."); 0 or -1. */
int	trust_digest(const EVP_PKEY *, bool sha, char *out, size_t size);

/* The digest that the registry has for a host; NULL: none. */
const char *trust_recorded(const struct trust *, const char *host);

const char *trust_registry(const struct trust *);	/* its path */

#endif
