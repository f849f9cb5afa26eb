#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "upcall.h"

#define COMPLAINT_MAX	160

extern char **environ;

struct stream {
	int	 fd;		/* -1: it has ended */
	char	*buf;
	size_t	 len, cap;
	size_t	 keep;		/* bytes beyond are read and thrown away */
};

struct call {
	const char *name;
	pid_t	 pid;
	int	 pidfd;
	struct stream out, err;
	int64_t	 until;
	int	 ms;
	struct fanout_error *e;
};

static int
add_actions(posix_spawn_file_actions_t *fa, const char *dir, int out, int err)
{
	int rc;

	if ((rc = posix_spawn_file_actions_addopen(fa, STDIN_FILENO,
	    "/dev/null", O_RDONLY, 0)) != 0 ||
	    (rc = posix_spawn_file_actions_adddup2(fa, out,
	    STDOUT_FILENO)) != 0 ||
	    (rc = posix_spawn_file_actions_adddup2(fa, err,
	    STDERR_FILENO)) != 0)
		return rc;
	return dir == NULL ? 0 :
	    posix_spawn_file_actions_addchdir_np(fa, dir);
}

/* In a process group of its own, with no signal blocked or ignored. */
static int
spawn(pid_t *pid, char *const argv[], const char *dir, int out, int err)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none, all;
	int rc;

	if ((rc = posix_spawn_file_actions_init(&fa)) != 0)
		return rc;
	if ((rc = posix_spawnattr_init(&at)) != 0) {
		posix_spawn_file_actions_destroy(&fa);
		return rc;
	}
	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	(void)posix_spawnattr_setsigmask(&at, &none);
	(void)posix_spawnattr_setsigdefault(&at, &all);
	(void)posix_spawnattr_setpgroup(&at, 0);
	(void)posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP |
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if ((rc = add_actions(&fa, dir, out, err)) == 0)
		rc = posix_spawnp(pid, argv[0], &fa, &at, argv, environ);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	return rc;
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

static int
start(struct call *c, char *const argv[], const char *dir)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, rc;

	if (pipe2(out, O_CLOEXEC) == -1 || pipe2(err, O_CLOEXEC) == -1)
		rc = errno;
	else if ((rc = spawn(&c->pid, argv, dir, out[1], err[1])) == 0) {
		c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
		c->out.fd = out[0];
		c->err.fd = err[0];
		out[0] = err[0] = -1;
	}
	close_fd(&out[0]);
	close_fd(&out[1]);
	close_fd(&err[0]);
	close_fd(&err[1]);
	if (rc == 0)
		return 0;
	errno = rc;
	return fo_error_sys(c->e, "cannot run %s", c->name);
}

/* Take what there is; 0, or an error number. */
static int
take(struct stream *s)
{
	char buf[8192], *p;
	size_t n, cap;
	ssize_t got = read(s->fd, buf, sizeof(buf));

	if (got == -1)
		return errno == EINTR || errno == EAGAIN ? 0 : errno;
	if (got == 0) {
		close_fd(&s->fd);
		return 0;
	}
	n = (size_t)got;
	if (n > s->keep - s->len)
		n = s->keep - s->len;
	if (s->len + n + 1 > s->cap) {
		cap = (s->len + n + 1) * 2;
		if ((p = realloc(s->buf, cap)) == NULL)
			return ENOMEM;
		s->buf = p;
		s->cap = cap;
	}
	memcpy(s->buf + s->len, buf, n);
	s->buf[s->len += n] = '\0';
	return 0;
}

/* Both pipes to their ends; they may outlive the program, so its own end
 * counts, too. */
static int
read_all(struct call *c)
{
	struct pollfd p[3];
	bool ended = false;
	int rc = 0, n, ms;

	while (c->out.fd != -1 || (c->err.fd != -1 && !ended)) {
		p[0] = (struct pollfd){ .fd = c->out.fd, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = c->err.fd, .events = POLLIN };
		p[2] = (struct pollfd){ .fd = ended ? -1 : c->pidfd,
		    .events = POLLIN };
		/* What it has written is there once it has ended. */
		ms = ended ? 0 : fo_until(fo_now(), c->until);
		if ((n = poll(p, 3, ms)) == -1 && errno != EINTR)
			return errno;
		if (n == 0)
			return ended ? 0 : ETIMEDOUT;
		if (n < 0)
			continue;
		if (p[0].revents != 0)
			rc = take(&c->out);
		if (rc == 0 && p[1].revents != 0)
			rc = take(&c->err);
		if (rc == 0 && c->out.len > FO_UPCALL_MAX)
			rc = EFBIG;
		if (rc != 0)
			return rc;
		ended |= p[2].revents != 0;
	}
	return 0;
}

static int
wait_end(struct call *c, int *status)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };
	int n;

	while ((n = poll(&p, 1, fo_until(fo_now(), c->until))) == -1 &&
	    errno == EINTR)
		;
	if (n == 0)
		return ETIMEDOUT;
	while (waitpid(c->pid, status, 0) == -1)
		if (errno != EINTR)
			return errno;
	c->pid = 0;
	return 0;
}

static int
judge(struct call *c, int status)
{
	const char *why = c->err.len > 0 ? c->err.buf : "";
	const char *sep = *why == '\0' ? "" : ": ";
	int n = (int)strcspn(why, "\n");

	if (WIFSIGNALED(status))
		return fo_error(c->e, FANOUT_ECONFIG,
		    "%s was ended by signal %s%s%.*s", c->name,
		    sigabbrev_np(WTERMSIG(status)), sep, n, why);
	if (WEXITSTATUS(status) != 0)
		return fo_error(c->e, FANOUT_ECONFIG,
		    "%s ended with status %d%s%.*s", c->name,
		    WEXITSTATUS(status), sep, n, why);
	return 0;
}

static void
clean_up(struct call *c)
{
	if (c->pid > 0) {
		(void)kill(-c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) == -1 && errno == EINTR)
			;
	}
	close_fd(&c->pidfd);
	close_fd(&c->out.fd);
	close_fd(&c->err.fd);
	free(c->err.buf);
}

int
fo_upcall(char *const argv[], const char *dir, int ms, char **out,
    struct fanout_error *err)
{
	struct call c = { .name = argv[0], .pidfd = -1, .ms = ms, .e = err,
	    .out = { .fd = -1, .keep = FO_UPCALL_MAX + 1 },
	    .err = { .fd = -1, .keep = COMPLAINT_MAX },
	    .until = fo_deadline(fo_now(), ms) };
	int rc, status = 0;

	*out = NULL;
	/* Of a shell's the command is what tells. */
	if (strcmp(argv[0], "sh") == 0 && argv[1] != NULL && argv[2] != NULL)
		c.name = argv[2];
	if ((rc = start(&c, argv, dir)) != 0)
		return rc;
	if ((rc = read_all(&c)) == 0)
		rc = wait_end(&c, &status);
	if (rc == ETIMEDOUT)
		rc = fo_error(err, FANOUT_ECONFIG,
		    "%s did not answer within %d s", c.name, (ms + 999) / 1000);
	else if (rc != 0) {
		errno = rc;
		rc = fo_error_sys(err, "cannot read from %s", c.name);
	} else
		rc = judge(&c, status);
	clean_up(&c);
	if (rc == 0 && c.out.buf == NULL &&
	    (c.out.buf = calloc(1, 1)) == NULL)
		rc = fo_error(err, FANOUT_ENOMEM, "out of memory");
	if (rc != 0)
		free(c.out.buf);
	else
		*out = c.out.buf;
	return rc;
}
