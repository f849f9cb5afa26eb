/*
 * child.h - a process on this machine, its three pipes and its end, without
 * blocking. It leads a process group of its own.
 */
#ifndef FO_CHILD_H
#define FO_CHILD_H

#include <sys/types.h>

#include <stdbool.h>

struct child {
	pid_t	 pid;		/* 0: none, or already collected */
	pid_t	 group;		/* of it and its children; 0: none */
	int	 in, out, err;	/* our ends, non-blocking; -1: closed */
	int	 pidfd;		/* readable when it ended */
	int	 status;	/* of waitpid(2), once collected */
};

#define CHILD_INIT { 0, 0, -1, -1, -1, -1, 0 }

/*
 * Run argv[0] (looked up in PATH) with environment envp. Its standard input is
 * a pipe, or a descriptor of ours, or CHILD_NO_INPUT (/dev/null). 0, or errno.
 */
#define CHILD_NO_INPUT (-1)
#define CHILD_PIPE (-2)
int	child_start(struct child *, char *const argv[], char *const envp[],
	    int input);

/* True once it has ended; status is set. */
bool	child_ended(struct child *);

/* True once nobody of its group is left. */
bool	child_gone(struct child *);

void	child_signal(struct child *, int sig);	/* its whole group */
void	child_close(int *fd);

/* A close-on-exec pipe with our end (0: reading, 1: writing) non-blocking.
 * 0, or errno. */
int	child_pipe(int fds[2], int ours);

/* Kill its group if it still runs, collect it, close everything. */
void	child_free(struct child *);

#endif
