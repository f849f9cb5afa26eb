/*
 * secrets.h - what was typed once serves all runs: passphrases of keys, and the
 * password for all hosts.
 */
#ifndef SECRETS_H
#define SECRETS_H

#include "cli/ask.h"

#define SECRETS_MAX 8

struct secret {
	char	*path;		/* of the key */
	char	*text;
};

struct secrets {
	struct secret key[SECRETS_MAX];
	size_t	 count;
	char	*password;	/* NULL: not known */
	struct fanout *engine;	/* of the question that is being put */
	uint64_t ask;
	char	*path;
	bool	 remembered;	/* the last answer was not typed */
};

/* A question about a key: answered, or put by "ask". True: it is. */
bool	secrets_key(struct secrets *, struct fanout *, struct cli_ask *ask,
	    const struct fanout_ask *);

/* One for a password, if it is known. */
bool	secrets_password(struct secrets *, struct fanout *,
	    const struct fanout_ask *);

/* The key has another name now. */
void	secrets_move(struct secrets *, const char *from, const char *to);

/* Before "ask" is closed, which has the password. */
void	secrets_keep(struct secrets *, const struct cli_ask *ask);
void	secrets_clear(struct secrets *);

#endif
