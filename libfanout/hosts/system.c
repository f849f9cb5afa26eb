/*
 * system.c - which group sources this system has, and in which order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "groups.h"
#include "sources.h"

#define SYSTEM_GROUPS "/etc/fanout/groups"

/* A file that need not be there. */
static int
file_if_there(struct fanout_groups *g, const char *source, const char *path,
    struct fanout_error *err)
{
	return access(path, F_OK) == -1 ? 0 :
	    fanout_groups_file(g, source, path, err);
}

static int
own_groups(struct fanout_groups *g, struct fanout_error *err)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path;
	int n, rc;

	if (base != NULL && *base == '/')
		n = asprintf(&path, "%s/fanout/groups", base);
	else if (home != NULL && *home == '/')
		n = asprintf(&path, "%s/.config/fanout/groups", home);
	else
		return 0;
	if (n == -1)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	rc = file_if_there(g, "own", path, err);
	free(path);
	return rc;
}

static int
system_groups(struct fanout_groups *g, struct fanout_error *err)
{
	return file_if_there(g, "fanout", SYSTEM_GROUPS, err);
}

int
fanout_groups_system(struct fanout_groups *g, struct fanout_error *err)
{
	static int (*const sources[])(struct fanout_groups *,
	    struct fanout_error *) = {
		own_groups, system_groups, fo_source_clustershell,
		fo_source_genders, fo_source_dsh, fo_source_cluster,
		fo_source_slurm, fo_source_cfrun, fo_source_ansible,
		fo_source_netgroup
	};
	const char *path = getenv("FANOUT_GROUPS");
	size_t i;
	int rc = 0;

	/* One file instead of all: for tests and for scripts. */
	if (path != NULL && *path != '\0')
		return fanout_groups_file(g, "fanout", path, err);
	for (i = 0; rc == 0 && i < sizeof(sources) / sizeof(sources[0]); i++)
		rc = sources[i](g, err);
	return rc;
}
