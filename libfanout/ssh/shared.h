/*
 * shared.h - what all SSH sessions of an engine have in common: the
 * configuration, the keys, the known hosts, and what this libssh2 can do.
 *
 * The planning thread fills it; sessions read of it only what their plan
 * points to, which never changes once it is there.
 */
#ifndef FO_SSH_SHARED_H
#define FO_SSH_SHARED_H

#include "fanout_transport.h"
#include "policy/ident.h"
#include "policy/knownhosts.h"
#include "policy/sshconf.h"

struct shared;

int	shared_open(void **, void *config, const struct fanout_opts *,
	    struct fanout_error *);
void	shared_close(void *);

/* What one host needs, made before it is connected to. */
struct hostplan {
	struct hostconf	 conf;
	const struct knownhosts *known;	/* belongs to shared */
	struct ident_list idents;
	char		*hostkeys;	/* method preferences, comma lists */
	char		*kex, *ciphers, *macs;
};

int	shared_plan(void *shared, const char *host, struct fanout_plan *,
	    struct fanout_result *);

/* The same; also where each value of the configuration came from, in a
 * strlist (NULL: not wanted). */
int	shared_plan_told(void *shared, const char *host, struct fanout_plan *,
	    struct fanout_result *, char ***lines);

/* All of it in words, line by line; free(3). NULL: out of memory. */
char	*shared_explain(void *shared, const char *host);
void	shared_plan_free(void *shared, struct fanout_plan *);

#endif
