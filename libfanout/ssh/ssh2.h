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

/*
 * Is this failure one that another SSH implementation may not have? Then it
 * came before the command was begun. lib_err is SSH2_CANNOT where the class
 * alone does not say so.
 */
#define SSH2_CANNOT (-10001)
bool	ssh2_cannot(const struct fanout_result *);

/* Does the configuration of this host leave the cipher and the key exchange
 * open? */
bool	ssh2_any_algorithm(const struct fanout_plan *);

const char *ssh2_library(void);		/* its version at run time */

#endif
