#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "keyline.h"

/* ---- what is in the blob ------------------------------------------------- */

struct reader {
	const unsigned char *p;
	size_t	 left;
};

/* A string of SSH's, or a number that is written as one. */
static bool
get(struct reader *r, struct reader *field)
{
	size_t n;

	if (r->left < 4)
		return false;
	n = (size_t)r->p[0] << 24 | (size_t)r->p[1] << 16 |
	    (size_t)r->p[2] << 8 | r->p[3];
	if (n > r->left - 4)
		return false;
	*field = (struct reader){ r->p + 4, n };
	r->p += 4 + n;
	r->left -= 4 + n;
	return true;
}

static unsigned
number_bits(struct reader n)
{
	unsigned bits;
	unsigned char top;

	while (n.left > 0 && *n.p == 0) {
		n.p++;
		n.left--;
	}
	if (n.left == 0 || n.left > 8192)
		return 0;
	for (bits = 0, top = *n.p; top != 0; top >>= 1)
		bits++;
	return bits + (unsigned)(n.left - 1) * 8;
}

static bool
is(const struct reader *r, const char *text)
{
	return r->left == strlen(text) && memcmp(r->p, text, r->left) == 0;
}

/* A key of a kind that is known has all its fields and no more. */
static bool
take_fields(struct keyline *k, const struct reader *type, struct reader *r)
{
	struct reader f[4];
	size_t n = 0;

	while (n < 4 && get(r, &f[n]))
		n++;
	if (is(type, "ssh-ed25519")) {
		k->bits = 256;
		return n == 1 && f[0].left == 32 && r->left == 0;
	}
	if (is(type, "ssh-rsa")) {
		k->bits = n == 2 ? number_bits(f[1]) : 0;
		return n == 2 && r->left == 0 && k->bits > 0;
	}
	if (is(type, "ssh-dss")) {
		k->bits = n == 4 ? number_bits(f[0]) : 0;
		return n == 4 && r->left == 0 && k->bits > 0;
	}
	if (is(type, "ecdsa-sha2-nistp256") || is(type, "ecdsa-sha2-nistp384") ||
	    is(type, "ecdsa-sha2-nistp521")) {
		k->bits = (unsigned)strtoul((const char *)type->p + 16, NULL, 10);
		return n == 2 && f[1].left > 0 && r->left == 0;
	}
	return true;
}

/* Decoded, for free(3). NULL: it is not base64, or there is no memory. */
static unsigned char *
decode(const struct keyline *k, size_t *len)
{
	unsigned char *raw;
	size_t pad = 0;
	int n;

	if (k->blob_len == 0 || k->blob_len % 4 != 0 || k->blob_len > 65536)
		return NULL;
	while (pad < 2 && k->blob[k->blob_len - 1 - pad] == '=')
		pad++;
	if ((raw = malloc(k->blob_len)) == NULL)
		return NULL;
	n = EVP_DecodeBlock(raw, (const unsigned char *)k->blob,
	    (int)k->blob_len);
	if (n < 0 || (size_t)n < pad) {
		free(raw);
		return NULL;
	}
	*len = (size_t)n - pad;
	return raw;
}

static bool
check_blob(struct keyline *k)
{
	struct reader r, type;
	unsigned char *raw;
	size_t len;
	bool good;

	if ((raw = decode(k, &len)) == NULL)
		return false;
	r = (struct reader){ raw, len };
	good = get(&r, &type) && type.left == k->type_len &&
	    memcmp(type.p, k->type, type.left) == 0 &&
	    take_fields(k, &type, &r);
	free(raw);
	return good;
}

/* ---- the line ------------------------------------------------------------ */

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t
blanks(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && blank(*p))
		p++;
	return (size_t)(p - from);
}

static size_t
word(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && !blank(*p))
		p++;
	return (size_t)(p - from);
}

static bool
begins(const char *p, size_t len, const char *text)
{
	return len >= strlen(text) && memcmp(p, text, strlen(text)) == 0;
}

/* "TYPE BLOB [COMMENT]" */
static bool
take_key(struct keyline *k, const char *p, const char *end)
{
	k->type = p;
	k->type_len = word(p, end);
	if (!begins(p, k->type_len, "ssh-") &&
	    !begins(p, k->type_len, "ecdsa-") && !begins(p, k->type_len, "sk-"))
		return false;
	p += k->type_len;
	p += blanks(p, end);
	k->blob = p;
	k->blob_len = word(p, end);
	p += k->blob_len;
	p += blanks(p, end);
	k->comment = p;
	k->comment_len = (size_t)(end - p);
	return check_blob(k);
}

/* As sshd: blanks end them, but within double quotes. */
static size_t
options(const char *p, const char *end)
{
	const char *from = p;
	bool quoted = false;

	for (; p < end && (quoted || !blank(*p)); p++) {
		if (*p == '\\' && p + 1 < end && p[1] == '"')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	return (size_t)(p - from);
}

bool
keyline_parse(struct keyline *k, const char *line, size_t len)
{
	const char *p = line, *end = line + len;

	*k = (struct keyline){ .options = line };
	while (end > p && (end[-1] == '\n' || end[-1] == '\r' || blank(end[-1])))
		end--;
	p += blanks(p, end);
	if (p == end || *p == '#')
		return false;
	if (take_key(k, p, end))
		return true;
	*k = (struct keyline){ .options = p, .options_len = options(p, end) };
	p += k->options_len;
	p += blanks(p, end);
	return p < end && take_key(k, p, end);
}

/* ---- what is to be said of it -------------------------------------------- */

void
keyline_fingerprint(const struct keyline *k, char print[KEYLINE_PRINT_SIZE])
{
	static const char mark[] = "SHA256:";
	unsigned char sum[EVP_MAX_MD_SIZE], text[64], *raw;
	unsigned n = 0;
	size_t len;

	strlcpy(print, mark, KEYLINE_PRINT_SIZE);
	if ((raw = decode(k, &len)) == NULL)
		return;
	if (EVP_Digest(raw, len, sum, &n, EVP_sha256(), NULL) == 1 &&
	    n == 32 && EVP_EncodeBlock(text, sum, (int)n) == 44) {
		text[43] = '\0';
		strlcat(print, (const char *)text, KEYLINE_PRINT_SIZE);
	}
	free(raw);
}

static bool
is_type(const struct keyline *k, const char *type)
{
	return k->type_len == strlen(type) &&
	    memcmp(k->type, type, k->type_len) == 0;
}

const char *
keyline_weak(const struct keyline *k)
{
	if (is_type(k, "ssh-dss"))
		return "DSA";
	if (is_type(k, "ssh-rsa") && k->bits < 2048)
		return "RSA under 2048 bits";
	return NULL;
}

/* The next of a list, which commas separate, but within quotes. */
static bool
next_option(const char **at, const char *end, struct reader *item)
{
	const char *p = *at;
	bool quoted = false;

	if (p >= end)
		return false;
	for (; p < end && (quoted || *p != ','); p++) {
		if (*p == '\\' && p + 1 < end && p[1] == '"')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	if (p > end)
		p = end;
	*item = (struct reader){ (const unsigned char *)*at,
	    (size_t)(p - *at) };
	*at = p < end ? p + 1 : end;
	return true;
}

static const char expiry_name[] = "expiry-time=\"";

static bool
is_expiry(const struct reader *item)
{
	return item->left >= strlen(expiry_name) && strncasecmp((const char *)
	    item->p, expiry_name, strlen(expiry_name)) == 0;
}

/* The value of expiry-time="..."; NULL: there is none. */
static const char *
expiry(const struct keyline *k)
{
	const char *p = k->options, *end = p + k->options_len;
	struct reader item;

	while (next_option(&p, end, &item))
		if (is_expiry(&item))
			return (const char *)item.p + strlen(expiry_name);
	return NULL;
}

/* Of this list those that are, or are not, about the end. */
static bool
put_options(FILE *f, const char *list, size_t len, bool ends, bool *first)
{
	const char *end = list + len;
	struct reader item;
	bool any = false;

	while (next_option(&list, end, &item)) {
		any = any || is_expiry(&item);
		if (is_expiry(&item) != ends || item.left == 0)
			continue;
		fprintf(f, "%s%.*s", *first ? "" : ",", (int)item.left,
		    (const char *)item.p);
		*first = false;
	}
	return any;
}

char *
keyline_limit(const char *old, size_t old_len, const char *options,
    const char *until)
{
	const char *list = options == NULL ? old : strcmp(options, "none") ==
	    0 ? "" : options;
	size_t len = options == NULL ? old_len : strlen(list);
	char *text = NULL;
	size_t size;
	bool first = true, ends;
	FILE *f;

	if ((f = open_memstream(&text, &size)) == NULL)
		return NULL;
	ends = put_options(f, list, len, false, &first);
	if (until == NULL)
		(void)put_options(f, ends ? list : old, ends ? len : old_len,
		    true, &first);
	else if (strcmp(until, "never") != 0)
		fprintf(f, "%s%s%s\"", first ? "" : ",", expiry_name, until);
	if (fclose(f) != EOF)
		return text;
	free(text);
	return NULL;
}

/* So many digits as a number; -1: there are others. */
static int
digits(const char **p, const char *end, size_t n)
{
	int value = 0;

	for (; n > 0; n--, (*p)++) {
		if (*p == end || **p < '0' || **p > '9')
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

bool
keyline_expired(const struct keyline *k, time_t now)
{
	const char *p = expiry(k), *end = k->options + k->options_len;
	struct tm tm = { .tm_isdst = -1 };
	time_t when;

	if (p == NULL)
		return false;
	tm.tm_year = digits(&p, end, 4) - 1900;
	tm.tm_mon = digits(&p, end, 2) - 1;
	tm.tm_mday = digits(&p, end, 2);
	if (tm.tm_year < 0 || tm.tm_mon < 0 || tm.tm_mday < 0)
		return false;
	if (p < end && *p >= '0' && *p <= '9') {
		tm.tm_hour = digits(&p, end, 2);
		tm.tm_min = digits(&p, end, 2);
		if (tm.tm_hour < 0 || tm.tm_min < 0)
			return false;
	}
	when = p < end && *p == 'Z' ? timegm(&tm) : mktime(&tm);
	return when != (time_t)-1 && when <= now;
}
