/*
 * why.h - hosts are asked what makes their sshd refuse keys.
 */
#ifndef WHY_H
#define WHY_H

#include "answer.h"
#include "setup.h"

#define WHY_MAX 200

struct why {
	struct setup *setup;
	bool	 passwords;	/* logs in by those that were asked for */
	/* A file of authorized keys; NULL: that is of no interest. */
	void	(*file)(void *ctx, size_t host, const struct record *);
	void	*ctx;
	char	(*text)[WHY_MAX];	/* one a host; "": nothing was found */
};

/* Those that are marked. Whatever fails changes nothing about a host. As
 * dialog_run(); why_clear in any case. */
int	why_ask(struct why *);
void	why_clear(struct why *);

/* Those that are marked have refused our key: what they say of that comes into
 * their results, where it can be asked by a password. */
int	why_refused(struct setup *);

#endif
