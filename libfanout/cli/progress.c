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

#define RATE_MS 2000	/* over so long, about */

void
cli_progress_bytes(struct cli_progress *p, uint64_t bytes, uint64_t of)
{
	int64_t now = cli_now(), ms = now - p->rated;
	double rate, share;

	if (!p->counts) {
		p->counts = true;
		p->rated = p->began;
		ms = now - p->rated;
	}
	p->bytes = bytes;
	p->of = of;
	if (ms < CLI_PROGRESS_MS)
		return;
	rate = (double)(bytes - p->before) * 1000 / (double)ms;
	share = ms < RATE_MS ? (double)ms / RATE_MS : 1;
	p->rate = p->before == 0 ? rate : p->rate * (1 - share) + rate * share;
	p->before = bytes;
	p->rated = now;
}

/* Whole numbers of the largest unit that leaves some. */
static const char *
unit(double *n, double *m)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t i;

	for (i = 0; i < 4 && (*n >= 10240 || *m >= 10240); i++) {
		*n /= 1024;
		*m /= 1024;
	}
	return units[i];
}

static void
bytes_text(const struct cli_progress *p, char *buf, size_t size)
{
	double n = (double)p->bytes, of = (double)p->of, rate = p->rate;
	double none = 0;
	const char *name = unit(&of, &n), *each = unit(&rate, &none);

	if (p->of > 0)
		snprintf(buf, size, ", %.0f of %.0f %s, %.0f %s/s", n, of,
		    name, rate, each);
	else
		snprintf(buf, size, ", %.0f %s, %.0f %s/s", n, name, rate,
		    each);
}

static int64_t
bytes_left_ms(const struct cli_progress *p)
{
	if (!p->counts || p->of <= p->bytes || p->rate < 1)
		return -1;
	return (int64_t)((double)(p->of - p->bytes) * 1000 / p->rate);
}

void
cli_progress_text(const struct cli_progress *p, char *buf, size_t size,
    const struct cli_roster *r, int64_t ms)
{
	int64_t left = bytes_left_ms(p);
	char eta[48] = "", bytes[80] = "";

	if (p->counts && p->bytes > 0)
		bytes_text(p, bytes, sizeof(bytes));
	if (left == -1)
		left = cli_progress_left(r, ms);
	if (left >= 3600000)
		snprintf(eta, sizeof(eta), ", %lld:%02d:%02d left",
		    (long long)(left / 3600000), (int)(left / 60000 % 60),
		    (int)(left / 1000 % 60));
	else if (left >= 0)
		snprintf(eta, sizeof(eta), ", %d:%02d left",
		    (int)(left / 60000), (int)(left / 1000 % 60));
	snprintf(buf, size, "%zu/%zu done, %zu running, %zu failed%s%s",
	    r->over, r->count, r->running, r->failed, bytes, eta);
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
	cli_progress_text(p, text, sizeof(text), r, now - p->began);
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
