#include <sys/xattr.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "xattr.h"

#define NAMES_MAX 65536		/* xattr(7), XATTR_LIST_MAX */
#define VALUE_MAX 65536		/* XATTR_SIZE_MAX */

/* ---- here ---- */

static int
put_value(FILE *fp, const char *path, const char *name)
{
	unsigned char *value, *coded;
	ssize_t n;
	int rc = -1;

	value = malloc(VALUE_MAX);
	coded = malloc(VALUE_MAX * 4 / 3 + 8);
	if (value != NULL && coded != NULL &&
	    (n = lgetxattr(path, name, value, VALUE_MAX)) != -1) {
		EVP_EncodeBlock(coded, value, (int)n);
		fprintf(fp, "%s=0s%s\n", name, (char *)coded);
		rc = 0;
	}
	free(value);
	free(coded);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
put_all(FILE *fp, const char *path, char *names, size_t len)
{
	char **list = calloc(len, sizeof(*list)), *p;
	size_t n = 0, i;
	int rc = 0;

	if (list == NULL)
		return -1;
	for (p = names; p < names + len; p += strlen(p) + 1)
		list[n++] = p;
	qsort(list, n, sizeof(*list), by_name);
	for (i = 0; i < n && rc == 0; i++)
		rc = put_value(fp, path, list[i]);
	free(list);
	return rc;
}

int
xattr_read(const char *path, char **lines)
{
	char *names = malloc(NAMES_MAX);
	size_t size;
	ssize_t n;
	FILE *fp;
	int rc = 0;

	*lines = NULL;
	if (names == NULL)
		return -1;
	n = llistxattr(path, names, NAMES_MAX);
	if (n == -1 && errno == ENOTSUP)
		n = 0;
	if (n > 0 && (fp = open_memstream(lines, &size)) != NULL) {
		rc = put_all(fp, path, names, (size_t)n);
		if (fclose(fp) != 0)
			rc = -1;
	} else if (n != 0)
		rc = -1;
	free(names);
	if (rc == -1) {
		free(*lines);
		*lines = NULL;
	}
	return rc;
}

/* ---- there ---- */

/* As getfattr(1) writes a name. */
static void
put_path(FILE *fp, const char *path)
{
	fputs("# file: ", fp);
	if (*path != '/')
		fputs("./", fp);
	for (; *path != '\0'; path++)
		if (*path == '\\' || *path == '\n' || *path == '\r')
			fprintf(fp, "\\%03o", (unsigned)*path);
		else
			putc(*path, fp);
	putc('\n', fp);
}

/* Without SELinux a context is none. */
char *
script_xattrs(struct host *h)
{
	const struct source *src = &h->load->source;
	const struct entry *en;
	char *path, *text = NULL;
	size_t size;
	uint32_t i;
	FILE *fp = open_memstream(&text, &size);

	if (fp == NULL)
		return NULL;
	for (i = 0; i < src->count; i++) {
		en = &src->entries[i];
		if (en->xattrs == NULL)
			continue;
		path = en->kind == ENTRY_FILE && (h->todo[i] & E_SEND) ?
		    place_temp(h, i) : place_target(h, i);
		if (path == NULL)
			host_nomem(h);
		else {
			put_path(fp, path);
			fprintf(fp, "%s\n", en->xattrs);
		}
		free(path);
	}
	if (fclose(fp) != 0)
		return NULL;
	free(h->input);
	h->input = text;
	h->input_len = size;
	h->input_off = 0;
	return strdup("exec /bin/sh -c 'echo " SCRIPT_HELLO "; "
	    "command -v setfattr >/dev/null 2>&1 || { echo none; exit 0; }; "
	    "if [ -d /sys/fs/selinux ]; then cat; else "
	    "grep -v ^security.selinux=; fi | setfattr --restore=- && "
	    "echo end'");
}

void
script_xattrs_over(struct host *h)
{
	char *rest = h->answer, *line;
	bool ended = false, none = false;

	if (rest != NULL && script_answered(h, &rest))
		while ((line = strsep(&rest, "\n")) != NULL) {
			ended |= strcmp(line, "end") == 0;
			none |= strcmp(line, "none") == 0;
		}
	if (none)
		host_fail(h, FANOUT_C_REMOTE, "--xattrs: setfattr is not "
		    "installed there (Debian: attr)");
	else if (!ended)
		host_fail(h, FANOUT_C_REMOTE, "--xattrs: %s",
		    *h->words != '\0' ? h->words :
		    "it takes commands that cannot be run there");
}
