/*
 * knownhosts.h - which host keys are recorded, after sshd(8) "SSH_KNOWN_HOSTS
 * FILE FORMAT" and the behaviour of OpenSSH 9.2.
 *
 * struct knownhosts is an index of several files and does not change once
 * loaded: any number of threads may look things up.
 */
#ifndef FO_KNOWNHOSTS_H
#define FO_KNOWNHOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "fanout.h"

struct knownhosts;

/*
 * paths ends with NULL; a file that does not exist is empty. A malformed line
 * is ignored and noted, the rest is used. Errors: a file that exists and
 * cannot be read, memory. The strings are copied.
 */
int	knownhosts_load(struct knownhosts **, const char *const *paths,
	    struct fanout_error *);
void	knownhosts_free(struct knownhosts *);	/* NULL is fine */

/* "FILE:LINE: what is wrong"; valid as long as the index. */
size_t	knownhosts_notes(const struct knownhosts *);
const char *knownhosts_note(const struct knownhosts *, size_t);

enum kh_verdict {
	KH_OK,		/* this very key is recorded */
	KH_UNKNOWN,	/* no key is recorded for this host */
	KH_CHANGED,	/* another key is recorded, of this type or another */
	KH_REVOKED	/* this key is marked @revoked for this host */
};

/* The line that decided, for the message; points into the index. */
struct kh_where {
	const char *path;	/* NULL: none */
	unsigned line;
	const void *blob;	/* the key recorded there */
	size_t	 blob_len;
};

/*
 * name: host name, address or alias, any case. port: 0 and 22 mean the name
 * alone, others [name]:port. blob: the host's key as it came on the wire.
 * where may be NULL.
 *
 * As in OpenSSH, a key of another type alone makes KH_CHANGED (hence the order
 * of hostkey_list), and a host on another port for which nothing is recorded
 * may show the key recorded for its plain name.
 */
enum kh_verdict knownhosts_check(const struct knownhosts *, const char *name,
	    unsigned port, const void *blob, size_t len, struct kh_where *);

/* Every line that names the host; mark: "", "@revoked", "@cert-authority". */
void	knownhosts_each(const struct knownhosts *, const char *name,
	    unsigned port, void (*fn)(const struct kh_where *,
	    const char *mark, void *), void *arg);

/*
 * The types of the plain keys recorded for a host, in the order that OpenSSH
 * prefers them, separated by commas, "" if there is none. Returns the length
 * it needs, as snprintf(3).
 */
size_t	knownhosts_types(const struct knownhosts *, const char *name,
	    unsigned port, char *buf, size_t size);

/* Does a @cert-authority line name this host? */
bool	knownhosts_has_ca(const struct knownhosts *, const char *name,
	    unsigned port);

/* The type inside a key blob ("ssh-ed25519"), "" when it is malformed. */
int	blob_type(const void *blob, size_t len, char *buf, size_t size);

/* "SHA256:..." as ssh-keygen -lf shows it; 72 bytes are enough. 0 or -1. */
#define FINGERPRINT_SIZE 72
int	fingerprint_sha256(const void *blob, size_t len, char *buf,
	    size_t size);

/*
 * Record a key in path, for all who do so at the same time, in this process
 * or another: under flock(2), in one write(2) of a whole line, never through
 * a symbolic link. A missing file is made with mode 600, a missing folder of
 * it with mode 700; a last line without its newline gets one. Nothing is
 * written when the same key is there already, nor to /dev/null or to a path
 * that is NULL (UserKnownHostsFile none). *added (may be NULL) says
 * whether something was. Error: a different key is there for this name.
 */
int	knownhosts_append(const char *path, const char *name, unsigned port,
	    const void *blob, size_t len, bool hash, struct fanout_error *,
	    bool *added);

#endif
