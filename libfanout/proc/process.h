/*
 * process.h - a task as a process on this machine: its streams pumped between
 * the child and the engine. What transports local and openssh share.
 */
#ifndef FO_PROCESS_H
#define FO_PROCESS_H

#include <stdint.h>

#include "child.h"
#include "fanout_transport.h"

/* Watches of fanout_io_watch that it uses. */
enum { WATCH_IN, WATCH_OUT, WATCH_ERR, WATCH_END, WATCH_LOG };

struct process {
	struct fanout_io *io;
	struct child	 child;
	bool		 canceled;
	int64_t		 kill_at;	/* canceled: TERM was not enough */
	bool		 killed;
	int		 file;		/* the child's input; its offset says how
					 * far it is; -1: it is no file */
	off_t		 file_off;
	char		*input;		/* a chunk, while there is input */
	size_t		 in_off, in_len;

	/* The log, if there is one: its lines come without newline. */
	void		(*on_log)(void *, const char *line);
	void		*arg;
	int		 log_fd[2];	/* of its pipe; -1: closed */
	char		*log;		/* LOG_LINE bytes, while there is one */
	size_t		 log_len;
};

void	process_init(struct process *, struct fanout_io *);

/*
 * Make a log, before the start: on_log gets the lines that are written to
 * path. It has a name, and is no inherited descriptor, as ssh closes all that
 * it inherits. 0, or errno.
 */
#define PROCESS_LOG_PATH 64
int	process_log(struct process *, char path[static PROCESS_LOG_PATH],
	    void (*on_log)(void *, const char *), void *arg);

/* Start argv with environment envp. 0, or errno; then nothing is left. */
int	process_start(struct process *, char *const argv[],
	    char *const envp[], const struct fanout_task *);

/*
 * Move what can be moved. FANOUT_DONE: it has ended, child.status says how,
 * and nobody holds its output any more (canceled: and all that it started is
 * gone); everything but the status has been let go.
 */
enum fanout_verdict process_step(struct process *);

/* TERM, and so many ms later KILL. */
void	process_cancel(struct process *, int grace);
void	process_end(struct process *);		/* now; at any time */

/* Our environment with one variable more (NAME=value, not copied) in front;
 * free(3) it. NULL: out of memory. */
char	**process_environment(char *var);

#endif
