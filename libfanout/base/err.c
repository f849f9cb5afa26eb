#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "visible.h"

const char *
fanout_strerror(int err)
{
	switch (err) {
	case FANOUT_OK:
		return "success";
	case FANOUT_ENOMEM:
		return "out of memory";
	case FANOUT_EINVAL:
		return "invalid argument";
	case FANOUT_EPARSE:
		return "syntax error";
	case FANOUT_ESYS:
		return "system error";
	case FANOUT_ECONFIG:
		return "unusable configuration";
	case FANOUT_EIDLE:
		return "no job is left";
	case FANOUT_ELIMIT:
		return "a limit was exceeded";
	}
	return "unknown error";
}

const char *
fanout_class_name(enum fanout_class cls)
{
	static const char *const names[] = {
#define FANOUT_X(sym, name) name,
		FANOUT_CLASSES(FANOUT_X)
#undef FANOUT_X
	};

	return (unsigned)cls < FANOUT_NCLASSES ? names[cls] : "unknown";
}

const char *
fanout_stage_name(enum fanout_stage stage)
{
	static const char *const names[] = {
#define FANOUT_X(sym, name) name,
		FANOUT_STAGES(FANOUT_X)
#undef FANOUT_X
	};

	return (unsigned)stage < FANOUT_NSTAGES ? names[stage] : "unknown";
}

/* Print into a fixed buffer and make the bytes safe. */
static void
set_text(char *dst, size_t size, const char *fmt, va_list ap)
{
	char raw[512];

	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	fo_vis_line(dst, size, raw, strlen(raw));
}

static int
set_error(struct fanout_error *e, int code, size_t offset, unsigned line,
    const char *fmt, va_list ap)
{
	if (e != NULL) {
		memset(e, 0, sizeof(*e));
		e->code = code;
		e->offset = offset;
		e->line = line;
		set_text(e->text, sizeof(e->text), fmt, ap);
	}
	return code;
}

int
fo_error(struct fanout_error *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)set_error(e, code, 0, 0, fmt, ap);
	va_end(ap);
	return code;
}

int
fo_error_at(struct fanout_error *e, int code, size_t offset, unsigned line,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)set_error(e, code, offset, line, fmt, ap);
	va_end(ap);
	return code;
}

int
fo_error_sys(struct fanout_error *e, const char *fmt, ...)
{
	int save = errno;
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	(void)set_error(e, FANOUT_ESYS, 0, 0, fmt, ap);
	va_end(ap);
	if (e != NULL) {
		e->sys_errno = save;
		len = strlen(e->text);
		(void)snprintf(e->text + len, sizeof(e->text) - len, ": %s",
		    strerror(save));
	}
	return FANOUT_ESYS;
}

void
fo_vfail(struct fanout_result *r, enum fanout_class cls, int sys_errno,
    int lib_err, const char *fmt, va_list ap)
{
	r->cls = cls;
	r->sys_errno = sys_errno;
	r->lib_err = lib_err;
	set_text(r->text, sizeof(r->text), fmt, ap);
}

void
fo_fail(struct fanout_result *r, enum fanout_class cls, int sys_errno,
    int lib_err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fo_vfail(r, cls, sys_errno, lib_err, fmt, ap);
	va_end(ap);
}
