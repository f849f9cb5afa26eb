/*
 * completion.h - what a shell needs to complete the options of a tool, made
 * from its option tables.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "options.h"

/* On standard output; shell: bash, zsh or fish; command: one stands behind the
 * options, not files. Returns the exit status; what is wrong has been said. */
int	cli_completion(const char *shell, const struct cli_group *,
	    bool command);

#endif
