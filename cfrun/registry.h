/*
 * registry.h - which host has which key: a file of lines "host digest".
 *
 * '#' begins a comment. A host's last line counts. A host on a port other
 * than CFEngine's is host:port. Several hosts may share a key.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "fanout.h"

struct registry;

/* A file that is not there is empty. */
int	registry_read(struct registry **, const char *path,
	    struct fanout_error *);
void	registry_free(struct registry *);	/* NULL is fine */

/* NULL: none. They live as long as the registry. */
const char *registry_digest(const struct registry *, const char *host);
const char *registry_owner(const struct registry *, const char *digest);

/* One line more, under a lock. 0 or errno. */
int	registry_add(const char *path, const char *host, const char *digest);

#endif
