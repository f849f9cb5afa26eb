#include <stdarg.h>
#include <stdio.h>

#include "error.h"

int
cli_error(struct fanout_error *e, int code, const char *fmt, ...)
{
	va_list ap;

	*e = (struct fanout_error){ .code = code };
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return code;
}

int
cli_nomem(struct fanout_error *e)
{
	return cli_error(e, FANOUT_ENOMEM, "out of memory");
}
