/*
 * keyline.h - one line of authorized_keys, or of a public key file, as sshd
 * reads it: "[OPTIONS] TYPE BLOB [COMMENT]".
 */
#ifndef KEYLINE_H
#define KEYLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* Parts of the line that was parsed. */
struct keyline {
	const char *options, *type, *blob, *comment;
	size_t	 options_len, type_len, blob_len, comment_len;
	unsigned bits;		/* 0: of a kind that is not known here */
};

/* False: it has no key, or one that is not whole. */
bool	keyline_parse(struct keyline *, const char *line, size_t len);

/* As ssh-keygen -l has it: "SHA256:...". */
#define KEYLINE_PRINT_SIZE (7 + 43 + 1)
void	keyline_fingerprint(const struct keyline *,
	    char print[KEYLINE_PRINT_SIZE]);

/* Why nobody should trust it any more; NULL: nothing is wrong. */
const char *keyline_weak(const struct keyline *);

/* Does it end by an option of its own before this time (local)? */
bool	keyline_expired(const struct keyline *, time_t now);

/*
 * What its options become where these are to be: "none" takes them away, NULL
 * leaves them. When it ends is a matter of until: "never", or NULL: as it was,
 * unless the new options say it. free(3); NULL: no memory.
 */
char	*keyline_limit(const char *old, size_t old_len, const char *options,
	    const char *until);

#endif
