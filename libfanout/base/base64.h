/*
 * base64.h - base64 with padding (RFC 4648 section 4), as in known_hosts and
 * public key files.
 */
#ifndef FO_BASE64_H
#define FO_BASE64_H

#include <stddef.h>
#include <sys/types.h>

/* Bytes that len bytes become, with the NUL. */
#define FO_B64_SIZE(len) (((len) + 2) / 3 * 4 + 1)

/* Always ends with a NUL; returns the length, or -1 when it does not fit. */
ssize_t	fo_b64_encode(const void *src, size_t len, char *dst, size_t size);

/* Strict: only whole groups, padding only at the end, no white space. At most
 * len / 4 * 3 bytes; returns how many, or -1. dst may be src. */
ssize_t	fo_b64_decode(const char *src, size_t len, void *dst, size_t size);

#endif
