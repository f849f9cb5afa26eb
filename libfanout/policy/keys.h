/*
 * keys.h - user keys: reading key files, and signing with them.
 *
 * Formats: OpenSSH's own (PROTOCOL.key), and what OpenSSL decodes: PEM,
 * PKCS#8. Types: ssh-ed25519 (RFC 8709), ecdsa-sha2-nistp256/384/521
 * (RFC 5656), ssh-rsa with SHA-2 signatures (RFC 8332).
 *
 * A struct key does not change once loaded, but for the secret that unlocking
 * adds to an encrypted one, and is counted: any number of threads may sign with
 * it, hold and drop references.
 */
#ifndef FO_KEYS_H
#define FO_KEYS_H

#include <stddef.h>

#include "fanout.h"

enum key_state {
	KEY_READY,	/* can sign */
	KEY_ENCRYPTED,	/* only the public half is known until key_unlock */
	KEY_PUBLIC,	/* there is a public key only: an agent may have it */
	KEY_FOREIGN	/* a kind we cannot sign with: FIDO, DSA */
};

struct key_secret;

struct key {
	enum key_state state;
	char	 type[64];	/* "ssh-ed25519", "ssh-rsa", ... */
	unsigned bits;		/* of an RSA modulus; else 0 */
	unsigned char *blob;	/* public key as on the wire */
	size_t	 blob_len;
	char	*path;
	char	*comment;	/* never NULL */
	struct key_secret *_Atomic secret;	/* NULL: cannot sign (yet) */
	_Atomic unsigned refs;
};

/*
 * path without ".pub". 0 also for a key that is encrypted, when its public
 * half can be had (from the file or from path.pub), and when there is only a
 * public key: see state. An error says
 * what is wrong with the file; sys_errno is ENOENT when there is none.
 * A private key that others may read is refused, as ssh does.
 */
int	key_load(struct key **, const char *path, struct fanout_error *);
struct key *key_ref(struct key *);
void	key_free(struct key *);		/* drops one reference; NULL is fine */

/*
 * Make an encrypted key ready to sign, for all who hold it: its file is read
 * once more. 0; 1: that is not its passphrase; or an error, which says what
 * is wrong. Takes as long as the file's stretching does (0.1 s, or many).
 * One thread at a time.
 */
int	key_unlock(struct key *, const char *passphrase, struct fanout_error *);

/*
 * The signature as it goes into the inner string of RFC 4252 section 7:
 * ed25519 64 bytes, ecdsa two mpints, rsa the raw number.
 * algorithm: "ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-256",
 * "rsa-sha2-512", "ssh-rsa" (SHA-1), ...; it must suit the key.
 * *sig is malloc(3)ed. 0 or -1.
 */
int	key_sign(const struct key *, const char *algorithm, const void *data,
	    size_t len, unsigned char **sig, size_t *siglen);

#endif
