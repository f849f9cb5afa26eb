/*
 * input.h - what hosts are given on standard input, and when: first a script,
 * then a password if one is wanted, then what is the command's own. And the
 * marks (wrap.h) that say when are taken out of what they say.
 */
#ifndef INPUT_H
#define INPUT_H

#include "cli/ask.h"
#include "cli/drive.h"
#include "wrap.h"

struct input_host;

struct input {
	const struct wrap *wrap;
	struct cli_ask *ask;
	bool	 tty;
	const void *script;		/* its bytes, wrap->size of them */
	char	**files;		/* one a host: its own standard input,
					 * NULL: none. NULL: none of any */
	char	*password;		/* cli_secret_new; NULL: not known yet */
	bool	 asked, refused;	/* on the terminal; there is none */
	bool	 wrong;			/* the password, on some host */

	/* input.c */
	struct fanout *engine;
	fanout_job job;
	size_t	*map;			/* its hosts among all; NULL: all */
	struct input_host *hosts;
	size_t	 nhosts;
	struct fanout_result result;	/* one that was changed */
	char	*shown;			/* what is left of output */
	size_t	 nshown, cap;
};

/* 0, or -1: no memory. */
int	input_open(struct input *, size_t hosts);
void	input_rest(struct input *);	/* it may be opened once more: the
					 * password is kept, unless wrong */
void	input_close(struct input *);

/* As in struct cli_extra; ctx is a struct input. */
int	input_begin(void *ctx, struct fanout *, const struct fanout_hosts *,
	    const size_t *map, const struct fanout_cmd *,
	    struct fanout_error *);
bool	input_event(void *ctx, struct fanout_event *, struct cli_sink *out);

#endif
