/*
 * lines.h - whole lines out of the bytes of many hosts.
 *
 * Bytes come in as they were read, for one *slot* (a host's stdout or stderr)
 * after the other; they go out as whole lines, whatever their length. What is
 * not yet a line waits in memory up to a budget shared by all slots, then on
 * disk (store.h). Nothing is added, dropped or changed.
 */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct cli_lines;

/*
 * Takes the next piece for a slot. starts: it begins a line. A line may come
 * in several pieces; no piece of another slot comes between them.
 */
typedef void (*cli_piece)(void *ctx, size_t slot, bool starts,
    const char *data, size_t len);

/* one_by_one: no piece holds more than one line. NULL: no memory. */
struct cli_lines *cli_lines_new(size_t slots, size_t budget, bool one_by_one,
	    cli_piece, void *ctx);
void	cli_lines_free(struct cli_lines *);

/*
 * 0, or -1 and errno when what waits could not be kept: then the line so far
 * has been handed out unfinished, and the rest will begin another piece with
 * starts set.
 */
int	cli_lines_add(struct cli_lines *, size_t slot, const char *, size_t);

/* The slot ends: hands out what it has. True if that was an unfinished line. */
bool	cli_lines_end(struct cli_lines *, size_t slot);

#endif
