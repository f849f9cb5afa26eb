/*
 * hostkey.h - which host key algorithms to ask a host for, in which order.
 *
 * A host has one key of each type and shows the one we ask for first. Asking
 * for a type that is not recorded makes a known host look unknown, so that
 * what is recorded comes first, as ssh(1) does it.
 */
#ifndef FO_HOSTKEY_H
#define FO_HOSTKEY_H

#include <stddef.h>

#include "policy/knownhosts.h"
#include "policy/sshconf.h"

#define HOSTKEY_LIST_MAX 1024

/*
 * Fills list with names separated by commas: those of HostKeyAlgorithms, or
 * the default ones, that are in supported (which ends with NULL); recorded
 * types first unless HostKeyAlgorithms gives an order of its own. "ssh-rsa"
 * (SHA-1) is added for a recorded RSA key where supported has no rsa-sha2.
 * Returns 0; or -1 with list "" and the reason in why, for the user: nothing
 * is left, or nothing that fits what is recorded.
 */
int	hostkey_list(const struct hostconf *, const struct knownhosts *,
	    const char *const *supported, char list[static HOSTKEY_LIST_MAX],
	    char *why, size_t whysize);

#endif
