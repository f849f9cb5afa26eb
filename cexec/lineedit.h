/*
 * lineedit.h - lines from the person at the terminal, by libedit: with keys to
 * edit them (editrc(5)), a history that outlives us, and completion.
 */
#ifndef LINEEDIT_H
#define LINEEDIT_H

#include <stdbool.h>
#include <stddef.h>

struct lineedit;

/*
 * What may stand instead of the word that ends at len: a list, NULL at the end,
 * that is freed with its words; *start becomes where the word begins. NULL:
 * nothing.
 */
typedef char **(*lineedit_complete)(void *ctx, const char *line, size_t len,
    size_t *start);

/* history: the file that keeps it; NULL: none does. NULL: out of memory. */
struct lineedit *lineedit_new(const char *history, lineedit_complete,
	    void *ctx);
void	lineedit_free(struct lineedit *);

/*
 * A line without its newline, good until the next call; NULL: the end. ^C
 * begins a new one. One that begins with a blank does not go into the history.
 */
const char *lineedit_read(struct lineedit *, const char *prompt);

#endif
