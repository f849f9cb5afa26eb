#include <stdio.h>
#include <string.h>

#include "knownhosts_line.h"

#include "base/base64.h"
#include "base/wire.h"
#include "pattern.h"

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word of the line; its length, 0 at the end. */
static size_t
word(const char **p, const char *end, const char **start)
{
	while (*p < end && blank(**p))
		(*p)++;
	for (*start = *p; *p < end && !blank(**p); (*p)++)
		continue;
	return (size_t)(*p - *start);
}

static bool
same(const char *s, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(s, want, len) == 0;
}

int
kh_line_parse(struct kh_line *l, const char *line, size_t len,
    const char **why)
{
	const char *p = line, *end = line + len;

	memset(l, 0, sizeof(*l));
	*why = "";
	if (len > 0 && end[-1] == '\r')
		end--;
	l->names_len = word(&p, end, &l->names);
	if (l->names_len == 0 || l->names[0] == '#')
		return 0;
	if (l->names[0] == '@') {
		if (same(l->names, l->names_len, "@cert-authority"))
			l->mark = KH_CA;
		else if (same(l->names, l->names_len, "@revoked"))
			l->mark = KH_REVOKE;
		else {
			*why = "unknown marker";
			return -1;
		}
		l->names_len = word(&p, end, &l->names);
		if (l->names_len > 0 && l->names[0] == '@') {
			*why = "more than one marker";
			return -1;
		}
	}
	l->type_len = word(&p, end, &l->type);
	l->key_len = word(&p, end, &l->key);
	if (l->type_len == 0 || l->type[0] == '#')
		*why = "no key after the host names";
	else if (!kh_type_known(l->type, l->type_len))
		*why = "unknown key type";
	else if (l->key_len == 0 || l->key[0] == '#')
		*why = "no key after its type";
	return **why == '\0' ? 1 : -1;
}

bool
kh_type_known(const char *type, size_t len)
{
	static const char *const known[] = {
		"ssh-ed25519", "ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256",
		"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
		"sk-ssh-ed25519@openssh.com",
		"sk-ecdsa-sha2-nistp256@openssh.com",
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (same(type, len, known[i]))
			return true;
	return false;
}

ssize_t
kh_line_decode(const struct kh_line *l, unsigned char *dst)
{
	const unsigned char *type;
	struct fo_rd r;
	ssize_t n;
	size_t len;

	if ((n = fo_b64_decode(l->key, l->key_len, dst, l->key_len)) == -1)
		return -1;
	fo_rd_init(&r, dst, (size_t)n);
	type = fo_rd_str(&r, &len);
	/* What the line calls it and what it is must agree. */
	if (type == NULL || len != l->type_len || r.len == 0 ||
	    memcmp(type, l->type, len) != 0)
		return -1;
	return n;
}

bool
kh_is_hashed(const struct kh_line *l)
{
	return l->names[0] == '|';
}

static void
state_save(const SHA_CTX *c, SHA_LONG state[5])
{
	state[0] = c->h0;
	state[1] = c->h1;
	state[2] = c->h2;
	state[3] = c->h3;
	state[4] = c->h4;
}

/* The state after one whole block. */
static void
state_load(SHA_CTX *c, const SHA_LONG state[5])
{
	c->h0 = state[0];
	c->h1 = state[1];
	c->h2 = state[2];
	c->h3 = state[3];
	c->h4 = state[4];
	c->Nl = SHA_CBLOCK * 8;
	c->Nh = 0;
	c->num = 0;
}

static void
key_state(const unsigned char salt[KH_SALT_LEN], unsigned char pad,
    SHA_LONG state[5])
{
	unsigned char block[SHA_CBLOCK];
	SHA_CTX c;
	size_t i;

	memset(block, pad, sizeof(block));
	for (i = 0; i < KH_SALT_LEN; i++)
		block[i] ^= salt[i];
	SHA1_Init(&c);
	SHA1_Update(&c, block, sizeof(block));
	state_save(&c, state);
}

void
kh_hash_key(struct kh_hash *h, const unsigned char salt[KH_SALT_LEN])
{
	key_state(salt, 0x36, h->inner);
	key_state(salt, 0x5c, h->outer);
}

/* The last block of a message of one block and len more bytes (FIPS 180-4
 * section 5.1.1), which are there already. */
static void
pad_block(unsigned char block[SHA_CBLOCK], size_t len)
{
	unsigned bits = (unsigned)(SHA_CBLOCK + len) * 8;

	memset(block + len, 0, SHA_CBLOCK - len);
	block[len] = 0x80;
	block[SHA_CBLOCK - 2] = bits >> 8 & 0xff;
	block[SHA_CBLOCK - 1] = bits & 0xff;
}

void
kh_query_init(struct kh_query *q, const char *name)
{
	q->name = name;
	q->len = strlen(name);
	q->is_short = q->len <= SHA_CBLOCK - 9;
	if (q->is_short) {
		memcpy(q->block, name, q->len);
		pad_block(q->block, q->len);
	}
}

static void
digest(const SHA_CTX *c, unsigned char md[SHA_DIGEST_LENGTH])
{
	SHA_LONG state[5];
	size_t i;

	state_save(c, state);
	for (i = 0; i < 5; i++) {
		*md++ = state[i] >> 24 & 0xff;
		*md++ = state[i] >> 16 & 0xff;
		*md++ = state[i] >> 8 & 0xff;
		*md++ = state[i] & 0xff;
	}
}

void
kh_hash_name(const struct kh_hash *h, const struct kh_query *q,
    unsigned char md[SHA_DIGEST_LENGTH])
{
	unsigned char block[SHA_CBLOCK];
	SHA_CTX c;

	state_load(&c, h->inner);
	if (q->is_short) {
		SHA1_Transform(&c, q->block);
		digest(&c, block);
	} else {
		SHA1_Update(&c, q->name, q->len);
		SHA1_Final(block, &c);
	}
	pad_block(block, SHA_DIGEST_LENGTH);
	state_load(&c, h->outer);
	SHA1_Transform(&c, block);
	digest(&c, md);
}

int
kh_hash_parse(struct kh_hash *h, const char *names, size_t len)
{
	unsigned char salt[32], want[32];
	const char *bar;

	if (len < 4 || memcmp(names, "|1|", 3) != 0)
		return -1;
	names += 3;
	len -= 3;
	if ((bar = memchr(names, '|', len)) == NULL ||
	    fo_b64_decode(names, (size_t)(bar - names), salt, sizeof(salt)) !=
	    KH_SALT_LEN)
		return -1;
	len -= (size_t)(bar + 1 - names);
	if (fo_b64_decode(bar + 1, len, want, sizeof(want)) !=
	    SHA_DIGEST_LENGTH)
		return -1;
	memcpy(h->want, want, sizeof(h->want));
	kh_hash_key(h, salt);
	return 0;
}

bool
kh_line_names(const struct kh_line *l, const char *name)
{
	unsigned char md[SHA_DIGEST_LENGTH];
	struct kh_query q;
	struct kh_hash h;

	if (!kh_is_hashed(l))
		return pattern_list_n(name, l->names, l->names_len, true) == 1;
	if (kh_hash_parse(&h, l->names, l->names_len) == -1)
		return false;
	kh_query_init(&q, name);
	kh_hash_name(&h, &q, md);
	return memcmp(md, h.want, sizeof(md)) == 0;
}

int
kh_name(char buf[static KH_NAME_MAX], const char *name, unsigned port)
{
	int n;

	if (*name == '\0')
		return -1;
	if (port == 0 || port == 22)
		n = snprintf(buf, KH_NAME_MAX, "%s", name);
	else
		n = snprintf(buf, KH_NAME_MAX, "[%s]:%u", name, port);
	if (n < 0 || n >= KH_NAME_MAX)
		return -1;
	ascii_lower(buf);
	return 0;
}
