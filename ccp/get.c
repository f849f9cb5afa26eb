#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/expand.h"
#include "cli/safename.h"
#include "copy.h"
#include "fetch.h"
#include "get.h"
#include "landing.h"

#define FILES 8			/* of a host under way at once */
#define ENTRIES_MAX 1000000	/* of a host: a tree may have no end */
#define DEPTH_MAX 64

struct get_all {
	char	*const *paths;
	int	 dir;
	struct get_opts opts;
};

/* Something there that is to be looked at. */
struct item {
	struct item	*next;
	char		*path;		/* there */
	unsigned	 depth;
	bool		 root;		/* named by the user: links are followed */
	char		*pattern;	/* path is a directory: names in it like
					 * this; NULL: it is itself meant */
};

enum slot_state { SLOT_FREE, SLOT_LOOK, SLOT_FETCH, SLOT_OPENDIR,
    SLOT_READDIR, SLOT_LINK };

struct slot {
	enum slot_state	 state;
	struct host	*host;
	struct item	*item;
	struct sftp_attrs attrs;
	struct sftp_handle handle;	/* of a directory */
	struct fetch	 fetch;
	struct landing	 file;
	bool		 closing;	/* the directory is read */
	bool		 matched;	/* of a pattern */
};

struct get {
	struct item	*first, **last;
	unsigned	 busy;		/* slots */
	unsigned	 entries;
	uint64_t	 bytes;		/* taken in */
	struct slot	 slots[FILES];
	char		 folder[256];	/* name of the host's folder, or file end */
};

static void	look(struct host *, struct slot *);

/* ---- the queue ---- */

static void
item_free(struct item *it)
{
	if (it == NULL)
		return;
	free(it->path);
	free(it->pattern);
	free(it);
}

/* Takes path and pattern. */
static void
put_item(struct host *h, char *path, char *pattern, unsigned depth, bool root)
{
	struct get *g = h->get;
	struct item *it = calloc(1, sizeof(*it));

	if (it == NULL || path == NULL) {
		free(it);
		free(path);
		free(pattern);
		host_nomem(h);
		return;
	}
	if (++g->entries > ENTRIES_MAX || depth > DEPTH_MAX) {
		host_fail(h, FANOUT_C_REMOTE, "%s: %s", path,
		    depth > DEPTH_MAX ? "directories within directories "
		    "without end" : "more files than are good for anybody");
		free(it);
		free(path);
		free(pattern);
		return;
	}
	*it = (struct item){ NULL, path, depth, root, pattern };
	*g->last = it;
	g->last = &it->next;
}

/* A pattern is for the last part of a path. */
static void
put_root(struct host *h, const char *path)
{
	const char *slash, *name;
	size_t dir;

	/* ~ is where the login begins, as SFTP does. */
	if (strncmp(path, "~/", 2) == 0)
		path = path[2] == '\0' ? "." : path + 2;
	slash = strrchr(path, '/');
	dir = slash == NULL ? 0 : (size_t)(slash - path);
	name = slash == NULL ? path : slash + 1;
	if (strpbrk(name, "*?[") == NULL)
		put_item(h, strdup(path), NULL, 0, true);
	else
		put_item(h, slash == NULL ? strdup(".") : dir == 0 ?
		    strdup("/") : strndup(path, dir), strdup(name), 0, true);
}

static int
begin(struct host *h)
{
	const struct get_all *all = h->copy->get;
	struct cli_expand *x = h->copy->expand;
	struct fanout_error e;
	struct get *g;
	char *path;
	size_t i;

	if ((g = h->get = calloc(1, sizeof(*g))) == NULL) {
		host_nomem(h);
		return -1;
	}
	g->last = &g->first;
	for (i = 0; i < FILES; i++)
		g->slots[i].host = h;
	if (cli_safe_name(g->folder, sizeof(g->folder), h->name) == -1) {
		host_fail(h, FANOUT_C_LOCAL, "its name is too long for a "
		    "file");
		return -1;
	}
	for (i = 0; all->paths[i] != NULL; i++) {
		if (!cli_expand_needed(x, all->paths[i])) {
			put_root(h, all->paths[i]);
			continue;
		}
		if (cli_expand(x, h->index, all->paths[i], false, &path,
		    &e) != 0) {
			host_fail(h, FANOUT_C_LOCAL, "%s", e.text);
			return -1;
		}
		put_root(h, path);
		free(path);
	}
	return 0;
}

void
get_free(struct host *h)
{
	struct get *g = h->get;
	struct item *it;
	unsigned i;

	if (g == NULL)
		return;
	while ((it = g->first) != NULL) {
		g->first = it->next;
		item_free(it);
	}
	for (i = 0; i < FILES; i++) {
		fetch_free(&g->slots[i].fetch);
		landing_abort(&g->slots[i].file);
		item_free(g->slots[i].item);
	}
	free(g);
	h->get = NULL;
}

static void
release(struct slot *s)
{
	struct host *h = s->host;

	fetch_free(&s->fetch);
	landing_abort(&s->file);
	item_free(s->item);
	memset(s, 0, sizeof(*s));
	s->host = h;
	h->get->busy--;
}

/* ---- where it goes ---- */

static void
fail_local(struct host *h, const struct slot *s)
{
	host_fail(h, FANOUT_C_LOCAL, "%s: here: %s", s->item->path,
	    errno == ELOOP || errno == ENOTDIR ? "in the way is something "
	    "that is no directory (links are not followed)" :
	    strerror(errno));
}

/* "HOST/path", or "file.HOST" if all goes into one folder. */
static char *
place(const struct host *h, const struct item *it)
{
	const struct get *g = h->get;
	const char *p = it->path, *base;
	char *out;

	while (*p == '/')
		p++;
	if (!h->copy->get->opts.flat)
		return asprintf(&out, "%s/%s", g->folder, p) == -1 ? NULL :
		    out;
	base = strrchr(p, '/');
	return asprintf(&out, "%s.%s", base == NULL ? p : base + 1,
	    g->folder) == -1 ? NULL : out;
}

/* ---- a file ---- */

static bool
take(void *arg, const void *data, size_t len)
{
	struct slot *s = arg;
	struct host *h = s->host;

	if (landing_write(&s->file, data, len) == -1) {
		fail_local(h, s);
		return false;
	}
	h->copy->sent += len;
	h->sent += len;
	return !h->failed;
}

static void
fetched(void *arg, struct fetch *f)
{
	struct slot *s = arg;
	struct host *h = s->host;
	const struct get_opts *o = &h->copy->get->opts;

	if (f->error != NULL)
		host_fail(h, FANOUT_C_REMOTE, "reading %s: %s", s->item->path,
		    f->error);
	else if (!h->failed && f->given < f->size)
		host_fail(h, FANOUT_C_REMOTE, "%s: it ended before its "
		    "length: it has changed, or the host lies",
		    s->item->path);
	else if (!h->failed && landing_finish(&s->file, s->attrs.mode & 0777,
	    o->preserve ? (int64_t)s->attrs.mtime : -1) == -1)
		fail_local(h, s);
	else if (!h->failed)
		h->changed++;
	release(s);
}

static void
on_fetch(void *ctx, uint32_t tag, const struct sftp_answer *a)
{
	struct host *h = ctx;

	fetch_answer(&h->get->slots[tag % FETCH_SLOTS].fetch, tag, a);
}

static void
get_file(struct host *h, struct slot *s)
{
	struct get *g = h->get;
	const struct get_all *all = h->copy->get;
	char *to = place(h, s->item);

	if (s->attrs.size > all->opts.max_size - g->bytes) {
		host_fail(h, FANOUT_C_REMOTE, "%s: with it it would be more "
		    "than --max-size allows", s->item->path);
		free(to);
		release(s);
		return;
	}
	g->bytes += s->attrs.size;
	if (to == NULL || landing_begin(&s->file, all->dir, to,
	    h->copy->temp) == -1) {
		fail_local(h, s);
		free(to);
		release(s);
		return;
	}
	free(to);
	s->state = SLOT_FETCH;
	s->fetch = (struct fetch){ .sftp = h->sftp, .size = s->attrs.size,
	    .take = take, .done = fetched, .arg = s, .answer = on_fetch,
	    .slot = (uint32_t)(s - g->slots) };
	fetch_open(&s->fetch, s->item->path);
}

/* ---- a directory ---- */

/* What no honest host has in a directory. */
static bool
is_name(const char *name, size_t len)
{
	return len > 0 && len < 256 && memchr(name, '/', len) == NULL &&
	    memchr(name, '\0', len) == NULL;
}

static bool
is_dot(const char *name, size_t len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

static void
add_name(struct host *h, struct slot *s, const char *name, size_t len)
{
	const char *dir = s->item->path;
	char *path, *one;

	if (is_dot(name, len))
		return;
	if (!is_name(name, len)) {
		host_fail(h, FANOUT_C_REMOTE, "%s: it says that a file in it "
		    "has a name that none can have", dir);
		return;
	}
	if ((one = strndup(name, len)) == NULL) {
		host_nomem(h);
		return;
	}
	if (s->item->pattern != NULL &&
	    fnmatch(s->item->pattern, one, FNM_PERIOD) != 0) {
		free(one);
		return;
	}
	s->matched = true;
	if (s->item->pattern != NULL && strcmp(dir, ".") == 0)
		path = strdup(one);
	else if (asprintf(&path, "%s%s%s", dir,
	    dir[strlen(dir) - 1] == '/' ? "" : "/", one) == -1)
		path = NULL;
	free(one);
	put_item(h, path, NULL, s->item->depth + 1, s->item->pattern != NULL);
}

static void
on_dir(void *ctx, uint32_t slot, const struct sftp_answer *a)
{
	struct host *h = ctx;
	struct slot *s = &h->get->slots[slot];
	struct sftp_attrs at;
	const char *name;
	size_t off = 0, len;
	int more;

	if (s->closing) {
		if (s->item->pattern != NULL && !s->matched)
			host_fail(h, FANOUT_C_REMOTE, "%s/%s: no such file",
			    s->item->path, s->item->pattern);
		release(s);
		return;
	}
	if (s->state == SLOT_OPENDIR && a->kind == SFTP_HANDLE) {
		s->handle = *a->handle;
		s->state = SLOT_READDIR;
	} else if (s->state == SLOT_READDIR && a->kind == SFTP_NAMES) {
		while ((more = sftp_name(a, &off, &name, &len, &at)) == 1 &&
		    !h->failed)
			add_name(h, s, name, len);
		if (more == -1)
			host_fail(h, FANOUT_C_REMOTE, "%s: a malformed list of "
			    "names", s->item->path);
	} else if (s->state == SLOT_OPENDIR || a->kind != SFTP_STATUS ||
	    a->code != SFTP_EOF) {
		host_refused(h, "reading the directory", s->item->path, a);
		if (s->state == SLOT_OPENDIR) {
			release(s);
			return;
		}
	}
	if (h->failed || (a->kind == SFTP_STATUS && a->code == SFTP_EOF)) {
		s->closing = true;
		sftp_close(h->sftp, &s->handle, on_dir, slot);
	} else
		sftp_readdir(h->sftp, &s->handle, on_dir, slot);
}

static void
get_dir(struct host *h, struct slot *s)
{
	char *to = place(h, s->item);

	/* Also one in which nothing is. */
	if (s->item->pattern == NULL && !h->copy->get->opts.flat &&
	    (to == NULL || landing_dir(h->copy->get->dir, to) == -1)) {
		fail_local(h, s);
		free(to);
		release(s);
		return;
	}
	free(to);
	s->state = SLOT_OPENDIR;
	sftp_opendir(h->sftp, s->item->path, on_dir,
	    (uint32_t)(s - h->get->slots));
}

/* ---- a symbolic link ---- */

static void
on_link(void *ctx, uint32_t slot, const struct sftp_answer *a)
{
	struct host *h = ctx;
	struct slot *s = &h->get->slots[slot];
	struct sftp_attrs at;
	const char *name;
	size_t off = 0, len;
	char *to = place(h, s->item), *target = NULL;

	if (a->kind != SFTP_NAMES ||
	    sftp_name(a, &off, &name, &len, &at) != 1 ||
	    memchr(name, '\0', len) != NULL)
		host_refused(h, "reading the link", s->item->path, a);
	else if (to == NULL || (target = strndup(name, len)) == NULL)
		host_nomem(h);
	else if (landing_link(h->copy->get->dir, to, target,
	    h->copy->temp) == -1)
		fail_local(h, s);
	else
		h->changed++;
	free(target);
	free(to);
	release(s);
}

/* ---- what it is ---- */

static void
on_look(void *ctx, uint32_t slot, const struct sftp_answer *a)
{
	struct host *h = ctx;
	struct slot *s = &h->get->slots[slot];
	const struct get_opts *o = &h->copy->get->opts;

	if (a->kind != SFTP_ATTRS || !(a->attrs.has & SFTP_HAS_MODE))
		host_refused(h, "looking at", s->item->path, a);
	if (h->failed) {
		release(s);
		return;
	}
	s->attrs = a->attrs;
	if (S_ISREG(a->attrs.mode) && s->item->pattern == NULL)
		get_file(h, s);
	else if (S_ISDIR(a->attrs.mode) && (o->recursive ||
	    s->item->pattern != NULL))
		get_dir(h, s);
	else if (S_ISLNK(a->attrs.mode)) {
		s->state = SLOT_LINK;
		sftp_readlink(h->sftp, s->item->path, on_link, slot);
	} else {
		/* A device or a pipe would have no end: only who names it
		 * is told. */
		if (s->item->depth == 0 || (s->item->root &&
		    S_ISDIR(a->attrs.mode)))
			host_fail(h, FANOUT_C_REMOTE, "%s: %s", s->item->path,
			    S_ISDIR(a->attrs.mode) ? "is a directory: -r "
			    "gets it" : "is not a file");
		release(s);
	}
}

static void
look(struct host *h, struct slot *s)
{
	s->state = SLOT_LOOK;
	h->get->busy++;
	sftp_stat(h->sftp, s->item->path, s->item->root, on_look,
	    (uint32_t)(s - h->get->slots));
}

enum go
at_get(struct host *h)
{
	struct get *g = h->get;
	unsigned i;

	if (g == NULL && begin(h) == -1)
		return host_goto(h, AT_LEAVE);
	g = h->get;
	for (i = 0; i < FILES; i++) {
		if (g->slots[i].state == SLOT_FETCH)
			fetch_more(&g->slots[i].fetch);
		if (g->slots[i].state != SLOT_FREE || g->first == NULL ||
		    h->failed || !host_may_ask(h))
			continue;
		g->slots[i].item = g->first;
		if ((g->first = g->first->next) == NULL)
			g->last = &g->first;
		look(h, &g->slots[i]);
	}
	if (g->busy > 0 || !host_settled(h) ||
	    (g->first != NULL && !h->failed))
		return GO_WAIT;
	return host_goto(h, AT_LEAVE);
}

/* ---- all hosts ---- */

static bool
leads_out(const char *path)
{
	const char *p;

	for (p = path; (p = strstr(p, "..")) != NULL; p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '/' ||
		    p[2] == '\0'))
			return true;
	return false;
}

int
get_open(struct get_all **out, char *const *paths, const char *dir,
    const struct get_opts *opts, struct fanout_error *e)
{
	struct get_all *all;
	size_t i;

	for (i = 0; paths[i] != NULL; i++) {
		if (*paths[i] == '\0')
			return cli_error(e, FANOUT_EINVAL,
			    "an empty file name");
		if (!opts->flat && leads_out(paths[i]))
			return cli_error(e, FANOUT_EINVAL, "%s: a path with "
			    ".. leads out of the folder of its host: name it "
			    "without, or add --flat", paths[i]);
	}
	if ((all = calloc(1, sizeof(*all))) == NULL)
		return cli_nomem(e);
	all->paths = paths;
	all->opts = *opts;
	if (opts->mkdir && mkdir(dir, 0777) == -1 && errno != EEXIST) {
		free(all);
		return cli_error(e, FANOUT_ESYS, "%s: %s", dir,
		    strerror(errno));
	}
	all->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (all->dir == -1) {
		free(all);
		return cli_error(e, FANOUT_ESYS, "%s: %s%s", dir,
		    strerror(errno), errno == ENOENT ?
		    " (--mkdir makes it)" : "");
	}
	*out = all;
	return 0;
}

void
get_close(struct get_all *all)
{
	if (all == NULL)
		return;
	close(all->dir);
	free(all);
}
