#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "signame.h"

void
signal_name(int sig, char *buf, size_t size)
{
	const char *name = sigabbrev_np(sig);

	if (name != NULL)
		(void)strlcpy(buf, name, size);
	else
		(void)snprintf(buf, size, "%d", sig);
}
