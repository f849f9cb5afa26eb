/*
 * connect.h - the options that say how hosts are reached, for all tools.
 */
#ifndef CLI_CONNECT_H
#define CLI_CONNECT_H

#include "ask.h"
#include "options.h"

#define CLI_SSH_OPTIONS 64

struct cli_connect {
	/* "Keyword=value"; what explicit options say comes before what -o
	 * says, and the first one counts. Of an explicit option there is but
	 * the last, except of keys. */
	char	*explicit[CLI_SSH_OPTIONS];
	char	*given[CLI_SSH_OPTIONS];
	size_t	 nexplicit, ngiven;
	const char *all[2 * CLI_SSH_OPTIONS + 1];

	const char *ssh_config;
	const char *known_hosts;
	bool	 accept_new;
	const char *transport;
	unsigned window;
	unsigned rate, retries;
	int	 connect_ms, login_ms;		/* -1: not given */
	int	 idle_ms, command_ms;
	int	 grace_ms;			/* -1: not given */
	bool	 raw;
	int	 verbose;
	struct cli_ask ask;
};
#define CLI_CONNECT_INIT { .connect_ms = -1, .login_ms = -1, \
    .grace_ms = -1, .ask = CLI_ASK_INIT }

extern const struct cli_option cli_connect_options[];

/* The same for a tool that has others of its own: adapt may change each, or
 * leave it out (false). Made once, in table. */
#define CLI_CONNECT_OPTIONS 40
const struct cli_option *cli_connect_adapted(struct cli_option *table,
	    bool (*adapt)(struct cli_option *));

/* Fills the options of an engine, which point into c. 0 or an error. */
int	cli_connect_apply(struct cli_connect *, struct fanout_opts *,
	    struct fanout_error *);
/* What -o said behind the first so many counts before these. */
void	cli_connect_newer_first(struct cli_connect *, size_t older);
void	cli_connect_clear(struct cli_connect *);

#endif
