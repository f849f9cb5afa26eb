/*
 * rogue.c - a server that means harm: more than anybody wants to read.
 *
 *	rogue MODE ADDRESS:PORT
 *
 *	lines	lines that are no SSH greeting, without end
 *	packets	a greeting, then packets nobody asked for instead of the key
 *		exchange, without end
 *
 * As fast as they are taken, each connection in a process of its own. Prints
 * "ADDRESS:PORT" and a newline when ready, and ends by itself after a minute.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNASKED 90	/* CHANNEL_OPEN, with no channel and no session */

static size_t
fill_lines(char *buf, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		buf[i] = i % 32 == 31 ? '\n' : 'x';
	return size;
}

/* As RFC 4253 section 6 has them before there are keys. */
static size_t
fill_packets(char *buf, size_t size)
{
	static const unsigned char head[] = { 0, 0, 0x3f, 0xfc, 4, UNASKED };
	size_t n;

	memset(buf, 0, size);
	for (n = 0; n + 0x4000 <= size; n += 0x4000)
		memcpy(buf + n, head, sizeof(head));
	return n;
}

static void
serve(int fd, const char *mode)
{
	static char buf[0x10000];
	static const char version[] = "SSH-2.0-rogue\r\n";
	size_t n;

	alarm(60);
	if (strcmp(mode, "lines") == 0)
		n = fill_lines(buf, sizeof(buf));
	else {
		n = fill_packets(buf, sizeof(buf));
		if (write(fd, version, sizeof(version) - 1) == -1)
			return;
	}
	while (write(fd, buf, n) > 0)
		;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	char *colon;
	int fd, c;

	if (argc != 3 || (strcmp(argv[1], "lines") != 0 &&
	    strcmp(argv[1], "packets") != 0) ||
	    (colon = strrchr(argv[2], ':')) == NULL)
		errx(2, "usage: rogue lines|packets ADDRESS:PORT");
	*colon = '\0';
	sin.sin_port = htons((in_port_t)atoi(colon + 1));
	if (inet_pton(AF_INET, argv[2], &sin.sin_addr) != 1)
		errx(2, "bad address");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	alarm(60);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 16) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		err(1, "%s", argv[2]);
	printf("%s:%u\n", argv[2], ntohs(sin.sin_port));
	fflush(stdout);
	for (;;) {
		if ((c = accept(fd, NULL, NULL)) == -1)
			err(1, "accept");
		if (fork() == 0) {
			close(fd);
			serve(c, argv[1]);
			_exit(0);
		}
		close(c);
	}
}
