/*
 * send.c - what is missing or differs goes to the host: states MAKE_DIRS,
 * SEND, SUMS. Directories are made in their place; files, links and the lists
 * of digests in temporary folders.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy.h"

#define UPLOADS 64		/* files of a host under way at once */
#define LARGE (1024 * 1024)	/* such files one at a time */
#define LINE_MAX_BYTES (SHA256_LEN * 2 + 2)	/* of a digest, and blanks */

enum upload_state { UP_FREE, UP_OPENING, UP_SENDING, UP_CLOSING };

struct upload {
	enum upload_state state;
	uint32_t	 entry;		/* text: the directory it is for */
	bool		 reads;		/* the source is open for it */
	char		*text;		/* instead of a file's bytes */
	size_t		 text_len;
	struct sftp_handle handle;
	uint64_t	 off, size;
	unsigned	 unanswered;
};

/* ---- directories ---- */

/* Another host, with the same file system, may have made it. */
static void
on_dir_there(void *ctx, uint32_t i, const struct sftp_answer *a)
{
	struct host *h = ctx;
	char *path;

	h->todo[i] &= (unsigned char)~E_WAITS;
	if (a->kind == SFTP_ATTRS && S_ISDIR(a->attrs.mode))
		return;
	path = place_target(h, i);
	host_fail(h, FANOUT_C_REMOTE, "making %s: %s", path != NULL ? path :
	    "?", sftp_strerror(SFTP_FAILURE));
	free(path);
}

static void
on_dir(void *ctx, uint32_t i, const struct sftp_answer *a)
{
	struct host *h = ctx;
	char *path;

	h->todo[i] &= (unsigned char)~E_WAITS;
	if (a->kind == SFTP_STATUS && a->code == SFTP_OK) {
		h->todo[i] |= E_MADE;
		h->changed++;
		return;
	}
	if ((path = place_target(h, i)) == NULL)
		host_nomem(h);
	else if (a->kind == SFTP_STATUS && a->code == SFTP_FAILURE) {
		/* SFTP 3 says that also of what is there by now. */
		h->todo[i] |= E_WAITS;
		sftp_stat(h->sftp, path, false, on_dir_there, i);
	} else
		host_refused(h, "making", path, a);
	free(path);
}

/* A directory has to be there before one can be made in it. */
static bool
parent_waits(const struct host *h, const struct entry *en)
{
	return en->parent != NO_PARENT && (h->todo[en->parent] & E_WAITS);
}

enum go
at_make_dirs(struct host *h)
{
	const struct source *src = &h->load->source;
	const struct entry *en;
	char *path;

	for (; h->cursor < src->count && host_may_ask(h); h->cursor++) {
		en = &src->entries[h->cursor];
		if (en->kind != ENTRY_DIR || !(h->todo[h->cursor] & E_MISSING))
			continue;
		if (parent_waits(h, en))
			return GO_WAIT;
		if ((path = place_target(h, h->cursor)) == NULL) {
			host_nomem(h);
			return GO_ON;
		}
		h->todo[h->cursor] |= E_WAITS;
		sftp_mkdir(h->sftp, path, (en->mode & 0777) | 0700, on_dir,
		    h->cursor);
		free(path);
	}
	if (h->cursor < src->count || !host_settled(h))
		return GO_WAIT;
	return host_goto(h, AT_MAKE_TEMPS);
}

/* ---- uploads ---- */

void
uploads_free(struct host *h)
{
	unsigned i;

	for (i = 0; h->uploads != NULL && i < UPLOADS; i++) {
		if (h->uploads[i].reads)
			(void)source_close(&h->load->source,
			    h->uploads[i].entry);
		free(h->uploads[i].text);
	}
	free(h->uploads);
	h->uploads = NULL;
	h->open_uploads = 0;
	h->in_flight = 0;
}

static struct upload *
free_upload(struct host *h, unsigned *slot)
{
	if (h->uploads == NULL &&
	    (h->uploads = calloc(UPLOADS, sizeof(*h->uploads))) == NULL) {
		host_nomem(h);
		return NULL;
	}
	if (h->open_uploads == UPLOADS)
		return NULL;
	for (*slot = 0; h->uploads[*slot].state != UP_FREE; ++*slot)
		continue;
	return &h->uploads[*slot];
}

static void
fail_upload(struct host *h, const struct upload *u, const char *doing,
    const struct sftp_answer *a)
{
	char *path = u->text != NULL ? place_sums(h, u->entry) :
	    place_target(h, u->entry);

	host_refused(h, doing, path != NULL ? path : "?", a);
	free(path);
}

static void
fail_local(struct host *h, const struct upload *u)
{
	char *path = source_path(&h->load->source, u->entry);

	if (errno == ESTALE)
		host_fail(h, FANOUT_C_LOCAL, "%s: changed while it was "
		    "copied", path != NULL ? path : "?");
	else
		host_fail(h, FANOUT_C_LOCAL, "%s: %s",
		    path != NULL ? path : "?", strerror(errno));
	free(path);
}

static void
end_upload(struct host *h, struct upload *u)
{
	free(u->text);
	memset(u, 0, sizeof(*u));
	h->open_uploads--;
}

static void
on_close(void *ctx, uint32_t slot, const struct sftp_answer *a)
{
	struct host *h = ctx;
	struct upload *u = &h->uploads[slot];

	if (a->kind != SFTP_STATUS || a->code != SFTP_OK)
		fail_upload(h, u, "closing", a);
	end_upload(h, u);
}

/* Once all that was asked of it is answered. */
static void
close_when_sent(struct host *h, unsigned slot)
{
	struct upload *u = &h->uploads[slot];

	if (u->state != UP_SENDING || u->unanswered > 0 ||
	    (u->off < u->size && !h->failed))
		return;
	if (u->reads && source_close(&h->load->source, u->entry) == -1)
		fail_local(h, u);
	u->reads = false;
	u->state = UP_CLOSING;
	sftp_close(h->sftp, &u->handle, on_close, slot);
}

void
uploads_give_up(struct host *h)
{
	unsigned i;

	for (i = 0; h->uploads != NULL && i < UPLOADS; i++)
		close_when_sent(h, i);
}

static void
on_attrs(void *ctx, uint32_t slot, const struct sftp_answer *a)
{
	struct host *h = ctx;
	struct upload *u = &h->uploads[slot];

	u->unanswered--;
	if (a->kind != SFTP_STATUS || a->code != SFTP_OK)
		fail_upload(h, u, "setting the mode of", a);
	close_when_sent(h, slot);
}

/* An owner that cannot be kept is no failure: the login is not root. */
static void
on_owner(void *ctx, uint32_t slot, const struct sftp_answer *a)
{
	struct host *h = ctx;

	(void)a;
	h->uploads[slot].unanswered--;
	close_when_sent(h, slot);
}

static void
on_sync(void *ctx, uint32_t slot, const struct sftp_answer *a)
{
	struct host *h = ctx;
	struct upload *u = &h->uploads[slot];

	u->unanswered--;
	if (a->kind != SFTP_STATUS || a->code != SFTP_OK)
		fail_upload(h, u, "writing", a);
	close_when_sent(h, slot);
}

/* Modes and times that are not what the file came to have by itself. */
static void
set_attrs(struct host *h, unsigned slot)
{
	const struct upload *u = &h->uploads[slot];
	const struct entry *en = &h->load->source.entries[u->entry];
	const struct copy_opts *o = &h->copy->opts;
	const struct kept *k = h->kept != NULL ? &h->kept[u->entry] : NULL;
	struct sftp_attrs at = { .has = 0 };

	if (k != NULL && k->is) {
		at = (struct sftp_attrs){ .has = SFTP_HAS_OWNER,
		    .uid = k->uid, .gid = k->gid };
		h->uploads[slot].unanswered++;
		sftp_fsetstat(h->sftp, &u->handle, &at, on_owner, slot);
		at = (struct sftp_attrs){ .has = SFTP_HAS_MODE,
		    .mode = k->mode };
	}
	if (o->preserve) {
		at.has = SFTP_HAS_MODE | SFTP_HAS_TIMES;
		at.mode = en->mode;
		at.atime = at.mtime = (uint32_t)en->mtime.tv_sec;
	}
	if (o->mode != -1) {
		at.has |= SFTP_HAS_MODE;
		at.mode = (uint32_t)o->mode;
	}
	if (at.has == 0)
		return;
	h->uploads[slot].unanswered++;
	sftp_fsetstat(h->sftp, &u->handle, &at, on_attrs, slot);
}

/* All bytes are on their way: what else belongs to the file. */
static void
finish_upload(struct host *h, unsigned slot)
{
	struct upload *u = &h->uploads[slot];

	if (u->text == NULL) {
		set_attrs(h, slot);
		if (h->copy->sync_each &&
		    (sftp_extensions(h->sftp) & SFTP_X_FSYNC)) {
			u->unanswered++;
			sftp_fsync(h->sftp, &u->handle, on_sync, slot);
		}
	}
	close_when_sent(h, slot);
}

/* The slot is in the low bits, the bytes above: there are 64 slots. */
#define WRITE_TAG(slot, n) ((uint32_t)(n) << 6 | (slot))

static void
on_write(void *ctx, uint32_t tag, const struct sftp_answer *a)
{
	struct host *h = ctx;
	unsigned slot = tag % UPLOADS;
	struct upload *u = &h->uploads[slot];

	u->unanswered--;
	h->in_flight -= tag >> 6;
	if (a->kind != SFTP_STATUS || a->code != SFTP_OK)
		fail_upload(h, u, "writing", a);
	else if (u->text == NULL) {
		h->sent += tag >> 6;
		h->copy->sent += tag >> 6;
	}
	close_when_sent(h, slot);
}

/* The next piece of a file. False: nothing more can be sent of it now. */
static bool
send_piece(struct host *h, unsigned slot)
{
	struct upload *u = &h->uploads[slot];
	uint32_t n;
	void *room;

	if (u->state != UP_SENDING || u->off == u->size || h->failed ||
	    !host_may_ask(h))
		return false;
	n = u->size - u->off < SFTP_DATA_MAX ? (uint32_t)(u->size - u->off) :
	    SFTP_DATA_MAX;
	if (h->in_flight > 0 && h->in_flight + n > h->copy->may_fly)
		return false;
	u->unanswered++;
	room = sftp_write(h->sftp, &u->handle, u->off, n, on_write,
	    WRITE_TAG(slot, n));
	if (room == NULL) {
		host_nomem(h);
		return false;
	}
	h->in_flight += n;
	if (u->text != NULL)
		memcpy(room, u->text + u->off, n);
	else if (source_read(&h->load->source, u->entry, (off_t)u->off, room,
	    n) == -1) {
		memset(room, 0, n);	/* it goes to a file that will not stay */
		fail_local(h, u);
	}
	u->off += n;
	if (u->off == u->size)
		finish_upload(h, slot);
	return true;
}

static void
on_open(void *ctx, uint32_t slot, const struct sftp_answer *a)
{
	struct host *h = ctx;
	struct upload *u = &h->uploads[slot];

	if (a->kind != SFTP_HANDLE) {
		fail_upload(h, u, "making", a);
		if (u->reads)
			(void)source_close(&h->load->source, u->entry);
		end_upload(h, u);
		return;
	}
	u->handle = *a->handle;
	u->state = UP_SENDING;
	if (u->text == NULL)
		h->todo[u->entry] |= E_MADE;
	if (u->size == 0 || h->failed)
		finish_upload(h, slot);
}

static void
open_upload(struct host *h, unsigned slot, char *path, uint32_t mode)
{
	const struct sftp_attrs at = { .has = SFTP_HAS_MODE, .mode = mode };

	if (path == NULL) {
		host_nomem(h);
		return;
	}
	h->uploads[slot].state = UP_OPENING;
	h->open_uploads++;
	/* A list may be made anew, when another way is taken after all. */
	sftp_open(h->sftp, path, SFTP_WRITE | SFTP_CREATE |
	    (h->uploads[slot].text != NULL ? SFTP_TRUNCATE : SFTP_EXCLUSIVE),
	    &at, on_open, slot);
	free(path);
}

static void
begin_file(struct host *h, uint32_t i, struct upload *u, unsigned slot)
{
	const struct entry *en = &h->load->source.entries[i];

	u->entry = i;
	u->size = (uint64_t)en->size;
	if (source_open(&h->load->source, i) == -1) {
		fail_local(h, u);
		return;
	}
	u->reads = true;
	open_upload(h, slot, place_temp(h, i), (en->mode & 0777) | 0600);
}

/* ---- links ---- */

/* A time that cannot be set is no failure: some file systems have none. */
static void
on_link_time(void *ctx, uint32_t i, const struct sftp_answer *a)
{
	(void)ctx;
	(void)i;
	(void)a;
}

static void
set_link_time(struct host *h, uint32_t i)
{
	const struct entry *en = &h->load->source.entries[i];
	struct sftp_attrs at = { .has = SFTP_HAS_TIMES };
	char *path;

	if (en->kind != ENTRY_LINK || !h->copy->opts.preserve ||
	    !(sftp_extensions(h->sftp) & SFTP_X_LSETSTAT) ||
	    (path = place_temp(h, i)) == NULL)
		return;
	at.atime = at.mtime = (uint32_t)en->mtime.tv_sec;
	sftp_lsetstat(h->sftp, path, &at, on_link_time, i);
	free(path);
}

static void
on_made(void *ctx, uint32_t i, const struct sftp_answer *a)
{
	struct host *h = ctx;
	char *path;

	if (a->kind == SFTP_STATUS && a->code == SFTP_OK) {
		h->todo[i] |= E_MADE;
		set_link_time(h, i);
		return;
	}
	path = place_target(h, i);
	host_refused(h, "making the link", path != NULL ? path : "?", a);
	free(path);
}

static void
make_link(struct host *h, uint32_t i)
{
	const struct entry *en = &h->load->source.entries[i];
	char *path = place_temp(h, i), *old = NULL;

	if (path != NULL && en->kind == ENTRY_LINK)
		sftp_symlink(h->sftp, path, en->link, on_made, i);
	else if (path != NULL && (old = place_temp(h, en->first)) != NULL)
		sftp_hardlink(h->sftp, old, path, on_made, i);
	else
		host_nomem(h);
	free(old);
	free(path);
}

/* ---- SEND ---- */

static bool
is_large(const struct upload *u)
{
	return u->size > LARGE;
}

static bool
has_large(const struct host *h)
{
	unsigned i;

	for (i = 0; h->uploads != NULL && h->open_uploads > 0 && i < UPLOADS;
	    i++)
		if (h->uploads[i].state != UP_FREE && is_large(&h->uploads[i]))
			return true;
	return false;
}

/* Begin with the entry under the cursor. False: not now. */
static bool
begin_entry(struct host *h)
{
	const struct entry *en = &h->load->source.entries[h->cursor];
	struct upload *u;
	unsigned slot;

	if ((h->todo[h->cursor] & (E_SEND | E_MADE)) != E_SEND ||
	    en->kind == ENTRY_DIR || large_is(h, h->cursor) ||
	    (h->by_archive && archive_has(h->load, h->cursor)))
		return true;
	switch (en->kind) {
	case ENTRY_FILE:
		if (has_large(h) || (u = free_upload(h, &slot)) == NULL)
			return false;
		begin_file(h, h->cursor, u, slot);
		return true;
	case ENTRY_HARD:
		/* The file must have been made. */
		if (!(h->todo[en->first] & E_MADE))
			return false;
		/* fall through */
	default:
		make_link(h, h->cursor);
		return true;
	}
}

static void
send_pieces(struct host *h)
{
	unsigned slot;

	for (slot = 0; h->uploads != NULL && slot < UPLOADS; slot++)
		while (send_piece(h, slot))
			continue;
}

enum go
at_send(struct host *h)
{
	const struct source *src = &h->load->source;

	if (h->cursor == 0 && h->open_uploads == 0)
		h->by_archive = archive_serves(h);
	if (h->open_uploads > 0)
		send_pieces(h);
	while (h->cursor < src->count && host_may_ask(h) && !h->failed &&
	    begin_entry(h))
		h->cursor++;
	if (h->cursor < src->count || h->open_uploads > 0 || !host_settled(h))
		return GO_WAIT;
	return host_goto(h, AT_SUMS);
}

/* ---- SUMS: for each temporary folder the digests of its files ---- */

struct text {
	char	*bytes;
	size_t	 len, size;
};

static int
add(struct text *t, const char *bytes, size_t len)
{
	size_t size = t->size;
	char *p;

	if (t->len + len > size) {
		while (t->len + len > size)
			size = size == 0 ? 512 : size * 2;
		if ((p = realloc(t->bytes, size)) == NULL)
			return -1;
		t->bytes = p;
		t->size = size;
	}
	memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
	return 0;
}

/* As sha256sum(1) writes a name: a backslash in front says that some within
 * stand for other bytes. */
static int
add_name(struct text *t, const char *name)
{
	for (; *name != '\0'; name++) {
		const char *escaped = *name == '\\' ? "\\\\" :
		    *name == '\n' ? "\\n" : *name == '\r' ? "\\r" : NULL;

		if (escaped != NULL ? add(t, escaped, 2) == -1 :
		    add(t, name, 1) == -1)
			return -1;
	}
	return add(t, "\n", 1);
}

static int
add_line(struct text *t, const unsigned char *sum, const char *name)
{
	static const char hex[] = "0123456789abcdef";
	char line[LINE_MAX_BYTES];
	size_t i;

	for (i = 0; i < SHA256_LEN; i++) {
		line[2 * i] = hex[sum[i] >> 4];
		line[2 * i + 1] = hex[sum[i] & 15];
	}
	memset(line + 2 * SHA256_LEN, ' ', 2);
	if (strpbrk(name, "\\\n\r") != NULL && add(t, "\\", 1) == -1)
		return -1;
	return add(t, line, sizeof(line)) == -1 || add(t, "./", 2) == -1 ||
	    add_name(t, name) == -1 ? -1 : 0;
}

/* Is an entry one of those of a directory's list? */
static bool
is_listed(const struct host *h, uint32_t i, uint32_t dir)
{
	const struct entry *en = &h->load->source.entries[i];

	return en->parent == dir && en->kind == ENTRY_FILE &&
	    (h->todo[i] & E_SEND) && !large_is(h, i);
}

/* Beginning with the first entry that can be in it. */
static int
list_sums(struct host *h, uint32_t dir, struct text *t)
{
	struct source *src = &h->load->source;
	uint32_t i = dir == NO_PARENT ? 0 : dir + 1;
	struct upload u = { .state = UP_FREE };

	for (; i < src->count; i++) {
		/* A directory's files stand behind it, in one run. */
		if (dir != NO_PARENT && src->entries[i].parent != dir)
			break;
		if (!is_listed(h, i, dir))
			continue;
		u.entry = i;
		if (source_sum(src, i) == -1) {
			fail_local(h, &u);
			return -1;
		}
		if (add_line(t, src->entries[i].sum, dir == NO_PARENT &&
		    h->as_name != NULL ? h->as_name :
		    src->entries[i].name) == -1) {
			host_nomem(h);
			return -1;
		}
	}
	return 0;
}

static bool
begin_sums(struct host *h, uint32_t dir)
{
	struct text t = { NULL, 0, 0 };
	struct upload *u;
	unsigned slot;

	if (!fellow_has_temp(h, dir))
		return true;
	if ((u = free_upload(h, &slot)) == NULL)
		return h->failed;
	if (list_sums(h, dir, &t) == -1 || t.len == 0) {
		free(t.bytes);
		return true;
	}
	u->entry = dir;
	u->text = t.bytes;
	u->text_len = t.len;
	u->size = t.len;
	open_upload(h, slot, place_sums(h, dir), 0600);
	return true;
}

/* False: it is being made, or it failed: then so has the host. */
static bool
archive_is_there(struct host *h)
{
	const struct archive *a = &h->load->archive;

	if (a->state == ARCHIVE_READY)
		return true;
	if (a->state == ARCHIVE_FAILED && a->no_room) {
		h->by_archive = false;
		host_goto(h, AT_SEND);
	} else if (a->state == ARCHIVE_FAILED)
		host_fail(h, FANOUT_C_LOCAL, "%s", a->why);
	return false;
}

/* The cursor is one ahead: first the base, then the directories. */
enum go
at_sums(struct host *h)
{
	const struct source *src = &h->load->source;

	if (h->by_sftp)
		return host_goto(h, AT_VERIFY);
	/* Its making computes the digests, too. */
	if (h->by_archive && !archive_is_there(h))
		return h->by_archive && !h->failed ? GO_WAIT : GO_ON;
	if (h->open_uploads > 0)
		send_pieces(h);
	for (; h->cursor <= src->count && host_may_ask(h) && !h->failed;
	    h->cursor++)
		if (h->cursor == 0 ? !begin_sums(h, NO_PARENT) :
		    src->entries[h->cursor - 1].kind == ENTRY_DIR &&
		    !begin_sums(h, h->cursor - 1))
			break;
	if (h->cursor <= src->count || h->open_uploads > 0 || !host_settled(h))
		return GO_WAIT;
	return host_goto(h, AT_FIX);
}
