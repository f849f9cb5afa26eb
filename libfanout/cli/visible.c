#include <stdbool.h>
#include <stdint.h>

#include "visible.h"

size_t
cli_utf8(const unsigned char *s, size_t len)
{
	/* Lowest value of each length: less is an overlong form. */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c;
	size_t n, i;

	if (len == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
	if (n == 0 || s[0] > 0xf4 || n > len)
		return 0;
	c = s[0] & (0xffu >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

/* Of valid sequences, those that a terminal obeys rather than shows. */
static bool
harmless(const unsigned char *s, size_t n)
{
	if (n == 1)
		return (s[0] >= ' ' && s[0] != 0x7f) || s[0] == '\n' ||
		    s[0] == '\t';
	if (n == 2)		/* C1 controls, U+0080 to U+009F */
		return s[0] != 0xc2 || s[1] >= 0xa0;
	if (n == 3 && s[0] == 0xe2) {
		if (s[1] == 0x80)	/* U+202A to U+202E */
			return s[2] < 0xaa || s[2] > 0xae;
		if (s[1] == 0x81)	/* U+2066 to U+2069 */
			return s[2] < 0xa6 || s[2] > 0xa9;
	}
	return true;
}

static char *
escape(char *dst, unsigned char c)
{
	*dst++ = '\\';
	if (c == '\r') {
		*dst++ = 'r';
		return dst;
	}
	*dst++ = (char)('0' + (c >> 6));
	*dst++ = (char)('0' + (c >> 3 & 7));
	*dst++ = (char)('0' + (c & 7));
	return dst;
}

size_t
cli_visible(char *dst, const char *src, size_t len)
{
	const unsigned char *s = (const unsigned char *)src;
	char *start = dst;
	size_t n;

	while (len > 0) {
		n = cli_utf8(s, len);
		if (n > 0 && harmless(s, n)) {
			for (len -= n; n > 0; n--)
				*dst++ = (char)*s++;
			continue;
		}
		for (n = n == 0 ? 1 : n; n > 0; n--, len--)
			dst = escape(dst, *s++);
	}
	return (size_t)(dst - start);
}
