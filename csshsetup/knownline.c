#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "knownline.h"

#define SHA1_LEN 20

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
take_word(const char **p, const char *end, const char **word, size_t *len)
{
	while (*p < end && blank(**p))
		(*p)++;
	*word = *p;
	while (*p < end && !blank(**p))
		(*p)++;
	*len = (size_t)(*p - *word);
}

bool
knownline_parse(struct knownline *k, const char *line, size_t len)
{
	const char *p = line, *end = line + len;

	*k = (struct knownline){ .marker = line };
	while (end > p && (end[-1] == '\r' || end[-1] == '\n'))
		end--;
	take_word(&p, end, &k->hosts, &k->hosts_len);
	if (k->hosts_len == 0 || *k->hosts == '#')
		return false;
	if (*k->hosts == '@') {
		k->marker = k->hosts;
		k->marker_len = k->hosts_len;
		take_word(&p, end, &k->hosts, &k->hosts_len);
	}
	take_word(&p, end, &k->type, &k->type_len);
	take_word(&p, end, &k->blob, &k->blob_len);
	return k->blob_len > 0;
}

bool
knownline_same_type(const struct knownline *k, const char *key)
{
	return strncmp(key, k->type, k->type_len) == 0 &&
	    key[k->type_len] == ' ';
}

bool
knownline_has_key(const struct knownline *k, const char *key)
{
	const char *blob = key + k->type_len + 1;

	return knownline_same_type(k, key) && strlen(blob) == k->blob_len &&
	    memcmp(blob, k->blob, k->blob_len) == 0;
}

static bool
decode(const char *text, size_t len, unsigned char out[SHA1_LEN + 1])
{
	return len == 28 && EVP_DecodeBlock(out, (const unsigned char *)text,
	    28) == SHA1_LEN + 1;
}

/* "|1|SALT|HASH" */
static bool
hashed_is(const char *p, size_t len, const char *name, size_t name_len)
{
	unsigned char salt[SHA1_LEN + 1], want[SHA1_LEN + 1];
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (len != 3 + 28 + 1 + 28 || memcmp(p, "|1|", 3) != 0 ||
	    p[31] != '|' || !decode(p + 3, 28, salt) ||
	    !decode(p + 32, 28, want))
		return false;
	return HMAC(EVP_sha1(), salt, SHA1_LEN, (const unsigned char *)name,
	    name_len, sum, &n) != NULL && n == SHA1_LEN &&
	    memcmp(sum, want, SHA1_LEN) == 0;
}

static bool
one_is(const char *p, size_t len, const char *name, size_t name_len)
{
	if (len > 0 && *p == '|')
		return hashed_is(p, len, name, name_len);
	return len == name_len && strncasecmp(p, name, len) == 0;
}

bool
knownline_names(const struct knownline *k, const char *name)
{
	const char *p = k->hosts, *end = p + k->hosts_len, *comma;
	size_t n = strlen(name);

	for (; p < end; p = comma + 1) {
		comma = memchr(p, ',', (size_t)(end - p));
		if (comma == NULL)
			comma = end;
		if (one_is(p, (size_t)(comma - p), name, n))
			return true;
	}
	return false;
}

static bool
one_of(const char *p, size_t len, const char *names)
{
	size_t n;

	for (; *names != '\0'; names += n) {
		names += *names == ' ';
		n = strcspn(names, " ");
		if (one_is(p, len, names, n))
			return true;
	}
	return false;
}

bool
knownline_only(const struct knownline *k, const char *names)
{
	const char *p = k->hosts, *end = p + k->hosts_len, *comma;

	for (; p < end; p = comma + 1) {
		comma = memchr(p, ',', (size_t)(end - p));
		if (comma == NULL)
			comma = end;
		if (!one_of(p, (size_t)(comma - p), names))
			return false;
	}
	return k->hosts_len > 0;
}
