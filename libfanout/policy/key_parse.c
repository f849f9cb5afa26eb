#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/wire.h"
#include "key_build.h"
#include "keys_int.h"
#include "knownhosts.h"

struct passphrase {
	const char *text;	/* NULL: there is none to give */
	bool	 asked;
};

/* OpenSSL asks for a passphrase: so it is encrypted. */
static int
passphrase(char *buf, int size, int rwflag, void *arg)
{
	struct passphrase *pass = arg;
	size_t len;

	(void)rwflag;
	pass->asked = true;
	if (pass->text == NULL || (len = strlen(pass->text)) > (size_t)size)
		return -1;
	memcpy(buf, pass->text, len);
	return (int)len;
}

int
key_parse_pem(struct key *k, EVP_PKEY **pkey, const char *text, size_t len,
    const char *pass, struct fanout_error *e)
{
	struct passphrase phrase = { .text = pass };
	BIO *bio;

	if ((bio = BIO_new_mem_buf(text, (int)len)) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	*pkey = PEM_read_bio_PrivateKey(bio, NULL, passphrase, &phrase);
	BIO_free(bio);
	ERR_clear_error();
	if (*pkey == NULL && !phrase.asked)
		return fo_error(e, FANOUT_ECONFIG, "no private key of a "
		    "format known here (OpenSSH, PEM, PKCS#8)");
	if (*pkey == NULL) {
		k->state = KEY_ENCRYPTED;
		return pass == NULL ? 0 : KEY_WRONG;
	}
	if ((k->blob = key_blob_of(*pkey, &k->blob_len)) == NULL) {
		EVP_PKEY_free(*pkey);
		*pkey = NULL;
		return fo_error(e, FANOUT_ECONFIG, "a key of a type that SSH "
		    "does not have or we do not support");
	}
	return 0;
}

int
key_parse_public(struct key *k, const char *text, size_t len)
{
	const char *nl = memchr(text, '\n', len), *p = text, *end, *b64;
	char type[64];
	size_t tlen, blen, clen;
	ssize_t n;

	end = nl == NULL ? text + len : nl;
	if (end > p && end[-1] == '\r')
		end--;
	tlen = strcspn(p, " \t\r\n");
	b64 = p + tlen + strspn(p + tlen, " \t");
	blen = strcspn(b64, " \t\r\n");
	if (tlen >= sizeof(type) || b64 >= end || blen == 0 || b64 + blen > end)
		return -1;
	if ((k->blob = malloc(blen)) == NULL)
		return -1;
	n = fo_b64_decode(b64, blen, k->blob, blen);
	if (n == -1 ||
	    blob_type(k->blob, (size_t)n, type, sizeof(type)) == -1 ||
	    strlen(type) != tlen || memcmp(type, text, tlen) != 0) {
		free(k->blob);
		k->blob = NULL;
		return -1;
	}
	k->blob_len = (size_t)n;
	p = b64 + blen + strspn(b64 + blen, " \t");
	clen = p < end ? (size_t)(end - p) : 0;
	if (clen > 0 && k->comment == NULL)
		k->comment = strndup(p, clen);
	return 0;
}

static void
blob_ed25519(EVP_PKEY *pkey, struct fo_wr *w)
{
	unsigned char pub[32];
	size_t len = sizeof(pub);

	if (EVP_PKEY_get_raw_public_key(pkey, pub, &len) != 1 ||
	    len != sizeof(pub)) {
		w->bad = true;
		return;
	}
	fo_wr_cstr(w, "ssh-ed25519");
	fo_wr_str(w, pub, len);
}

static void
blob_ecdsa(EVP_PKEY *pkey, struct fo_wr *w)
{
	unsigned char point[2 * 66 + 1];
	char group[32], type[40];
	const char *curve;
	size_t len;

	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len) != 1 ||
	    (curve = key_curve_ssh(group)) == NULL ||
	    EVP_PKEY_set_utf8_string_param(pkey,
	    OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") != 1 ||
	    EVP_PKEY_get_octet_string_param(pkey,
	    OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point), &len) !=
	    1) {
		w->bad = true;
		return;
	}
	(void)strlcpy(type, "ecdsa-sha2-", sizeof(type));
	(void)strlcat(type, curve, sizeof(type));
	fo_wr_cstr(w, type);
	fo_wr_cstr(w, curve);
	fo_wr_str(w, point, len);
}

static void
put_number(struct fo_wr *w, const BIGNUM *n)
{
	unsigned char *buf;
	int len = BN_num_bytes(n);

	if ((buf = malloc((size_t)len + 1)) == NULL) {
		w->bad = true;
		return;
	}
	BN_bn2bin(n, buf);
	fo_wr_mpint(w, buf, (size_t)len);
	free(buf);
}

static void
blob_rsa(EVP_PKEY *pkey, struct fo_wr *w)
{
	BIGNUM *n = NULL, *e = NULL;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1) {
		fo_wr_cstr(w, "ssh-rsa");
		put_number(w, e);
		put_number(w, n);
	} else
		w->bad = true;
	BN_free(n);
	BN_free(e);
}

unsigned char *
key_blob_of(EVP_PKEY *pkey, size_t *len)
{
	struct fo_wr w;

	fo_wr_init(&w);
	if (EVP_PKEY_is_a(pkey, "ED25519"))
		blob_ed25519(pkey, &w);
	else if (EVP_PKEY_is_a(pkey, "EC"))
		blob_ecdsa(pkey, &w);
	else if (EVP_PKEY_is_a(pkey, "RSA"))
		blob_rsa(pkey, &w);
	else
		w.bad = true;
	ERR_clear_error();
	return fo_wr_take(&w, len);
}
