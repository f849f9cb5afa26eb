/*
 * options.h - one table of options makes the parser and the usage text; a lint
 * step holds the manual against it.
 *
 * A tool has several groups of options, most of them shared by all tools; each
 * group fills a structure of its own. Values point into argv: nothing is
 * copied, nothing is to free.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdio.h>

#include "fanout.h"

enum cli_kind {
	CLI_FLAG,	/* bool: true when given */
	CLI_COUNT,	/* int: how often it was given */
	CLI_NUMBER,	/* unsigned, from min to max */
	CLI_SECONDS,	/* int, milliseconds: "3", "0.5" */
	CLI_TEXT,	/* const char * */
	CLI_CALL	/* call(into, value) */
};

struct cli_option {
	char	 letter;	/* 0: it has none */
	const char *name;	/* long name, without the dashes; NULL: none */
	const char *arg;	/* name of its argument; NULL: it takes none;
				 * "[=NAME]": only one joined by '=' */
	const char *help;	/* half a line; NULL ends the table */
	enum cli_kind kind;
	size_t	 offset;	/* where in the structure, but for CLI_CALL */
	unsigned min, max;
	int	(*call)(void *into, const char *value, struct fanout_error *);
};

struct cli_group {
	const char *title;	/* NULL ends the list */
	const struct cli_option *options;
	void	*into;
};

/*
 * Options end at the first word that is none, or after "--" (POSIX): the rest
 * is a command with options of its own. *rest is the index of its first word.
 * On failure the text names the option.
 */
int	cli_parse(const struct cli_group *, int argc, char **argv, int *rest,
	    struct fanout_error *);

/* So, and each option that was set is told of, with its value (NULL: it takes
 * none). A return of note other than 0 means there is no memory. */
typedef int (*cli_note)(void *ctx, const struct cli_group *,
    const struct cli_option *, const char *value);
int	cli_parse_noting(const struct cli_group *, int argc, char **argv,
	    int *rest, cli_note, void *ctx, struct fanout_error *);

void	cli_usage(FILE *, const char *synopsis, const struct cli_group *);

#endif
