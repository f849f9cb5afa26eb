/* What a session sends: collected, in order, and kept when the socket is full. */
#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

#include "../../libfanout/ssh/sess.h"
#include "test.h"

struct pair {
	struct sess s;
	int	 far;
};

/* libssh2's greeting is all that it sends unasked: len bytes of it. */
static void
begin(struct pair *p, size_t len)
{
	char banner[8192] = "SSH-2.0-";
	int fd[2], small = 4096;

	memset(p, 0, sizeof(*p));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		exit(99);
	(void)setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	p->s.fd = fd[0];
	p->far = fd[1];
	p->s.ssh = libssh2_session_init_ex(NULL, NULL, NULL, &p->s);
	libssh2_session_set_blocking(p->s.ssh, 0);
	sock_init(&p->s);
	memset(banner + 8, 'x', len - 10);
	banner[len - 2] = '\0';
	(void)libssh2_session_banner_set(p->s.ssh, banner);
}

static void
end(struct pair *p)
{
	p->s.over = true;
	(void)libssh2_session_handshake(p->s.ssh, p->s.fd);
	libssh2_session_free(p->s.ssh);
	close(p->s.fd);
	if (p->far != -1)
		close(p->far);
	free(p->s.rest);
}

static void
fill(struct pair *p)
{
	char block[512];

	memset(block, '~', sizeof(block));
	while (send(p->s.fd, block, sizeof(block), 0) > 0)
		;
	while (send(p->s.fd, block, 1, 0) > 0)
		;
}

/* What has come there, but for what filled the socket. */
static size_t
drain(struct pair *p)
{
	char buf[4096];
	size_t all = 0;
	ssize_t n, i;

	while ((n = recv(p->far, buf, sizeof(buf), 0)) > 0)
		for (i = 0; i < n; i++)
			all += buf[i] != '~';
	return all;
}

static void
collects(void)
{
	struct pair p;

	begin(&p, 100);
	sock_collect(&p.s);
	is_int(libssh2_session_handshake(p.s.ssh, p.s.fd),
	    LIBSSH2_ERROR_EAGAIN, "a greeting is waited for");
	is_int(drain(&p), 0, "nothing is sent before the step ends");
	is_int(sock_flush(&p.s), 1, "all is sent at its end");
	is_int(drain(&p), 100, "bytes");
	is_int(sock_flush(&p.s), 1, "nothing more");
	is_int(drain(&p), 0, "bytes");
	end(&p);
}

static void
without(void)
{
	struct pair p;

	begin(&p, 100);
	(void)libssh2_session_handshake(p.s.ssh, p.s.fd);
	is_int(drain(&p), 100, "outside of a step it is sent at once");
	end(&p);
}

static void
full(void)
{
	struct pair p;
	size_t got;
	int i;

	begin(&p, 3000);
	fill(&p);
	sock_collect(&p.s);
	(void)libssh2_session_handshake(p.s.ssh, p.s.fd);
	is_int(sock_flush(&p.s), 0, "the socket is full: a rest is kept");
	ok(p.s.rest != NULL, "it is there");
	sock_collect(&p.s);
	ok(!p.s.collects, "nothing is collected behind a rest");
	got = drain(&p);
	for (i = 0; i < 10 && sock_flush(&p.s) == 0; i++)
		got += drain(&p);
	is_int(got + drain(&p), 3000, "it comes when there is room");
	ok(p.s.rest == NULL, "no rest");
	ok(p.s.moved >= 3000, "counted");
	end(&p);
}

/* Another session on the same socket is another packet. */
static int
say_more(struct pair *p, size_t len)
{
	LIBSSH2_SESSION *ssh = p->s.ssh;
	struct pair more;
	int dir;

	begin(&more, len);
	close(more.s.fd);
	close(more.far);
	*libssh2_session_abstract(more.s.ssh) = &p->s;
	(void)libssh2_session_handshake(more.s.ssh, p->s.fd);
	dir = libssh2_session_block_directions(more.s.ssh);
	p->s.ssh = more.s.ssh;
	p->s.over = true;
	(void)libssh2_session_handshake(p->s.ssh, p->s.fd);
	libssh2_session_free(p->s.ssh);
	p->s.over = false;
	p->s.ssh = ssh;
	return (dir & LIBSSH2_SESSION_BLOCK_OUTBOUND) == 0;
}

static size_t
drain_all(struct pair *p)
{
	size_t got = drain(p);
	int i;

	for (i = 0; i < 20 && sock_flush(&p->s) == 0; i++)
		got += drain(p);
	return got + drain(p);
}

/* What is small is whole for libssh2, whatever the socket takes. */
static void
small(void)
{
	struct pair p;
	int i, whole = 0;

	begin(&p, 3000);
	fill(&p);
	sock_collect(&p.s);
	(void)libssh2_session_handshake(p.s.ssh, p.s.fd);
	sock_collect(&p.s);
	is_int(say_more(&p, 100), 1, "behind a rest");
	is_int(say_more(&p, 1000), 0, "but not what is larger");
	is_int(drain_all(&p), 3100, "it comes when there is room");
	for (i = 0; i < 1000; i++)
		whole += say_more(&p, 100);
	ok(whole > 10 && whole < 1000, "nor without end");
	is_int(drain_all(&p), (long)whole * 100, "all of it");
	end(&p);
	begin(&p, 100);
	fill(&p);
	(void)libssh2_session_handshake(p.s.ssh, p.s.fd);
	is_int(libssh2_session_block_directions(p.s.ssh),
	    LIBSSH2_SESSION_BLOCK_INBOUND, "outside of a step, too");
	is_int(drain_all(&p), 100, "it comes");
	end(&p);
}

static void
large(void)
{
	struct pair p;

	begin(&p, 6000);
	sock_collect(&p.s);
	(void)libssh2_session_handshake(p.s.ssh, p.s.fd);
	ok(drain(&p) > 0, "more than is collected goes at once");
	end(&p);
}

static void
gone(void)
{
	struct pair p;

	begin(&p, 100);
	close(p.far);
	p.far = -1;
	sock_collect(&p.s);
	(void)libssh2_session_handshake(p.s.ssh, p.s.fd);
	is_int(sock_flush(&p.s), -1, "nobody is there");
	is_int(p.s.send_error, EPIPE, "why");
	ok(p.s.hung_up, "it is known");
	is_int(sock_flush(&p.s), -1, "nor later");
	end(&p);
}

int
main(void)
{
	libssh2_init(0);
	collects();
	without();
	full();
	small();
	large();
	gone();
	libssh2_exit();
	return test_end();
}
