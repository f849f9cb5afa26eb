/*
 * expected.h - which key a host should have: by a file of fingerprints, by what
 * another host knows, by DNS.
 */
#ifndef EXPECTED_H
#define EXPECTED_H

#include "fingerprints.h"

struct setup;

struct expected {
	struct fingerprints *prints;	/* NULL: none were given */
	struct known	*known;		/* of a host; NULL: not asked for */
	size_t		 count, room;
	const char	*path;		/* of these */
	const char	*known_from;
	bool		 sshfp;		/* DNS is asked */
};

/* 0; or an exit status, what is wrong has been said. */
int	expected_open(struct expected *, struct setup *);
void	expected_clear(struct expected *);
bool	expected_any(const struct expected *);

/* key_type, fingerprint: what it shows. Whose word that is goes into source. */
enum fingerprint_verdict expected_check(const struct expected *,
	    const char *host, const char *key_type, const char *fingerprint,
	    char *source, size_t);

/* sshfp.c: as DNS has it, if that was validated (RES_TRUSTAD). */
enum fingerprint_verdict sshfp_check(const char *name, const char *key_type,
	    const char *fingerprint);

#endif
