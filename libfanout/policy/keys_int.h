/*
 * keys_int.h - what the files of keys.h share.
 */
#ifndef FO_KEYS_INT_H
#define FO_KEYS_INT_H

#include <openssl/evp.h>

#include "keys.h"

#define KEY_ALGORITHMS 3

/* One way to sign with a key, with all that can be done beforehand. */
struct key_algorithm {
	const char *name;	/* as SSH calls it */
	EVP_MD_CTX *ready;	/* initialised; copied for each signature */
};

struct key_secret {
	EVP_PKEY *pkey;
	struct key_algorithm alg[KEY_ALGORITHMS];
};

#define KEY_WRONG 1		/* what parsing says of a passphrase */

/*
 * OpenSSH's own private key file (PROTOCOL.key), its armour included.
 * Fills blob, comment and state of the key; *pkey when the state is READY.
 * pass: of an encrypted one, which is KEY_ENCRYPTED without (NULL).
 */
int	key_parse_openssh(struct key *, EVP_PKEY **pkey, const char *text,
	    size_t len, const char *pass, struct fanout_error *);

/* How the secret part of such a file is encrypted, as it stands there. */
struct key_cipher {
	const unsigned char *name, *kdf, *options;
	size_t	 name_len, kdf_len, options_len;
};

/*
 * Decrypts in place; tag is what follows it in the file. 0, KEY_WRONG, where
 * that can be told, or an error.
 */
int	key_decrypt(const struct key_cipher *, const char *pass,
	    unsigned char *secret, size_t len, const unsigned char *tag,
	    size_t taglen, struct fanout_error *);

/* Any file that OpenSSL reads. As above; an encrypted one leaves the blob
 * NULL. */
int	key_parse_pem(struct key *, EVP_PKEY **pkey, const char *text,
	    size_t len, const char *pass, struct fanout_error *);

/* One line "type base64 comment". 0, or -1: that it is not. */
int	key_parse_public(struct key *, const char *text, size_t len);

/* The public key as SSH sends it, malloc(3)ed; NULL for types without one. */
unsigned char *key_blob_of(EVP_PKEY *, size_t *len);

/* Makes the secret; takes pkey over in any case. */
int	key_set_secret(struct key *, EVP_PKEY *pkey, struct fanout_error *);
void	key_secret_free(struct key_secret *);

#endif
