#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"

bool
fo_in_path(const char *program)
{
	const char *path = getenv("PATH");
	char buf[4096];
	size_t len;

	for (; path != NULL && *path != '\0'; path += len) {
		len = strcspn(path, ":");
		if (len + strlen(program) + 2 <= sizeof(buf)) {
			memcpy(buf, path, len);
			buf[len] = '/';
			strlcpy(buf + len + 1, program, sizeof(buf) - len - 1);
			if (access(buf, X_OK) == 0)
				return true;
		}
		len += path[len] == ':';
	}
	return false;
}
