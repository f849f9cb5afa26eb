/*
 * matrix.c - members log in to each other, for real, and where one cannot, the
 * other is asked why.
 */
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "cli/visible.h"
#include "dialog.h"
#include "keyline.h"
#include "modes.h"
#include "script.h"
#include "why.h"

#define CELL_MS 10000

struct matrix {
	struct setup *s;
	const struct member *all;
	size_t	 hub;
	struct cells cells;
	char	**has;		/* as the cells: this one's key is there, with
				 * these options */
};

static bool
counts(const struct matrix *m, size_t from, size_t to)
{
	return from != to && mesh_concerns(m->hub, from, to) &&
	    (m->s->dead == NULL || (m->s->dead[from] == NULL &&
	    m->s->dead[to] == NULL));
}

/* ---- logging in ---------------------------------------------------------- */

/* Each begins behind itself, so that they do not all come to one at once. */
static void
on_turn(void *ctx, size_t host, const struct answer *said, FILE *reply,
    struct cli_sink *out)
{
	struct matrix *m = ctx;
	const struct member *o;
	size_t i, to;

	(void)said;
	(void)out;
	for (i = 1; i < m->s->count; i++) {
		to = (host + i) % m->s->count;
		o = &m->all[to];
		if (!counts(m, host, to) || !o->told || o->address == NULL)
			continue;
		cells_set(&m->cells, host, to, CELL_ASKED, NULL);
		fprintf(reply, "%zu %s %u %s\n", to, o->user, o->port,
		    o->address);
	}
	fputs("go\n", reply);
}

/* What ssh said, in a few words. */
static void
take_reason(struct cell *x, const char *text)
{
	const char *why = text, *colon;

	x->denied = strstr(text, "Permission denied") != NULL ||
	    strstr(text, "Too many authentication failures") != NULL;
	if (x->denied)
		why = "the key is refused";
	else if (strstr(text, "IDENTIFICATION HAS CHANGED") != NULL)
		why = "known_hosts has another host key";
	else if (strstr(text, "host key is known for") != NULL ||
	    strstr(text, "Host key verification failed") != NULL)
		why = "unknown host key";
	else if (strstr(text, "ould not resolve") != NULL)
		why = "no address of it is known there";
	else if (strncmp(text, "ssh: connect to ", 16) == 0 &&
	    (colon = strstr(text + 16, ": ")) != NULL)
		why = colon + 2;
	x->why = strdup(*why != '\0' ? why : "ssh fails and does not say why");
}

/* "TO STATUS TEXT" */
static void
take_cell(struct matrix *m, size_t from, const struct record *r)
{
	char text[400];
	size_t to;
	int status, n = 0;
	struct cell *x;

	record_text(r, text, sizeof(text));
	if (sscanf(text, "%zu %d%n", &to, &status, &n) != 2 ||
	    to >= m->s->count)
		return;
	x = cells_at(&m->cells, from, to);
	if (x->state != CELL_ASKED)
		return;
	x->state = status == 255 ? CELL_BAD : CELL_OK;
	n += text[n] == ' ';
	if (x->state == CELL_BAD) {
		text[strcspn(text, "\r\n")] = '\0';
		while (*text != '\0' && text[strlen(text) - 1] == ' ')
			text[strlen(text) - 1] = '\0';
		take_reason(x, strlen(text) > (size_t)n ? text + n : "");
	}
}

static void
on_over(void *ctx, size_t host, const struct answer *said, struct cli_sink *out)
{
	struct matrix *m = ctx;
	struct answer a = *said;
	struct record r;

	(void)out;
	while (answer_next(&a, &r))
		if (record_is(&r, "cell"))
			take_cell(m, host, &r);
}

/* Pairs that nobody tried, and why not. */
static void
fill(struct matrix *m)
{
	const struct host *h;
	char why[160];
	size_t i, j;

	for (i = 0; i < m->s->count; i++)
		for (j = 0; j < m->s->count; j++) {
			if (!counts(m, i, j) ||
			    cells_at(&m->cells, i, j)->state > CELL_ASKED)
				continue;
			h = &m->s->host[i];
			if (h->state != OVER)
				h = &m->s->host[j];
			snprintf(why, sizeof(why), "not tried: %s cannot be "
			    "logged in to from here: %s",
			    h == &m->s->host[i] ? "it" : "that",
			    fanout_class_name(h->result.cls));
			if (h == &m->s->host[i] && h->result.cls ==
			    FANOUT_C_REMOTE)
				snprintf(why, sizeof(why), "not tried: %.140s",
				    h->result.text);
			cells_set(&m->cells, i, j, CELL_UNTRIED,
			    h->state == OVER ? why : NULL);
		}
}

/* ---- why ----------------------------------------------------------------- */

static void
note_key(char **options, const struct keyline *k)
{
	char text[120 * CLI_VISIBLE_MAX + 1];

	text[cli_visible(text, k->options, k->options_len < 120 ?
	    k->options_len : 120)] = '\0';
	free(*options);
	*options = strdup(text);
}

static void
on_file(void *ctx, size_t host, const struct record *r)
{
	struct matrix *m = ctx;
	const char *p = r->body, *end = p + r->size, *eol, *word;
	struct keyline k;
	size_t i;

	for (; p != NULL && p < end; p = eol + 1) {
		if ((eol = memchr(p, '\n', (size_t)(end - p))) == NULL)
			eol = end;
		if (!keyline_parse(&k, p, (size_t)(eol - p)))
			continue;
		for (i = 0; i < m->s->count; i++) {
			word = m->all[i].word;
			if (word != NULL && strlen(word) == k.type_len + 1 +
			    k.blob_len && memcmp(word + k.type_len + 1, k.blob,
			    k.blob_len) == 0)
				note_key(&m->has[i * m->s->count + host], &k);
		}
	}
}

static void
add_reason(struct matrix *m, size_t from, size_t to, const char *found)
{
	struct cell *x = cells_at(&m->cells, from, to);
	const char *options = m->has[from * m->s->count + to];
	char why[600];

	if (m->all[from].word == NULL)
		snprintf(why, sizeof(why), "%s: there is no key without a "
		    "passphrase", x->why);
	else if (options == NULL)
		snprintf(why, sizeof(why), "%s: its AuthorizedKeysFile does "
		    "not have it", x->why);
	else
		snprintf(why, sizeof(why), "%s%s%s%s%s", x->why, *found != '\0' ||
		    *options != '\0' ? ": " : "", found, *options == '\0' ? "" :
		    *found != '\0' ? "; its options " : "its options ", options);
	free(x->why);
	x->why = strdup(why);
}

static bool
was_denied(const struct matrix *m, size_t from, size_t to)
{
	const struct cell *x = cells_at(&m->cells, from, to);

	return x->state == CELL_BAD && x->denied && x->why != NULL;
}

static int
find_reasons(struct matrix *m)
{
	struct why w = { .setup = m->s, .file = on_file, .ctx = m };
	size_t i, j;
	int status;

	for (j = 0; j < m->s->count; j++) {
		m->s->host[j].marked = false;
		for (i = 0; i < m->s->count; i++)
			if (was_denied(m, i, j))
				m->s->host[j].marked = true;
	}
	if ((status = why_ask(&w)) == 0)
		for (i = 0; i < m->s->count; i++)
			for (j = 0; j < m->s->count; j++)
				if (was_denied(m, i, j))
					add_reason(m, i, j, w.text[j]);
	why_clear(&w);
	return status;
}

/* ---- all ----------------------------------------------------------------- */

/* Who cannot reach all others is not ok. */
static void
judge(struct matrix *m)
{
	const struct cell *x;
	size_t i, j, bad, first;

	for (i = 0; i < m->s->count; i++) {
		for (j = bad = first = 0; j < m->s->count; j++) {
			x = cells_at(&m->cells, i, j);
			if (x->state != CELL_BAD)
				continue;	/* or the other is at fault */
			if (bad++ == 0)
				first = j;
		}
		if (bad > 0 && m->s->host[i].state != OVER)
			setup_refuse(&m->s->host[i], NULL, "does not reach "
			    "%zu of the others, such as %.60s: %.120s", bad,
			    fanout_hosts_at(m->s->hosts, first),
			    cells_at(&m->cells, i, first)->why != NULL ?
			    cells_at(&m->cells, i, first)->why : "?");
	}
}

static int
show(const struct matrix *m)
{
	struct cli_sink out;
	int status;

	if ((status = setup_open_sink(m->s, &out)) != 0)
		return status;
	cells_show(&m->cells, &out);
	cli_sink_close(&out);
	return 0;
}

static int
go(struct matrix *m)
{
	struct dialog d = { .setup = m->s, .script = script_matrix(),
	    .want = setup_is_trusted, .turn = on_turn, .over = on_over,
	    .ctx = m };
	int status;

	/* Four at a time, each three times, if all are so slow. */
	d.takes_ms = m->s->count < 10000 ? (int)(m->s->count + 10) * CELL_MS :
	    INT_MAX;

	if ((status = dialog_run(&d)) != 0)
		return status;
	fill(m);
	if ((status = find_reasons(m)) != 0 || (status = show(m)) != 0)
		return status;
	judge(m);
	return 0;
}

int
setup_matrix(struct setup *s, const struct member *all, size_t hub)
{
	struct matrix m = { .s = s, .all = all, .hub = hub };
	int status = CLI_EXIT_USAGE;
	size_t i;

	m.has = calloc(s->count * s->count, sizeof(*m.has));
	if (cells_init(&m.cells, s) == -1 || m.has == NULL)
		warnx("out of memory");
	else
		status = go(&m);
	cells_clear(&m.cells);
	for (i = 0; m.has != NULL && i < s->count * s->count; i++)
		free(m.has[i]);
	free(m.has);
	return status;
}
