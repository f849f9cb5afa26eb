/*
 * terminal.h - asking the person at the terminal, without waiting for them.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

#define CLI_LINE_MAX 1023

struct cli_terminal {
	int	 fd;		/* of /dev/tty; -1: there is none */
	struct termios before;
	bool	 hidden;	/* what is typed does not show */
	char	*line;		/* the last one; locked, left out of cores */
};
#define CLI_TERMINAL_INIT { .fd = -1 }

/* 0, or -1: there is no terminal, or another job has it. */
int	cli_terminal_open(struct cli_terminal *);
void	cli_terminal_close(struct cli_terminal *);	/* as it was before */

void	cli_terminal_say(const struct cli_terminal *, const char *text);

/* Is what is typed to be seen? Said again it does no harm (a shell may have
 * changed it while we were stopped). */
void	cli_terminal_hide(struct cli_terminal *, bool hide);

/* Once it is readable: 1 there is a line, 0 not yet, -1 it ended. */
int	cli_terminal_read(struct cli_terminal *);
void	cli_terminal_wipe(struct cli_terminal *);

/* A page for a secret of at most CLI_LINE_MAX bytes; NULL: no memory. */
char	*cli_secret_new(void);
void	cli_secret_free(char *);	/* wiped first; NULL is fine */

#endif
