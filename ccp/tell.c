#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "cli/diff.h"
#include "extra.h"
#include "tell.h"

#define TEXT_MAX (1024 * 1024)	/* larger files are not compared line by line */

/* Contents of files there, each once, whatever the number of hosts. */
struct old_text {
	struct old_text	*next;
	unsigned char	 sum[SHA256_LEN];
	char		*bytes;
	size_t		 len;
};

/* ---- what is noted of each host ---- */

static char
state(const struct host *h, uint32_t i)
{
	const struct entry *en = &h->load->source.entries[i];

	if (h->todo[i] & E_MISSING)
		return TOLD_NEW;
	if (en->kind != ENTRY_DIR && (h->todo[i] & E_SEND))
		return TOLD_CHANGED;
	return h->todo[i] & E_FIX ? TOLD_MODE : TOLD_SAME;
}

void
tell_note(struct host *h)
{
	const struct source *src = &h->load->source;
	uint32_t i, n;

	if (!h->copy->telling || h->told != NULL)
		return;
	if ((h->told = malloc(src->count + 1)) == NULL) {
		host_nomem(h);
		return;
	}
	for (i = 0; i < src->count; i++) {
		h->told[i] = state(h, i);
		h->differs |= h->told[i] != TOLD_SAME;
		if (h->copy->opts.dry_run)
			h->changed += h->told[i] != TOLD_SAME;
	}
	h->told[src->count] = '\0';
	if ((n = extra_count(h)) == 0)
		return;
	h->gone = extra_text(h);
	h->differs = true;
	if (h->copy->opts.dry_run)
		h->changed += n;
}

void
tell_old(struct host *h, uint32_t entry, char *bytes, size_t len)
{
	struct copy *c = h->copy;
	unsigned char sum[SHA256_LEN];
	struct old_text *t;

	if (h->old == NULL &&
	    (h->old = calloc(h->load->source.count, sizeof(*h->old))) == NULL)
		goto nomem;
	if (EVP_Digest(bytes, len, sum, NULL, EVP_sha256(), NULL) != 1)
		goto nomem;
	for (t = c->old_texts; t != NULL; t = t->next)
		if (memcmp(t->sum, sum, sizeof(sum)) == 0) {
			free(bytes);
			h->old[entry] = t;
			return;
		}
	if ((t = calloc(1, sizeof(*t))) == NULL)
		goto nomem;
	memcpy(t->sum, sum, sizeof(sum));
	t->bytes = bytes;
	t->len = len;
	t->next = c->old_texts;
	h->old[entry] = c->old_texts = t;
	return;
nomem:
	free(bytes);
	host_nomem(h);
}

void
tell_free(struct copy *c)
{
	struct old_text *t;

	while ((t = c->old_texts) != NULL) {
		c->old_texts = t->next;
		free(t->bytes);
		free(t);
	}
}

bool
tell_differs(const struct copy *c)
{
	size_t i;

	for (i = 0; i < fanout_hosts_count(c->hosts); i++)
		if (c->at[i].differs)
			return true;
	return false;
}

/* ---- groups ---- */

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static size_t
gone_size(const char *gone)
{
	size_t n = 0;

	while (gone != NULL && gone[n] != '\0')
		n += strlen(gone + n) + 1;
	return n;
}

static bool
same_gone(const char *a, const char *b)
{
	size_t n = gone_size(a);

	return n == gone_size(b) && (n == 0 || memcmp(a, b, n) == 0);
}

static bool
alike(const struct host *a, const struct host *b)
{
	size_t n = a->load->source.count;

	return a->load == b->load && memcmp(a->told, b->told, n) == 0 &&
	    same_gone(a->gone, b->gone) &&
	    same_text(a->base, b->base) && same_text(a->as_name, b->as_name) &&
	    (a->sums == b->sums || (a->sums != NULL && b->sums != NULL &&
	    memcmp(a->sums, b->sums, n * sizeof(*a->sums)) == 0)) &&
	    (a->old == b->old || (a->old != NULL && b->old != NULL &&
	    memcmp(a->old, b->old, n * sizeof(*a->old)) == 0));
}

static uint64_t
mix(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (; p != NULL && len > 0; p++, len--)
		hash = (hash ^ *p) * 1099511628211u;	/* FNV-1a */
	return hash;
}

static uint64_t
hash_of(const struct host *h)
{
	size_t n = h->load->source.count;
	uint64_t hash = mix(14695981039346656037u, h->told, n);

	hash = mix(hash, h->base, h->base != NULL ? strlen(h->base) : 0);
	hash = mix(hash, h->gone, gone_size(h->gone));
	hash = mix(hash, h->sums, n * sizeof(*h->sums));
	return mix(hash, h->old, n * sizeof(*h->old));
}

/* The first host of a group has the number of its hash chain's next. */
struct group {
	const struct host *first;
	struct fanout_hosts *hosts;
	struct group *hash_next;
};

struct groups {
	struct group	*list;
	size_t		 count;
	struct group	**table;
	size_t		 buckets;
};

static struct group *
group_of(struct groups *g, const struct host *h)
{
	struct group **bucket = &g->table[hash_of(h) % g->buckets], *at;

	for (at = *bucket; at != NULL; at = at->hash_next)
		if (alike(at->first, h))
			return at;
	at = &g->list[g->count];
	if (fanout_hosts_new(&at->hosts) != 0)
		return NULL;
	g->count++;
	at->first = h;
	at->hash_next = *bucket;
	*bucket = at;
	return at;
}

static int
make_groups(struct copy *c, struct groups *g)
{
	size_t i, n = fanout_hosts_count(c->hosts);
	struct group *one;

	*g = (struct groups){ .buckets = n * 2 + 1 };
	g->list = calloc(n, sizeof(*g->list));
	g->table = calloc(g->buckets, sizeof(*g->table));
	if (g->list == NULL || g->table == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		if (c->at[i].told == NULL || c->at[i].failed ||
		    (!c->at[i].differs && !c->tell_same))
			continue;
		if ((one = group_of(g, &c->at[i])) == NULL ||
		    fanout_hosts_add(one->hosts, c->at[i].name, NULL) != 0)
			return -1;
	}
	return 0;
}

/* ---- output ---- */

struct out {
	struct cli_sink	*sink;
	const char	*path;
	bool		 headed;
};

static void
put(struct cli_sink *s, const char *text)
{
	cli_sink_put(s, text, strlen(text));
}

static void
put_diff_line(void *ctx, char kind, const char *line, size_t len)
{
	struct out *o = ctx;
	const char *paint = kind == '+' ? CLI_PAINT_MORE : kind == '-' ?
	    CLI_PAINT_LESS : kind == '@' ? CLI_PAINT_HUNK : "";
	char first[2] = { kind, '\0' };

	if (!o->headed) {
		put(o->sink, "--- there\n+++ here\n");
		o->headed = true;
	}
	if (kind != '@')
		cli_sink_paint(o->sink, paint, first, 1);
	cli_sink_paint(o->sink, paint, line, len);
	put(o->sink, "\n");
}

static bool
is_text(const char *bytes, size_t len)
{
	return memchr(bytes, '\0', len) == NULL;
}

static char *
read_source(struct source *src, uint32_t i)
{
	size_t len = (size_t)src->entries[i].size;
	char *bytes = malloc(len + 1);

	if (bytes == NULL || source_open(src, i) == -1) {
		free(bytes);
		return NULL;
	}
	if (source_read(src, i, 0, bytes, len) == -1 ||
	    source_close(src, i) == -1) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

static void
put_diff(struct source *src, const struct old_text *old, uint32_t i,
    struct cli_sink *s)
{
	const struct entry *en = &src->entries[i];
	struct cli_text there = { 0 }, here = { 0 };
	struct out o = { .sink = s };
	char *bytes, *copy;

	if (en->size > TEXT_MAX || (bytes = read_source(src, i)) == NULL) {
		put(s, "(too large to be compared)\n");
		return;
	}
	if (!is_text(bytes, (size_t)en->size) ||
	    !is_text(old->bytes, old->len)) {
		free(bytes);
		put(s, "(not text)\n");
		return;
	}
	copy = malloc(old->len + 1);
	if (copy != NULL)
		memcpy(copy, old->bytes, old->len);
	if (copy == NULL || cli_text_init(&there, copy, old->len) == -1)
		free(bytes);
	else if (cli_text_init(&here, bytes, (size_t)en->size) == 0)
		(void)cli_diff(&there, &here, put_diff_line, &o);
	cli_text_clear(&there);
	cli_text_clear(&here);
}

static void
put_entry(struct copy *c, const struct host *h, uint32_t i, struct cli_sink *s)
{
	static const struct { char told; const char *word; } words[] = {
		{ TOLD_NEW, "new      " }, { TOLD_CHANGED, "changed  " },
		{ TOLD_MODE, "mode     " }
	};
	char *path, sum[40] = "";
	size_t w;

	for (w = 0; w < sizeof(words) / sizeof(words[0]); w++)
		if (words[w].told == h->told[i])
			break;
	if (w == sizeof(words) / sizeof(words[0]) ||
	    (path = place_target(h, i)) == NULL)
		return;
	/* None of a file that nobody could read, or of another owner. */
	if (h->sums != NULL && h->sums[i] != 0 && h->told[i] == TOLD_CHANGED)
		snprintf(sum, sizeof(sum), "  (sha256 %08x...)", h->sums[i]);
	put(s, "  ");
	put(s, c->opts.check && h->told[i] == TOLD_NEW ? "missing  " :
	    words[w].word);
	cli_sink_put_remote(s, path, strlen(path));
	put(s, sum);
	put(s, "\n");
	free(path);
	if (h->old != NULL && h->old[i] != NULL)
		put_diff(&h->load->source, h->old[i], i, s);
}

static void
put_gone(const struct copy *c, const struct host *h, struct cli_sink *s)
{
	const char *path;

	for (path = h->gone; path != NULL && *path != '\0';
	    path += strlen(path) + 1) {
		put(s, c->opts.check ? "  extra    " : "  removed  ");
		cli_sink_put_remote(s, path, strlen(path));
		put(s, "\n");
	}
}

static void
put_group(struct copy *c, const struct group *g, struct cli_sink *s)
{
	char *names, count[32];
	uint32_t i;

	if (fanout_hosts_fold(g->hosts, &names) != 0)
		return;
	cli_sink_paint(s, CLI_PAINT_HEAD, names, strlen(names));
	snprintf(count, sizeof(count), " (%zu)",
	    fanout_hosts_count(g->hosts));
	if (fanout_hosts_count(g->hosts) > 1)
		put(s, count);
	put(s, g->first->differs ? ":\n" : ": the same\n");
	free(names);
	for (i = 0; i < g->first->load->source.count; i++)
		put_entry(c, g->first, i, s);
	put_gone(c, g->first, s);
}

void
tell_all(struct copy *c, struct cli_sink *s)
{
	struct groups g;
	size_t i;

	if (!c->telling)
		return;
	if (make_groups(c, &g) == -1)
		cli_sink_say(s, "out of memory");
	else
		for (i = 0; i < g.count; i++)
			put_group(c, &g.list[i], s);
	for (i = 0; g.list != NULL && i < g.count; i++)
		fanout_hosts_free(g.list[i].hosts);
	free(g.list);
	free(g.table);
}
