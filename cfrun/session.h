/*
 * session.h - one session with a cf-serverd, as a peer of the engine.
 *
 * HANDSHAKE (TLS, then its key is judged) -> GREETING -> WELCOME -> REPLY.
 * Nothing but TLS itself is said before the server's key has been found good.
 */
#ifndef SESSION_H
#define SESSION_H

#include <openssl/ssl.h>

#include "fanout_transport.h"
#include "transport.h"
#include "trust.h"

#define SESSION_PORT 5308

/* What the sessions of a run share; constant once it is made. */
struct shared {
	SSL_CTX	*ctx;
	struct trust *trust;
	struct cfengine_config config;	/* its texts are the caller's */
	char	 own_digest[TRUST_DIGEST];
};

/* Where one host is and under which name its key is kept. */
struct site {
	char	*user;		/* whom we say we are */
	char	 pin[];		/* in the registry */
};

struct session;

struct session *session_new(const struct shared *, struct fanout_io *,
	    const struct site *, int fd);	/* NULL: no memory, fd closed */
void	session_start(struct session *, const struct fanout_task *);
enum fanout_verdict session_step(struct session *);
void	session_cancel(struct session *);
void	session_close(struct session *);
void	session_free(struct session *);

#endif
