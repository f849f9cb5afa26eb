/*
 * wrap.h - what is sent to hosts when it is more than the command: a script
 * that comes by standard input, another user, a command that is left behind.
 *
 * What is sent then says on standard error how far it is, by marks that the
 * caller takes out (input.h): the text of mark and a letter.
 */
#ifndef WRAP_H
#define WRAP_H

#include "cli/form.h"

enum become_how { BECOME_NOBODY, BECOME_SUDO, BECOME_SU, BECOME_DOAS };

#define WRAP_GOT 'g'	/* the script has come, whole */
#define WRAP_ASKS 'p'	/* sudo wants the password now */
#define WRAP_RUNS 'r'	/* the command begins: the rest of the input is its */

struct wrap {
	const struct cli_form *form;
	enum become_how how;
	const char *user;		/* to become */
	const char *script;		/* its name there, without a path and
					 * anything odd; NULL: a command */
	const char *first;		/* line of it, "" for a program */
	size_t	 size;			/* bytes of it */
	int	 grace_ms;		/* from TERM to KILL; < 0: no kill */
	bool	 detach, input;		/* with an input of its own */
	char	 nonce[33];		/* in names of temporary files */
	char	 mark[48];
};

/* Draws what is random. */
void	wrap_init(struct wrap *);

/* Is it more than the command in its surroundings? */
bool	wrap_used(const struct wrap *);

/* The line to send; free(3). Of a script the command is its arguments, as
 * words of sh. 0 or an error. */
int	wrap_command(const struct wrap *, const char *command, char **,
	    struct fanout_error *);

const char *wrap_name(const struct wrap *);	/* "sudo" */

#endif
