#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "agent_int.h"
#include "base/err.h"

struct agent_call {
	struct agent_io io;	/* fd -1: not connected yet */
	char	*sock;
	struct fanout_error why;
	char	*algorithm;
	const unsigned char *sig;	/* in io.in */
	size_t	 sig_len;
	bool	 failed;
};

static int
failed(struct agent_call *c, const char *what)
{
	c->failed = true;
	if (errno != 0)
		(void)fo_error_sys(&c->why, "agent at %s: %s", c->sock, what);
	else
		(void)fo_error(&c->why, FANOUT_ECONFIG, "agent at %s: %s",
		    c->sock, what);
	return -1;
}

static void
put_request(struct fo_wr *w, const void *blob, size_t blob_len,
    const void *data, size_t len, unsigned flags)
{
	if (blob_len > FO_WR_MAX || len > FO_WR_MAX) {
		w->bad = true;
		return;
	}
	fo_wr_u32(w, (uint32_t)(1 + 4 + blob_len + 4 + len + 4));
	fo_wr_u8(w, SSH_AGENTC_SIGN_REQUEST);
	fo_wr_str(w, blob, blob_len);
	fo_wr_str(w, data, len);
	fo_wr_u32(w, flags);
}

/* 1: connected; 0: the agent is busy; -1: failed. */
static int
try_connect(struct agent_call *c)
{
	int again;

	if (c->io.fd != -1)
		return 1;
	if ((c->io.fd = agent_connect(c->sock, &again)) != -1)
		return 1;
	return again ? 0 : failed(c, "cannot connect");
}

int
agent_sign_start(struct agent_call **out, const char *sock, const void *blob,
    size_t blob_len, const void *data, size_t len, unsigned flags,
    struct fanout_error *e)
{
	struct agent_call *c;

	*out = NULL;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	agent_io_init(&c->io, -1);
	put_request(&c->io.out, blob, blob_len, data, len, flags);
	if (c->io.out.bad || (c->sock = strdup(sock)) == NULL) {
		agent_call_free(c);
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	}
	if (try_connect(c) == -1) {
		if (e != NULL)
			*e = c->why;
		agent_call_free(c);
		return FANOUT_ESYS;
	}
	*out = c;
	return 0;
}

int
agent_call_fd(const struct agent_call *c)
{
	return c->io.fd;
}

short
agent_call_events(const struct agent_call *c)
{
	return c->io.fd == -1 ? 0 : agent_io_events(&c->io);
}

/* SSH_AGENT_SIGN_RESPONSE: one string with the algorithm and the signature. */
static int
read_signature(struct agent_call *c)
{
	const unsigned char *outer, *name;
	struct fo_rd r;
	size_t len, nlen;
	uint8_t type;

	errno = 0;
	fo_rd_init(&r, c->io.in, c->io.in_len);
	if ((type = fo_rd_u8(&r)) == SSH_AGENT_FAILURE)
		return failed(c, "it refused to sign");
	outer = fo_rd_str(&r, &len);
	if (type != SSH_AGENT_SIGN_RESPONSE || outer == NULL)
		return failed(c, "unexpected answer");
	fo_rd_init(&r, outer, len);
	name = fo_rd_str(&r, &nlen);
	c->sig = fo_rd_str(&r, &c->sig_len);
	if (r.bad || r.len != 0 || nlen == 0 || nlen > 64 ||
	    memchr(name, '\0', nlen) != NULL || c->sig_len == 0) {
		c->sig = NULL;
		return failed(c, "malformed signature");
	}
	if ((c->algorithm = strndup((const char *)name, nlen)) == NULL) {
		c->sig = NULL;
		return failed(c, "signature");
	}
	return 1;
}

int
agent_call_step(struct agent_call *c)
{
	int rc;

	if (c->failed)
		return -1;
	if (c->sig != NULL)
		return 1;
	if ((rc = try_connect(c)) != 1)
		return rc;
	if ((rc = agent_io_step(&c->io)) == 0)
		return 0;
	if (rc == 1)
		return read_signature(c);
	return failed(c, errno == 0 ? "it closed the connection" :
	    errno == EMSGSIZE ? "malformed answer" : "no answer");
}

const char *
agent_call_text(const struct agent_call *c)
{
	return c->why.text;
}

const unsigned char *
agent_call_signature(const struct agent_call *c, size_t *len,
    const char **algorithm)
{
	*len = c->sig_len;
	*algorithm = c->algorithm;
	return c->sig;
}

void
agent_call_free(struct agent_call *c)
{
	if (c == NULL)
		return;
	agent_io_clear(&c->io);
	free(c->sock);
	free(c->algorithm);
	free(c);
}
