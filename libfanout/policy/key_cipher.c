/*
 * key_cipher.c - the secret part of OpenSSH's encrypted key files.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/err.h"
#include "base/wire.h"
#include "bcrypt.h"
#include "keys_int.h"

#define KEY_MAX 64
#define TAG_LEN 16
#define ROUNDS_MAX 10000000	/* days of work: a broken or hostile file */

static const struct cipher {
	const char	*name;
	const EVP_CIPHER *(*get)(void);
	bool		 tagged;
} ciphers[] = {
	{ "aes256-ctr", EVP_aes_256_ctr, false },
	{ "aes192-ctr", EVP_aes_192_ctr, false },
	{ "aes128-ctr", EVP_aes_128_ctr, false },
	{ "aes256-cbc", EVP_aes_256_cbc, false },
	{ "aes192-cbc", EVP_aes_192_cbc, false },
	{ "aes128-cbc", EVP_aes_128_cbc, false },
	{ "aes256-gcm@openssh.com", EVP_aes_256_gcm, true },
	{ "aes128-gcm@openssh.com", EVP_aes_128_gcm, true },
	{ "3des-cbc", EVP_des_ede3_cbc, false }
};

static const struct cipher *
find(const unsigned char *name, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		if (strlen(ciphers[i].name) == len &&
		    memcmp(ciphers[i].name, name, len) == 0)
			return &ciphers[i];
	return NULL;
}

static int
stretch(const struct key_cipher *c, const char *pass, unsigned char *key,
    size_t len, struct fanout_error *e)
{
	const unsigned char *salt;
	struct fo_rd r;
	size_t saltlen;
	uint32_t rounds;

	fo_rd_init(&r, c->options, c->options_len);
	salt = fo_rd_str(&r, &saltlen);
	rounds = fo_rd_u32(&r);
	if (c->kdf_len != 6 || memcmp(c->kdf, "bcrypt", 6) != 0 || r.bad ||
	    rounds > ROUNDS_MAX)
		return fo_error(e, FANOUT_ECONFIG, "encrypted in a way not "
		    "known here");
	if (pass[0] == '\0')
		return KEY_WRONG;
	if (bcrypt_derive(pass, strlen(pass), salt, saltlen, key, len,
	    rounds) == -1)
		return fo_error(e, FANOUT_ECONFIG, "malformed private key "
		    "(key derivation)");
	return 0;
}

/* 1: done; 0: the passphrase is wrong, as far as the cipher can tell. */
static int
decipher(const struct cipher *ci, const unsigned char *key,
    const unsigned char *iv, unsigned char *p, size_t len,
    const unsigned char *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char rest[EVP_MAX_BLOCK_LENGTH];
	int n, good;

	good = ctx != NULL &&
	    EVP_DecryptInit_ex(ctx, ci->get(), NULL, key, iv) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	    (!ci->tagged || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
	    TAG_LEN, (void *)(uintptr_t)tag) == 1) &&
	    EVP_DecryptUpdate(ctx, p, &n, p, (int)len) == 1 &&
	    EVP_DecryptFinal_ex(ctx, rest, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

int
key_decrypt(const struct key_cipher *c, const char *pass,
    unsigned char *secret, size_t len, const unsigned char *tag,
    size_t taglen, struct fanout_error *e)
{
	const struct cipher *ci = find(c->name, c->name_len);
	unsigned char key[KEY_MAX];
	size_t keylen, ivlen;
	int rc;

	if (ci == NULL)
		return fo_error(e, FANOUT_ECONFIG, "encrypted with %.*s, which "
		    "is not known here: ssh-keygen -p makes it aes256-ctr",
		    (int)c->name_len, (const char *)c->name);
	keylen = (size_t)EVP_CIPHER_get_key_length(ci->get());
	ivlen = (size_t)EVP_CIPHER_get_iv_length(ci->get());
	if (len == 0 || len > INT32_MAX ||
	    len % (size_t)EVP_CIPHER_get_block_size(ci->get()) != 0 ||
	    taglen != (ci->tagged ? TAG_LEN : 0))
		return fo_error(e, FANOUT_ECONFIG, "malformed private key "
		    "(length)");
	rc = stretch(c, pass, key, keylen + ivlen, e);
	if (rc == 0 && !decipher(ci, key, key + keylen, secret, len, tag))
		rc = KEY_WRONG;
	explicit_bzero(key, sizeof(key));
	return rc;
}
