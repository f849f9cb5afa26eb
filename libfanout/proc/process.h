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
	char		*input;		/* a chunk, while there is input */
	size_t		 in_off, in_len;

	/* Lines of the log descriptor, without newline; NULL: no log. */
	void		(*on_log)(void *, const char *line);
	void		*arg;
	char		*log;		/* LOG_LINE bytes, while there is one */
	size_t		 log_len;
};

void	process_init(struct process *, struct fanout_io *);

/*
 * Start argv with environment envp. With on_log set the child's descriptor
 * PROCESS_LOG_FD is a pipe to it. 0, or errno; then nothing is left.
 */
#define PROCESS_LOG_FD 3
int	process_start(struct process *, char *const argv[],
	    char *const envp[], bool has_input);

/*
 * Move what can be moved. FANOUT_DONE: it has ended, child.status says how,
 * and nobody holds its output any more (canceled: at once); everything but
 * the status has been let go.
 */
enum fanout_verdict process_step(struct process *);

void	process_cancel(struct process *);	/* TERM, later KILL */
void	process_end(struct process *);		/* now; at any time */

/* Our environment with one variable more (NAME=value, not copied) in front;
 * free(3) it. NULL: out of memory. */
char	**process_environment(char *var);

#endif
