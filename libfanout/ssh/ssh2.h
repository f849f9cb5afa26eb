/*
 * ssh2.h - transport "ssh2": SSH in this process, by libssh2.
 */
#ifndef FO_SSH2_H
#define FO_SSH2_H

#include "fanout_transport.h"

extern const struct fanout_transport fo_transport_ssh2;

/*
 * Once per process, before anything else and before there are threads:
 * libssh2's own start-up is a bare counter.
 */
void	ssh2_init(void);

const char *ssh2_library(void);		/* its version at run time */

#endif
