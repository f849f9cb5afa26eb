#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "base/err.h"
#include "base/wire.h"
#include "keys_int.h"

static const struct {
	const char *type, *name;
	const EVP_MD *(*md)(void);	/* NULL: the scheme has its own */
} algorithms[] = {
	{ "ssh-ed25519", "ssh-ed25519", NULL },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", EVP_sha256 },
	{ "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", EVP_sha384 },
	{ "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", EVP_sha512 },
	{ "ssh-rsa", "rsa-sha2-512", EVP_sha512 },
	{ "ssh-rsa", "rsa-sha2-256", EVP_sha256 },
	{ "ssh-rsa", "ssh-rsa", EVP_sha1 },
};

static EVP_MD_CTX *
prepare(EVP_PKEY *pkey, const EVP_MD *md)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, pkey) != 1) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

/* For ECDSA OpenSSL keeps both halves as they are given; the others' public
 * half follows from the private one. */
static bool
is_pair(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx;
	bool good;

	if (!EVP_PKEY_is_a(pkey, "EC"))
		return true;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	good = ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

static bool
halves_agree(const struct key *k, EVP_PKEY *pkey)
{
	unsigned char *blob;
	size_t len;
	bool same;

	if ((blob = key_blob_of(pkey, &len)) == NULL)
		return false;
	same = len == k->blob_len && memcmp(blob, k->blob, len) == 0;
	free(blob);
	return same;
}

int
key_set_secret(struct key *k, EVP_PKEY *pkey, struct fanout_error *e)
{
	const char *type = k->blob_len > 4 ? (const char *)k->blob + 4 : "";
	struct key_algorithm *a;
	struct key_secret *secret;
	size_t i;

	if ((secret = calloc(1, sizeof(*secret))) == NULL) {
		EVP_PKEY_free(pkey);
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	}
	secret->pkey = pkey;
	k->secret = secret;
	if (!halves_agree(k, pkey) || !is_pair(pkey))
		return fo_error(e, FANOUT_ECONFIG, "its public and private "
		    "halves do not belong together");
	a = secret->alg;
	for (i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		if (k->blob_len < 4 + strlen(algorithms[i].type) ||
		    memcmp(type, algorithms[i].type,
		    strlen(algorithms[i].type)) != 0)
			continue;
		/* SHA-1 may be forbidden here; then it is not offered. */
		a->ready = prepare(pkey, algorithms[i].md == NULL ? NULL :
		    algorithms[i].md());
		if (a->ready != NULL)
			(a++)->name = algorithms[i].name;
	}
	ERR_clear_error();
	if (a == secret->alg)
		return fo_error(e, FANOUT_ECONFIG, "OpenSSL cannot sign with "
		    "this key");
	return 0;
}

void
key_secret_free(struct key_secret *s)
{
	int i;

	if (s == NULL)
		return;
	for (i = 0; i < KEY_ALGORITHMS; i++)
		EVP_MD_CTX_free(s->alg[i].ready);
	EVP_PKEY_free(s->pkey);
	free(s);
}

static void
put_bn(struct fo_wr *w, const BIGNUM *n)
{
	unsigned char buf[66];
	int len = BN_num_bytes(n);

	if (len > (int)sizeof(buf)) {
		w->bad = true;
		return;
	}
	BN_bn2bin(n, buf);
	fo_wr_mpint(w, buf, (size_t)len);
}

/* OpenSSL's DER into the two numbers of RFC 5656 section 3.1.2. */
static int
ecdsa_numbers(unsigned char **sig, size_t *len)
{
	const unsigned char *p = *sig;
	ECDSA_SIG *es = d2i_ECDSA_SIG(NULL, &p, (long)*len);
	struct fo_wr w;

	free(*sig);
	*sig = NULL;
	fo_wr_init(&w);
	if (es == NULL)
		w.bad = true;
	else {
		put_bn(&w, ECDSA_SIG_get0_r(es));
		put_bn(&w, ECDSA_SIG_get0_s(es));
	}
	ECDSA_SIG_free(es);
	return (*sig = fo_wr_take(&w, len)) == NULL ? -1 : 0;
}

static int
sign(const EVP_MD_CTX *ready, const void *data, size_t len,
    unsigned char **sig, size_t *siglen)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = -1;

	*sig = NULL;
	if (ctx != NULL && EVP_MD_CTX_copy_ex(ctx, ready) == 1 &&
	    EVP_DigestSign(ctx, NULL, siglen, data, len) == 1 &&
	    (*sig = malloc(*siglen)) != NULL &&
	    EVP_DigestSign(ctx, *sig, siglen, data, len) == 1)
		rc = 0;
	EVP_MD_CTX_free(ctx);
	if (rc == -1) {
		free(*sig);
		*sig = NULL;
		ERR_clear_error();
	}
	return rc;
}

int
key_sign(const struct key *k, const char *algorithm, const void *data,
    size_t len, unsigned char **sig, size_t *siglen)
{
	const struct key_algorithm *a = NULL;
	int i;

	*sig = NULL;
	*siglen = 0;
	for (i = 0; k->secret != NULL && i < KEY_ALGORITHMS; i++)
		if (k->secret->alg[i].name != NULL &&
		    strcmp(k->secret->alg[i].name, algorithm) == 0)
			a = &k->secret->alg[i];
	if (a == NULL || sign(a->ready, data, len, sig, siglen) == -1)
		return -1;
	if (strncmp(algorithm, "ecdsa-", 6) == 0)
		return ecdsa_numbers(sig, siglen);
	return 0;
}
