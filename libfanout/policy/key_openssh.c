#include <stdlib.h>
#include <string.h>


#include "base/base64.h"
#include "base/err.h"
#include "base/wire.h"
#include "key_build.h"
#include "keys_int.h"

#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define END "-----END OPENSSH PRIVATE KEY-----"
#define MAGIC "openssh-key-v1"		/* its NUL counts */

static int
malformed(struct fanout_error *e, const char *what)
{
	return fo_error(e, FANOUT_ECONFIG, "malformed private key (%s)", what);
}

/* The bytes between the two marks; freezero(3) them with size len + 1. */
static unsigned char *
unarmour(const char *text, size_t *size, size_t *len)
{
	const char *p = text + strlen(BEGIN), *end = strstr(text, END);
	unsigned char *buf;
	size_t n = 0;
	ssize_t got;

	if (end == NULL || end < p)
		return NULL;
	*size = (size_t)(end - p) + 1;
	if ((buf = malloc(*size)) == NULL)
		return NULL;
	for (; p < end; p++)
		if (*p != '\n' && *p != '\r' && *p != ' ' && *p != '\t')
			buf[n++] = (unsigned char)*p;
	if ((got = fo_b64_decode((char *)buf, n, buf, n)) == -1) {
		freezero(buf, *size);
		return NULL;
	}
	*len = (size_t)got;
	return buf;
}

static EVP_PKEY *
read_ed25519(struct fo_rd *r)
{
	const unsigned char *pub, *sec;
	size_t publen, seclen;

	pub = fo_rd_str(r, &publen);
	sec = fo_rd_str(r, &seclen);
	if (pub == NULL || sec == NULL || publen != 32 || seclen != 64)
		return NULL;
	/* The seed and the public key again. */
	if (memcmp(sec + 32, pub, 32) != 0)
		return NULL;
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, sec, 32);
}

static EVP_PKEY *
read_ecdsa(struct fo_rd *r)
{
	const unsigned char *curve, *point, *d;
	size_t clen, plen, dlen;

	curve = fo_rd_str(r, &clen);
	point = fo_rd_str(r, &plen);
	d = fo_rd_mpint(r, &dlen);
	if (r->bad)
		return NULL;
	return key_build_ecdsa(curve, clen, point, plen, d, dlen);
}

static EVP_PKEY *
read_rsa(struct fo_rd *r)
{
	struct key_number n[KEY_RSA_NUMBERS];	/* n e d iqmp p q */
	size_t i;

	for (i = 0; i < KEY_RSA_NUMBERS; i++)
		n[i].p = fo_rd_mpint(r, &n[i].len);
	return r->bad ? NULL : key_build_rsa(n);
}

/* The comment, and 1, 2, 3... up to the block size. */
static int
read_tail(struct key *k, struct fo_rd *r, struct fanout_error *e)
{
	const unsigned char *c;
	unsigned char want = 1;
	size_t len;

	if ((c = fo_rd_str(r, &len)) == NULL)
		return malformed(e, "comment");
	while (r->len > 0)
		if (fo_rd_u8(r) != want++)
			return malformed(e, "padding");
	if (len > 0 && (k->comment = strndup((const char *)c, len)) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	return 0;
}

static int
read_secret(struct key *k, EVP_PKEY **pkey, struct fo_rd *r, bool decrypted,
    struct fanout_error *e)
{
	const unsigned char *type;
	size_t len;
	uint32_t check;

	check = fo_rd_u32(r);
	if (check != fo_rd_u32(r) || r->bad)
		return decrypted ? KEY_WRONG :
		    malformed(e, "check numbers differ");
	if ((type = fo_rd_str(r, &len)) == NULL)
		return malformed(e, "type");
	if (len == 11 && memcmp(type, "ssh-ed25519", len) == 0)
		*pkey = read_ed25519(r);
	else if (len == 7 && memcmp(type, "ssh-rsa", len) == 0)
		*pkey = read_rsa(r);
	else if (len == 19 && memcmp(type, "ecdsa-sha2-nistp", 16) == 0)
		*pkey = read_ecdsa(r);
	else {
		k->state = KEY_FOREIGN;
		return 0;
	}
	if (*pkey == NULL)
		return malformed(e, "numbers");
	return read_tail(k, r, e);
}

/* The public key stands in the clear, before the part that may be encrypted. */
static int
read_public(struct key *k, struct fo_rd *r, struct key_cipher *c,
    struct fanout_error *e)
{
	const unsigned char *magic, *blob;
	size_t blen;

	magic = fo_rd_raw(r, sizeof(MAGIC));
	if (magic == NULL || memcmp(magic, MAGIC, sizeof(MAGIC)) != 0)
		return malformed(e, "magic");
	c->name = fo_rd_str(r, &c->name_len);
	c->kdf = fo_rd_str(r, &c->kdf_len);
	c->options = fo_rd_str(r, &c->options_len);
	if (fo_rd_u32(r) != 1)
		return malformed(e, "it must hold one key");
	if ((blob = fo_rd_str(r, &blen)) == NULL || blen == 0)
		return malformed(e, "public key");
	if ((k->blob = malloc(blen)) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	memcpy(k->blob, blob, blen);
	k->blob_len = blen;
	return 0;
}

static int
parse(struct key *k, EVP_PKEY **pkey, unsigned char *p, size_t len,
    const char *pass, struct fanout_error *e)
{
	struct key_cipher c;
	struct fo_rd r, inner;
	const unsigned char *secret;
	size_t n;
	bool encrypted;
	int rc;

	fo_rd_init(&r, p, len);
	if ((rc = read_public(k, &r, &c, e)) != 0)
		return rc;
	encrypted = c.name_len != 4 || memcmp(c.name, "none", 4) != 0;
	if (encrypted && pass == NULL) {
		k->state = KEY_ENCRYPTED;
		return 0;
	}
	if ((secret = fo_rd_str(&r, &n)) == NULL)
		return malformed(e, "it is cut short");
	if (encrypted && (rc = key_decrypt(&c, pass, p + (secret - p), n,
	    r.p, r.len, e)) != 0)
		return rc;
	fo_rd_init(&inner, secret, n);
	return read_secret(k, pkey, &inner, encrypted, e);
}

int
key_parse_openssh(struct key *k, EVP_PKEY **pkey, const char *text,
    size_t textlen, const char *pass, struct fanout_error *e)
{
	unsigned char *p;
	size_t size, len;
	int rc;

	(void)textlen;	/* it ends with a NUL */
	*pkey = NULL;
	if ((p = unarmour(text, &size, &len)) == NULL)
		return malformed(e, "base64");
	if ((rc = parse(k, pkey, p, len, pass, e)) != 0) {
		EVP_PKEY_free(*pkey);
		*pkey = NULL;
	}
	freezero(p, size);
	return rc;
}
