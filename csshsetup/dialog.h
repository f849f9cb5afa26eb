/*
 * dialog.h - a script run on many hosts: each says what it has
 * (answer.h), is answered once, and says what became of that.
 */
#ifndef DIALOG_H
#define DIALOG_H

#include <stdio.h>

#include "answer.h"
#include "script.h"
#include "setup.h"

#define DIALOG_MAX (8U << 20)	/* of what a host may say */

struct dialog {
	struct setup *setup;
	char	*script;		/* taken; NULL: no memory */
	setup_want want;
	const char *const *options;	/* of ssh; NULL: by keys */
	bool	 passwords;		/* may be asked for, or are known */

	int	 takes_ms;		/* at most, if it takes longer than usual */
	struct fanout **sessions;	/* stay open, for another one with the same;
					 * to free. NULL: they do not */

	/* It is ready: what it said so far, and where to write the answer to.
	 * After that its input ends. May give the host up; NULL: no answer. */
	void	(*turn)(void *ctx, size_t host, const struct answer *,
		    FILE *reply, struct cli_sink *out);
	/* It is over and came to its end, said "done": all that it said. NULL:
	 * it stays as it is. */
	void	(*over)(void *ctx, size_t host, const struct answer *,
		    struct cli_sink *out);
	/* It is over otherwise; NULL: it is given up. What was wrong is in the
	 * result, as setup_refuse() has it. */
	void	(*failed)(void *ctx, size_t host, const struct fanout_result *,
		    struct cli_sink *out);
	bool	 passes;		/* then it stays as it is, if failed is NULL */
	void	*ctx;

	/* of a run */
	struct fanout *engine;
	fanout_job job;
	struct dialog_host *hosts;
};

/* As setup_part(). */
int	dialog_run(struct dialog *);

/* One with those that keys let in, and then with those for which it takes a
 * password; NULL: with none. */
int	dialog_both(const struct dialog *like, const struct script_wish *,
	    setup_want by_password);

#endif
