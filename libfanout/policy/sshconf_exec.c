#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sshconf_int.h"

extern char **environ;

static int
set_files(posix_spawn_file_actions_t *fa)
{
	return posix_spawn_file_actions_addopen(fa, 0, "/dev/null", O_RDONLY,
	    0) != 0 ||
	    posix_spawn_file_actions_addopen(fa, 1, "/dev/null", O_WRONLY,
	    0) != 0 ||
	    posix_spawn_file_actions_addopen(fa, 2, "/dev/null", O_WRONLY,
	    0) != 0 ||
	    posix_spawn_file_actions_addclosefrom_np(fa, 3) != 0 ? -1 : 0;
}

/* Threads of ours block every signal; the command must not. */
static int
set_attributes(posix_spawnattr_t *at)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	return posix_spawnattr_setsigmask(at, &none) != 0 ||
	    posix_spawnattr_setsigdefault(at, &all) != 0 ||
	    posix_spawnattr_setpgroup(at, 0) != 0 ||
	    posix_spawnattr_setflags(at, POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP) != 0 ? -1 : 0;
}

static int
start(const char *command, pid_t *pid)
{
	char *shell = getenv("SHELL"), *copy = strdup(command);
	char dash_c[] = "-c", sh[] = "/bin/sh";
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	int rc = -1;

	if (shell == NULL || *shell == '\0')
		shell = sh;
	if (copy == NULL || posix_spawn_file_actions_init(&fa) != 0) {
		free(copy);
		return -1;
	}
	if (posix_spawnattr_init(&at) == 0) {
		char *argv[] = { shell, dash_c, copy, NULL };

		if (set_files(&fa) == 0 && set_attributes(&at) == 0 &&
		    posix_spawn(pid, shell, &fa, &at, argv, environ) == 0)
			rc = 0;
		posix_spawnattr_destroy(&at);
	}
	posix_spawn_file_actions_destroy(&fa);
	free(copy);
	return rc;
}

/* Its exit status; -1: it was killed, or took too long and was killed. */
static int
await(pid_t pid)
{
	int64_t deadline = fo_deadline(fo_now(), SSHCONF_EXEC_MS);
	int status, wait_ms = 1;
	pid_t got;

	for (;;) {
		got = waitpid(pid, &status, WNOHANG);
		if (got == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		if (got == -1 && errno != EINTR)
			return -1;
		if (fo_now() >= deadline)
			break;
		(void)poll(NULL, 0, wait_ms);
		if (wait_ms < 20)
			wait_ms *= 2;
	}
	(void)kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	return -1;
}

static int
remember(struct sshconf *c, const char *command, int status)
{
	struct exec_result *v;

	v = reallocarray(c->exec, c->nexec + 1, sizeof(*v));
	if (v == NULL)
		return -1;
	c->exec = v;
	v += c->nexec;
	if ((v->command = strdup(command)) == NULL)
		return -1;
	v->status = status;
	c->nexec++;
	return 0;
}

int
conf_exec(struct sshconf *c, const char *command, int *status)
{
	pid_t pid;
	size_t i;

	for (i = 0; i < c->nexec; i++)
		if (strcmp(c->exec[i].command, command) == 0) {
			*status = c->exec[i].status;
			return 0;
		}
	*status = start(command, &pid) == -1 ? -1 : await(pid);
	return remember(c, command, *status);
}
