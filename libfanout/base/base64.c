#include <stdint.h>
#include <string.h>

#include "base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

ssize_t
fo_b64_encode(const void *vsrc, size_t len, char *dst, size_t size)
{
	const unsigned char *src = vsrc;
	char *d = dst;
	uint32_t v;

	if (len > SIZE_MAX / 2 || size < FO_B64_SIZE(len)) {
		if (size > 0)
			*dst = '\0';
		return -1;
	}
	for (; len >= 3; len -= 3, src += 3) {
		v = (uint32_t)src[0] << 16 | (uint32_t)src[1] << 8 | src[2];
		*d++ = alphabet[v >> 18];
		*d++ = alphabet[v >> 12 & 63];
		*d++ = alphabet[v >> 6 & 63];
		*d++ = alphabet[v & 63];
	}
	if (len > 0) {
		v = (uint32_t)src[0] << 16;
		if (len == 2)
			v |= (uint32_t)src[1] << 8;
		*d++ = alphabet[v >> 18];
		*d++ = alphabet[v >> 12 & 63];
		*d++ = len == 2 ? alphabet[v >> 6 & 63] : '=';
		*d++ = '=';
	}
	*d = '\0';
	return d - dst;
}

static int
value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

ssize_t
fo_b64_decode(const char *src, size_t len, void *vdst, size_t size)
{
	unsigned char *dst = vdst;
	size_t i, n, have = 0;
	uint32_t v;
	int c;

	if (len % 4 != 0)
		return -1;
	for (; len > 0; len -= 4, src += 4) {
		n = 3;
		if (len == 4 && src[3] == '=')
			n = src[2] == '=' ? 1 : 2;
		for (v = 0, i = 0; i <= n; i++) {
			if ((c = value((unsigned char)src[i])) == -1)
				return -1;
			v |= (uint32_t)c << (18 - 6 * i);
		}
		/* Bits that no byte holds must be zero: one form only. */
		if ((v & (0xffffffU >> 8 * n)) != 0 || size - have < n)
			return -1;
		for (i = 0; i < n; i++)
			dst[have++] = v >> (16 - 8 * i) & 0xff;
	}
	return (ssize_t)have;
}
