#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "signals.h"
#include "sink.h"
#include "visible.h"

#define BUFFER 65536

int
cli_sink_open(struct cli_sink *s, int fd, struct cli_patience patience)
{
	struct stat st;

	*s = (struct cli_sink){ .fd = fd, .patience = patience };
	if ((s->buf = malloc(BUFFER)) == NULL)
		return -1;
	s->tty = isatty(fd) == 1;
	s->file = fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) ||
	    (S_ISCHR(st.st_mode) && !s->tty));
	return 0;
}

void
cli_sink_close(struct cli_sink *s)
{
	if (s->buf == NULL)
		return;
	cli_sink_flush(s);
	free(s->buf);
	s->buf = NULL;
}

/* Until it takes PIPE_BUF bytes without blocking (poll(2), pipe(7)). */
static bool
wait_for(struct cli_sink *s)
{
	struct pollfd pfd[2];
	int ms;

	for (;;) {
		ms = s->patience.attend(s->patience.ctx, s);
		pfd[0] = (struct pollfd){ .fd = s->fd, .events = POLLOUT };
		pfd[1] = (struct pollfd){ .fd = cli_signals_fd(),
		    .events = POLLIN };
		switch (poll(pfd, 2, ms)) {
		case -1:
			if (errno == EINTR || errno == EAGAIN)
				continue;
			s->error = errno;
			return false;
		case 0:
			s->error = ETIMEDOUT;
			return false;
		}
		/* Of errors, write(2) says more. */
		if (pfd[0].revents != 0)
			return true;
	}
}

/* Writes what can be written; all of it unless there is an error. */
static void
push(struct cli_sink *s, const char *data, size_t len)
{
	ssize_t n;

	if (len > 0 && s->tty && s->progress != NULL)
		cli_progress_hide(s->progress);
	while (len > 0 && s->error == 0) {
		if (!s->file && !wait_for(s))
			return;
		n = write(s->fd, data, s->file || len < PIPE_BUF ? len :
		    PIPE_BUF);
		if (n == -1) {
			if (errno != EINTR && errno != EAGAIN)
				s->error = errno;
			continue;
		}
		if (n > 0)
			s->mid_line = data[n - 1] != '\n';
		data += n;
		len -= (size_t)n;
	}
}

void
cli_sink_flush(struct cli_sink *s)
{
	size_t len = s->len;

	/* What attends to signals may put more into an other sink, never into
	 * the one that waits. */
	push(s, s->buf, len);
	s->len = 0;
}

void
cli_sink_put(struct cli_sink *s, const void *data, size_t len)
{
	if (s->error != 0)
		return;
	if (s->len + len > BUFFER)
		cli_sink_flush(s);
	if (len >= BUFFER) {
		push(s, data, len);
		return;
	}
	memcpy(s->buf + s->len, data, len);
	s->len += len;
}

void
cli_sink_put_remote(struct cli_sink *s, const char *data, size_t len)
{
	char shown[1024 * CLI_VISIBLE_MAX];
	size_t n, step;

	if (!s->tty) {
		cli_sink_put(s, data, len);
		return;
	}
	for (; len > 0; data += n, len -= n) {
		n = len < 1024 ? len : 1024;
		/* Not within a character, if it can be helped. */
		for (step = 0; n < len && n > 1 && step < 3 &&
		    ((unsigned char)data[n] & 0xc0) == 0x80; step++)
			n--;
		cli_sink_put(s, shown, cli_visible(shown, data, n));
	}
}

void
cli_sink_paint(struct cli_sink *s, const char *paint, const char *text,
    size_t len)
{
	if (s->color)
		cli_sink_put(s, paint, strlen(paint));
	cli_sink_put(s, text, len);
	if (s->color)
		cli_sink_put(s, "\033[0m", 4);
}

void
cli_sink_say(struct cli_sink *s, const char *line)
{
	const char *me = getprogname();

	cli_sink_put(s, me, strlen(me));
	cli_sink_put(s, ": ", 2);
	cli_sink_put(s, line, strlen(line));
	cli_sink_put(s, "\n", 1);
}
