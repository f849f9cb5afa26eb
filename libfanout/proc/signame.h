/*
 * signame.h - names of this machine's signals as RFC 4254 6.10 has them:
 * without SIG.
 */
#ifndef FO_SIGNAME_H
#define FO_SIGNAME_H

#include <stddef.h>

void	signal_name(int sig, char *buf, size_t size);

#endif
