/*
 * completion.h - what a shell needs to complete the options of a tool, made
 * from its option tables.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "options.h"

/* shell: bash, zsh or fish. 0, or an error for others. */
int	cli_completion(FILE *, const char *shell, const struct cli_group *,
	    struct fanout_error *);

#endif
