/*
 * dnsd.c - a name server that knows SSHFP records.
 *
 *	dnsd ADDRESS PORT FILE [lax]
 *
 * Lines of the file are "NAME ALGORITHM KIND HEX". What it says it claims to
 * have validated (the AD bit), unless it is lax. Names that are not there do not
 * exist. Prints "ready" once it is; ends with its standard input.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <sys/socket.h>

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define SSHFP 44

static size_t
unhex(const char *hex, unsigned char *out, size_t size)
{
	size_t n = 0;
	unsigned byte;

	for (; n < size && sscanf(hex + n * 2, "%2x", &byte) == 1; n++)
		out[n] = (unsigned char)byte;
	return n;
}

/* The records of a name behind "at"; how many bytes, their number in *count. */
static size_t
answers(const char *path, const char *name, unsigned char *at, size_t room,
    unsigned *count)
{
	char line[512], host[256], hex[200];
	unsigned algorithm, kind;
	size_t used = 0, n;
	FILE *f = fopen(path, "r");

	*count = 0;
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%255s %u %u %199s", host, &algorithm, &kind,
		    hex) != 4 || strcasecmp(host, name) != 0 ||
		    used + 114 > room)
			continue;
		n = unhex(hex, at + used + 14, 100);
		memcpy(at + used, "\300\014\0\054\0\1\0\0\0\074", 10);
		at[used + 10] = 0;
		at[used + 11] = (unsigned char)(n + 2);
		at[used + 12] = (unsigned char)algorithm;
		at[used + 13] = (unsigned char)kind;
		used += 14 + n;
		(*count)++;
	}
	if (f != NULL)
		fclose(f);
	return used;
}

/* In place; the length of the reply, 0: none. */
static size_t
reply(unsigned char *msg, size_t len, size_t size, const char *path, bool lax)
{
	char name[256];
	unsigned count = 0;
	int n;
	size_t end;

	if (len < 12 + 5 || msg[5] != 1 ||
	    (n = dn_expand(msg, msg + len, msg + 12, name, sizeof(name))) < 0)
		return 0;
	end = 12 + (size_t)n + 4;
	if (end > len)
		return 0;
	if (msg[end - 3] == SSHFP)
		len = end + answers(path, name, msg + end, size - end, &count);
	else
		len = end;
	msg[2] = 0x81;			/* a reply, recursion as wanted */
	msg[3] = (unsigned char)(0x80 | (lax ? 0 : 0x20) |
	    (count == 0 ? 3 : 0));
	msg[6] = 0;
	msg[7] = (unsigned char)count;
	memset(msg + 8, 0, 4);
	return len;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET }, from;
	struct pollfd pfd[2];
	unsigned char msg[4096];
	socklen_t fromlen;
	ssize_t n;
	size_t len;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc < 4 || inet_pton(AF_INET, argv[1], &sin.sin_addr) != 1)
		errx(2, "usage: dnsd ADDRESS PORT FILE [lax]");
	sin.sin_port = htons((unsigned short)strtoul(argv[2], NULL, 10));
	if (fd == -1 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "%s:%s", argv[1], argv[2]);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		pfd[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
		pfd[1] = (struct pollfd){ .fd = 0, .events = POLLIN };
		if (poll(pfd, 2, -1) == -1 || pfd[1].revents != 0)
			return 0;
		fromlen = sizeof(from);
		n = recvfrom(fd, msg, sizeof(msg), 0, (struct sockaddr *)&from,
		    &fromlen);
		if (n <= 0)
			continue;
		len = reply(msg, (size_t)n, sizeof(msg), argv[3], argc > 4);
		if (len > 0)
			(void)sendto(fd, msg, len, 0, (struct sockaddr *)&from,
			    fromlen);
	}
}
