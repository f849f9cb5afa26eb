/*
 * agent_int.h - one question to an agent and its answer, without blocking.
 */
#ifndef FO_AGENT_INT_H
#define FO_AGENT_INT_H

#include "agent.h"
#include "base/wire.h"

/* Message numbers of draft-ietf-sshm-ssh-agent section 6.1. */
#define SSH_AGENT_FAILURE		5
#define SSH_AGENTC_REQUEST_IDENTITIES	11
#define SSH_AGENT_IDENTITIES_ANSWER	12
#define SSH_AGENTC_SIGN_REQUEST		13
#define SSH_AGENT_SIGN_RESPONSE		14

#define AGENT_REPLY_MAX (256 * 1024)	/* as OpenSSH */

struct agent_io {
	int	 fd;
	struct fo_wr out;	/* the question, with its length */
	size_t	 sent;
	unsigned char head[4];
	unsigned char *in;	/* the answer, without its length */
	size_t	 in_len, got;
};

/* A non-blocking connection; -1: errno, and *again when the agent is only
 * too busy just now. */
int	agent_connect(const char *sock, int *again);

void	agent_io_init(struct agent_io *, int fd);	/* takes fd */
void	agent_io_clear(struct agent_io *);

/* 1: the answer is there. 0: wait. -1: failed; errno is 0 when the agent
 * closed the connection. */
int	agent_io_step(struct agent_io *);
short	agent_io_events(const struct agent_io *);

/* The answer to SSH_AGENTC_REQUEST_IDENTITIES; see agent_list. */
int	agent_read_ids(const struct agent_io *, struct agent_id **ids,
	    size_t *n, const char *sock, struct fanout_error *);

#endif
