/*
 * csshsetup.h - what the command line asks for, and doing it.
 */
#ifndef CSSHSETUP_H
#define CSSHSETUP_H

#include "cli/tool.h"

enum setup_mode { SETUP_TRUST, SETUP_VERIFY, SETUP_ROTATE, SETUP_REVOKE,
    SETUP_AUDIT };

struct csshsetup {
	struct cli_target target;
	struct cli_connect connect;
	struct cli_look	 look;
	struct cli_again again;
	const char	*key;		/* private key file; NULL: the usual */
	const char	*type;		/* of a new one; NULL: ed25519 */
	bool		 no_passphrase;
	const char	*options;	/* before the key; NULL: none */
	const char	*expiry;	/* YYYYMMDD[HHMM]; NULL: never */
	const char	*fingerprints;	/* file; NULL: none */
	const char	*known_from;	/* host; NULL: none */
	bool		 sshfp;
	bool		 dry_run;
	enum setup_mode	 mode;		/* made of the options */
	bool		 mutual;	/* -r */
	const char	*hub;		/* host; NULL: all to all */
	bool		 verify, rotate, audit;
	const char	*revoke;	/* NULL: not */
	const char	*known_keys;	/* file, for audit; NULL: none */
	bool		 help, version;
	const char	*completion;	/* shell; NULL: not asked for */
	char		*list;		/* of a rotation; or NULL */
	char		**words;	/* hosts; NULL at the end */
};

/* 0, or an error that says what to do about it. */
int	setup_options(struct csshsetup *, int argc, char **argv,
	    struct fanout_error *);
void	setup_usage(FILE *);
int	setup_completion(const char *shell);	/* the exit status */
void	setup_clear(struct csshsetup *);

struct cli_tool setup_tool(struct csshsetup *);

/* What a report calls it. */
const char *setup_command(const struct csshsetup *);

/* Return the exit status; what is wrong has been said. */
int	setup_run(struct csshsetup *);
int	setup_hosts(struct csshsetup *, const struct fanout_hosts *);

/* key.c: the key pair that hosts are to trust. */
struct setup_key {
	char	*path;		/* of the private key */
	bool	 configured;	/* for these hosts, and no option named it */
	char	*prefix;	/* options and a blank; or "" */
	char	*line;		/* as authorized_keys has it, with options */
	char	*word;		/* "TYPE BLOB" of it, by which it is known */
};

/* In place of one that is not made yet, with dry_run. */
#define KEY_TO_COME "(a new key)"

/* Finds it, or makes it (not with dry_run); path: taken, as key_path() has it.
 * 0 or an error. */
int	key_find(struct setup_key *, const struct csshsetup *, char *path,
	    struct fanout_error *);
void	key_clear(struct setup_key *);

/* The private half, for free(3); NULL: why is in e. */
char	*key_path(const struct csshsetup *, struct fanout_error *);

/* Makes a pair. 0 or an error. */
int	key_make(const struct csshsetup *, const char *path,
	    struct fanout_error *);

#endif
