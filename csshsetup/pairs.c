#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "keyline.h"
#include "pairs.h"

static char *
join(const char *path, const char *suffix)
{
	char *all;

	return asprintf(&all, "%s%s", path, suffix) == -1 ? NULL : all;
}

int
pairs_init(struct pairs *p, const char *key, struct fanout_error *e)
{
	*p = (struct pairs){ .key = strdup(key), .new = join(key, ".new"),
	    .old = join(key, ".old"), .list = join(key, ".rotate") };
	if (p->key == NULL || p->new == NULL || p->old == NULL ||
	    p->list == NULL)
		return cli_nomem(e);
	p->going_on = access(p->list, F_OK) == 0;
	return 0;
}

void
pairs_clear(struct pairs *p)
{
	free(p->key);
	free(p->new);
	free(p->old);
	free(p->list);
	*p = (struct pairs){ .key = NULL };
}

int
pairs_read(const char *file, char **word, char **line, struct fanout_error *e)
{
	char *path = join(file, ".pub");
	struct keyline k;
	size_t size = 0;
	ssize_t n = -1;
	FILE *f;

	*word = *line = NULL;
	if (path != NULL && (f = fopen(path, "re")) != NULL) {
		n = getline(line, &size, f);
		fclose(f);
	}
	if (n > 0)
		(*line)[strcspn(*line, "\r\n")] = '\0';
	if (n <= 0 || !keyline_parse(&k, *line, strlen(*line)) ||
	    asprintf(word, "%.*s", (int)(k.blob + k.blob_len - k.type),
	    k.type) == -1) {
		*word = NULL;
		cli_error(e, FANOUT_ECONFIG, "%s.pub: this is no public key",
		    file);
	}
	free(path);
	return *word != NULL ? 0 : FANOUT_ECONFIG;
}

/* ---- changing names ------------------------------------------------------ */

/* The two change places, where the file system can do that. */
static int
exchange(const char *a, const char *b, struct fanout_error *e)
{
	char *aside;
	int rc;

	if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
		return 0;
	if ((aside = join(a, ".aside")) == NULL)
		return cli_nomem(e);
	rc = rename(b, aside) == -1 || rename(a, b) == -1 ||
	    rename(aside, a) == -1;
	free(aside);
	return rc == 0 ? 0 : cli_error(e, FANOUT_ESYS, "%s and %s cannot "
	    "change places: %s", a, b, strerror(errno));
}

static int
exchange_both(const char *a, const char *b, struct fanout_error *e)
{
	char *a_pub = join(a, ".pub"), *b_pub = join(b, ".pub");
	int rc;

	if (a_pub == NULL || b_pub == NULL)
		rc = cli_nomem(e);
	else if ((rc = exchange(a, b, e)) == 0)
		rc = exchange(a_pub, b_pub, e);
	free(a_pub);
	free(b_pub);
	return rc;
}

static int
rename_both(const char *a, const char *b, struct fanout_error *e)
{
	char *a_pub = join(a, ".pub"), *b_pub = join(b, ".pub");
	int rc = 0;

	if (a_pub == NULL || b_pub == NULL)
		rc = cli_nomem(e);
	else if (rename(a, b) == -1 || rename(a_pub, b_pub) == -1)
		rc = cli_error(e, FANOUT_ESYS, "%s: %s", b, strerror(errno));
	free(a_pub);
	free(b_pub);
	return rc;
}

/* One of a rotation before that is still there is kept. */
static int
spare(const struct pairs *p, struct fanout_error *e)
{
	char *path;
	unsigned i;
	int rc;

	if (access(p->old, F_OK) == -1)
		return 0;
	for (i = 1; i < 1000; i++) {
		if (asprintf(&path, "%s.%u", p->old, i) == -1)
			return cli_nomem(e);
		if (access(path, F_OK) == -1) {
			rc = rename_both(p->old, path, e);
			free(path);
			return rc;
		}
		free(path);
	}
	return cli_error(e, FANOUT_ELIMIT, "%s.*: too many of them", p->old);
}

int
pairs_switch(struct pairs *p, struct fanout_error *e)
{
	int rc;

	if ((rc = spare(p, e)) != 0 ||
	    (rc = exchange_both(p->new, p->key, e)) != 0)
		return rc;
	return rename_both(p->new, p->old, e);
}

/* ---- hosts that are left ------------------------------------------------- */

int
pairs_load(const struct pairs *p, struct fanout_hosts *hosts,
    struct fanout_error *e)
{
	return p->going_on ? fanout_hosts_load(hosts, p->list, e) : 0;
}

static int
write_list(FILE *f, const struct fanout_hosts *hosts)
{
	size_t i;

	fputs("# hosts that may still have the old key: csshsetup --rotate\n", f);
	for (i = 0; i < fanout_hosts_count(hosts); i++)
		fprintf(f, "%s\n", fanout_hosts_at(hosts, i));
	return ferror(f) || fflush(f) == EOF || fsync(fileno(f)) == -1 ? -1 : 0;
}

int
pairs_save(const struct pairs *p, const struct fanout_hosts *hosts,
    struct fanout_error *e)
{
	char *temp;
	FILE *f;
	int rc = -1;

	if (fanout_hosts_count(hosts) == 0) {
		if (unlink(p->list) == 0 || errno == ENOENT)
			return 0;
		return cli_error(e, FANOUT_ESYS, "%s: %s", p->list,
		    strerror(errno));
	}
	if ((temp = join(p->list, ".tmp")) == NULL)
		return cli_nomem(e);
	if ((f = fopen(temp, "we")) != NULL) {
		rc = write_list(f, hosts);
		if (fclose(f) == EOF)
			rc = -1;
	}
	if (rc == 0)
		rc = rename(temp, p->list);
	if (rc == -1)
		cli_error(e, FANOUT_ESYS, "%s: %s", p->list, strerror(errno));
	free(temp);
	return rc == 0 ? 0 : FANOUT_ESYS;
}
