/*
 * err.h - filling the two kinds of failure value of fanout.h.
 *
 * Texts are one line, cut to fit, and made safe to print: whatever a remote
 * side put into them cannot drive a terminal.
 */
#ifndef FO_ERR_H
#define FO_ERR_H

#include <stdarg.h>

#include "fanout.h"

/* Each returns code, so that a failing function can end with it. e may be
 * NULL. The _sys form records errno and appends its text. */
int	fo_error(struct fanout_error *e, int code, const char *fmt, ...)
	    __attribute__((__format__(printf, 3, 4)));
int	fo_error_at(struct fanout_error *e, int code, size_t offset,
	    unsigned line, const char *fmt, ...)
	    __attribute__((__format__(printf, 5, 6)));
int	fo_error_sys(struct fanout_error *e, const char *fmt, ...)
	    __attribute__((__format__(printf, 2, 3)));

/* The result as a failure of a class; stage and counters are left alone. */
void	fo_fail(struct fanout_result *, enum fanout_class, int sys_errno,
	    int lib_err, const char *fmt, ...)
	    __attribute__((__format__(printf, 5, 6)));
void	fo_vfail(struct fanout_result *, enum fanout_class, int sys_errno,
	    int lib_err, const char *fmt, va_list)
	    __attribute__((__format__(printf, 5, 0)));

#endif
