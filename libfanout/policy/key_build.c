#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "key_build.h"

static const struct {
	const char *ssh, *openssl;
} curves[] = {
	{ "nistp256", "prime256v1" },
	{ "nistp384", "secp384r1" },
	{ "nistp521", "secp521r1" },
};
#define NCURVES (sizeof(curves) / sizeof(curves[0]))

const char *
key_curve_ssh(const char *name)
{
	size_t i;

	for (i = 0; i < NCURVES; i++)
		if (strcmp(curves[i].openssl, name) == 0)
			return curves[i].ssh;
	return NULL;
}

static const char *
curve_openssl(const unsigned char *name, size_t len)
{
	size_t i;

	for (i = 0; i < NCURVES; i++)
		if (strlen(curves[i].ssh) == len &&
		    memcmp(curves[i].ssh, name, len) == 0)
			return curves[i].openssl;
	return NULL;
}

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM_BLD *b)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY *pkey = NULL;

	if (ctx != NULL && params != NULL &&
	    EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);	/* wipes what it took from secure BNs */
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

EVP_PKEY *
key_build_ecdsa(const unsigned char *curve, size_t curve_len,
    const unsigned char *point, size_t point_len, const unsigned char *d,
    size_t d_len)
{
	const char *group = curve_openssl(curve, curve_len);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(d, (int)d_len, NULL);
	EVP_PKEY *pkey = NULL;

	if (group != NULL && b != NULL && n != NULL && d_len <= 66 &&
	    OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME,
	    group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY,
	    point, point_len) == 1 &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, n) == 1)
		pkey = from_params("EC", b);
	BN_clear_free(n);
	OSSL_PARAM_BLD_free(b);
	return pkey;
}

enum { N, E, D, IQMP, P, Q, DP, DQ, NUMBERS };

/* What the file leaves out: d mod (p - 1), d mod (q - 1). */
static int
rsa_exponents(BIGNUM *bn[NUMBERS])
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *t = BN_secure_new();
	int ok;

	ok = ctx != NULL && t != NULL &&
	    BN_sub(t, bn[P], BN_value_one()) && BN_mod(bn[DP], bn[D], t, ctx) &&
	    BN_sub(t, bn[Q], BN_value_one()) && BN_mod(bn[DQ], bn[D], t, ctx);
	BN_clear_free(t);
	BN_CTX_free(ctx);
	return ok ? 0 : -1;
}

static EVP_PKEY *
rsa_from(BIGNUM *bn[NUMBERS])
{
	static const char *const names[NUMBERS] = {
		OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E,
		OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
		OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
		OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
	};
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;
	int i;

	for (i = 0; b != NULL && i < NUMBERS; i++)
		if (OSSL_PARAM_BLD_push_BN(b, names[i], bn[i]) != 1)
			break;
	if (i == NUMBERS)
		pkey = from_params("RSA", b);
	OSSL_PARAM_BLD_free(b);
	return pkey;
}

EVP_PKEY *
key_build_rsa(const struct key_number v[KEY_RSA_NUMBERS])
{
	BIGNUM *bn[NUMBERS] = { NULL };
	EVP_PKEY *pkey = NULL;
	int i, ok = 1;

	for (i = 0; i < NUMBERS; i++) {
		bn[i] = i == N || i == E ? BN_new() : BN_secure_new();
		if (bn[i] == NULL)
			ok = 0;
		else if (i < KEY_RSA_NUMBERS && (v[i].len > 2048 ||
		    v[i].len == 0 ||
		    BN_bin2bn(v[i].p, (int)v[i].len, bn[i]) == NULL))
			ok = 0;
	}
	if (ok && !BN_is_one(bn[P]) && !BN_is_one(bn[Q]) &&
	    rsa_exponents(bn) == 0)
		pkey = rsa_from(bn);
	for (i = 0; i < NUMBERS; i++)
		BN_clear_free(bn[i]);
	return pkey;
}
