#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "bcrypt.h"
#include "blowfish_pi.h"

#define HASH 32		/* bytes of one bcrypt */
#define WORDS (HASH / 4)

/* ---- Blowfish ---------------------------------------------------------- */

struct blowfish {
	uint32_t p[18];
	uint32_t s[4][256];
};

static uint32_t
f(const struct blowfish *b, uint32_t x)
{
	return ((b->s[0][x >> 24] + b->s[1][x >> 16 & 0xff]) ^
	    b->s[2][x >> 8 & 0xff]) + b->s[3][x & 0xff];
}

static void
encipher(const struct blowfish *b, uint32_t v[2])
{
	uint32_t l = v[0] ^ b->p[0], r = v[1];
	int i;

	for (i = 1; i <= 16; i += 2) {
		r ^= f(b, l) ^ b->p[i];
		l ^= f(b, r) ^ b->p[i + 1];
	}
	v[0] = r ^ b->p[17];
	v[1] = l;
}

/* The next four bytes, of a text that is read round and round. */
static uint32_t
next_word(const unsigned char *data, size_t len, size_t *at)
{
	uint32_t w = 0;
	int i;

	for (i = 0; i < 4; i++) {
		w = w << 8 | data[*at];
		*at = (*at + 1) % len;
	}
	return w;
}

/* The schedule, made over with a key and, if there is one, a salt. */
static void
expand(struct blowfish *b, const unsigned char *salt, const unsigned char *key)
{
	uint32_t v[2] = { 0, 0 }, *word;
	size_t i, at = 0;

	for (i = 0; i < 18; i++)
		b->p[i] ^= next_word(key, SHA512_DIGEST_LENGTH, &at);
	at = 0;
	for (i = 0; i < 18 + 4 * 256; i += 2) {
		if (salt != NULL) {
			v[0] ^= next_word(salt, SHA512_DIGEST_LENGTH, &at);
			v[1] ^= next_word(salt, SHA512_DIGEST_LENGTH, &at);
		}
		encipher(b, v);
		word = i < 18 ? &b->p[i] : &b->s[0][0] + (i - 18);
		word[0] = v[0];
		word[1] = v[1];
	}
}

/* ---- bcrypt ------------------------------------------------------------ */

static void
hash(struct blowfish *b, const unsigned char *pass, const unsigned char *salt,
    unsigned char out[HASH])
{
	static const unsigned char text[] = "OxychromaticBlowfishSwatDynamite";
	uint32_t v[WORDS];
	size_t i, at = 0;

	memcpy(b->p, blowfish_pi, sizeof(b->p));
	memcpy(b->s, blowfish_pi + 18, sizeof(b->s));
	expand(b, salt, pass);
	for (i = 0; i < 64; i++) {
		expand(b, NULL, salt);
		expand(b, NULL, pass);
	}
	for (i = 0; i < WORDS; i++)
		v[i] = next_word(text, HASH, &at);
	for (i = 0; i < 64 * WORDS; i += 2)
		encipher(b, v + i % WORDS);
	for (i = 0; i < HASH; i++)
		out[i] = (unsigned char)(v[i / 4] >> 8 * (i % 4));
	explicit_bzero(v, sizeof(v));
}

struct work {
	struct blowfish b;
	unsigned char pass[SHA512_DIGEST_LENGTH], salt[SHA512_DIGEST_LENGTH];
	unsigned char one[HASH], sum[HASH];
	unsigned char counted[BCRYPT_SALT_MAX + 4];
};

/* Block n of the key, from 1: HASH bytes in w->sum. */
static void
block(struct work *w, size_t saltlen, unsigned n, unsigned rounds)
{
	unsigned i;
	size_t j;

	for (i = 0; i < 4; i++)
		w->counted[saltlen + i] = (unsigned char)(n >> 8 * (3 - i));
	(void)SHA512(w->counted, saltlen + 4, w->salt);
	hash(&w->b, w->pass, w->salt, w->one);
	memcpy(w->sum, w->one, HASH);
	for (i = 1; i < rounds; i++) {
		(void)SHA512(w->one, HASH, w->salt);
		hash(&w->b, w->pass, w->salt, w->one);
		for (j = 0; j < HASH; j++)
			w->sum[j] ^= w->one[j];
	}
}

int
bcrypt_derive(const void *pass, size_t passlen, const void *salt,
    size_t saltlen, void *key, size_t keylen, unsigned rounds)
{
	size_t blocks = (keylen + HASH - 1) / HASH, n, i;
	unsigned char *out = key;
	struct work *w;

	if (rounds < 1 || passlen == 0 || saltlen == 0 || keylen == 0 ||
	    saltlen > BCRYPT_SALT_MAX || keylen > BCRYPT_KEY_MAX)
		return -1;
	if ((w = malloc(sizeof(*w))) == NULL)
		return -1;
	(void)SHA512(pass, passlen, w->pass);
	memcpy(w->counted, salt, saltlen);
	/* Each block gives every so many bytes of the key, not a run of them. */
	for (n = 0; n < blocks; n++) {
		block(w, saltlen, (unsigned)n + 1, rounds);
		for (i = 0; i < HASH && i * blocks + n < keylen; i++)
			out[i * blocks + n] = w->sum[i];
	}
	freezero(w, sizeof(*w));
	return 0;
}
