/*
 * resolve.h - where a host is: the transport's plan, then the addresses.
 *
 * Both may block, so they run on a few threads of their own, started as
 * needed. Plans are made one at a time; address look-ups run side by side. A
 * look-up that hangs in the system's resolver holds up only itself: whoever
 * waits for it gives up at its own deadline, and resolver_free leaves the
 * thread behind, which touches nothing of the engine any more.
 */
#ifndef FO_RESOLVE_H
#define FO_RESOLVE_H

#include <sys/queue.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include "fanout_transport.h"

#define LOOKUP_ADDRESSES 16
#define RESOLVE_THREADS 16

struct address {
	union {
		struct sockaddr		sa;
		struct sockaddr_in	in;
		struct sockaddr_in6	in6;
	} u;
	socklen_t len;
};

struct addresses {
	struct address	 at[LOOKUP_ADDRESSES];
	size_t		 n;
};

/*
 * One host's look-up. The maker fills the first part and owns the whole
 * again when done() has been called.
 */
struct lookup {
	TAILQ_ENTRY(lookup) link;
	const char	*host;		/* lives as long as the engine */
	int		 worker;	/* the maker's, for done() */
	void		*owner;

	struct fanout_plan plan;
	struct fanout_result result;	/* of a failure */
	bool		 failed;
	struct addresses found;
	char		*name;		/* being resolved: the thread's own */
};

struct resolver;

/* done runs on a look-up thread and must only hand the lookup over. */
int	resolver_new(struct resolver **, const struct fanout_transport *,
	    void *shared, void (*done)(struct lookup *, void *), void *arg);

/* Waits for a plan being made, not for the system's resolver. */
void	resolver_free(struct resolver *);

struct lookup *lookup_new(const char *host);	/* NULL: out of memory */
void	lookup_free(struct lookup *, const struct fanout_transport *,
	    void *shared);

/* 0, or -1 with errno when no thread could be started. */
int	resolver_put(struct resolver *, struct lookup *);

#endif
