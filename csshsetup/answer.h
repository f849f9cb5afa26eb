/*
 * answer.h - what a script on a host says (script.h), record by record.
 *
 * Hosts may say anything: what is here points into their text, is not safe to
 * print, and may lie, about themselves.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stddef.h>

struct record {
	char	 word[12];
	const char *rest;	/* of the line */
	size_t	 len;
	const char *body;	/* of a file; NULL: it is not there */
	size_t	 size;
	int	 number;	/* of a file */
};

struct answer {
	const char *at, *end;
};

void	answer_begin(struct answer *, const char *text, size_t len);

/* False: there is no other one, or not all of it. */
bool	answer_next(struct answer *, struct record *);

/* Is the last one of this word? */
bool	answer_ends(const char *text, size_t len, const char *word);

bool	record_is(const struct record *, const char *word);

/* The rest, printable and cut to size. */
void	record_text(const struct record *, char *, size_t);

#endif
