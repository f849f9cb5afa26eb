#include <sys/ioctl.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"

/* So long a run goes on before it gets a line. */
#define FIRST_MS 700

void
cli_progress_init(struct cli_progress *p, int fd)
{
	*p = (struct cli_progress){ .fd = fd, .began = cli_now() };
}

int64_t
cli_progress_left(const struct cli_roster *r, int64_t ms)
{
	size_t worked = r->over - r->skipped;

	if (worked == 0 || r->over == r->count)
		return -1;
	return ms * (int64_t)(r->count - r->over) / (int64_t)worked;
}

void
cli_progress_text(char *buf, size_t size, const struct cli_roster *r,
    int64_t ms)
{
	int64_t left = cli_progress_left(r, ms) / 1000;
	char eta[48] = "";

	if (left >= 3600)
		snprintf(eta, sizeof(eta), ", %lld:%02d:%02d left",
		    (long long)(left / 3600), (int)(left / 60 % 60),
		    (int)(left % 60));
	else if (cli_progress_left(r, ms) >= 0)
		snprintf(eta, sizeof(eta), ", %d:%02d left", (int)(left / 60),
		    (int)(left % 60));
	snprintf(buf, size, "%zu/%zu done, %zu running, %zu failed%s", r->over,
	    r->count, r->running, r->failed, eta);
}

/* A terminal that is stopped, or another's now, is not waited for. */
static bool
takes(const struct cli_progress *p)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1 && tcgetpgrp(p->fd) == getpgrp();
}

void
cli_progress_draw(struct cli_progress *p, const struct cli_roster *r)
{
	char text[160], line[200];
	struct winsize ws;
	int64_t now;
	size_t width = 79;
	int n;

	if (p->fd == -1 || (now = cli_now()) - p->began < FIRST_MS ||
	    now - p->drawn < CLI_PROGRESS_MS || !takes(p))
		return;
	if (ioctl(p->fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 1)
		width = ws.ws_col - 1u;
	cli_progress_text(text, sizeof(text), r, now - p->began);
	n = snprintf(line, sizeof(line), "%s: %s", getprogname(), text);
	if ((size_t)n > width)
		n = (int)width;
	p->drawn = now;
	p->shown = true;
	dprintf(p->fd, "\r%.*s\033[K", n, line);
}

void
cli_progress_hide(struct cli_progress *p)
{
	if (!p->shown)
		return;
	p->shown = false;
	dprintf(p->fd, "\r\033[K");
}
