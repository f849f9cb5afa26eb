/*
 * look.c - what is at the destination: states DEST, MAKE_DEST, LOOK.
 */
#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "copy.h"

/* ---- DEST: the place ---- */

static char *
dup_len(const char *s, size_t len)
{
	return strndup(s, len);
}

/* dest is a directory, and the roots go into it. */
static void
go_into(struct host *h)
{
	h->base = strdup(h->dest);
	if (h->base == NULL)
		host_nomem(h);
}

/* dest is the name itself: its directory, and the last part. */
static void
go_as(struct host *h)
{
	const char *dest = h->dest, *slash;
	size_t len = strlen(dest), dir;

	while (len > 1 && dest[len - 1] == '/')
		len--;
	for (slash = dest + len; slash > dest && slash[-1] != '/';)
		slash--;
	dir = (size_t)(slash - dest);
	h->as_name = dup_len(slash, len - dir);
	while (dir > 1 && dest[dir - 1] == '/')
		dir--;
	h->base = dup_len(dest, dir);
	if (h->base == NULL || h->as_name == NULL)
		host_nomem(h);
}

static bool
is_dir(const struct sftp_answer *a)
{
	return a->kind == SFTP_ATTRS && (a->attrs.has & SFTP_HAS_MODE) &&
	    S_ISDIR(a->attrs.mode);
}

/* Nothing is there: may the roots be put there under its name? */
static void
dest_missing(struct host *h)
{
	const struct copy *c = h->copy;
	const struct source *src = &h->load->source;
	const struct entry *root = &src->entries[0];

	if (c->opts.mkdir) {
		if (!c->opts.into && src->roots == 1 &&
		    (c->opts.as_is || root->kind != ENTRY_DIR))
			go_as(h);
		else
			go_into(h);
		host_goto(h, AT_MAKE_DEST);
		return;
	}
	if (c->opts.into || src->roots > 1)
		host_fail(h, FANOUT_C_REMOTE, "%s: no such directory "
		    "(--mkdir makes it)", h->dest);
	else if (root->kind == ENTRY_DIR && !c->opts.as_is)
		host_fail(h, FANOUT_C_REMOTE, "%s: no such directory "
		    "(--mkdir makes it and copies into it, -T copies %s "
		    "under that name)", h->dest, root->path);
	else {
		go_as(h);
		host_goto(h, AT_LOOK);
	}
}

void
look_dest(void *ctx, uint32_t tag, const struct sftp_answer *a)
{
	struct host *h = ctx;
	const struct copy_opts *o = &h->copy->opts;

	(void)tag;
	if (a->kind == SFTP_STATUS && a->code == SFTP_NO_SUCH_FILE)
		dest_missing(h);
	else if (a->kind != SFTP_ATTRS)
		host_refused(h, "looking at", h->dest, a);
	else if (is_dir(a) && !o->as_is) {
		go_into(h);
		host_goto(h, AT_LOOK);
	} else if (o->into || h->load->source.roots > 1)
		host_fail(h, FANOUT_C_REMOTE, "%s: not a directory", h->dest);
	else {
		go_as(h);
		host_goto(h, AT_LOOK);
	}
}

enum go
at_dest(struct host *h)
{
	if (h->cursor == 0) {
		h->cursor = 1;
		sftp_stat(h->sftp, h->dest, true, look_dest, 0);
	}
	return GO_WAIT;
}

/* ---- MAKE_DEST: each directory on the way to the base ---- */

static void
on_made(void *ctx, uint32_t tag, const struct sftp_answer *a)
{
	struct host *h = ctx;

	(void)tag;
	/* Most are there already: what counts is the look that follows. */
	if (a->kind == SFTP_STATUS && a->code == SFTP_PERMISSION_DENIED)
		host_refused(h, "making", h->base, a);
}

static void
on_dest_again(void *ctx, uint32_t tag, const struct sftp_answer *a)
{
	struct host *h = ctx;

	(void)tag;
	if (is_dir(a)) {
		h->changed++;
		host_goto(h, AT_LOOK);
	} else if (a->kind == SFTP_ATTRS)
		host_fail(h, FANOUT_C_REMOTE, "%s: not a directory", h->base);
	else
		host_refused(h, "making", h->base, a);
}

enum go
at_make_dest(struct host *h)
{
	const char *base = h->base;
	char *part;

	if (!host_settled(h))
		return GO_WAIT;
	if (h->copy->opts.dry_run || *base == '\0') {
		h->changed += *base != '\0';
		return host_goto(h, AT_LOOK);
	}
	while (base[h->part] == '/')
		h->part++;
	if (base[h->part] == '\0') {
		sftp_stat(h->sftp, base, true, on_dest_again, 0);
		return GO_WAIT;
	}
	h->part += (unsigned)strcspn(base + h->part, "/");
	if ((part = dup_len(base, h->part)) == NULL) {
		host_nomem(h);
		return GO_ON;
	}
	sftp_mkdir(h->sftp, part, 0777, on_made, 0);
	free(part);
	return GO_WAIT;
}

/* ---- LOOK: each entry ---- */

static bool
parent_missing(const struct host *h, uint32_t i)
{
	uint32_t parent = h->load->source.entries[i].parent;

	return parent != NO_PARENT && (h->todo[parent] & E_MISSING);
}

static const char *
type_name(uint32_t mode)
{
	return S_ISDIR(mode) ? "a directory" : S_ISREG(mode) ? "a file" :
	    S_ISLNK(mode) ? "a symbolic link" : "a device, socket or pipe";
}

static void
fail_type(struct host *h, uint32_t i, uint32_t mode, const char *what)
{
	char *path = place_target(h, i);

	host_fail(h, FANOUT_C_REMOTE, "%s: is %s there, and will not be "
	    "replaced by %s", path != NULL ? path : "?", type_name(mode),
	    what);
	free(path);
}

/* What is replaced keeps its owner and mode, unless others are wanted. */
static void
keep(struct host *h, uint32_t i, const struct sftp_attrs *at)
{
	if (h->kept == NULL && (h->kept = calloc(h->load->source.count,
	    sizeof(*h->kept))) == NULL) {
		host_nomem(h);
		return;
	}
	h->kept[i] = (struct kept){ at->uid, at->gid, at->mode & 07777,
	    (at->has & SFTP_HAS_OWNER) != 0 };
}

static bool
mode_differs(const struct host *h, const struct entry *en,
    const struct sftp_attrs *at)
{
	const struct copy_opts *o = &h->copy->opts;
	mode_t mode = at->mode & 07777;

	if (o->mode != -1 && en->kind == ENTRY_FILE)
		return mode != (mode_t)o->mode;
	if (!o->preserve)
		return false;
	return mode != en->mode || (en->kind == ENTRY_FILE &&
	    (int64_t)at->mtime != (int64_t)(uint32_t)en->mtime.tv_sec);
}

/* The entry that has the bytes. */
static const struct entry *
file_of(const struct host *h, const struct entry *en)
{
	return en->kind == ENTRY_HARD ?
	    &h->load->source.entries[en->first] : en;
}

static void
look_at_file(struct host *h, uint32_t i, const struct sftp_attrs *at)
{
	const struct copy_opts *o = &h->copy->opts;
	const struct entry *en = &h->load->source.entries[i];

	if (S_ISDIR(at->mode) || (!S_ISREG(at->mode) && !S_ISLNK(at->mode))) {
		fail_type(h, i, at->mode, "a file");
		return;
	}
	if (o->no_clobber || (o->update &&
	    (int64_t)at->mtime > (int64_t)en->mtime.tv_sec))
		return;
	if (S_ISREG(at->mode)) {
		keep(h, i, at);
		if (o->check || at->size == (uint64_t)file_of(h, en)->size)
			h->todo[i] |= E_CHECK;
		if (mode_differs(h, en, at))
			h->todo[i] |= E_FIX;
	}
	if (!(h->todo[i] & E_CHECK))
		h->todo[i] |= E_SEND;
}

static void
on_link(void *ctx, uint32_t i, const struct sftp_answer *a)
{
	struct host *h = ctx;
	const char *want = h->load->source.entries[i].link, *name;
	struct sftp_attrs at;
	size_t off = 0, len;

	if (a->kind != SFTP_NAMES ||
	    sftp_name(a, &off, &name, &len, &at) != 1 ||
	    len != strlen(want) || memcmp(name, want, len) != 0)
		h->todo[i] = (unsigned char)((h->todo[i] | E_SEND) & ~E_FIX);
}

/* Where it can be set. */
static bool
link_time_differs(const struct host *h, const struct entry *en,
    const struct sftp_attrs *at)
{
	return h->copy->opts.preserve && h->sftp != NULL &&
	    (sftp_extensions(h->sftp) & SFTP_X_LSETSTAT) &&
	    (int64_t)at->mtime != (int64_t)(uint32_t)en->mtime.tv_sec;
}

static void
look_at_link(struct host *h, uint32_t i, const struct sftp_attrs *at)
{
	char *path;

	if (!S_ISLNK(at->mode) && !S_ISREG(at->mode))
		fail_type(h, i, at->mode, "a symbolic link");
	else if (h->copy->opts.no_clobber)
		return;
	else if (S_ISREG(at->mode))
		h->todo[i] |= E_SEND;
	else if ((path = place_target(h, i)) == NULL)
		host_nomem(h);
	else {
		if (link_time_differs(h, &h->load->source.entries[i], at))
			h->todo[i] |= E_FIX;
		sftp_readlink(h->sftp, path, on_link, i);
		free(path);
	}
}

static void
look_at(struct host *h, uint32_t i, const struct sftp_attrs *at)
{
	const struct entry *en = &h->load->source.entries[i];

	if (!(at->has & SFTP_HAS_MODE)) {
		host_fail(h, FANOUT_C_REMOTE, "the server does not tell what "
		    "kind of file there is");
		return;
	}
	switch (en->kind) {
	case ENTRY_DIR:
		if (!S_ISDIR(at->mode))
			fail_type(h, i, at->mode, "a directory");
		else if (mode_differs(h, en, at))
			h->todo[i] |= E_FIX;
		break;
	case ENTRY_LINK:
		look_at_link(h, i, at);
		break;
	default:
		look_at_file(h, i, at);
	}
}

void
look_entry(void *ctx, uint32_t i, const struct sftp_answer *a)
{
	struct host *h = ctx;
	char *path;

	if (h->failed)
		return;
	if (a->kind == SFTP_ATTRS)
		look_at(h, i, &a->attrs);
	else if (a->kind == SFTP_STATUS && a->code == SFTP_NO_SUCH_FILE)
		h->todo[i] |= E_MISSING | E_SEND;
	else {
		path = place_target(h, i);
		host_refused(h, "looking at", path != NULL ? path : "?", a);
		free(path);
	}
}

/* A file's further names go where the file goes. */
void
look_join_links(struct host *h)
{
	const struct source *src = &h->load->source;
	uint32_t i, first;

	for (i = 0; i < src->count; i++) {
		if (src->entries[i].kind != ENTRY_HARD)
			continue;
		first = src->entries[i].first;
		/* One of them is new: all are made anew, to be one file. */
		if (((h->todo[i] | h->todo[first]) & E_SEND) == 0)
			continue;
		h->todo[i] = (unsigned char)((h->todo[i] | E_SEND) & ~E_CHECK);
		h->todo[first] = (unsigned char)((h->todo[first] | E_SEND) &
		    ~E_CHECK);
	}
}

enum go
at_look(struct host *h)
{
	const struct source *src = &h->load->source;
	char *path;

	for (; h->cursor < src->count && host_may_ask(h); h->cursor++) {
		if (parent_missing(h, h->cursor)) {
			h->todo[h->cursor] |= E_MISSING | E_SEND;
			continue;
		}
		if ((path = place_target(h, h->cursor)) == NULL) {
			host_nomem(h);
			return GO_ON;
		}
		sftp_stat(h->sftp, path, false, look_entry, h->cursor);
		free(path);
	}
	if (h->cursor < src->count || !host_settled(h))
		return GO_WAIT;
	look_join_links(h);
	return host_goto(h, AT_LIST);
}
