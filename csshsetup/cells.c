#include <sys/ioctl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cells.h"
#include "cli/view.h"

#define HEAD_WIDTH 7		/* of "from \\ to", beside a number and a blank */
#define PAINT_BAD CLI_PAINT_ERROR
#define PAINT_OK CLI_PAINT_MORE

int
cells_init(struct cells *c, const struct setup *s)
{
	*c = (struct cells){ .setup = s, .n = s->count };
	c->cell = calloc(c->n * c->n, sizeof(*c->cell));
	return c->cell != NULL ? 0 : -1;
}

void
cells_clear(struct cells *c)
{
	size_t i;

	for (i = 0; c->cell != NULL && i < c->n * c->n; i++)
		free(c->cell[i].why);
	free(c->cell);
	c->cell = NULL;
}

struct cell *
cells_at(const struct cells *c, size_t from, size_t to)
{
	return &c->cell[from * c->n + to];
}

void
cells_set(struct cells *c, size_t from, size_t to, enum cell_state state,
    const char *why)
{
	struct cell *x = cells_at(c, from, to);

	free(x->why);
	x->state = (unsigned char)state;
	x->why = why != NULL ? strdup(why) : NULL;
}

void
cells_count(const struct cells *c, size_t *all, size_t *bad)
{
	size_t i;

	*all = *bad = 0;
	for (i = 0; i < c->n * c->n; i++) {
		*all += c->cell[i].state != CELL_NONE;
		*bad += c->cell[i].state != CELL_NONE &&
		    c->cell[i].state != CELL_OK;
	}
}

static const char *
name_of(const struct cells *c, size_t host)
{
	return fanout_hosts_at(c->setup->hosts, host);
}

static void
put(struct cli_sink *out, const char *text)
{
	cli_sink_put(out, text, strlen(text));
}

/* ---- the table ----------------------------------------------------------- */

/* The widest name; and what a column needs, for its number and a blank. */
static void
measure(const struct cells *c, int *names, int *numbers)
{
	size_t i, n;
	char text[24];

	*names = 0;
	for (i = 0; i < c->n; i++) {
		n = strlen(name_of(c, i));
		if ((int)n > *names)
			*names = (int)n;
	}
	if (*names < HEAD_WIDTH)
		*names = HEAD_WIDTH;
	*numbers = snprintf(text, sizeof(text), "%zu", c->n);
}

static bool
fits(const struct cells *c)
{
	struct winsize ws = { .ws_col = 80 };
	int names, numbers;

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
	if (ws.ws_col == 0)
		ws.ws_col = 80;
	measure(c, &names, &numbers);
	return c->n * (size_t)(numbers + 1) + (size_t)(names + numbers + 2) <
	    ws.ws_col;
}

static void
put_cell(const struct cell *x, int width, struct cli_sink *out)
{
	static const char *const sign[] = { "-", "?", "+", "x", "?" };
	char text[32];
	int n = snprintf(text, sizeof(text), " %*s", width, sign[x->state]);

	if (x->state == CELL_NONE)
		cli_sink_put(out, text, (size_t)n);
	else
		cli_sink_paint(out, x->state == CELL_OK ? PAINT_OK : PAINT_BAD,
		    text, (size_t)n);
}

static void
put_table(const struct cells *c, struct cli_sink *out)
{
	int names, numbers;
	size_t i, j;
	char text[600];

	measure(c, &names, &numbers);
	snprintf(text, sizeof(text), "%*s", numbers + 1 + names, "from \\ to");
	put(out, text);
	for (i = 0; i < c->n; i++) {
		snprintf(text, sizeof(text), " %*zu", numbers, i + 1);
		put(out, text);
	}
	put(out, "\n");
	for (i = 0; i < c->n; i++) {
		snprintf(text, sizeof(text), "%*zu %-*s", numbers, i + 1,
		    names < 300 ? names : 300, name_of(c, i));
		put(out, text);
		for (j = 0; j < c->n; j++)
			put_cell(cells_at(c, i, j), numbers, out);
		put(out, "\n");
	}
}

/* ---- lines --------------------------------------------------------------- */

static void
put_rows(const struct cells *c, struct cli_sink *out)
{
	size_t i, j, all, good;
	char text[80];

	for (i = 0; i < c->n; i++) {
		for (j = all = good = 0; j < c->n; j++) {
			all += cells_at(c, i, j)->state != CELL_NONE;
			good += cells_at(c, i, j)->state == CELL_OK;
		}
		if (all == 0)
			continue;
		put(out, name_of(c, i));
		snprintf(text, sizeof(text), ": reaches %zu of %zu\n", good,
		    all);
		put(out, text);
	}
}

static const char *
why_of(const struct cell *x)
{
	return x->why != NULL ? x->why : "not tried";
}

static bool
is_bad(const struct cell *x)
{
	return x->state == CELL_BAD;
}

/* From whom the same host cannot be reached for the same reason, folded. */
static char *
fold_same(const struct cells *c, size_t from, size_t to, bool *told)
{
	const char *why = why_of(cells_at(c, from, to));
	struct fanout_hosts *set;
	char *names = NULL;
	size_t i;

	if (fanout_hosts_new(&set) != 0)
		return NULL;
	for (i = from; i < c->n; i++)
		if (!told[i] && is_bad(cells_at(c, i, to)) &&
		    strcmp(why_of(cells_at(c, i, to)), why) == 0) {
			told[i] = true;
			(void)fanout_hosts_add(set, name_of(c, i), NULL);
		}
	(void)fanout_hosts_fold(set, &names);
	fanout_hosts_free(set);
	return names;
}

static void
put_bad(const struct cells *c, struct cli_sink *out)
{
	bool *told = calloc(c->n, sizeof(*told));
	size_t from, to;
	char *names;

	for (to = 0; told != NULL && to < c->n; to++) {
		memset(told, 0, c->n * sizeof(*told));
		for (from = 0; from < c->n; from++) {
			if (told[from] || !is_bad(cells_at(c, from, to)))
				continue;
			names = fold_same(c, from, to, told);
			put(out, names != NULL ? names : "?");
			put(out, " -> ");
			put(out, name_of(c, to));
			put(out, ": ");
			put(out, why_of(cells_at(c, from, to)));
			put(out, "\n");
			free(names);
		}
	}
	free(told);
}

/* Hosts that nobody could be tried from: what is wrong with them is told once,
 * and not by each pair. */
static void
put_untried(const struct cells *c, struct cli_sink *out)
{
	struct fanout_hosts *set;
	char *names = NULL;
	size_t i, j;

	if (fanout_hosts_new(&set) != 0)
		return;
	for (i = 0; i < c->n; i++)
		for (j = 0; j < c->n; j++)
			if (cells_at(c, i, j)->state == CELL_UNTRIED &&
			    c->setup->host[i].state == OVER) {
				(void)fanout_hosts_add(set, name_of(c, i), NULL);
				break;
			}
	if (fanout_hosts_count(set) > 0 && fanout_hosts_fold(set, &names) == 0) {
		put(out, "not tried: what begins at ");
		put(out, names);
		put(out, "\n");
	}
	free(names);
	fanout_hosts_free(set);
}

static void
put_sum(const struct cells *c, struct cli_sink *out)
{
	char text[80];
	size_t all, bad;

	cells_count(c, &all, &bad);
	snprintf(text, sizeof(text), "%zu of %zu ways without a password\n",
	    all - bad, all);
	put(out, text);
}

static void
put_json(const struct cells *c, struct cli_sink *out)
{
	const struct cell *x;
	size_t i, j;

	for (i = 0; i < c->n; i++)
		for (j = 0; j < c->n; j++) {
			x = cells_at(c, i, j);
			if (x->state == CELL_NONE)
				continue;
			put(out, "{\"event\":\"cell\",\"from\":");
			cli_json_string(out, name_of(c, i));
			put(out, ",\"to\":");
			cli_json_string(out, name_of(c, j));
			put(out, x->state == CELL_OK ? ",\"ok\":true" :
			    ",\"ok\":false,\"text\":");
			if (x->state != CELL_OK)
				cli_json_string(out, why_of(x));
			put(out, "}\n");
		}
}

void
cells_show(const struct cells *c, struct cli_sink *out)
{
	if (c->setup->c->look.json) {
		put_json(c, out);
		return;
	}
	if (out->tty && fits(c))
		put_table(c, out);
	else
		put_rows(c, out);
	put_bad(c, out);
	put_untried(c, out);
	put_sum(c, out);
}
