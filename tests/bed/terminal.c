/*
 * terminal.c - a person at a terminal.
 *
 *	terminal TRANSCRIPT [WAIT-FOR ANSWER]... -- COMMAND...
 *
 * Runs the command with a terminal of its own (/dev/tty; the standard streams
 * stay what they are). Whenever the text WAIT-FOR has come from it, types the
 * ANSWER and a newline; "^C", "^D" and "^Z" stand for these keys. What the terminal
 * shows goes into the file TRANSCRIPT. Exits as the command does, 99 if it
 * ended without having asked for all, 98 if nothing came for 30 seconds.
 */
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SILENCE_MS 30000

static char	seen[65536];		/* since the last answer */
static size_t	nseen;

static int
open_master(char **slave)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd == -1 || grantpt(fd) == -1 || unlockpt(fd) == -1 ||
	    (*slave = ptsname(fd)) == NULL)
		err(97, "pty");
	return fd;
}

static pid_t
run(const char *slave, char **argv)
{
	pid_t pid = fork();
	int fd;

	if (pid == -1)
		err(97, "fork");
	if (pid > 0)
		return pid;
	if (setsid() == -1 || (fd = open(slave, O_RDWR)) == -1 ||
	    ioctl(fd, TIOCSCTTY, 0) == -1)
		err(97, "%s", slave);
	close(fd);
	execvp(argv[0], argv);
	err(97, "%s", argv[0]);
}

static void
type(int fd, const char *answer)
{
	char line[2048];

	if (strcmp(answer, "^C") == 0)
		(void)snprintf(line, sizeof(line), "\003");
	else if (strcmp(answer, "^D") == 0)
		(void)snprintf(line, sizeof(line), "\004");
	else if (strcmp(answer, "^Z") == 0)
		(void)snprintf(line, sizeof(line), "\032");
	else
		(void)snprintf(line, sizeof(line), "%s\n", answer);
	if (write(fd, line, strlen(line)) == -1)
		err(97, "typing");
	nseen = 0;
}

/* Bytes from the terminal; 0: it is closed. */
static ssize_t
take(int fd, FILE *transcript)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf)), i;

	if (n <= 0)
		return 0;
	fwrite(buf, 1, (size_t)n, transcript);
	fflush(transcript);
	for (i = 0; i < n; i++)
		if (nseen < sizeof(seen) - 1 && buf[i] != '\0')
			seen[nseen++] = buf[i];
	seen[nseen] = '\0';
	return n;
}

int
main(int argc, char **argv)
{
	struct pollfd pfd = { .events = POLLIN };
	FILE *transcript;
	char *slave;
	int at = 2, silent = 0, status, hold, n;
	pid_t pid;

	if (argc < 4 || (transcript = fopen(argv[1], "we")) == NULL)
		errx(97, "usage: terminal TRANSCRIPT [WAIT-FOR ANSWER]... -- "
		    "COMMAND...");
	for (hold = 2; hold < argc && strcmp(argv[hold], "--") != 0; hold += 2)
		;
	if (hold + 1 >= argc)
		errx(97, "no command");
	pfd.fd = open_master(&slave);
	pid = run(slave, argv + hold + 1);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		n = poll(&pfd, 1, 50);
		if (n > 0 && (pfd.revents & POLLIN)) {
			silent = 0;
			(void)take(pfd.fd, transcript);
			if (at < hold && strstr(seen, argv[at]) != NULL) {
				type(pfd.fd, argv[at + 1]);
				at += 2;
			}
			continue;
		}
		if (n > 0)
			usleep(50000);		/* nobody has it open (yet) */
		if ((silent += 50) > SILENCE_MS) {
			kill(pid, SIGKILL);
			return 98;
		}
	}
	while (poll(&pfd, 1, 0) > 0 && (pfd.revents & POLLIN) &&
	    take(pfd.fd, transcript) > 0)
		;
	fclose(transcript);
	if (at < hold) {
		warnx("never asked: %s", argv[at]);
		return 99;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}
