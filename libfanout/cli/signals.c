#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "signals.h"

#define TWICE_MS 1000

/* timeout(1) sends its signal to its child, and then to the whole group. */
#define ECHO_MS 500

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
#define NCAUGHT (sizeof(caught) / sizeof(caught[0]))

/* What the handler needs, set before it is installed. */
static struct fanout *engine;
static int	pipe_fd[2] = { -1, -1 };
static volatile sig_atomic_t pending;

static struct sigaction before[NCAUGHT];
static bool	stopping;
static int	stopped_by;
static int64_t	stopped_at;		/* or when the last one came */
static int64_t	last_int = -TWICE_MS - 1;

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
on_signal(int signo)
{
	int saved = errno;
	unsigned char c = (unsigned char)signo;

	pending = 1;
	/* A full pipe means that enough is known. */
	if (write(pipe_fd[1], &c, 1) == -1)
		errno = 0;
	fanout_wake(engine);
	errno = saved;
}

int
cli_signals_start(struct fanout *f)
{
	struct sigaction sa = { .sa_handler = on_signal };
	size_t i;

	if (pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	engine = f;
	sigemptyset(&sa.sa_mask);
	for (i = 0; i < NCAUGHT; i++) {
		sigaction(caught[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(caught[i], &sa, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

void
cli_signals_stop(void)
{
	size_t i;

	if (pipe_fd[0] == -1)
		return;
	for (i = 0; i < NCAUGHT; i++)
		sigaction(caught[i], &before[i], NULL);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	pipe_fd[0] = pipe_fd[1] = -1;
	engine = NULL;
}

int
cli_signals_fd(void)
{
	return pipe_fd[0];
}

enum cli_wish
cli_signals_take(void)
{
	enum cli_wish wish = CLI_GO_ON;
	unsigned char c;
	int64_t now;

	if (!pending || pipe_fd[0] == -1)
		return stopping ? CLI_STOP : CLI_GO_ON;
	pending = 0;
	while (read(pipe_fd[0], &c, 1) == 1) {
		now = now_ms();
		if (stopping && c != SIGINT && now - stopped_at < ECHO_MS)
			continue;
		if (stopping)
			_exit(130);
		if (c != SIGINT || now - last_int <= TWICE_MS) {
			stopping = true;
			stopped_by = c;
		} else
			wish = CLI_WHO_RUNS;
		last_int = stopped_at = now;
	}
	return stopping ? CLI_STOP : wish;
}

int
cli_signals_stopped_by(void)
{
	return stopping ? stopped_by : 0;
}

void
cli_signals_forget(void)
{
	stopping = false;
	last_int = -TWICE_MS - 1;
}

void
cli_signals_die(int signo)
{
	sigset_t set;

	signal(signo, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(signo);
	_exit(128 + signo);
}
