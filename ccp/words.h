/*
 * words.h - the files of a copy as a shell would take them, for reports.
 */
#ifndef WORDS_H
#define WORDS_H

#include "fanout.h"

/* In one line of UTF-8, whatever bytes are in them; words: NULL at the end.
 * free(3). NULL: no memory. */
char	*words_quote(char *const *words);

/* And back: a list with NULL at its end, in one piece for free(3). Only what
 * words_quote() makes is understood. 0 or an error. */
int	words_parse(char ***words, const char *line, struct fanout_error *);

/* What a copy is asked for so that it is the same from any folder: names of
 * files that are here become absolute. The last one is, if gather; else all
 * but the last, if there are more. NULL: errno tells why. */
char	*words_command(char *const *words, bool gather);

/* The same name, absolute, links in it as they are; free(3). NULL: errno. */
char	*words_absolute(const char *path);

#endif
