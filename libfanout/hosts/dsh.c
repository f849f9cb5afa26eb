/*
 * dsh.c - groups of Dancer's dsh and of pdsh's module of that name: a host
 * file for each group, in ~/.dsh/group or /etc/dsh/group, or instead in the
 * folders of DSHGROUP_PATH (separated by ':'). All hosts are those of
 * ~/.dsh/machines.list or /etc/dsh/machines.list. (dsh(1), pdsh(1))
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "hostfile.h"
#include "set.h"
#include "sources.h"
#include "table.h"

#define FOLDERS_MAX	8

struct dsh {
	char	*folder[FOLDERS_MAX];	/* the first that has a group counts */
	size_t	 n;
	char	*machines[2];		/* NULL: not there */
};

static void
dsh_free(void *self)
{
	struct dsh *d = self;
	size_t i;

	if (d == NULL)
		return;
	for (i = 0; i < d->n; i++)
		free(d->folder[i]);
	free(d->machines[0]);
	free(d->machines[1]);
	free(d);
}

/* What a host file names, folded. */
static int
load(const char *path, char **out, struct fanout_error *err)
{
	struct fanout_hosts *set;
	int rc;

	if (fanout_hosts_new(&set) != 0)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	if ((rc = fo_hostfile_add(set, path, NULL, err)) == 0 &&
	    (rc = fanout_hosts_fold(set, out)) != 0)
		(void)fo_error(err, rc, "out of memory");
	fanout_hosts_free(set);
	return rc;
}

static int
dsh_map(void *self, const char *group, char **out, struct fanout_error *err)
{
	const struct dsh *d = self;
	char *path;
	size_t i;
	int rc = 0;

	*out = NULL;
	if (*group == '.' || strchr(group, '/') != NULL)
		return 0;
	for (i = 0; rc == 0 && *out == NULL && i < d->n; i++) {
		if (asprintf(&path, "%s/%s", d->folder[i], group) == -1)
			return fo_error(err, FANOUT_ENOMEM, "out of memory");
		if (access(path, F_OK) == 0)
			rc = load(path, out, err);
		free(path);
	}
	return rc;
}

static int
list_folder(struct fo_table *names, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *de;
	int rc = 0;

	if (dir == NULL)
		return 0;
	while (rc == 0 && (de = readdir(dir)) != NULL)
		if (de->d_name[0] != '.')
			rc = fo_table_add(names, de->d_name,
			    strlen(de->d_name), "", 0);
	(void)closedir(dir);
	return rc;
}

static int
dsh_list(void *self, char **out, struct fanout_error *err)
{
	const struct dsh *d = self;
	struct fo_table *names = fo_table_new();
	size_t i;
	int rc = names == NULL ? FANOUT_ENOMEM : 0;

	*out = NULL;
	for (i = 0; rc == 0 && i < d->n; i++)
		rc = list_folder(names, d->folder[i]);
	if (rc == 0)
		rc = fo_table_ops.list(names, out, err);
	else
		(void)fo_error(err, rc, "out of memory");
	fo_table_free(names);
	return rc;
}

static int
dsh_all(void *self, char **out, struct fanout_error *err)
{
	const struct dsh *d = self;
	size_t i;

	*out = NULL;
	for (i = 0; i < 2; i++)
		if (d->machines[i] != NULL)
			return load(d->machines[i], out, err);
	return 0;
}

static const struct fo_source_ops dsh_ops = {
	.map = dsh_map, .list = dsh_list, .all = dsh_all, .free = dsh_free
};

/* Note base/name if it is there. */
static int
note(char **slot, const char *base, const char *name, bool *there)
{
	if (base == NULL || *base != '/')
		return 0;
	if (asprintf(slot, "%s/%s", base, name) == -1) {
		*slot = NULL;
		return FANOUT_ENOMEM;
	}
	*there = access(*slot, F_OK) == 0;
	if (!*there) {
		free(*slot);
		*slot = NULL;
	}
	return 0;
}

static int
find_folders(struct dsh *d)
{
	const char *home = getenv("HOME"), *path = getenv("DSHGROUP_PATH");
	size_t len;
	bool there = false;

	if (path == NULL || *path == '\0') {
		if (note(&d->folder[0], home, ".dsh/group", &there) != 0)
			return FANOUT_ENOMEM;
		d->n = there;
		there = false;
		if (note(&d->folder[d->n], "/etc", "dsh/group", &there) != 0)
			return FANOUT_ENOMEM;
		d->n += there;
		return 0;
	}
	for (; *path != '\0' && d->n < FOLDERS_MAX; path += len) {
		len = strcspn(path, ":");
		d->folder[d->n] = strndup(path, len);
		if (d->folder[d->n++] == NULL)
			return FANOUT_ENOMEM;
		len += path[len] == ':';
	}
	return 0;
}

int
fo_source_dsh(struct fanout_groups *g, struct fanout_error *err)
{
	struct dsh *d = calloc(1, sizeof(*d));
	bool there;

	if (d == NULL || find_folders(d) != 0 ||
	    note(&d->machines[0], getenv("HOME"), ".dsh/machines.list",
	    &there) != 0 ||
	    note(&d->machines[1], "/etc", "dsh/machines.list", &there) != 0) {
		dsh_free(d);
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	}
	if (d->n == 0 && d->machines[0] == NULL && d->machines[1] == NULL) {
		dsh_free(d);
		return 0;
	}
	return fo_groups_add_source(g, "dsh", &dsh_ops, d, err);
}
