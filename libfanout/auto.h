/*
 * auto.h - transport "auto": ssh2, and where that clearly cannot do what a
 * host needs (ssh2_cannot), the same host once more by openssh.
 */
#ifndef FO_AUTO_H
#define FO_AUTO_H

#include "fanout_transport.h"

extern const struct fanout_transport fo_transport_auto;

#endif
