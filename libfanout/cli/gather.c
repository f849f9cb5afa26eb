/*
 * What hosts said, kept until they are over: host after host, or those that
 * said and ended the same as one, as dshbak -c and clush -b show it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "lines.h"
#include "mask.h"
#include "pile.h"
#include "view.h"

/* In memory; what is more waits on disk. */
#define STORE_BUDGET (8 * 1024 * 1024)
#define LINE_BUDGET (1024 * 1024)

/* Longer texts are not compared line by line. */
#define DIFF_MAX (16 * 1024 * 1024)

#define MASK_BLOCK 16384

struct gather_view {
	struct cli_view	 view;
	const struct cli_look *look;
	const struct cli_roster *roster;
	struct cli_store raw, masked;
	struct cli_lines *lines;	/* for -B; slot: 2 * host + (stderr) */
	struct cli_piles piles;
	size_t		*members;	/* of the piles, in the end */
	size_t		 turn;		/* -L: the host that comes next */
	bool		 warned;
	struct cli_reader reader;
	char		 block[MASK_BLOCK], shown[MASK_BLOCK * CLI_MASK_MAX];
};

static void
warn_once(struct gather_view *g, const char *what)
{
	char line[200];

	if (g->warned)
		return;
	g->warned = true;
	snprintf(line, sizeof(line), "%s: %s", what, strerror(errno));
	cli_sink_say(g->view.err, line);
}

/* On disk, else, where there is no room, in memory whatever it takes. */
static void
keep(struct gather_view *g, struct cli_store *s, size_t host, const char *data,
    size_t len)
{
	if (cli_store_add(s, host, data, len) == 0)
		return;
	if (s->budget != SIZE_MAX)
		warn_once(g, "output is kept in memory: no room in $TMPDIR or "
		    "/var/tmp");
	s->budget = SIZE_MAX;
	if (cli_store_add(s, host, data, len) == 0)
		return;
	g->view.broken = true;
	g->warned = false;
	warn_once(g, "output is lost");
}

static void
on_piece(void *ctx, size_t slot, bool starts, const char *data, size_t len)
{
	struct gather_view *g = ctx;

	(void)starts;
	keep(g, &g->raw, slot / 2, data, len);
}

static void
on_output(struct gather_view *g, const struct fanout_event *ev)
{
	size_t slot = 2 * ev->host + (ev->kind == FANOUT_EV_ERR);

	if (!g->look->merge) {
		if (ev->kind == FANOUT_EV_OUT)
			keep(g, &g->raw, ev->host, ev->data, ev->len);
		return;
	}
	if (cli_lines_add(g->lines, slot, ev->data, ev->len) == -1)
		warn_once(g, "a very long line is torn: no room in $TMPDIR or "
		    "/var/tmp");
}

/* Texts end with a newline: whether the last one had one makes no difference
 * that could be seen. */
static void
end_line(struct gather_view *g, size_t host)
{
	if (cli_store_len(&g->raw, host) > 0 &&
	    cli_store_last(&g->raw, host) != '\n')
		keep(g, &g->raw, host, "\n", 1);
}

/* How much of a block can be masked: whole lines, else whole words. */
static size_t
cut(const char *block, size_t len, bool full)
{
	const char *p = memrchr(block, '\n', len);

	if (p == NULL && full) {
		p = memrchr(block, ' ', len);
		if (p == NULL)
			return len;
	}
	return p == NULL ? 0 : (size_t)(p - block) + 1;
}

static void
mask_block(struct gather_view *g, size_t host, size_t *have, size_t n)
{
	keep(g, &g->masked, host, g->shown, cli_mask(g->shown, g->block, n,
	    fanout_hosts_at(g->roster->hosts, host)));
	memmove(g->block, g->block + n, *have - n);
	*have -= n;
}

static void
mask(struct gather_view *g, size_t host)
{
	size_t have = 0, n, len;
	const char *data;
	int rc;

	cli_reader_open(&g->reader, &g->raw, host);
	while ((rc = cli_reader_next(&g->reader, &data, &len)) == 1)
		for (; len > 0; data += n, len -= n) {
			n = MASK_BLOCK - have < len ? MASK_BLOCK - have : len;
			memcpy(g->block + have, data, n);
			have += n;
			mask_block(g, host, &have,
			    cut(g->block, have, have == MASK_BLOCK));
		}
	mask_block(g, host, &have, have);
	if (rc == -1) {
		g->view.broken = true;
		warn_once(g, "what is kept cannot be read");
	}
}

static void
put_text(struct gather_view *g, const struct cli_store *s, size_t host)
{
	const char *data;
	size_t len;
	int rc;

	cli_reader_open(&g->reader, s, host);
	while ((rc = cli_reader_next(&g->reader, &data, &len)) == 1)
		cli_sink_put_remote(g->view.out, data, len);
	if (rc == -1) {
		g->view.broken = true;
		warn_once(g, "what is kept cannot be read");
	}
}

/* Each line under a label. */
static void
put_lines(struct gather_view *g, const struct cli_store *s, size_t host,
    const char *name)
{
	bool starts = true;
	const char *data, *nl;
	char *label = NULL;
	size_t len, n;

	if (!g->look->no_labels && asprintf(&label, "%s: ", name) == -1)
		label = NULL;
	cli_reader_open(&g->reader, s, host);
	while (cli_reader_next(&g->reader, &data, &len) == 1)
		for (; len > 0; data += n, len -= n) {
			nl = memchr(data, '\n', len);
			n = nl != NULL ? (size_t)(nl - data) + 1 : len;
			if (starts && label != NULL)
				cli_sink_paint(g->view.out, CLI_PAINT_LABEL,
				    label, strlen(label));
			cli_sink_put_remote(g->view.out, data, n);
			starts = nl != NULL;
		}
	free(label);
}

/* -L: all that are over and have nobody before them who is not. */
static void
take_turns(struct gather_view *g)
{
	const struct cli_roster *r = g->roster;

	for (; g->turn < r->count && r->places[g->turn].state == CLI_OVER;
	    g->turn++) {
		if (cli_store_len(&g->raw, g->turn) == 0)
			continue;
		cli_sink_flush(g->view.err);
		put_lines(g, &g->raw, g->turn,
		    fanout_hosts_at(r->hosts, g->turn));
		cli_store_drop(&g->raw, g->turn);
	}
}

/* Hosts that never ran the command, and said nothing, are in no pile. */
static bool
counts(const struct gather_view *g, size_t host)
{
	enum fanout_class cls = g->roster->places[host].cls;

	return cls == FANOUT_C_OK || cls == FANOUT_C_EXIT ||
	    cls == FANOUT_C_SIGNAL || cli_store_len(&g->raw, host) > 0;
}

/* No more will come of it. */
static void
complete(struct gather_view *g, size_t host)
{
	if (g->lines != NULL) {
		cli_lines_end(g->lines, 2 * host);
		end_line(g, host);
		cli_lines_end(g->lines, 2 * host + 1);
	}
	end_line(g, host);
}

static void
put_away(struct gather_view *g, size_t host)
{
	if (!g->look->gather) {
		take_turns(g);
		return;
	}
	if (!counts(g, host))
		return;
	if (g->look->similar)
		mask(g, host);
	if (cli_piles_add(&g->piles, host,
	    cli_cause_key(&g->roster->places[host])) == -1) {
		g->view.broken = true;
		warn_once(g, "output cannot be grouped");
	}
}

static void
on_event(struct cli_view *v, const struct fanout_event *ev)
{
	struct gather_view *g = (struct gather_view *)v;

	if (ev->kind == FANOUT_EV_OUT || ev->kind == FANOUT_EV_ERR)
		on_output(g, ev);
	else if (ev->kind == FANOUT_EV_DONE) {
		complete(g, ev->host);
		put_away(g, ev->host);
	}
}

static void
on_rest(struct cli_view *v, const struct cli_roster *r)
{
	struct gather_view *g = (struct gather_view *)v;
	size_t i;

	for (i = 0; i < r->count; i++)
		if (r->places[i].given_up)
			complete(g, i);
	for (i = 0; i < r->count; i++)
		if (r->places[i].given_up)
			put_away(g, i);
}

/* "node[1-3]", and how many they are where the style says so; free(3). */
static char *
names_of(const struct gather_view *g, const struct cli_pile *p, bool count)
{
	struct fanout_hosts *set;
	char *folded = NULL, *text = NULL;
	size_t i;

	if (fanout_hosts_new(&set) != 0)
		return NULL;
	for (i = 0; i < p->count; i++)
		if (fanout_hosts_add(set, fanout_hosts_at(g->roster->hosts,
		    g->members[p->first + i]), NULL) != 0)
			break;
	if (i == p->count && fanout_hosts_fold(set, &folded) == 0) {
		if (!count || p->count == 1)
			text = folded;
		else if (asprintf(&text, "%s (%zu)", folded, p->count) == -1)
			text = NULL;
		if (text != folded)
			free(folded);
	}
	fanout_hosts_free(set);
	return text;
}

static char *
header_names(const struct gather_view *g, const struct cli_pile *p)
{
	char *names = names_of(g, p, g->look->header == CLI_HEADER_CLUSH);

	return names != NULL ? names : strdup("(out of memory)");
}

static void
put_header(struct gather_view *g, const struct cli_pile *p)
{
	static const char rule[] = "----------------";
	const char *r = g->look->header == CLI_HEADER_DSHBAK ? rule : rule + 1;
	char *names, *text;
	int n;

	if (g->look->no_labels || (names = header_names(g, p)) == NULL)
		return;
	if ((n = asprintf(&text, "%s\n%s\n%s", r, names, r)) != -1) {
		cli_sink_paint(g->view.out, CLI_PAINT_LABEL, text, (size_t)n);
		cli_sink_put(g->view.out, "\n", 1);
		free(text);
	}
	free(names);
}

/* Masked only if there is something to mask: what is the same is shown. */
static const struct cli_store *
text_of(const struct gather_view *g, const struct cli_pile *p)
{
	return p->exact ? &g->raw : &g->masked;
}

static void
put_pile(struct gather_view *g, const struct cli_pile *p)
{
	char *names;

	if (!g->look->ordered) {
		put_header(g, p);
		put_text(g, text_of(g, p), p->slot);
		return;
	}
	if ((names = names_of(g, p, false)) != NULL)
		put_lines(g, text_of(g, p), p->slot, names);
	free(names);
}

/* 0, or -1: too long, or no memory. */
static int
load(struct gather_view *g, const struct cli_pile *p, struct cli_text *t)
{
	const struct cli_store *s = g->look->similar ? &g->masked : &g->raw;
	size_t len, size = (size_t)cli_store_len(s, p->slot), have = 0;
	const char *data;
	char *bytes;

	*t = (struct cli_text){ .bytes = NULL };
	if (size > DIFF_MAX || (bytes = malloc(size + 1)) == NULL)
		return -1;
	cli_reader_open(&g->reader, s, p->slot);
	while (cli_reader_next(&g->reader, &data, &len) == 1) {
		memcpy(bytes + have, data, len);
		have += len;
	}
	return cli_text_init(t, bytes, have);
}

static void
on_diff_line(void *ctx, char kind, const char *text, size_t len)
{
	struct cli_sink *out = ((struct gather_view *)ctx)->view.out;
	const char *paint = kind == '@' ? CLI_PAINT_HUNK :
	    kind == '+' ? CLI_PAINT_MORE : CLI_PAINT_LESS;

	if (out->color && kind != ' ')
		cli_sink_put(out, paint, strlen(paint));
	if (kind != '@')
		cli_sink_put(out, &kind, 1);
	cli_sink_put_remote(out, text, len);
	if (out->color && kind != ' ')
		cli_sink_put(out, "\033[0m", 4);
	cli_sink_put(out, "\n", 1);
}

static void
put_diff_head(struct gather_view *g, const char *sign, const struct cli_pile *p)
{
	char *names = header_names(g, p), *text;
	int n;

	if (names != NULL && (n = asprintf(&text, "%s %s", sign, names)) != -1) {
		cli_sink_paint(g->view.out, CLI_PAINT_HEAD, text, (size_t)n);
		cli_sink_put(g->view.out, "\n", 1);
		free(text);
	}
	free(names);
}

static void
put_diff(struct gather_view *g, const struct cli_pile *ref,
    const struct cli_text *ref_text, const struct cli_pile *p)
{
	struct cli_text text;

	/* Only the status is another. */
	if (p->hash == ref->hash)
		return;
	put_diff_head(g, "---", ref);
	put_diff_head(g, "+++", p);
	if (ref_text->bytes == NULL || load(g, p, &text) == -1) {
		cli_sink_put(g->view.out, "(too long to compare)\n", 22);
		return;
	}
	if (cli_diff(ref_text, &text, on_diff_line, g) == -1)
		cli_sink_put(g->view.out, "(out of memory)\n", 16);
	cli_text_clear(&text);
}

static const struct cli_pile *
largest(const struct cli_piles *s)
{
	const struct cli_pile *best = NULL;
	size_t i;

	for (i = 0; i < s->count; i++)
		if (best == NULL || s->all[i]->count > best->count)
			best = s->all[i];
	return best;
}

static const struct cli_pile *
pile_of(const struct gather_view *g, size_t host)
{
	const struct cli_pile *p;
	size_t i, k;

	for (i = 0; i < g->piles.count; i++) {
		p = g->piles.all[i];
		for (k = 0; k < p->count; k++)
			if (g->members[p->first + k] == host)
				return p;
	}
	return NULL;
}

static void
put_diffs(struct gather_view *g)
{
	const struct cli_pile *ref = NULL;
	struct cli_text text;
	size_t i;

	if (g->look->golden_host != FANOUT_NOHOST &&
	    (ref = pile_of(g, g->look->golden_host)) == NULL)
		cli_sink_say(g->view.err, "the golden host has not run the "
		    "command: compared with the largest group");
	if (ref == NULL && (ref = largest(&g->piles)) == NULL)
		return;
	load(g, ref, &text);
	for (i = 0; i < g->piles.count; i++)
		if (g->piles.all[i] != ref)
			put_diff(g, ref, &text, g->piles.all[i]);
	cli_text_clear(&text);
}

/* What the largest group said is not shown, who is in it is. */
static void
put_outliers(struct gather_view *g)
{
	const struct cli_pile *most = largest(&g->piles);
	char *names, *line;
	size_t i;

	for (i = 0; i < g->piles.count; i++)
		if (g->piles.all[i] != most)
			put_pile(g, g->piles.all[i]);
	if (most == NULL || (names = names_of(g, most, false)) == NULL)
		return;
	cli_sink_flush(g->view.out);
	if (asprintf(&line, "%zu of %zu agree: %s", most->count,
	    g->roster->count, names) != -1) {
		cli_sink_say(g->view.err, line);
		free(line);
	}
	free(names);
}

static void
put_piles(struct gather_view *g)
{
	size_t i;

	for (i = 0; i < g->piles.count; i++)
		if (cli_store_len(&g->raw, g->piles.all[i]->slot) > 0)
			put_pile(g, g->piles.all[i]);
}

static void
on_end(struct cli_view *v, const struct cli_roster *r, int status)
{
	struct gather_view *g = (struct gather_view *)v;

	(void)r;
	(void)status;
	cli_sink_flush(v->err);
	if (!g->look->gather) {
		cli_sink_flush(v->out);
		return;
	}
	g->members = cli_piles_finish(&g->piles,
	    g->look->header == CLI_HEADER_DSHBAK);
	if (g->members == NULL) {
		v->broken = true;
		cli_sink_say(v->err, "out of memory: no output is shown");
	} else if (g->look->diff)
		put_diffs(g);
	else if (g->look->outliers)
		put_outliers(g);
	else
		put_piles(g);
	cli_sink_flush(v->out);
}

static void
free_view(struct cli_view *v)
{
	struct gather_view *g = (struct gather_view *)v;

	cli_lines_free(g->lines);
	cli_piles_clear(&g->piles);
	cli_store_clear(&g->raw);
	cli_store_clear(&g->masked);
	free(g->members);
	free(g);
}

struct cli_view *
cli_gather_view(const struct cli_look *look, const struct cli_roster *r,
    struct cli_sink *out, struct cli_sink *err)
{
	struct gather_view *g;

	if ((g = calloc(1, sizeof(*g))) == NULL)
		return NULL;
	g->view = (struct cli_view){ .event = on_event, .rest = on_rest,
	    .end = on_end, .free = free_view, .out = out, .err = err };
	g->look = look;
	g->roster = r;
	if (cli_store_init(&g->raw, r->count, STORE_BUDGET) == -1 ||
	    (look->similar &&
	    cli_store_init(&g->masked, r->count, STORE_BUDGET) == -1) ||
	    (look->gather && cli_piles_init(&g->piles, r->count, &g->raw,
	    look->similar ? &g->masked : NULL) == -1) ||
	    (look->merge && (g->lines = cli_lines_new(2 * r->count,
	    LINE_BUDGET, false, on_piece, g)) == NULL)) {
		free_view(&g->view);
		return NULL;
	}
	return &g->view;
}
