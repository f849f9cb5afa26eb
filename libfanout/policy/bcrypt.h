/*
 * bcrypt.h - from a passphrase to a key, slowly: the key derivation of
 * OpenSSH's encrypted key files (bcrypt_pbkdf of OpenBSD).
 */
#ifndef FO_BCRYPT_H
#define FO_BCRYPT_H

#include <stddef.h>

#define BCRYPT_KEY_MAX 1024
#define BCRYPT_SALT_MAX 1024

/* Fills key. 0, or -1: a length or the rounds make no sense, or memory. */
int	bcrypt_derive(const void *pass, size_t passlen, const void *salt,
	    size_t saltlen, void *key, size_t keylen, unsigned rounds);

#endif
