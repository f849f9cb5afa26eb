/*
 * signals.c - run a program with the signals a user can send put back to
 * their defaults: a shell starts what it puts in the background with SIGINT
 * ignored, and nohup ignores SIGHUP.
 */
#include <err.h>
#include <signal.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	if (argc < 2)
		errx(2, "usage: signals COMMAND...");
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	execvp(argv[1], argv + 1);
	err(127, "%s", argv[1]);
}
