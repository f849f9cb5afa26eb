/*
 * send.h - the command line's command as hosts are sent it: the options about
 * scripts, inputs and users, and what is made of them.
 */
#ifndef SEND_H
#define SEND_H

#include "cli/connect.h"
#include "cli/expand.h"
#include "cli/form.h"
#include "input.h"

struct send {
	/* options */
	const char *script, *stdin_file;	/* NULL: not given */
	enum become_how how;
	char	*user;			/* to become; NULL: root */
	unsigned password_fd;		/* plus 1; 0: none */
	bool	 tty, detach;

	/* made by send_make */
	struct wrap wrap;
	struct input input;
	char	*command, **commands;	/* for all, or one a host */
	size_t	 nhosts;
	int	 fd;			/* standard input for all; -1: not ours */
	const char **skip;		/* with those that have no file */
	const struct fanout_result **ahead;	/* why they have none; or NULL */
};
#define SEND_INIT { .fd = -1, .input = { .nhosts = 0 } }

extern const struct cli_option send_options[], send_become_options[];

/* Do the options fit together? 0 or an error. */
int	send_check(const struct send *, const struct cli_connect *,
	    const struct cli_form *, bool no_stdin, struct fanout_error *);

/* The name of a script and its arguments, as words of sh; and so saved. */
char	*send_script_words(const char *script, char **arguments);

/*
 * For these hosts; skip: why some are skipped, or NULL. fd: standard input,
 * -1: none. Fills the command, and says whether input (input.h) is to take part
 * in the run. 0 or an error.
 */
int	send_make(struct send *, const char *command, const struct cli_form *,
	    struct cli_expand *, const struct fanout_opts *,
	    const struct fanout_hosts *, const char *const *skip, int fd,
	    struct fanout_cmd *, bool *takes_part, struct fanout_error *);
/* Hosts that are skipped anyway have failed, so. 0, or -1: no memory. */
int	send_ahead(struct send *, size_t host, const struct fanout_result *);

/* As before send_make; passwords are kept. */
void	send_reset(struct send *);
void	send_clear(struct send *);

#endif
