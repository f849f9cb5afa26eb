/*
 * large.c - a large file is the standard input of a command: the phase LARGE,
 * once for each. Nothing is acknowledged piece by piece, the host computes the
 * digest of what it writes while it comes in, and so do we of what we send.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy.h"

/*
 * The path is in octal, which no shell sees anything in. tee(1) has its status
 * told beside the digest.
 */
static const char script[] =
    "exec /bin/sh -c 'echo " SCRIPT_HELLO "; umask 077; "
    "command -v tee >/dev/null 2>&1 || { echo nosum; exit 0; }; "
    "T=$(printf \"%sx\"); T=${T%%x}; "
    "if command -v openssl >/dev/null 2>&1; then "
	"S() { openssl dgst -sha256 -r; }; "
    "elif command -v sha256sum >/dev/null 2>&1; then S() { sha256sum; }; "
    "elif command -v shasum >/dev/null 2>&1; then S() { shasum -a 256; }; "
    "else echo nosum; exit 0; fi; "
    "{ { tee \"$T\"; echo tee $? >&3; } | S >&4; } 3>&1 4>&1; "
    "%s && echo end'";

bool
large_is(const struct host *h, uint32_t i)
{
	const struct entry *en = &h->load->source.entries[i];

	if (h->plain)
		return en->kind == ENTRY_FILE;
	/* One with more names must be there when these are made. */
	return !h->by_sftp && en->kind == ENTRY_FILE && !en->linked &&
	    en->size >= LARGE_MIN;
}

bool
large_next(struct host *h)
{
	const struct source *src = &h->load->source;

	for (h->large = 0; h->large < src->count; h->large++)
		if ((h->todo[h->large] & (E_SEND | E_MADE)) == E_SEND &&
		    large_is(h, h->large))
			return true;
	return false;
}

char *
script_octal(const char *path)
{
	char *text = malloc(4 * strlen(path) + 1), *p = text;

	if (text == NULL)
		return NULL;
	*p = '\0';
	for (; *path != '\0'; path++, p += 4)
		snprintf(p, 5, "\\%03o", (unsigned)(unsigned char)*path);
	return text;
}

/* What belongs to the file beside its bytes, as a command. */
static int
attributes(const struct host *h, char *out, size_t size)
{
	const struct copy *c = h->copy;
	const struct entry *en = &h->load->source.entries[h->large];
	const struct kept *k = h->kept != NULL && h->kept[h->large].is ?
	    &h->kept[h->large] : NULL;
	char owner[64] = "", times[96] = "", stamp[32];
	mode_t mode = en->mode & 0777;
	struct tm tm;

	if (c->opts.preserve)
		mode = en->mode;
	else if (k != NULL)
		mode = k->mode;
	if (c->opts.mode != -1)
		mode = (mode_t)c->opts.mode;
	if (k != NULL)
		snprintf(owner, sizeof(owner), "{ chown %u:%u \"$T\" "
		    "2>/dev/null; true; } && ", k->uid, k->gid);
	if (c->opts.preserve && gmtime_r(&en->mtime.tv_sec, &tm) != NULL &&
	    strftime(stamp, sizeof(stamp), "%Y%m%d%H%M.%S", &tm) > 0)
		snprintf(times, sizeof(times), " && TZ=UTC0 touch -t %s "
		    "\"$T\"", stamp);
	return snprintf(out, size, "%schmod %03o \"$T\"%s%s", owner,
	    (unsigned)mode, times, c->sync_each ? " && { sync \"$T\" "
	    "2>/dev/null || sync; }" : "") < (int)size ? 0 : -1;
}

char *
script_large(struct host *h)
{
	char *path = place_temp(h, h->large), *coded = NULL, *text = NULL;
	char attrs[320];

	if (path != NULL && (coded = script_octal(path)) != NULL &&
	    attributes(h, attrs, sizeof(attrs)) == 0 &&
	    asprintf(&text, script, coded, attrs) == -1)
		text = NULL;
	free(coded);
	free(path);
	return text;
}

static void
fail_local(struct host *h)
{
	char *path = source_path(&h->load->source, h->large);

	host_fail(h, FANOUT_C_LOCAL, "%s: %s", path != NULL ? path : "?",
	    errno == ESTALE ? "changed while it was copied" :
	    strerror(errno));
	free(path);
}

int
large_begin(struct host *h)
{
	if (source_open(&h->load->source, h->large) == -1) {
		fail_local(h);
		return -1;
	}
	h->large_open = true;
	return 0;
}

void
large_close(struct host *h)
{
	if (h->large_open && source_close(&h->load->source,
	    h->large) == -1)
		fail_local(h);
	h->large_open = false;
}

/* "tee STATUS", a line with the digest, "end", in any order. */
void
script_large_over(struct host *h)
{
	struct source *src = &h->load->source;
	unsigned char sum[SHA256_LEN];
	char *rest = h->answer, *line, *name;
	bool same = false, written = false, ended = false;

	if (!script_answered(h, &rest))
		return;
	if (source_sum(src, h->large) == -1) {
		fail_local(h);
		return;
	}
	while ((line = strsep(&rest, "\n")) != NULL) {
		written |= strcmp(line, "tee 0") == 0;
		ended |= strcmp(line, "end") == 0;
		if (script_digest(line, sum, &name))
			same = memcmp(sum, src->entries[h->large].sum,
			    SHA256_LEN) == 0;
	}
	if (!written || !ended)
		host_fail(h, FANOUT_C_REMOTE, "writing %s: %s",
		    src->entries[h->large].name, *h->words != '\0' ?
		    h->words : "the command ended before its time");
	else if (!same)
		host_fail(h, FANOUT_C_REMOTE, "%s: what arrived is not what "
		    "was sent", src->entries[h->large].name);
	else
		h->todo[h->large] |= E_MADE;
}
