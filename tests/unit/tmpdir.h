/*
 * tmpdir.h - a folder of a test's own, and what is done in it. The test makes
 * it with mkdtemp(dir) and removes it with shell("rm -rf %s", dir). Defines
 * dir from TMPDIR_NAME, which comes before the include.
 */
#ifndef TMPDIR_H
#define TMPDIR_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

static char dir[] = "/tmp/" TMPDIR_NAME ".XXXXXX";

/* Good until the fourth call after it. */
static const char *
in_dir(const char *name)
{
	static char path[4][256];
	static int next;
	char *p = path[next++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static int TEST_UNUSED __attribute__((__format__(printf, 1, 2)))
shell(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return system(cmd);
}

#endif
