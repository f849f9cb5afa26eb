/*
 * transport.h - cf-serverd's protocol as a transport of the engine.
 *
 * The command of a task is what to say, in lines: "EXEC -D class -b bundle",
 * then the classes of which a host must have one ("": any host); or
 * "VERSION". What follows the second line is not for this transport.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include "fanout.h"

struct cfengine_config {
	const char *workdir;
	const char *registry;		/* NULL: cfrun.keys in workdir */
	const char *user;		/* whom we say we are */
	unsigned port;			/* of hosts named without one */
	bool	 trust_new;		/* believe any key that is new */
	bool	 ask;			/* the user, whether to believe it */
	const char *source;		/* our address to connect from, or NULL */
	bool	 selects;		/* by class, which ssh cannot */
};

/* auto.c: tries ssh, too, for which the third line is. The config of both is a
 * struct cfengine_config. */
extern const struct fanout_transport cfengine_transport, auto_transport;

#endif
