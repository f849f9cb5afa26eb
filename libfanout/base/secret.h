/*
 * secret.h - a text that nobody else may see: passwords, passphrases.
 *
 * It lies in pages of its own, locked where the limits allow it, left out of
 * core dumps, and wiped when freed.
 */
#ifndef FO_SECRET_H
#define FO_SECRET_H

#include <stddef.h>

#define FO_SECRET_MAX 1023	/* bytes, without the NUL */

struct fo_secret {
	char	*text;		/* NULL: none */
};

/* 0, or -1: out of memory, or longer than FO_SECRET_MAX. */
int	fo_secret_set(struct fo_secret *, const char *text);
void	fo_secret_clear(struct fo_secret *);

#endif
