#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "child.h"

void
child_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

int
child_pipe(int fds[2], int ours)
{
	int flags;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return errno;
	if ((flags = fcntl(fds[ours], F_GETFL)) == -1 ||
	    fcntl(fds[ours], F_SETFL, flags | O_NONBLOCK) == -1) {
		int error = errno;

		close(fds[0]);
		close(fds[1]);
		return error;
	}
	return 0;
}

/* Linux 5.3; C libraries have the call only since much later. */
static int
open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* All signals as a fresh process has them, a group of its own. */
static int
set_attributes(posix_spawnattr_t *attr)
{
	sigset_t all, none;
	int rc;

	sigfillset(&all);
	sigemptyset(&none);
	if ((rc = posix_spawnattr_setsigdefault(attr, &all)) != 0 ||
	    (rc = posix_spawnattr_setsigmask(attr, &none)) != 0 ||
	    (rc = posix_spawnattr_setpgroup(attr, 0)) != 0)
		return rc;
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF |
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
}

static int
spawn(struct child *c, char *const argv[], char *const envp[], int in,
    int out, int err)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int rc;

	if ((rc = posix_spawn_file_actions_init(&fa)) != 0)
		return rc;
	if ((rc = posix_spawnattr_init(&attr)) != 0) {
		posix_spawn_file_actions_destroy(&fa);
		return rc;
	}
	if (in == -1)
		rc = posix_spawn_file_actions_addopen(&fa, 0, "/dev/null",
		    O_RDONLY, 0);
	else
		rc = posix_spawn_file_actions_adddup2(&fa, in, 0);
	if (rc == 0 &&
	    (rc = posix_spawn_file_actions_adddup2(&fa, out, 1)) == 0 &&
	    (rc = posix_spawn_file_actions_adddup2(&fa, err, 2)) == 0 &&
	    (rc = set_attributes(&attr)) == 0)
		rc = posix_spawnp(&c->pid, argv[0], &fa, &attr, argv, envp);
	if (rc != 0)
		c->pid = 0;
	c->group = c->pid;
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return rc;
}

int
child_start(struct child *c, char *const argv[], char *const envp[],
    int input)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int rc;

	if ((input != CHILD_PIPE || (rc = child_pipe(in, 1)) == 0) &&
	    (rc = child_pipe(out, 0)) == 0 && (rc = child_pipe(err, 0)) == 0 &&
	    (rc = spawn(c, argv, envp, input == CHILD_PIPE ? in[0] : input,
	    out[1], err[1])) == 0 &&
	    (c->pidfd = open_pidfd(c->pid)) == -1)
		rc = errno;
	child_close(&in[0]);
	child_close(&out[1]);
	child_close(&err[1]);
	c->in = in[1];
	c->out = out[0];
	c->err = err[0];
	if (rc != 0)
		child_free(c);
	return rc;
}

bool
child_ended(struct child *c)
{
	if (c->pid == 0)
		return true;
	if (waitpid(c->pid, &c->status, WNOHANG) != c->pid)
		return false;
	c->pid = 0;
	return true;
}

/* The number of a group is not used again as long as the group is there. */
bool
child_gone(struct child *c)
{
	if (child_ended(c) && c->group != 0 &&
	    kill(-c->group, 0) == -1 && errno == ESRCH)
		c->group = 0;
	return c->group == 0;
}

void
child_signal(struct child *c, int sig)
{
	if (!child_gone(c))
		(void)kill(-c->group, sig);
}

void
child_free(struct child *c)
{
	if (c->pid != 0) {
		child_signal(c, SIGKILL);
		(void)waitpid(c->pid, &c->status, 0);
		c->pid = 0;
	}
	child_close(&c->pidfd);
	child_close(&c->in);
	child_close(&c->out);
	child_close(&c->err);
}
