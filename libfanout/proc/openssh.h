/*
 * openssh.h - transport "openssh": each host is a process of the system's
 * ssh(1), for what libssh2 cannot do: FIDO keys, certificates, GSSAPI,
 * ProxyCommand, post-quantum key exchange.
 *
 * ssh runs with its debug log (-E) on a pipe of its own: so the command's
 * standard error stays clean, the stages are known as they come, and an exit
 * status of 255 that the command gave is told from one that ssh made up.
 */
#ifndef FO_OPENSSH_H
#define FO_OPENSSH_H

#include "fanout_transport.h"

extern const struct fanout_transport fo_transport_openssh;

#endif
