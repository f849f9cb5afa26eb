#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extra.h"

#define LISTS 8			/* directories of a host under way at once */
#define EXTRA_MAX 1000000	/* of a host: a tree may have no end */
#define DEPTH_MAX 64

struct extra {
	char	*path;
	uint32_t above;		/* index of the one it is in; NO_PARENT: */
	uint32_t dir;		/* in this directory of the source */
	unsigned depth;
	bool	 is_dir;
	bool	 kept;		/* excluded, or something in it is */
};

/* A directory that is being read. */
struct list {
	bool	 busy, open, closing;
	uint32_t dir, above;	/* as of struct extra */
	unsigned depth;
	char	*path;
	char	*local;		/* where it would be here, for --exclude */
	struct sftp_handle handle;
};

struct extras {
	struct extra *all;
	uint32_t count, size;
	uint32_t next;		/* the next of them to be read */
	unsigned busy;
	struct list lists[LISTS];
};

/* ---- names of the source ---- */

static int
order(const struct entry *a, const struct entry *b)
{
	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int
by_place(const void *a, const void *b, void *arg)
{
	const struct entry *all = arg;

	return order(&all[*(const uint32_t *)a], &all[*(const uint32_t *)b]);
}

int
extra_index(struct load *l)
{
	const struct source *src = &l->source;
	uint32_t i;

	if ((l->by_name = calloc(src->count + 1, sizeof(*l->by_name))) == NULL)
		return -1;
	for (i = 0; i < src->count; i++)
		l->by_name[i] = i;
	qsort_r(l->by_name, src->count, sizeof(*l->by_name), by_place,
	    src->entries);
	return 0;
}

static bool
is_ours(const struct load *l, uint32_t dir, const char *name)
{
	const struct entry wanted = { .parent = dir,
	    .name = (char *)(uintptr_t)name };
	size_t from = 0, to = l->source.count, at;
	int rc;

	while (from < to) {
		at = from + (to - from) / 2;
		rc = order(&wanted, &l->source.entries[l->by_name[at]]);
		if (rc == 0)
			return true;
		if (rc < 0)
			to = at;
		else
			from = at + 1;
	}
	return false;
}

/* ---- what is found ---- */

static void
keep_above(struct extras *x, uint32_t at)
{
	for (; at != NO_PARENT; at = x->all[at].above)
		x->all[at].kept = true;
}

static int
add(struct extras *x, const struct list *l, const char *name, bool is_dir)
{
	uint32_t size = x->size;
	struct extra *p, *e;

	if (x->count == size) {
		size = size == 0 ? 64 : size * 2;
		p = reallocarray(x->all, size, sizeof(*p));
		if (p == NULL)
			return -1;
		x->all = p;
		x->size = size;
	}
	e = &x->all[x->count];
	*e = (struct extra){ .above = l->above, .dir = l->dir,
	    .depth = l->depth + 1, .is_dir = is_dir };
	if (asprintf(&e->path, "%s%s%s", l->path, l->path[strlen(l->path) -
	    1] == '/' ? "" : "/", name) == -1)
		return -1;
	x->count++;
	return 0;
}

static bool
is_excluded(const struct host *h, const struct list *l, const char *name)
{
	char *path;
	bool is;

	if (asprintf(&path, "%s/%s", l->local, name) == -1)
		return true;	/* it stays: that does no harm */
	is = source_excludes(h->copy->opts.exclude, name, path);
	free(path);
	return is;
}

/* A name in a directory. */
static void
see(struct host *h, struct list *l, const char *bytes, size_t len,
    const struct sftp_attrs *at)
{
	struct extras *x = h->extras;
	char name[256];

	if ((len == 1 && *bytes == '.') ||
	    (len == 2 && memcmp(bytes, "..", 2) == 0))
		return;
	if (len == 0 || len >= sizeof(name) ||
	    memchr(bytes, '/', len) != NULL ||
	    memchr(bytes, '\0', len) != NULL) {
		host_fail(h, FANOUT_C_REMOTE, "%s: it says that a file in it "
		    "has a name that none can have", l->path);
		return;
	}
	memcpy(name, bytes, len);
	name[len] = '\0';
	if (l->above == NO_PARENT && (is_ours(h->load, l->dir, name) ||
	    strncmp(name, SOURCE_RESERVED, sizeof(SOURCE_RESERVED) - 1) == 0))
		return;
	if (is_excluded(h, l, name)) {
		keep_above(x, l->above);
		return;
	}
	if (!(at->has & SFTP_HAS_MODE))
		host_fail(h, FANOUT_C_REMOTE, "the server does not tell what "
		    "kind of file there is");
	else if (x->count == EXTRA_MAX || l->depth == DEPTH_MAX)
		host_fail(h, FANOUT_C_REMOTE, "%s: more files than are good "
		    "for anybody", l->path);
	else if (add(x, l, name, S_ISDIR(at->mode)) == -1)
		host_nomem(h);
}

/* ---- LIST ---- */

static void
release(struct extras *x, struct list *l)
{
	free(l->path);
	free(l->local);
	memset(l, 0, sizeof(*l));
	x->busy--;
}

static void
on_list(void *ctx, uint32_t slot, const struct sftp_answer *a)
{
	struct host *h = ctx;
	struct list *l = &h->extras->lists[slot];
	bool over = a->kind == SFTP_STATUS && a->code == SFTP_EOF;
	struct sftp_attrs at;
	const char *name;
	size_t off = 0, len;
	int more;

	if (l->closing) {
		release(h->extras, l);
		return;
	}
	if (!l->open && a->kind == SFTP_HANDLE) {
		l->handle = *a->handle;
		l->open = true;
	} else if (l->open && a->kind == SFTP_NAMES) {
		while ((more = sftp_name(a, &off, &name, &len, &at)) == 1 &&
		    !h->failed)
			see(h, l, name, len, &at);
		if (more == -1)
			host_fail(h, FANOUT_C_REMOTE, "%s: a malformed list "
			    "of names", l->path);
	} else if (!l->open || !over) {
		host_refused(h, "reading the directory", l->path, a);
		if (!l->open) {
			release(h->extras, l);
			return;
		}
	}
	if (h->failed || over) {
		l->closing = true;
		sftp_close(h->sftp, &l->handle, on_list, slot);
	} else
		sftp_readdir(h->sftp, &l->handle, on_list, slot);
}

static void
open_list(struct host *h, struct list *l, uint32_t dir, uint32_t above)
{
	struct extras *x = h->extras;
	char *root = source_path(&h->load->source, dir), *there;

	*l = (struct list){ .busy = true, .dir = dir, .above = above };
	x->busy++;
	there = place_target(h, dir);
	if (above == NO_PARENT) {
		l->path = there;
		l->local = root;
		root = there = NULL;
	} else if (there != NULL && root != NULL) {
		l->depth = x->all[above].depth;
		l->path = strdup(x->all[above].path);
		/* It begins with where its directory is. */
		if (asprintf(&l->local, "%s%s", root, x->all[above].path +
		    strlen(there)) == -1)
			l->local = NULL;
	}
	free(root);
	free(there);
	if (l->path == NULL || l->local == NULL) {
		host_nomem(h);
		release(x, l);
		return;
	}
	sftp_opendir(h->sftp, l->path, on_list, (uint32_t)(l - x->lists));
}

static struct list *
free_list(struct extras *x)
{
	unsigned i;

	for (i = 0; i < LISTS; i++)
		if (!x->lists[i].busy)
			return &x->lists[i];
	return NULL;
}

/* The next directory that is to be read: of the source, then of what was
 * found. False: none is left, or not now. */
static bool
open_next(struct host *h)
{
	const struct source *src = &h->load->source;
	struct extras *x = h->extras;
	struct list *l;

	if (!host_may_ask(h) || (l = free_list(x)) == NULL || h->failed)
		return false;
	for (; h->cursor < src->count; h->cursor++)
		if (src->entries[h->cursor].kind == ENTRY_DIR &&
		    !(h->todo[h->cursor] & E_MISSING)) {
			open_list(h, l, h->cursor++, NO_PARENT);
			return true;
		}
	for (; x->next < x->count; x->next++)
		if (x->all[x->next].is_dir) {
			open_list(h, l, x->all[x->next].dir, x->next);
			x->next++;
			return true;
		}
	return false;
}

enum go
at_list(struct host *h)
{
	const struct copy_opts *o = &h->copy->opts;
	uint32_t n;

	if (!o->delete)
		return host_listed(h);
	if (h->cursor == 0 && h->pass == 0) {
		extra_free(h);
		if ((h->extras = calloc(1, sizeof(*h->extras))) == NULL) {
			host_nomem(h);
			return GO_ON;
		}
		h->pass = 1;
	}
	while (open_next(h))
		continue;
	if (h->extras->busy > 0 || h->failed)
		return GO_WAIT;
	n = extra_count(h);
	if (o->max_delete > 0 && n > o->max_delete && !o->dry_run)
		host_fail(h, FANOUT_C_REMOTE, "%u files would be removed, more "
		    "than --max-delete %u: nothing was changed", n,
		    o->max_delete);
	return h->failed ? GO_ON : host_listed(h);
}

/* ---- DELETE ---- */

static void
on_removed(void *ctx, uint32_t i, const struct sftp_answer *a)
{
	struct host *h = ctx;
	const struct extra *e = &h->extras->all[i];

	if (a->kind == SFTP_STATUS && a->code == SFTP_OK) {
		h->changed++;
		h->todo[e->dir] |= E_HAD;
	} else if (a->kind != SFTP_STATUS || a->code != SFTP_NO_SUCH_FILE)
		host_refused(h, "removing", e->path, a);
}

/* Files; then directories, the last found first, as it may be in another. */
enum go
at_delete(struct host *h)
{
	struct extras *x = h->extras;
	uint32_t i, n = x != NULL ? x->count : 0;

	for (; h->cursor < 2 * n && host_may_ask(h) && !h->failed;
	    h->cursor++) {
		if (h->cursor == n && !host_settled(h))
			return GO_WAIT;
		i = h->cursor < n ? h->cursor : 2 * n - 1 - h->cursor;
		if (x->all[i].kept || x->all[i].is_dir != (h->cursor >= n))
			continue;
		(x->all[i].is_dir ? sftp_rmdir : sftp_remove)(h->sftp,
		    x->all[i].path, on_removed, i);
	}
	if ((h->cursor < 2 * n && !h->failed) || !host_settled(h))
		return GO_WAIT;
	return host_goto(h, AT_DIRS);
}

/* ---- for others ---- */

uint32_t
extra_count(const struct host *h)
{
	uint32_t i, n = 0;

	for (i = 0; h->extras != NULL && i < h->extras->count; i++)
		n += !h->extras->all[i].kept;
	return n;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *
extra_text(const struct host *h)
{
	uint32_t i, n = 0, count = extra_count(h);
	const char **paths;
	char *text = NULL;
	size_t size;
	FILE *fp;

	if (count == 0 || (paths = calloc(count, sizeof(*paths))) == NULL)
		return NULL;
	for (i = 0; i < h->extras->count; i++)
		if (!h->extras->all[i].kept)
			paths[n++] = h->extras->all[i].path;
	qsort(paths, n, sizeof(*paths), by_path);
	if ((fp = open_memstream(&text, &size)) != NULL) {
		for (i = 0; i < n; i++) {
			fputs(paths[i], fp);
			putc('\0', fp);
		}
		putc('\0', fp);
		if (fclose(fp) != 0) {
			free(text);
			text = NULL;
		}
	}
	free(paths);
	return text;
}

void
extra_free(struct host *h)
{
	struct extras *x = h->extras;
	uint32_t i;

	if (x == NULL)
		return;
	for (i = 0; i < x->count; i++)
		free(x->all[i].path);
	for (i = 0; i < LISTS; i++) {
		free(x->lists[i].path);
		free(x->lists[i].local);
	}
	free(x->all);
	free(x);
	h->extras = NULL;
}
