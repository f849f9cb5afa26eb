#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent_int.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/visible.h"
#include "knownhosts.h"

#define KEYS_MAX 2048		/* as OpenSSH */

int
agent_connect(const char *sock, int *again)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, saved;

	*again = 0;
	if (strlcpy(sun.sun_path, sock, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	/* The queue of a busy agent is full: unlike TCP's, the connect is not
	 * under way, and must be asked for again. */
	saved = errno;
	*again = saved == EAGAIN || saved == EINTR;
	close(fd);
	errno = saved;
	return -1;
}

void
agent_io_init(struct agent_io *io, int fd)
{
	memset(io, 0, sizeof(*io));
	io->fd = fd;
	fo_wr_init(&io->out);
}

void
agent_io_clear(struct agent_io *io)
{
	if (io->fd != -1)
		close(io->fd);
	io->fd = -1;
	fo_wr_free(&io->out);
	free(io->in);
	io->in = NULL;
}

static int
send_some(struct agent_io *io)
{
	ssize_t n;

	while (io->sent < io->out.len) {
		n = send(io->fd, io->out.p + io->sent, io->out.len - io->sent,
		    MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
		io->sent += (size_t)n;
	}
	return 1;
}

/* want bytes in all. 1: there; 0: not yet; -1: errno, 0 for end of file. */
static int
fill(struct agent_io *io, unsigned char *buf, size_t *got, size_t want)
{
	ssize_t n;

	while (*got < want) {
		n = recv(io->fd, buf + *got, want - *got, 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
		if (n == 0) {
			errno = 0;
			return -1;
		}
		*got += (size_t)n;
	}
	return 1;
}

static int
receive_some(struct agent_io *io)
{
	struct fo_rd r;
	int rc;

	if (io->in == NULL) {
		if ((rc = fill(io, io->head, &io->got, 4)) != 1)
			return rc;
		fo_rd_init(&r, io->head, 4);
		io->in_len = fo_rd_u32(&r);
		if (io->in_len == 0 || io->in_len > AGENT_REPLY_MAX) {
			errno = EMSGSIZE;
			return -1;
		}
		if ((io->in = malloc(io->in_len)) == NULL)
			return -1;
		io->got = 0;
	}
	return fill(io, io->in, &io->got, io->in_len);
}

int
agent_io_step(struct agent_io *io)
{
	int rc = send_some(io);

	return rc == 1 ? receive_some(io) : rc;
}

short
agent_io_events(const struct agent_io *io)
{
	return io->sent < io->out.len ? POLLOUT : POLLIN;
}

/* ---- listing ----------------------------------------------------------- */

static int
wait_until(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t now = fo_now();

	if (now >= deadline) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (poll(&p, 1, fo_until(now, deadline)) == -1 && errno != EINTR)
		return -1;
	return 0;
}

static int
connect_until(const char *sock, int64_t deadline)
{
	int64_t soon;
	int fd, again;

	while ((fd = agent_connect(sock, &again)) == -1 && again) {
		soon = fo_deadline(fo_now(), AGENT_RETRY_MS);
		if (soon > deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		(void)poll(NULL, 0, AGENT_RETRY_MS);
	}
	return fd;
}

static int
exchange(struct agent_io *io, int64_t deadline)
{
	int rc;

	while ((rc = agent_io_step(io)) == 0)
		if (wait_until(io->fd, agent_io_events(io), deadline) == -1)
			return -1;
	return rc == 1 ? 0 : -1;
}

static int
fill_id(struct agent_id *id, struct fo_rd *r)
{
	const unsigned char *blob, *comment;
	char type[64], text[256];
	size_t len, clen;

	blob = fo_rd_str(r, &len);
	comment = fo_rd_str(r, &clen);
	if (r->bad || blob_type(blob, len, type, sizeof(type)) == -1)
		return -1;
	fo_vis_line(text, sizeof(text), (const char *)comment, clen);
	if ((id->blob = malloc(len)) != NULL)
		memcpy(id->blob, blob, len);
	id->blob_len = len;
	id->type = strdup(type);
	id->comment = strdup(text);
	if (id->blob == NULL || id->type == NULL || id->comment == NULL)
		return -1;
	return 0;
}

int
agent_read_ids(const struct agent_io *io, struct agent_id **ids, size_t *n,
    const char *sock, struct fanout_error *e)
{
	struct agent_id *v;
	struct fo_rd r;
	uint32_t count, i;

	fo_rd_init(&r, io->in, io->in_len);
	if (fo_rd_u8(&r) != SSH_AGENT_IDENTITIES_ANSWER)
		return fo_error(e, FANOUT_ECONFIG, "the agent at %s does not "
		    "list its keys", sock);
	count = fo_rd_u32(&r);
	if (r.bad || count > KEYS_MAX)
		return fo_error(e, FANOUT_ECONFIG, "the agent at %s sent a "
		    "malformed list", sock);
	if (count == 0)
		return 0;
	if ((v = calloc(count, sizeof(*v))) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	for (i = 0; i < count; i++)
		if (fill_id(&v[i], &r) == -1) {
			agent_ids_free(v, count);
			return fo_error(e, FANOUT_ECONFIG, "the agent at %s "
			    "sent a malformed key", sock);
		}
	*ids = v;
	*n = count;
	return 0;
}

int
agent_list(const char *sock, int timeout_ms, struct agent_id **ids, size_t *n,
    struct fanout_error *e)
{
	int64_t deadline = fo_deadline(fo_now(), timeout_ms);
	struct agent_io io;
	int fd, rc;

	*ids = NULL;
	*n = 0;
	if ((fd = connect_until(sock, deadline)) == -1)
		return fo_error_sys(e, "cannot reach the agent at %s", sock);
	agent_io_init(&io, fd);
	fo_wr_u32(&io.out, 1);
	fo_wr_u8(&io.out, SSH_AGENTC_REQUEST_IDENTITIES);
	if (io.out.bad)
		rc = fo_error(e, FANOUT_ENOMEM, "out of memory");
	else if (exchange(&io, deadline) == 0)
		rc = agent_read_ids(&io, ids, n, sock, e);
	else if (errno != 0)
		rc = fo_error_sys(e, "no answer from the agent at %s", sock);
	else
		rc = fo_error(e, FANOUT_ECONFIG, "the agent at %s closed the "
		    "connection", sock);
	agent_io_clear(&io);
	return rc;
}

void
agent_ids_free(struct agent_id *ids, size_t n)
{
	size_t i;

	for (i = 0; ids != NULL && i < n; i++) {
		free(ids[i].blob);
		free(ids[i].type);
		free(ids[i].comment);
	}
	free(ids);
}
