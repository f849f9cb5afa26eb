/*
 * blackhole.c - a server that misbehaves in one chosen way.
 *
 *	blackhole MODE ADDRESS:PORT
 *
 *	silent	accept, say nothing, keep the connection
 *	close	accept and close at once
 *	reset	accept and reset
 *	banner	say an SSH version line, then nothing
 *	slow	a byte of banner each second, for ever
 *	babble	lines of text that are no banner, as fast as they are taken
 *	garbage	a version line, then bytes that are no SSH packet
 *	full	no more connections: a connect(2) gets no answer
 *
 * Port 0 takes a free one. Prints "ADDRESS:PORT" and a newline when ready.
 * Ends by itself after five minutes, so that a broken test leaves nothing.
 */
#include <sys/socket.h>
#include <sys/types.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAXCONN 1024

enum mode { SILENT, CLOSE, RESET, BANNER, SLOW, BABBLE, GARBAGE, FULL };

static const char *const modes[] = {
	"silent", "close", "reset", "banner", "slow", "babble", "garbage",
	"full"
};
static const char version[] = "SSH-2.0-blackhole\r\n";

static enum mode
mode_named(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i], name) == 0)
			return (enum mode)i;
	errx(2, "unknown mode: %s", name);
}

static int
listen_on(char *where)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	char *colon = strrchr(where, ':');
	char *end;
	unsigned long port;
	int fd, one = 1;

	if (colon == NULL)
		errx(2, "not ADDRESS:PORT: %s", where);
	*colon = '\0';
	port = strtoul(colon + 1, &end, 10);
	sin.sin_port = htons((uint16_t)port);
	if (*end != '\0' || port > 65535 ||
	    inet_pton(AF_INET, where, &sin.sin_addr) != 1)
		errx(2, "bad address or port");
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 512) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		err(1, "bind %s", where);
	printf("%s:%u\n", where, ntohs(sin.sin_port));
	fflush(stdout);
	return fd;
}

/* A new connection; -1 when it is not kept. */
static int
greet(enum mode mode, int fd)
{
	static const struct linger hard = { 1, 0 };

	switch (mode) {
	case CLOSE:
		close(fd);
		return -1;
	case RESET:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(fd);
		return -1;
	case BANNER:
	case GARBAGE:
		if (write(fd, version, sizeof(version) - 1) == -1)
			warn("write");
		break;
	default:
		break;
	}
	return fd;
}

/* Something to say now and then; 0 when the other side is gone. */
static int
speak(enum mode mode, int fd, unsigned tick)
{
	static const char line[] = "the quick brown fox jumps over it\r\n";
	char noise[512];
	ssize_t n = 1;
	size_t i;

	switch (mode) {
	case SLOW:
		n = send(fd, &version[tick % 12], 1, MSG_DONTWAIT);
		break;
	case BABBLE:
		n = send(fd, line, sizeof(line) - 1, MSG_DONTWAIT);
		break;
	case GARBAGE:
		for (i = 0; i < sizeof(noise); i++)
			noise[i] = (char)(i * 167 + tick);
		n = send(fd, noise, sizeof(noise), MSG_DONTWAIT);
		break;
	default:
		break;
	}
	return n != -1 || errno == EAGAIN;
}

/* Take what the other side says; 0 when it is gone. */
static int
swallow(int fd)
{
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	return n > 0 || (n == -1 && errno == EAGAIN);
}

/* Nobody accepts, and the queue is filled by ourselves: what comes then is
 * dropped, as by a host that is not there. */
static void
fill_up(int fd)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	int i, c;

	if (listen(fd, 0) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		err(1, "listen");
	for (i = 0; i < 4; i++)
		if ((c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) == -1 ||
		    (connect(c, (struct sockaddr *)&sin, len) == -1 &&
		    errno != EINPROGRESS))
			err(1, "connect");
	for (;;)
		pause();
}

int
main(int argc, char **argv)
{
	static struct pollfd pfd[MAXCONN];
	enum mode mode;
	unsigned tick = 0;
	nfds_t n = 1, i;
	int fd;

	if (argc != 3)
		errx(2, "usage: blackhole MODE ADDRESS:PORT");
	mode = mode_named(argv[1]);
	signal(SIGPIPE, SIG_IGN);
	alarm(300);
	pfd[0].fd = listen_on(argv[2]);
	pfd[0].events = POLLIN;
	if (mode == FULL)
		fill_up(pfd[0].fd);
	for (;;) {
		if (poll(pfd, n, mode == SLOW ? 1000 : 100) == -1)
			err(1, "poll");
		tick++;
		for (i = n; i-- > 1; )
			if (!speak(mode, pfd[i].fd, tick) || (pfd[i].revents != 0 &&
			    !swallow(pfd[i].fd))) {
				close(pfd[i].fd);
				pfd[i] = pfd[--n];
			}
		if (!(pfd[0].revents & POLLIN) || n == MAXCONN)
			continue;
		if ((fd = accept(pfd[0].fd, NULL, NULL)) != -1 &&
		    (fd = greet(mode, fd)) != -1)
			pfd[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
}
