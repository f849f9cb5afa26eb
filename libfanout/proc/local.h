/*
 * local.h - transport "local": each host is a process on this machine.
 *
 * The command runs by /bin/sh -c with FANOUT_HOST set to the host's name.
 * Made for trying things and for tests of ten thousand hosts.
 */
#ifndef FO_LOCAL_H
#define FO_LOCAL_H

#include "fanout_transport.h"

extern const struct fanout_transport fo_transport_local;

#endif
