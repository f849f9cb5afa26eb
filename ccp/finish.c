/*
 * finish.c - the last things of an SFTP session: states RENAME (where no
 * command can do it), FIX, DIRS, CLEAN.
 */
#include <stdlib.h>

#include "copy.h"

/* What comes of cleaning up cannot be helped, and is seen otherwise. */
static void
ignore(void *ctx, uint32_t i, const struct sftp_answer *a)
{
	(void)ctx;
	(void)i;
	(void)a;
}

/* Is there a temporary file for it, or could there be? */
static bool
has_file(const struct host *h, uint32_t i)
{
	const struct entry *en = &h->load->source.entries[i];

	return en->kind != ENTRY_DIR && (h->todo[i] & E_SEND) &&
	    fellow_has_temp(h, en->parent);
}

/* A request for a path that is freed here. */
static void
with(struct host *h, char *path, void (*ask)(struct sftp *, const char *,
    sftp_fn, uint32_t), sftp_fn fn, uint32_t tag)
{
	if (path == NULL)
		host_nomem(h);
	else
		ask(h->sftp, path, fn, tag);
	free(path);
}

/* The folders themselves; the cursor is one ahead, first comes the base. */
bool
temps_removed(struct host *h)
{
	const struct source *src = &h->load->source;
	uint32_t dir;

	for (; h->cursor <= src->count && host_may_ask(h); h->cursor++) {
		dir = h->cursor == 0 ? NO_PARENT : h->cursor - 1;
		if (fellow_has_temp(h, dir))
			with(h, place_temp_dir(h, dir), sftp_rmdir, ignore, 0);
	}
	return h->cursor > src->count && host_settled(h);
}

/* The lists of digests, if there are any. */
static bool
remove_sums(struct host *h)
{
	const struct source *src = &h->load->source;
	uint32_t dir;

	for (; h->cursor <= src->count && host_may_ask(h); h->cursor++) {
		dir = h->cursor == 0 ? NO_PARENT : h->cursor - 1;
		if (fellow_has_temp(h, dir))
			with(h, place_sums(h, dir), sftp_remove, ignore, 0);
	}
	return h->cursor > src->count && host_settled(h);
}

/* ---- RENAME ---- */

static void
on_renamed(void *ctx, uint32_t i, const struct sftp_answer *a)
{
	struct host *h = ctx;
	char *path;

	if (a->kind == SFTP_STATUS && a->code == SFTP_OK) {
		h->todo[i] &= (unsigned char)~(E_SEND | E_MADE);
		h->changed++;
		return;
	}
	path = place_target(h, i);
	host_refused(h, "replacing", path != NULL ? path : "?", a);
	free(path);
}

static void
rename_one(struct host *h, uint32_t i)
{
	char *from = place_temp(h, i), *to = place_target(h, i);

	if (from == NULL || to == NULL)
		host_nomem(h);
	else {
		/* Not in one step, where the server has no such thing. */
		if (!(sftp_extensions(h->sftp) & SFTP_X_POSIX_RENAME) &&
		    !(h->todo[i] & E_MISSING))
			sftp_remove(h->sftp, to, ignore, 0);
		sftp_rename(h->sftp, from, to, on_renamed, i);
	}
	free(from);
	free(to);
}

enum go
at_rename(struct host *h)
{
	const struct source *src = &h->load->source;

	if (h->pass == 0) {
		for (; h->cursor < src->count && host_may_ask(h) && !h->failed;
		    h->cursor++)
			if (has_file(h, h->cursor))
				rename_one(h, h->cursor);
		if (h->cursor < src->count || !host_settled(h))
			return GO_WAIT;
		h->pass = 1;
		h->cursor = 0;
	}
	if (h->pass == 1) {
		if (!remove_sums(h))
			return GO_WAIT;
		h->pass = 2;
		h->cursor = 0;
	}
	if (!temps_removed(h))
		return GO_WAIT;
	fellow_release(h);
	return host_goto(h, AT_FIX);
}

/* ---- FIX: modes and times of what need not be sent; DIRS ---- */

static void
on_fixed(void *ctx, uint32_t i, const struct sftp_answer *a)
{
	struct host *h = ctx;
	char *path;

	if (a->kind == SFTP_STATUS && a->code == SFTP_OK) {
		h->changed += (h->todo[i] & E_FIX) != 0;
		return;
	}
	path = place_target(h, i);
	host_refused(h, "setting the mode of", path != NULL ? path : "?", a);
	free(path);
}

static void
fix(struct host *h, uint32_t i)
{
	const struct copy_opts *o = &h->copy->opts;
	const struct entry *en = &h->load->source.entries[i];
	struct sftp_attrs at = { .has = SFTP_HAS_MODE, .mode = en->mode };
	char *path = place_target(h, i);

	if (o->mode != -1 && en->kind == ENTRY_FILE)
		at.mode = (uint32_t)o->mode;
	if (o->preserve) {
		at.has |= SFTP_HAS_TIMES;
		at.atime = at.mtime = (uint32_t)en->mtime.tv_sec;
	}
	if (en->kind == ENTRY_LINK)
		at.has = SFTP_HAS_TIMES;
	if (path == NULL)
		host_nomem(h);
	else if (en->kind == ENTRY_LINK)
		sftp_lsetstat(h->sftp, path, &at, on_fixed, i);
	else
		sftp_setstat(h->sftp, path, &at, on_fixed, i);
	free(path);
}

enum go
at_fix(struct host *h)
{
	const struct source *src = &h->load->source;

	for (; h->cursor < src->count && host_may_ask(h); h->cursor++)
		if ((src->entries[h->cursor].kind == ENTRY_FILE ||
		    src->entries[h->cursor].kind == ENTRY_LINK) &&
		    (h->todo[h->cursor] & (E_FIX | E_SEND)) == E_FIX)
			fix(h, h->cursor);
	if (h->cursor < src->count || !host_settled(h))
		return GO_WAIT;
	return host_goto(h, h->by_sftp ? AT_DELETE : AT_LEAVE);
}

/* The last first: what is done within a directory changes its time. */
enum go
at_dirs(struct host *h)
{
	const struct source *src = &h->load->source;
	uint32_t i;

	for (; h->copy->opts.preserve && h->cursor < src->count &&
	    host_may_ask(h); h->cursor++) {
		i = (uint32_t)src->count - 1 - h->cursor;
		if (src->entries[i].kind == ENTRY_DIR &&
		    (h->todo[i] & (E_FIX | E_MISSING | E_MADE | E_HAD)))
			fix(h, i);
	}
	if ((h->copy->opts.preserve && h->cursor < src->count) ||
	    !host_settled(h))
		return GO_WAIT;
	return host_goto(h, AT_LEAVE);
}

/* ---- CLEAN: it failed, nothing of ours stays ---- */

static bool
remove_files(struct host *h)
{
	const struct source *src = &h->load->source;

	for (; h->cursor < src->count && host_may_ask(h); h->cursor++)
		if (has_file(h, h->cursor))
			with(h, place_temp(h, h->cursor), sftp_remove, ignore,
			    0);
	return h->cursor == src->count && host_settled(h);
}

/* Directories that we made, if nothing is in them: the last first. */
static bool
remove_dirs(struct host *h)
{
	const struct source *src = &h->load->source;
	uint32_t i;

	for (; h->cursor < src->count && host_may_ask(h); h->cursor++) {
		i = (uint32_t)src->count - 1 - h->cursor;
		if (src->entries[i].kind == ENTRY_DIR &&
		    (h->todo[i] & E_MADE))
			with(h, place_target(h, i), sftp_rmdir, ignore, 0);
	}
	return h->cursor == src->count && host_settled(h);
}

enum go
at_clean(struct host *h)
{
	static bool (*const passes[])(struct host *) = {
		remove_files, remove_sums, temps_removed, remove_dirs
	};

	if (h->pass == 0)
		uploads_give_up(h);
	if (h->open_uploads > 0 || (h->pass == 0 && h->cursor == 0 &&
	    !host_settled(h)))
		return GO_WAIT;
	for (; h->pass < sizeof(passes) / sizeof(passes[0]); h->pass++) {
		if (!passes[h->pass](h))
			return GO_WAIT;
		h->cursor = 0;
	}
	return host_goto(h, AT_LEAVE);
}
