/*
 * complete.h - what the tab key finds in an interactive session: hosts after
 * @, + and -, else names of programs and files of this machine, as others are
 * likely to have the same.
 */
#ifndef COMPLETE_H
#define COMPLETE_H

#include <stddef.h>

/* As lineedit_complete; ctx is a struct working. */
char	**complete(void *ctx, const char *line, size_t len, size_t *start);

#endif
