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

/* HMAC (RFC 2104) in two halves, so that the key is worked in only once. */
void
kh_hash_key(struct kh_hash *h, const unsigned char salt[KH_SALT_LEN])
{
	unsigned char pad[SHA_CBLOCK];
	size_t i;

	memset(pad, 0x36, sizeof(pad));
	for (i = 0; i < KH_SALT_LEN; i++)
		pad[i] ^= salt[i];
	SHA1_Init(&h->inner);
	SHA1_Update(&h->inner, pad, sizeof(pad));
	memset(pad, 0x5c, sizeof(pad));
	for (i = 0; i < KH_SALT_LEN; i++)
		pad[i] ^= salt[i];
	SHA1_Init(&h->outer);
	SHA1_Update(&h->outer, pad, sizeof(pad));
}

void
kh_hash_name(const struct kh_hash *h, const char *name, size_t len,
    unsigned char md[SHA_DIGEST_LENGTH])
{
	SHA_CTX c = h->inner;

	SHA1_Update(&c, name, len);
	SHA1_Final(md, &c);
	c = h->outer;
	SHA1_Update(&c, md, SHA_DIGEST_LENGTH);
	SHA1_Final(md, &c);
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
	struct kh_hash h;

	if (!kh_is_hashed(l))
		return pattern_list_n(name, l->names, l->names_len, true) == 1;
	if (kh_hash_parse(&h, l->names, l->names_len) == -1)
		return false;
	kh_hash_name(&h, name, strlen(name), md);
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
