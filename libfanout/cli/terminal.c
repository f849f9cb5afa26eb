#include <sys/mman.h>
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "terminal.h"

#define SIZE (CLI_LINE_MAX + 1)

/* Whoever holds a secret leaves no core: libraries have copies of their own. */
char *
cli_secret_new(void)
{
	static const struct rlimit none = { 0, 0 };
	void *p;

	(void)setrlimit(RLIMIT_CORE, &none);
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	(void)mlock(p, SIZE);
	(void)madvise(p, SIZE, MADV_DONTDUMP);
	return p;
}

void
cli_secret_free(char *s)
{
	if (s == NULL)
		return;
	explicit_bzero(s, SIZE);
	(void)munmap(s, SIZE);
}

int
cli_terminal_open(struct cli_terminal *t)
{
	t->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (t->fd == -1)
		return -1;
	/* In the background, asking would only stop us. */
	if (tcgetpgrp(t->fd) == getpgrp() &&
	    tcgetattr(t->fd, &t->before) == 0)
		return 0;
	close(t->fd);
	t->fd = -1;
	return -1;
}

void
cli_terminal_close(struct cli_terminal *t)
{
	if (t->fd == -1)
		return;
	cli_terminal_hide(t, false);
	cli_secret_free(t->line);
	t->line = NULL;
	close(t->fd);
	t->fd = -1;
}

void
cli_terminal_say(const struct cli_terminal *t, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;

	while (len > 0) {
		if ((n = write(t->fd, text, len)) == -1 && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

void
cli_terminal_hide(struct cli_terminal *t, bool hide)
{
	struct termios mode = t->before;

	if (!hide && !t->hidden)
		return;
	if (hide)
		mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	mode.c_lflag |= ICANON | ISIG;
	/* What was typed before the question is no answer to it. */
	(void)tcsetattr(t->fd, hide && !t->hidden ? TCSAFLUSH : TCSANOW,
	    &mode);
	t->hidden = hide;
}

int
cli_terminal_read(struct cli_terminal *t)
{
	ssize_t n;

	if (t->line == NULL && (t->line = cli_secret_new()) == NULL)
		return -1;
	n = read(t->fd, t->line, CLI_LINE_MAX);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	t->line[n] = '\0';
	t->line[strcspn(t->line, "\r\n")] = '\0';
	return 1;
}

void
cli_terminal_wipe(struct cli_terminal *t)
{
	if (t->line != NULL)
		explicit_bzero(t->line, SIZE);
}
