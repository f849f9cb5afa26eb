#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "copy.h"

#define FILES_MIN 64		/* for fewer it is not worth it */
#define BYTES_MAX ((uint64_t)1 << 30)	/* on disk here */
#define BUFFER (512 * 1024)
#define SLICE_FILES 200
#define SLICE_BYTES (4 * 1024 * 1024)

bool
archive_has(const struct load *l, uint32_t i)
{
	const struct entry *en = &l->source.entries[i];

	return en->kind != ENTRY_DIR &&
	    (en->kind != ENTRY_FILE || en->size < LARGE_MIN || en->linked);
}

static bool
worth_it(const struct load *l)
{
	uint64_t bytes = 0;
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < l->source.count; i++)
		if (archive_has(l, i)) {
			n++;
			bytes += (uint64_t)l->source.entries[i].size + 1024;
		}
	return n >= FILES_MIN && bytes <= BYTES_MAX;
}

static bool
has_nothing(const struct host *h)
{
	uint32_t i;

	for (i = 0; i < h->load->source.count; i++)
		if (archive_has(h->load, i) && !(h->todo[i] & E_MISSING))
			return false;
	return true;
}

static bool
same_name(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
archive_serves(struct host *h)
{
	struct archive *a = &h->load->archive;

	if (h->by_sftp || h->no_archive || h->own_temps || a->no_room ||
	    !has_nothing(h))
		return false;
	if (a->state != ARCHIVE_NONE)
		return same_name(a->as_name, h->as_name);
	if (!worth_it(h->load))
		return false;
	if ((h->as_name != NULL && (a->as_name = strdup(h->as_name)) ==
	    NULL) || (a->buf = malloc(BUFFER)) == NULL) {
		host_nomem(h);
		return false;
	}
	a->file = (struct cli_spill)CLI_SPILL_INIT;
	a->state = ARCHIVE_MAKING;
	a->maker = h;
	copy_work_on(h->copy, h->load);
	return true;
}

/* ---- tar (POSIX.1-1988 ustar; long names as GNU tar has them) ---- */

#define BLOCK 512

static int
flush(struct archive *a)
{
	off_t where;
	size_t len = a->len;

	a->len = 0;
	if (len == 0 || cli_spill_add(&a->file, a->buf, len, &where) == 0)
		return 0;
	a->no_room = true;
	return -1;
}

/* Room for so many bytes, rounded up to whole blocks of zeros. */
static unsigned char *
room(struct archive *a, size_t n)
{
	unsigned char *p;

	n = (n + BLOCK - 1) / BLOCK * BLOCK;
	if (a->len + n > BUFFER && flush(a) == -1)
		return NULL;
	p = a->buf + a->len;
	memset(p, 0, n);
	a->len += n;
	return p;
}

static int
put_header(struct archive *a, const char *name, const char *link, char type,
    mode_t mode, off_t size, time_t mtime)
{
	unsigned char *h = room(a, BLOCK);
	unsigned sum = 0, i;

	if (h == NULL)
		return -1;
	(void)memccpy(h, name, '\0', 100);
	snprintf((char *)h + 100, 8, "%07o", (unsigned)mode);
	snprintf((char *)h + 108, 8, "%07o", 0);
	snprintf((char *)h + 116, 8, "%07o", 0);
	snprintf((char *)h + 124, 12, "%011llo", (unsigned long long)size);
	snprintf((char *)h + 136, 12, "%011llo",
	    mtime < 0 ? 0ULL : (unsigned long long)mtime & 077777777777ULL);
	memset(h + 148, ' ', 8);
	h[156] = (unsigned char)type;
	(void)memccpy(h + 157, link, '\0', 100);
	memcpy(h + 257, "ustar  ", 8);
	for (i = 0; i < BLOCK; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
	return 0;
}

static int
put_long(struct archive *a, char type, const char *text)
{
	size_t n = strlen(text);
	unsigned char *p;

	if (n <= 100)
		return 0;
	if (put_header(a, "././@LongLink", "", type, 0, (off_t)n + 1, 0) ==
	    -1 || (p = room(a, n + 1)) == NULL)
		return -1;
	memcpy(p, text, n);
	return 0;
}

static int
put_entry(struct archive *a, const char *name, const char *link, char type,
    mode_t mode, off_t size, time_t mtime)
{
	return put_long(a, 'L', name) == -1 || put_long(a, 'K', link) == -1 ?
	    -1 : put_header(a, name, link, type, mode, size, mtime);
}

/* ---- making it ---- */

/* A path of the host within its base. */
static char *
within(const struct host *h, char *path)
{
	size_t skip = strlen(h->base);
	char *rest;

	if (path == NULL)
		return NULL;
	if (skip > 0 && h->base[skip - 1] != '/')
		skip++;
	rest = strdup(path + skip);
	free(path);
	return rest;
}

static int
put_bytes(struct load *l, uint32_t i)
{
	struct archive *a = &l->archive;
	size_t left = (size_t)l->source.entries[i].size, n, off = 0;
	unsigned char *p;
	int rc;

	if (source_open(&l->source, i) == -1)
		return -1;
	for (rc = 0; rc == 0 && left > 0; left -= n, off += n) {
		n = left < BUFFER / 2 ? left : BUFFER / 2;
		if ((p = room(a, n)) == NULL)
			rc = -1;
		else
			rc = source_read(&l->source, i, (off_t)off, p, n);
	}
	if (source_close(&l->source, i) == -1)
		rc = -1;
	return rc;
}

static mode_t
mode_of(const struct copy_opts *o, const struct entry *en)
{
	if (o->mode != -1)
		return (mode_t)o->mode;
	return o->preserve ? en->mode : en->mode & 0777;
}

static int
add(struct load *l, uint32_t i)
{
	struct archive *a = &l->archive;
	const struct copy_opts *o = &a->maker->copy->opts;
	const struct entry *en = &l->source.entries[i];
	char *name = within(a->maker, place_temp(a->maker, i)), *old = NULL;
	int rc = -1;

	if (name == NULL)
		errno = ENOMEM;
	else if (en->kind == ENTRY_LINK)
		rc = put_entry(a, name, en->link, '2', 0777, 0,
		    en->mtime.tv_sec);
	else if (en->kind == ENTRY_FILE) {
		if ((rc = put_entry(a, name, "", '0', mode_of(o, en),
		    en->size, en->mtime.tv_sec)) == 0)
			rc = put_bytes(l, i);
	} else if ((old = within(a->maker, place_temp(a->maker,
	    en->first))) != NULL)
		rc = put_entry(a, name, old, '1', mode_of(o, en), 0, 0);
	free(old);
	free(name);
	return rc;
}

static void
fail(struct load *l, uint32_t i)
{
	struct archive *a = &l->archive;
	char *path;

	a->state = ARCHIVE_FAILED;
	if (a->no_room)
		return;		/* what it would have said is of no interest */
	path = source_path(&l->source, i);
	snprintf(a->why, sizeof(a->why), "%.150s: %s",
	    path != NULL ? path : "?", errno == ESTALE ?
	    "changed while it was copied" : strerror(errno));
	free(path);
}

bool
archive_make_some(struct load *l)
{
	struct archive *a = &l->archive;
	const struct source *src = &l->source;
	uint64_t bytes = 0;
	unsigned n = 0;

	if (a->state != ARCHIVE_MAKING)
		return false;
	for (; a->cursor < src->count && n < SLICE_FILES &&
	    bytes < SLICE_BYTES; a->cursor++) {
		if (!archive_has(l, a->cursor))
			continue;
		if (add(l, a->cursor) == -1) {
			fail(l, a->cursor);
			return false;
		}
		bytes += (uint64_t)src->entries[a->cursor].size;
		n++;
	}
	if (a->cursor < src->count)
		return true;
	/* Two blocks of zeros are the end. */
	if (room(a, BLOCK) == NULL || room(a, BLOCK) == NULL ||
	    flush(a) == -1)
		fail(l, 0);
	else
		a->state = ARCHIVE_READY;
	return false;
}

void
archive_free(struct load *l)
{
	if (l->archive.state == ARCHIVE_NONE)
		return;
	cli_spill_close(&l->archive.file);
	free(l->archive.buf);
	free(l->archive.as_name);
}

/* ---- unpacking it ---- */

/* GNU tar as root takes modes as they are, whatever the umask, unless told. */
static const char script[] =
    "exec /bin/sh -c 'echo " SCRIPT_HELLO "; "
    "command -v tar >/dev/null 2>&1 || { echo notar; exit 0; }; "
    "O=; tar --version 2>/dev/null | grep -q GNU && O=%s; "
    "B=$(printf \"%sx\"); cd \"${B%%x}\" && tar $O -x -o %s -f - && echo end'";

char *
script_archive(struct host *h)
{
	const struct copy_opts *o = &h->copy->opts;
	bool exact = o->preserve || o->mode != -1;
	char *coded = script_octal(*h->base == '\0' ? "." : h->base), *text;

	if (coded == NULL || asprintf(&text, script, exact ? "" :
	    "--no-same-permissions", coded, exact ? o->preserve ? "-p" :
	    "-p -m" : "-m") == -1)
		text = NULL;
	free(coded);
	return text;
}

void
script_archived(struct host *h)
{
	char *rest = h->answer, *line;
	bool ended = false;
	uint32_t i;

	if (!script_answered(h, &rest))
		return;
	while ((line = strsep(&rest, "\n")) != NULL) {
		ended |= strcmp(line, "end") == 0;
		h->no_archive |= strcmp(line, "notar") == 0;
	}
	if (h->no_archive)
		return;
	if (!ended) {
		host_fail(h, FANOUT_C_REMOTE, "unpacking: %s",
		    *h->words != '\0' ? h->words :
		    "tar ended before its time");
		return;
	}
	for (i = 0; i < h->load->source.count; i++)
		if (archive_has(h->load, i))
			h->todo[i] |= E_MADE;
}
