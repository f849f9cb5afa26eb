/*
 * expand.h - %h and so on in what is run or copied, different for each host.
 *
 * Never without the option --expand. Columns (%{rack}) come from the comments
 * of host files: fanout(7) has the form.
 */
#ifndef CLI_EXPAND_H
#define CLI_EXPAND_H

#include "columns.h"
#include "target.h"

struct cli_expand {
	bool	 on;
	const char *files[CLI_TARGET_FILES];	/* --columns */
	size_t	 nfiles;

	/* made by cli_expand_open */
	const struct fanout_hosts *hosts;	/* not ours */
	struct cli_columns *columns;	/* NULL: not read yet, or there are none */
	const struct cli_target *target;
	struct fanout *way;		/* asked for users, ports, addresses;
					 * NULL: not yet */
	const struct fanout_opts *opts;
};

extern const struct cli_option cli_expand_options[];

/* For these hosts, reached as the options say; all outlive it. */
void	cli_expand_open(struct cli_expand *, const struct cli_target *,
	    const struct fanout_hosts *, const struct fanout_opts *);
void	cli_expand_close(struct cli_expand *);

/* Is there anything to expand in a text? */
bool	cli_expand_needed(const struct cli_expand *, const char *text);

/*
 * The text for a host; free(3). in_shell: it is a command, and whatever a
 * value has in it stays one piece of data there, by the quotes it stands in.
 * 0, or an error that says what is wrong with the text, or of which host
 * something is not known.
 */
int	cli_expand(struct cli_expand *, size_t host, const char *text,
	    bool in_shell, char **, struct fanout_error *);

#endif
