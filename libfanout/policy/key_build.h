/*
 * key_build.h - OpenSSL's key objects from the numbers of a key file.
 */
#ifndef FO_KEY_BUILD_H
#define FO_KEY_BUILD_H

#include <stddef.h>

#include <openssl/evp.h>

/* An unsigned number, big end first; not owned. */
struct key_number {
	const unsigned char *p;
	size_t	 len;
};

/* curve: "nistp256" (RFC 5656). NULL when it makes no key. */
EVP_PKEY *key_build_ecdsa(const unsigned char *curve, size_t curve_len,
	    const unsigned char *point, size_t point_len,
	    const unsigned char *d, size_t d_len);

/* n, e, d, 1/q mod p, p, q: the order of OpenSSH's file. */
#define KEY_RSA_NUMBERS 6
EVP_PKEY *key_build_rsa(const struct key_number[KEY_RSA_NUMBERS]);

/* SSH's name of a curve ("nistp256") from OpenSSL's; NULL: not one of ours. */
const char *key_curve_ssh(const char *openssl_name);

#endif
