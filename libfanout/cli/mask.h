/*
 * mask.h - text without what differs from host to host for no reason.
 *
 * <host> stands for the name of the host, with or without its domain, <addr>
 * for IPv4, IPv6 and MAC addresses, <time> for times, dates and the English
 * names of days and months, <n> for other numbers that do not follow a letter
 * (so eth0 and el9 stay). Blanks in a row become one: columns are as wide as
 * their numbers.
 */
#ifndef CLI_MASK_H
#define CLI_MASK_H

#include <stddef.h>

/* How much one byte can grow to. */
#define CLI_MASK_MAX 6

/* host: as it stands in a set, or NULL. Lines may be cut anywhere between
 * words. Returns the length; adds no NUL. */
size_t	cli_mask(char *dst, const char *src, size_t len, const char *host);

#endif
