/*
 * faultproxy - a TCP man in the middle for loopback beds.
 *
 *	faultproxy [-d MS] [-m MODE] [-s STEP] PORT TARGET_PORT
 *
 * What connects to 127.1.x.y PORT is passed on to the same address at
 * TARGET_PORT, each way MS later. With a MODE something happens to the
 * connection when the server has sent STEP * (256x + y) bytes, so that one run
 * over many addresses tries many places in the stream:
 *
 *	cut	both sides are closed
 *	reset	both sides are reset
 *	stall	nothing passes any more
 *	flip	one bit of that byte is turned over
 *	slow	from the start, a byte a millisecond
 *
 * Says "ready" when it listens, ends with its standard input.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 16384
#define QUEUED_MAX (256 * 1024)

enum mode { NONE, CUT, RESET, STALL, FLIP, SLOW };
static const char *const modes[] = { "none", "cut", "reset", "stall", "flip",
    "slow" };

struct chunk {
	struct chunk	*next;
	int64_t		 due;
	size_t		 off, len;
	char		 data[];
};

/* One direction: what was read from from and is to go to the other side. */
struct way {
	struct chunk	*first, **last;
	size_t		 queued;
	uint64_t	 passed;	/* bytes taken in so far */
	int64_t		 next;		/* SLOW: when the next byte may go */
	bool		 eof;		/* from has ended */
	bool		 ended;		/* and to has been told */
};

struct conn {
	struct conn	*next;
	int		 fd[2];		/* client, server */
	struct way	 way[2];	/* of what fd[i] says */
	uint64_t	 fault_at;
	bool		 dead, stalled;
};

static enum mode mode;
static int delay_ms;
static uint64_t step = 64;
static int target_port;
static struct conn *conns;

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
set_socket(int fd)
{
	int on = 1;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void
accept_one(int lfd)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	struct conn *c;
	uint32_t addr;
	int fd, i;

	if ((fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC)) == -1)
		return;
	if (getsockname(fd, (struct sockaddr *)&sin, &len) == -1 ||
	    (addr = ntohl(sin.sin_addr.s_addr)) >> 24 != 127 ||
	    (c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return;
	}
	c->fd[0] = fd;
	c->fault_at = step * (addr & 0xffff);
	for (i = 0; i < 2; i++)
		c->way[i].last = &c->way[i].first;
	c->fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sin.sin_port = htons((in_port_t)target_port);
	set_socket(fd);
	set_socket(c->fd[1]);
	if (connect(c->fd[1], (struct sockaddr *)&sin, sizeof(sin)) == -1 &&
	    errno != EINPROGRESS)
		c->dead = true;
	c->next = conns;
	conns = c;
}

static void
break_off(struct conn *c, bool reset)
{
	struct linger hard = { 1, 0 };
	int i;

	for (i = 0; i < 2 && reset; i++)
		setsockopt(c->fd[i], SOL_SOCKET, SO_LINGER, &hard,
		    sizeof(hard));
	c->dead = true;
}

/* The server has sent n bytes more: is it time? May change or cut them. */
static size_t
fault(struct conn *c, char *buf, size_t n)
{
	uint64_t before = c->way[1].passed;

	if (mode == NONE || mode == SLOW || c->fault_at < before ||
	    c->fault_at >= before + n)
		return n;
	if (mode == FLIP) {
		buf[c->fault_at - before] ^= 0x10;
		return n;
	}
	c->stalled = mode == STALL;
	if (!c->stalled && c->fault_at == before)
		break_off(c, mode == RESET);
	return (size_t)(c->fault_at - before);
}

static void
take_in(struct conn *c, int from)
{
	struct way *w = &c->way[from];
	char buf[CHUNK];
	struct chunk *k;
	ssize_t n;
	size_t keep;

	n = read(c->fd[from], buf, sizeof(buf));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		w->eof = true;
		return;
	}
	keep = from == 1 ? fault(c, buf, (size_t)n) : (size_t)n;
	w->passed += (uint64_t)n;
	if (keep == 0)
		return;
	if ((k = malloc(sizeof(*k) + keep)) == NULL)
		err(1, NULL);
	k->next = NULL;
	k->due = now_ms() + delay_ms;
	k->off = 0;
	k->len = keep;
	memcpy(k->data, buf, keep);
	*w->last = k;
	w->last = &k->next;
	w->queued += keep;
}

/* Is the fault one that comes once everything before it was passed on? */
static bool
fault_reached(const struct conn *c)
{
	return (mode == CUT || mode == RESET) &&
	    c->way[1].passed > c->fault_at && c->way[1].first == NULL;
}

static void
give_out(struct conn *c, int from, int64_t now)
{
	struct way *w = &c->way[from];
	struct chunk *k;
	ssize_t n;
	size_t len;

	while ((k = w->first) != NULL && k->due <= now && w->next <= now) {
		len = mode == SLOW ? 1 : k->len - k->off;
		n = write(c->fd[!from], k->data + k->off, len);
		if (n == -1) {
			if (errno != EAGAIN && errno != EINTR)
				c->dead = true;
			return;
		}
		if (mode == SLOW)
			w->next = now + 1;
		k->off += (size_t)n;
		w->queued -= (size_t)n;
		if (k->off < k->len)
			continue;
		if ((w->first = k->next) == NULL)
			w->last = &w->first;
		free(k);
	}
	if (w->eof && w->first == NULL && !w->ended) {
		shutdown(c->fd[!from], SHUT_WR);
		w->ended = true;
	}
}

static void
free_conn(struct conn *c)
{
	struct chunk *k;
	int i;

	for (i = 0; i < 2; i++) {
		close(c->fd[i]);
		while ((k = c->way[i].first) != NULL) {
			c->way[i].first = k->next;
			free(k);
		}
	}
	free(c);
}

/* What to wait for; true when something is queued whose time may come. */
static bool
want(const struct conn *c, struct pollfd pfd[2])
{
	bool queued = false;
	int i;

	for (i = 0; i < 2; i++) {
		pfd[i].fd = c->fd[i];
		pfd[i].events = 0;
		if (!c->stalled && !c->way[i].eof &&
		    c->way[i].queued < QUEUED_MAX)
			pfd[i].events = POLLIN;
		if (pfd[i].events == 0 && c->way[!i].first == NULL)
			pfd[i].fd = -1;		/* do not spin on a hang-up */
		queued |= c->way[i].first != NULL;
	}
	return queued;
}

static void
serve(struct conn *c, const struct pollfd pfd[2])
{
	int64_t now = now_ms();
	int i;

	for (i = 0; i < 2; i++)
		if ((pfd[i].revents & (POLLIN | POLLHUP | POLLERR)) &&
		    (pfd[i].events & POLLIN))
			take_in(c, i);
	for (i = 0; i < 2; i++)
		give_out(c, i, now);
	if (fault_reached(c))
		break_off(c, mode == RESET);
	if (c->way[0].ended && c->way[1].ended)
		c->dead = true;
}

static void
sweep(void)
{
	struct conn **cp = &conns, *c;

	while ((c = *cp) != NULL)
		if (c->dead) {
			*cp = c->next;
			free_conn(c);
		} else
			cp = &c->next;
}

/* One turn; false when standard input has ended. */
static bool
turn(int lfd)
{
	static struct pollfd *pfd;
	static size_t cap;
	struct conn *c;
	size_t n = 2;
	bool queued = false;

	for (c = conns; c != NULL; c = c->next)
		n += 2;
	if (n > cap && (pfd = realloc(pfd, (cap = 2 * n) *
	    sizeof(*pfd))) == NULL)
		err(1, NULL);
	pfd[0] = (struct pollfd){ .fd = lfd, .events = POLLIN };
	pfd[1] = (struct pollfd){ .fd = 0, .events = POLLIN };
	for (n = 2, c = conns; c != NULL; c = c->next, n += 2)
		queued |= want(c, pfd + n);
	if (poll(pfd, n, queued ? 1 : -1) == -1 && errno != EINTR)
		err(1, "poll");
	for (n = 2, c = conns; c != NULL; c = c->next, n += 2)
		serve(c, pfd + n);
	sweep();
	if (pfd[0].revents != 0)
		accept_one(lfd);
	return pfd[1].revents == 0;
}

static int
listen_on(int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd, on = 1;

	sin.sin_port = htons((in_port_t)port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd == -1 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 1024) == -1)
		err(1, "port %d", port);
	return fd;
}

static int
usage(void)
{
	fprintf(stderr, "usage: faultproxy [-d MS] [-m MODE] [-s STEP] PORT "
	    "TARGET_PORT\n");
	return 2;
}

int
main(int argc, char **argv)
{
	size_t i;
	int ch, lfd;

	while ((ch = getopt(argc, argv, "d:m:s:")) != -1)
		switch (ch) {
		case 'd':
			delay_ms = (int)strtol(optarg, NULL, 10);
			break;
		case 'm':
			for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
				if (strcmp(modes[i], optarg) == 0)
					mode = (enum mode)i;
			break;
		case 's':
			step = strtoull(optarg, NULL, 10);
			break;
		default:
			return usage();
		}
	if (argc - optind != 2)
		return usage();
	/* Whoever hung up is noticed when it is written to. */
	signal(SIGPIPE, SIG_IGN);
	lfd = listen_on((int)strtol(argv[optind], NULL, 10));
	target_port = (int)strtol(argv[optind + 1], NULL, 10);
	printf("ready\n");
	fflush(stdout);
	while (turn(lfd))
		;
	return 0;
}
