/*
 * identity.h - which key ssh(1) would log in by, as ssh_config(5) has it.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "setup.h"

/*
 * Where no option says which key it is: usual, or if ssh would not use that for
 * some of the hosts, one that it would use for all. NULL: usual; else for
 * free(3). What ssh would not use is warned about, if keys are to be installed.
 */
char	*identity_choose(const struct setup *, const char *usual);

/* The files of a host, from what fanout_explain() says, one a line; free(3).
 * NULL: no configuration names any, or there is no memory. */
char	*identity_files(const char *explained);

#endif
