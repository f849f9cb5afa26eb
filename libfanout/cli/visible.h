/*
 * visible.h - remote text for a terminal, which it must not drive.
 */
#ifndef CLI_VISIBLE_H
#define CLI_VISIBLE_H

#include <stddef.h>

/* How much one byte can grow to. */
#define CLI_VISIBLE_MAX 4

/*
 * Copies text; newlines, tabs and printable UTF-8 stay, all else becomes
 * \r, \033 or \302\205: control characters, bytes that are no UTF-8 and the
 * characters that turn the direction of writing. dst has room for
 * CLI_VISIBLE_MAX times len. Returns the length, adds no NUL.
 */
size_t	cli_visible(char *dst, const char *src, size_t len);

/* The length of the UTF-8 sequence at s (RFC 3629), 0 if there is none. */
size_t	cli_utf8(const unsigned char *s, size_t len);

#endif
