/*
 * jsonread.h - the objects that json.c writes, read again.
 *
 * One object (RFC 8259) a line, whose values are strings, numbers, true, false
 * and null, and arrays of these. What is nested deeper is checked and passed
 * over. Nothing is kept of a line once it is read.
 */
#ifndef CLI_JSONREAD_H
#define CLI_JSONREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_json_kind {
	CLI_JSON_NULL, CLI_JSON_BOOL, CLI_JSON_NUMBER, CLI_JSON_STRING
};

struct cli_json_value {
	enum cli_json_kind kind;
	bool	 item;		/* of an array: the key comes once for each */
	const char *text;	/* STRING: NUL-terminated; may hold NULs */
	size_t	 len;
	double	 number;	/* NUMBER; BOOL: 0 or 1 */
};

/* A return other than 0 stops. */
typedef int (*cli_json_field)(void *ctx, const char *key,
    const struct cli_json_value *);

/*
 * The line without its newline is changed by this: strings are decoded in
 * place. 0; what the callback returned; or -1: that is no such object.
 */
int	cli_json_each(char *line, size_t len, cli_json_field, void *ctx);

/* Decodes base64 in place. Returns the length, or -1: it is none. */
long	cli_base64_decode(char *text, size_t len);

#endif
