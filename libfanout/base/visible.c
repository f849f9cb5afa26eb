#include <stdbool.h>
#include <string.h>
#include <vis.h>

#include "visible.h"

size_t
fo_utf8_len(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned long cp;
	size_t i, n;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || len < n)
		return 0;
	cp = p[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && (cp < 0x800 || (cp >= 0xd800 && cp <= 0xdfff))) ||
	    (n == 4 && (cp < 0x10000 || cp > 0x10ffff)))
		return 0;
	return n;
}

/* C1 controls (U+0080 to U+009F) drive terminals as well as C0 does. */
static bool
printable(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	if (n == 1)
		return p[0] >= 0x20 && p[0] < 0x7f;
	return n > 1 && !(n == 2 && p[0] == 0xc2 && p[1] < 0xa0);
}

size_t
fo_vis_line(char *dst, size_t size, const char *src, size_t len)
{
	char v[8];
	size_t i, n, out = 0;

	if (size == 0)
		return 0;
	while (len > 0 && (src[len - 1] == '\n' || src[len - 1] == '\r'))
		len--;
	for (i = 0; i < len; i += n) {
		n = fo_utf8_len(src + i, len - i);
		if (printable(src + i, n)) {
			memcpy(v, src + i, n);
			v[n] = '\0';
		} else {
			n = 1;
			(void)vis(v, (unsigned char)src[i],
			    VIS_CSTYLE | VIS_NL | VIS_TAB | VIS_NOSLASH, 0);
		}
		if (out + strlen(v) >= size)
			break;
		memcpy(dst + out, v, strlen(v));
		out += strlen(v);
	}
	dst[out] = '\0';
	return out;
}
