#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "safename.h"

int
cli_safe_name(char *dst, size_t size, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:@[]";
	const char *p;
	size_t n = 0;

	for (p = name; *p != '\0'; p++) {
		if (n + 4 > size) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (strchr(plain, *p) != NULL && !(*p == '.' && p == name))
			dst[n++] = *p;
		else
			n += (size_t)snprintf(dst + n, 4, "%%%02X",
			    (unsigned char)*p);
	}
	dst[n] = '\0';
	return 0;
}
