/*
 * diff.h - what one text has that the other has not, as a unified diff.
 */
#ifndef CLI_DIFF_H
#define CLI_DIFF_H

#include <stddef.h>
#include <stdint.h>

struct cli_line {
	const char *text;	/* into the text's bytes, without the newline */
	size_t	 len;
	uint64_t hash;
};

struct cli_text {
	char	*bytes;		/* the text's own */
	struct cli_line *lines;
	size_t	 count;
};

/* Takes bytes, which came from malloc(3), whether it fails or not. 0, or -1
 * without memory. */
int	cli_text_init(struct cli_text *, char *bytes, size_t len);
void	cli_text_clear(struct cli_text *);

/*
 * Takes the next line of the diff, without a newline: '@' begins a hunk (its
 * line is "@@ -1,2 +1,3 @@"), ' ' is a line of both, '-' of the first, '+' of
 * the second.
 */
typedef void (*cli_diff_line)(void *ctx, char kind, const char *, size_t);

/*
 * As diff -u. Texts that are very different are not compared to the end, to
 * bound time and memory: what is between their common beginning and end is
 * then said to be all different. 0, or -1 without memory.
 */
int	cli_diff(const struct cli_text *, const struct cli_text *,
	    cli_diff_line, void *ctx);

#endif
