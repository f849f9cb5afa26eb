/*
 * agent.h - a client of ssh-agent (draft-ietf-sshm-ssh-agent).
 *
 * Nothing here waits on an agent but agent_list, which has a deadline: an
 * agent that asks its user, or that is forwarded from far away, may take its
 * time to sign. What an agent sends is not trusted.
 */
#ifndef FO_AGENT_H
#define FO_AGENT_H

#include <stddef.h>

#include "fanout.h"

struct agent_id {
	unsigned char *blob;	/* public key as on the wire */
	size_t	 blob_len;
	char	*type;		/* "ssh-ed25519" */
	char	*comment;	/* safe to print */
};

/* Blocks at most timeout_ms. *ids is for agent_ids_free; NULL when *n is 0. */
int	agent_list(const char *sock, int timeout_ms, struct agent_id **ids,
	    size_t *n, struct fanout_error *);
void	agent_ids_free(struct agent_id *, size_t);

/* ---- one signature, without blocking ----------------------------------- */

#define AGENT_RSA_SHA2_256 2U	/* flags of SSH_AGENTC_SIGN_REQUEST */
#define AGENT_RSA_SHA2_512 4U

struct agent_call;

/*
 * Begins; blob and data are copied. 0, or an error (no agent, memory).
 * Then agent_call_step() until it returns other than 0, each time after the
 * fd shows one of the events, or after AGENT_RETRY_MS when the fd is -1.
 */
int	agent_sign_start(struct agent_call **, const char *sock,
	    const void *blob, size_t blob_len, const void *data, size_t len,
	    unsigned flags, struct fanout_error *);
int	agent_call_fd(const struct agent_call *);	/* -1: not connected yet:
							 * the agent is busy */
short	agent_call_events(const struct agent_call *);	/* POLLIN or POLLOUT */
#define AGENT_RETRY_MS 20

/* 1: done. 0: wait. -1: failed, agent_call_text says why. */
int	agent_call_step(struct agent_call *);
const char *agent_call_text(const struct agent_call *);

/* After 1: the inner signature (see key_sign) and the name of its algorithm;
 * both belong to the call. */
const unsigned char *agent_call_signature(const struct agent_call *,
	    size_t *len, const char **algorithm);

void	agent_call_free(struct agent_call *);	/* at any time; NULL is fine */

#endif
