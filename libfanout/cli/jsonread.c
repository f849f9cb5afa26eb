#include <stdlib.h>
#include <string.h>

#include "jsonread.h"
#include "visible.h"

#define DEPTH_MAX 16

struct reader {
	char	*p, *end;	/* *end is writable: strings get their NUL */
	cli_json_field field;
	void	*ctx;
};

static void
skip_blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t'))
		r->p++;
}

static bool
take(struct reader *r, char c)
{
	skip_blanks(r);
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static int
hex4(const struct reader *r, const char *p, unsigned *out)
{
	int i;

	*out = 0;
	if (r->end - p < 4)
		return -1;
	for (i = 0; i < 4; i++, p++) {
		*out <<= 4;
		if (*p >= '0' && *p <= '9')
			*out |= (unsigned)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			*out |= (unsigned)(*p - 'a' + 10);
		else if (*p >= 'A' && *p <= 'F')
			*out |= (unsigned)(*p - 'A' + 10);
		else
			return -1;
	}
	return 0;
}

static char *
put_utf8(char *d, unsigned c)
{
	if (c < 0x80) {
		*d++ = (char)c;
	} else if (c < 0x800) {
		*d++ = (char)(0xc0 | c >> 6);
		*d++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*d++ = (char)(0xe0 | c >> 12);
		*d++ = (char)(0x80 | (c >> 6 & 0x3f));
		*d++ = (char)(0x80 | (c & 0x3f));
	} else {
		*d++ = (char)(0xf0 | c >> 18);
		*d++ = (char)(0x80 | (c >> 12 & 0x3f));
		*d++ = (char)(0x80 | (c >> 6 & 0x3f));
		*d++ = (char)(0x80 | (c & 0x3f));
	}
	return d;
}

/* Behind "\u"; what is written is never longer than what was read. */
static char *
unicode(struct reader *r, char *d)
{
	unsigned c, low;

	if (hex4(r, r->p, &c) == -1)
		return NULL;
	r->p += 4;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u' ||
		    hex4(r, r->p + 2, &low) == -1 || low < 0xdc00 ||
		    low > 0xdfff)
			return NULL;
		r->p += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xdc00 && c <= 0xdfff)
		return NULL;
	return put_utf8(d, c);
}

static char *
escape(struct reader *r, char *d)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (r->p == r->end)
		return NULL;
	if (*r->p == 'u') {
		r->p++;
		return unicode(r, d);
	}
	if (*r->p == '\0' || (at = strchr(from, *r->p)) == NULL)
		return NULL;
	r->p++;
	*d++ = to[at - from];
	return d;
}

/* Behind the opening quote. */
static int
string(struct reader *r, char **text, size_t *len)
{
	char *d = *text = r->p;
	size_t n;

	while (r->p < r->end && *r->p != '"') {
		if (*r->p == '\\') {
			r->p++;
			if ((d = escape(r, d)) == NULL)
				return -1;
			continue;
		}
		n = cli_utf8((unsigned char *)r->p, (size_t)(r->end - r->p));
		if (n == 0 || (unsigned char)*r->p < ' ')
			return -1;
		for (; n > 0; n--)
			*d++ = *r->p++;
	}
	if (r->p == r->end)
		return -1;
	r->p++;
	*d = '\0';
	*len = (size_t)(d - *text);
	return 0;
}

static int
number(struct reader *r, double *out)
{
	char *p = r->p, *stop, saved;

	while (p < r->end && *p != '\0' && strchr("+-.0123456789eE", *p) != NULL)
		p++;
	saved = *p;
	*p = '\0';
	*out = strtod(r->p, &stop);
	*p = saved;
	if (stop != p || p == r->p || *r->p == '+' || *r->p == '.')
		return -1;
	r->p = p;
	return 0;
}

static bool
word(struct reader *r, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, w, n) != 0)
		return false;
	r->p += n;
	return true;
}

/* 0, or -1: it is none of these. */
static int
scalar(struct reader *r, struct cli_json_value *v)
{
	char *text;

	skip_blanks(r);
	*v = (struct cli_json_value){ .kind = CLI_JSON_NULL };
	if (r->p == r->end)
		return -1;
	if (*r->p == '"') {
		r->p++;
		if (string(r, &text, &v->len) == -1)
			return -1;
		v->kind = CLI_JSON_STRING;
		v->text = text;
		return 0;
	}
	if (word(r, "null"))
		return 0;
	v->kind = CLI_JSON_BOOL;
	if ((v->number = word(r, "true")) != 0 || word(r, "false"))
		return 0;
	v->kind = CLI_JSON_NUMBER;
	return number(r, &v->number);
}

/* An object or array that nobody asks for. */
static int
pass_over(struct reader *r, int depth)
{
	struct cli_json_value v;
	bool object;

	skip_blanks(r);
	if (r->p == r->end)
		return -1;
	if (*r->p != '{' && *r->p != '[')
		return scalar(r, &v);
	if (depth == DEPTH_MAX)
		return -1;
	object = *r->p++ == '{';
	if (take(r, object ? '}' : ']'))
		return 0;
	do {
		if (object && (scalar(r, &v) == -1 ||
		    v.kind != CLI_JSON_STRING || !take(r, ':')))
			return -1;
		if (pass_over(r, depth + 1) == -1)
			return -1;
	} while (take(r, ','));
	return take(r, object ? '}' : ']') ? 0 : -1;
}

/* One value, or the values of an array; what is deeper is passed over. */
static int
value(struct reader *r, const char *key, bool item)
{
	struct cli_json_value v;
	int rc;

	skip_blanks(r);
	if (r->p < r->end && (*r->p == '{' || (item && *r->p == '[')))
		return pass_over(r, 0);
	if (!item && take(r, '[')) {
		if (take(r, ']'))
			return 0;
		do {
			if ((rc = value(r, key, true)) != 0)
				return rc;
		} while (take(r, ','));
		return take(r, ']') ? 0 : -1;
	}
	if (scalar(r, &v) == -1)
		return -1;
	v.item = item;
	return r->field(r->ctx, key, &v);
}

int
cli_json_each(char *line, size_t len, cli_json_field field, void *ctx)
{
	struct reader r = { line, line + len, field, ctx };
	char *key;
	size_t n;
	int rc;

	if (!take(&r, '{'))
		return -1;
	if (!take(&r, '}')) {
		do {
			if (!take(&r, '"') || string(&r, &key, &n) == -1 ||
			    !take(&r, ':'))
				return -1;
			if ((rc = value(&r, key, false)) != 0)
				return rc;
		} while (take(&r, ','));
		if (!take(&r, '}'))
			return -1;
	}
	skip_blanks(&r);
	return r.p == r.end ? 0 : -1;
}

static int
digit64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

long
cli_base64_decode(char *text, size_t len)
{
	size_t i, k, pad = 0;
	char *d = text;
	unsigned v;
	int n;

	if (len % 4 != 0)
		return -1;
	while (pad < 2 && len > 0 && text[len - 1 - pad] == '=')
		pad++;
	for (i = 0; i < len; i += 4) {
		for (v = 0, k = 0; k < 4; k++) {
			n = i + k >= len - pad ? 0 : digit64(text[i + k]);
			if (n == -1)
				return -1;
			v = v << 6 | (unsigned)n;
		}
		*d++ = (char)(v >> 16);
		*d++ = (char)(v >> 8);
		*d++ = (char)v;
	}
	return (long)((size_t)(d - text) - pad);
}
