/*
 * ask.h - what hosts want to know from the user: passwords, passphrases,
 * whether a new host key is right.
 *
 * Questions wait in a queue and are put one after the other on the terminal,
 * while the run goes on. Host keys are collected for a moment, so that one
 * answer serves many hosts.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <sys/queue.h>

#include "fanout.h"
#include "options.h"
#include "terminal.h"

struct cli_question;
struct cli_phrase;
TAILQ_HEAD(cli_questions, cli_question);

struct cli_ask {
	/* options */
	bool	 once;		/* one password for all that want one */
	bool	 each;		/* one for each */
	unsigned password_fd;	/* plus 1; 0: none */

	struct cli_terminal terminal;
	struct cli_questions queue;
	struct fanout	*f;	/* NULL: not started */
	char	*password;	/* of once or the fd; NULL: not known yet */
	bool	 no_password;	/* there will be none */
	bool	 wrong;		/* it was, on some host */
	bool	 resting;	/* what is asked is refused */
	struct cli_phrase *phrases;	/* of key files, for the next engine */

	struct cli_question *shown;	/* the terminal has it */
	bool	 stale;		/* other output came after it */
	bool	 out_tty, err_tty;
	bool	 one_by_one;	/* host keys */
	int64_t	 since, last;	/* ms: host keys came; 0: none */
};
#define CLI_ASK_INIT { .terminal = CLI_TERMINAL_INIT }

/* For a struct cli_ask. */
extern const struct cli_option cli_ask_options[];

/* Finds the terminal, reads the descriptor; tells the engine what can be
 * answered. 0 or an error. */
int	cli_ask_open(struct cli_ask *, struct fanout_opts *,
	    struct fanout_error *);

/* What is still to be asked is refused; the terminal is as it was. */
void	cli_ask_close(struct cli_ask *);

void	cli_ask_start(struct cli_ask *, struct fanout *);

/* The same, but it may be started once more: the password is kept, unless it
 * was wrong. */
void	cli_ask_rest(struct cli_ask *);

/* Every event of the run passes here: questions are taken, those of hosts
 * that are done are dropped. */
void	cli_ask_event(struct cli_ask *, const struct fanout_event *);

/* Is this answered with the one password for all? */
bool	cli_ask_for_all(const struct cli_ask *, const struct fanout_ask *);

/* One that is shown: a question that it runs into is put once more. */
void	cli_ask_shown(struct cli_ask *, const struct fanout_event *);

/* The line of the question is gone, by ^C: it is put once more. */
void	cli_ask_again(struct cli_ask *);

/* A question of the tool's own, whose answer is not to be seen. answer gets
 * NULL where there is no terminal, or no answer. */
void	cli_ask_put(struct cli_ask *, const char *prompt,
	    void (*answer)(void *ctx, const char *text), void *ctx);

/* The number of a descriptor, plus 1, as an option has it. 0 or an error. */
int	cli_ask_fd(unsigned *, const char *value, struct fanout_error *);

/* The first line of a descriptor, for --OPTION; the caller frees it with
 * cli_secret_free. 0 or an error. */
int	cli_ask_read(char **, int fd, const char *option,
	    struct fanout_error *);

/* Is there a question for the terminal? Then, instead of waiting in
 * fanout_next: put it, and wait until there is an answer or an event. */
bool	cli_ask_busy(const struct cli_ask *);
void	cli_ask_wait(struct cli_ask *, int timeout_ms);

/* ---- between its files ---- */

struct cli_question {
	TAILQ_ENTRY(cli_question) link;
	fanout_job job;
	size_t	 host;
	char	*name;		/* of the host */
	struct fanout_ask ask;	/* its texts are the question's own */
	void	(*answer)(void *ctx, const char *);	/* NULL: the engine's */
	void	*ctx;
};

void	cli_ask_answer(struct cli_ask *, struct cli_question *,
	    const char *text);	/* and it is gone; NULL refuses */

/* Host keys (ask_hostkeys.c): how many ms to wait for more; 0: put it now. */
int	cli_hostkeys_wait(const struct cli_ask *);
void	cli_hostkeys_show(struct cli_ask *);
void	cli_hostkeys_answer(struct cli_ask *, const char *line);

#endif
