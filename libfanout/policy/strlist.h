/*
 * strlist.h - a list of strings that ends with NULL, as execv(3) takes it.
 * A list that is NULL is empty.
 */
#ifndef FO_STRLIST_H
#define FO_STRLIST_H

#include <stdbool.h>
#include <stddef.h>

char	**strlist_new(void);	/* an empty list that is not NULL */
size_t	strlist_len(char *const *);
int	strlist_add(char ***, const char *);	/* copies; 0 or -1 (memory) */
int	strlist_take(char ***, char *);		/* frees it on failure */
int	strlist_addf(char ***, const char *fmt, ...)
	    __attribute__((__format__(printf, 2, 3)));
bool	strlist_has(char *const *, const char *);
void	strlist_free(char **);

#endif
