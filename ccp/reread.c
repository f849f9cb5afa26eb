/*
 * reread.c - where no command can be run, digests of files are made here: they
 * are read back. States CHECK (files that look the same) and VERIFY (those
 * that have arrived). For --diff files are read, too: state FETCH.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "copy.h"
#include "fetch.h"
#include "tell.h"

#define REREADS 8
#define FETCH_MAX (1024 * 1024)		/* of a file to be compared */

struct reread {
	struct host	*host;		/* NULL: free */
	uint32_t	 entry;
	struct fetch	 fetch;
	EVP_MD_CTX	*digest;
	char		*bytes;		/* FETCH: all of it */
	size_t		 len;
};

static bool
take(void *arg, const void *data, size_t len)
{
	struct reread *r = arg;

	if (r->bytes != NULL) {
		memcpy(r->bytes + r->len, data, len);
		r->len += len;
	}
	return EVP_DigestUpdate(r->digest, data, len) == 1;
}

/* The entry whose bytes it is. */
static uint32_t
file_of(const struct host *h, uint32_t i)
{
	const struct entry *en = &h->load->source.entries[i];

	return en->kind == ENTRY_HARD ? en->first : i;
}

static bool
is_same(const struct reread *r, const struct fetch *f)
{
	struct source *src = &r->host->load->source;
	uint32_t i = file_of(r->host, r->entry);
	unsigned char sum[SHA256_LEN];

	if (f->error != NULL ||
	    EVP_DigestFinal_ex(r->digest, sum, NULL) != 1)
		return false;
	script_keep_sum(r->host, r->entry, sum);
	return f->given == f->size &&
	    source_sum(src, i) == 0 &&
	    memcmp(sum, src->entries[i].sum, sizeof(sum)) == 0;
}

static void
end(struct reread *r)
{
	struct host *h = r->host;

	EVP_MD_CTX_free(r->digest);
	free(r->bytes);
	fetch_free(&r->fetch);
	memset(r, 0, sizeof(*r));
	h->open_rereads--;
}

static void
done(void *arg, struct fetch *f)
{
	struct reread *r = arg;
	struct host *h = r->host;
	bool same = is_same(r, f);
	char *path;

	if (h->state == AT_FETCH) {
		if (f->error == NULL && r->bytes != NULL)
			tell_old(h, r->entry, r->bytes, r->len);
		else
			free(r->bytes);
		r->bytes = NULL;
	} else if (h->state == AT_CHECK) {
		h->todo[r->entry] &= (unsigned char)~E_CHECK;
		/* One that cannot be read can perhaps be replaced. */
		if (f->error != NULL && h->copy->opts.check)
			script_fail_unread(h, r->entry);
		else if (!same)
			h->todo[r->entry] |= E_SEND;
	} else if (!same) {
		path = place_target(h, r->entry);
		host_fail(h, FANOUT_C_REMOTE, "%s: what arrived is not what "
		    "was sent%s%s", path != NULL ? path : "?",
		    f->error != NULL ? ": " : "",
		    f->error != NULL ? f->error : "");
		free(path);
	}
	end(r);
}

static void
answer(void *ctx, uint32_t tag, const struct sftp_answer *a)
{
	struct host *h = ctx;

	fetch_answer(&h->rereads[tag % FETCH_SLOTS].fetch, tag, a);
}

void
rereads_free(struct host *h)
{
	unsigned i;

	for (i = 0; h->rereads != NULL && i < REREADS; i++)
		if (h->rereads[i].host != NULL)
			end(&h->rereads[i]);
	free(h->rereads);
	h->rereads = NULL;
}

void
rereads_give_up(struct host *h)
{
	unsigned i;

	for (i = 0; h->rereads != NULL && i < REREADS; i++)
		if (h->rereads[i].host != NULL)
			h->rereads[i].fetch.ended = true;
}

static bool
begin(struct host *h, uint32_t i, char *path)
{
	struct reread *r;
	unsigned slot = 0;

	if (h->rereads == NULL && (h->rereads = calloc(REREADS,
	    sizeof(*h->rereads))) == NULL) {
		host_nomem(h);
		free(path);
		return false;
	}
	while (h->rereads[slot].host != NULL)
		slot++;
	r = &h->rereads[slot];
	r->host = h;
	r->entry = i;
	h->open_rereads++;
	r->fetch = (struct fetch){ .sftp = h->sftp, .take = take,
	    .done = done, .arg = r, .answer = answer, .slot = slot,
	    .size = (uint64_t)h->load->source.entries[file_of(h, i)].size };
	if (path == NULL || (r->digest = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(r->digest, EVP_sha256(), NULL) != 1) {
		host_nomem(h);
		end(r);
		free(path);
		return false;
	}
	if (h->state == AT_FETCH) {
		r->fetch.size = FETCH_MAX;
		r->bytes = malloc(FETCH_MAX);
	}
	fetch_open(&r->fetch, path);
	free(path);
	return true;
}

static bool
is_wanted(const struct host *h, uint32_t i)
{
	if (h->state == AT_CHECK)
		return (h->todo[i] & E_CHECK) != 0;
	if (h->state == AT_FETCH)
		return (h->todo[i] & (E_SEND | E_MISSING)) == E_SEND &&
		    h->load->source.entries[i].kind == ENTRY_FILE;
	return (h->todo[i] & E_SEND) &&
	    h->load->source.entries[i].kind == ENTRY_FILE;
}

/* True when all have been read. */
static bool
reread_all(struct host *h)
{
	const struct source *src = &h->load->source;
	unsigned i;

	for (i = 0; h->rereads != NULL && i < REREADS; i++)
		if (h->rereads[i].host != NULL)
			fetch_more(&h->rereads[i].fetch);
	for (; h->cursor < src->count && !h->failed; h->cursor++) {
		if (!is_wanted(h, h->cursor))
			continue;
		if (h->open_rereads == REREADS || !host_may_ask(h))
			return false;
		if (!begin(h, h->cursor, h->state == AT_VERIFY ?
		    place_temp(h, h->cursor) : place_target(h, h->cursor)))
			return false;
	}
	return h->open_rereads == 0 && host_settled(h);
}

enum go
at_check(struct host *h)
{
	if (!reread_all(h))
		return GO_WAIT;
	look_join_links(h);
	return host_checked(h);
}

enum go
at_fetch(struct host *h)
{
	return reread_all(h) ? host_goto(h, AT_LEAVE) : GO_WAIT;
}

enum go
at_verify(struct host *h)
{
	return reread_all(h) ? host_goto(h, AT_RENAME) : GO_WAIT;
}
