/*
 * place.c - where things are on a host.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy.h"

/* "dir/name"; an empty dir is the one that the login begins in. */
static char *
under(const char *dir, const char *name)
{
	size_t len = strlen(dir);
	char *path;

	if (asprintf(&path, "%s%s%s", dir, len == 0 || dir[len - 1] == '/' ?
	    "" : "/", name) == -1)
		return NULL;
	return path;
}

static char *
under_free(char *dir, const char *name)
{
	char *path = dir != NULL ? under(dir, name) : NULL;

	free(dir);
	return path;
}

static const char *
entry_name(const struct host *h, uint32_t i)
{
	const struct entry *en = &h->load->source.entries[i];

	return en->parent == NO_PARENT && h->as_name != NULL ? h->as_name :
	    en->name;
}

char *
place_target(const struct host *h, uint32_t i)
{
	const struct source *src = &h->load->source;
	char *rel, *root, *path = NULL;

	if (h->as_name == NULL)
		rel = source_rel(src, i, true);
	else if ((root = source_rel(src, i, false)) != NULL) {
		/* It begins with a slash, or is empty: the root itself. */
		if (asprintf(&rel, "%s%s", h->as_name, root) == -1)
			rel = NULL;
		free(root);
	} else
		rel = NULL;
	if (rel != NULL)
		path = under(h->base, rel);
	free(rel);
	return path;
}

char *
place_dir(const struct host *h, uint32_t parent)
{
	if (parent != NO_PARENT)
		return place_target(h, parent);
	return strdup(*h->base == '\0' ? "." : h->base);
}

/* That of the run, or, behind it, the host's own. */
const char *
place_temp_name(const struct host *h, char buf[TEMP_NAME_SIZE])
{
	if (!h->own_temps)
		return h->copy->temp;
	snprintf(buf, TEMP_NAME_SIZE, "%s_%zu", h->copy->temp, h->index);
	return buf;
}

char *
place_temp_dir(const struct host *h, uint32_t parent)
{
	char buf[TEMP_NAME_SIZE];

	return under_free(place_dir(h, parent), place_temp_name(h, buf));
}

char *
place_temp(const struct host *h, uint32_t i)
{
	return under_free(place_temp_dir(h,
	    h->load->source.entries[i].parent), entry_name(h, i));
}

char *
place_sums(const struct host *h, uint32_t parent)
{
	return under_free(place_temp_dir(h, parent), SUMS_NAME);
}
