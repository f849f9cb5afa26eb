/*
 * fingerprints.h - a file that says which host has which keys.
 *
 * A line is "HOST SHA256:..." (HOST an expression, and lines may repeat one),
 * or what ssh-keygen -lf prints of known_hosts: "256 SHA256:... HOST (TYPE)".
 */
#ifndef FINGERPRINTS_H
#define FINGERPRINTS_H

#include "fanout.h"

struct fingerprints;

/* 0 or an error that names the line. */
int	fingerprints_load(struct fingerprints **, const char *path,
	    struct fanout_error *);
void	fingerprints_free(struct fingerprints *);	/* NULL is fine */

enum fingerprint_verdict { PRINT_UNKNOWN, PRINT_RIGHT, PRINT_WRONG };

/* host: as it stands in a set; with or without user and port in the file. */
enum fingerprint_verdict fingerprints_check(const struct fingerprints *,
	    const char *host, const char *fingerprint);

#endif
