/*
 * form.h - the options that say in what surroundings a command runs, and the
 * one line that makes them, whatever the login shell is.
 */
#ifndef CLI_FORM_H
#define CLI_FORM_H

#include "options.h"

#define CLI_ENV_MAX 64

struct cli_form {
	const char *directory, *shell, *umask;	/* NULL: not given */
	const char *env[CLI_ENV_MAX];	/* "NAME=value"; "NAME": as it is here */
	size_t	 nenv;
};

extern const struct cli_option cli_form_options[];

bool	cli_form_used(const struct cli_form *);

/*
 * The command as it is sent; free(3). Without any of the options it is the
 * command as it is. Else it is run by the shell that was asked for, or by the
 * login shell as without, and the line means the same to sh, csh and fish and
 * their kin. 0 or an error.
 */
int	cli_form_wrap(const struct cli_form *, const char *command, char **,
	    struct fanout_error *);

/* Parts of such a line: a word of sh; what sh does before the command; that,
 * and the command by a shell (words of sh, where no option names one); a
 * script of sh as a line for any login shell, which may be followed by words
 * for $2 and so on. */
void	cli_form_quote(FILE *, const char *word);
void	cli_form_surround(FILE *, const struct cli_form *);
void	cli_form_exec(FILE *, const struct cli_form *, const char *shell,
	    const char *command);
void	cli_form_line(FILE *, const char *script);

/* The value of --env that may be saved: one whose name tells of a secret is
 * saved without it. How many bytes of it. */
size_t	cli_form_saved(const char *env);

#endif
