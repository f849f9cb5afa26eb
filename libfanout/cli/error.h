/*
 * error.h - failures of the tools' own making, as struct fanout_error.
 */
#ifndef CLI_ERROR_H
#define CLI_ERROR_H

#include "fanout.h"

/* Fills e and returns code, so that a failing function can end with it. */
int	cli_error(struct fanout_error *e, int code, const char *fmt, ...)
	    __attribute__((__format__(printf, 3, 4)));
int	cli_nomem(struct fanout_error *e);

#endif
