/*
 * The run as text: "host: line" as the lines come, stdout to stdout, stderr
 * to stderr; what the tool itself has to say goes to stderr under its name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "summary.h"
#include "view.h"
#include "visible.h"

#define LINE_BUDGET (1024 * 1024)

/* So many hosts that failed are told about at once; the others only in the
 * summary, unless the user is curious. */
#define FEW 10

struct text_view {
	struct cli_view	 view;
	struct cli_look	 look;
	size_t		 hosts;
	struct cli_lines *lines;	/* slot: 2 * host + (stderr) */
	const char	*name;		/* of the host of the current event */
	struct cli_sink	*last;		/* written to last */
	size_t		 told;
	bool		 warned;
};

/* What was written before to the other one is shown before. */
static struct cli_sink *
turn_to(struct text_view *t, struct cli_sink *s)
{
	if (t->last != NULL && t->last != s)
		cli_sink_flush(t->last);
	t->last = s;
	return s;
}

static void
put_remote(struct cli_sink *s, const char *data, size_t len)
{
	char shown[1024 * CLI_VISIBLE_MAX];
	size_t n, step;

	if (!s->tty) {
		cli_sink_put(s, data, len);
		return;
	}
	for (; len > 0; data += n, len -= n) {
		n = len < 1024 ? len : 1024;
		/* Not within a character, if it can be helped. */
		for (step = 0; n < len && n > 1 && step < 3 &&
		    ((unsigned char)data[n] & 0xc0) == 0x80; step++)
			n--;
		cli_sink_put(s, shown, cli_visible(shown, data, n));
	}
}

static void
on_piece(void *ctx, size_t slot, bool starts, const char *data, size_t len)
{
	struct text_view *t = ctx;
	struct cli_sink *s;

	s = turn_to(t, slot % 2 == 0 ? t->view.out : t->view.err);
	if (starts && !t->look.no_labels) {
		cli_sink_put(s, t->name, strlen(t->name));
		cli_sink_put(s, ": ", 2);
	}
	put_remote(s, data, len);
}

/* A line of our own; it is safe to print. */
static void
say(struct text_view *t, const char *line)
{
	struct cli_sink *s = turn_to(t, t->view.err);
	const char *me = getprogname();

	cli_sink_put(s, me, strlen(me));
	cli_sink_put(s, ": ", 2);
	cli_sink_put(s, line, strlen(line));
	cli_sink_put(s, "\n", 1);
}

static void
say_of_host(struct text_view *t, const char *what, const char *text, size_t len)
{
	char *line;

	if (asprintf(&line, "%s: %s%s%.*s", t->name, what,
	    *what != '\0' && len > 0 ? ": " : "", (int)len, text) == -1)
		return;
	say(t, line);
	free(line);
}

static void
on_output(struct text_view *t, const struct fanout_event *ev)
{
	size_t slot = 2 * ev->host + (ev->kind == FANOUT_EV_ERR);
	char line[160];

	/* One host without labels: nothing to keep apart. */
	if (t->look.no_labels && t->hosts == 1) {
		put_remote(turn_to(t, slot == 0 ? t->view.out : t->view.err),
		    ev->data, ev->len);
		return;
	}
	if (cli_lines_add(t->lines, slot, ev->data, ev->len) == 0)
		return;
	/* The line goes out as it is; the next label begins a new one. */
	if (!t->look.no_labels)
		cli_sink_put(t->last, "\n", 1);
	if (!t->warned) {
		t->warned = true;
		snprintf(line, sizeof(line), "a very long line is shown in "
		    "parts: no room in $TMPDIR or /var/tmp: %s",
		    strerror(errno));
		say(t, line);
	}
}

/* Such an outcome is clear from the summary; others have a text. */
static bool
says_enough(const struct fanout_result *r)
{
	return r->cls == FANOUT_C_EXIT || r->cls == FANOUT_C_SIGNAL ||
	    (r->cls == FANOUT_C_CANCELED && r->fate != FANOUT_F_RUNNING &&
	    r->fate != FANOUT_F_UNKNOWN);
}

static void
on_done(struct text_view *t, const struct fanout_event *ev)
{
	const struct fanout_result *r = ev->result;
	size_t slot;

	for (slot = 2 * ev->host; slot <= 2 * ev->host + 1; slot++)
		if (cli_lines_end(t->lines, slot) && !t->look.no_labels)
			cli_sink_put(t->last, "\n", 1);
	if (r->cls == FANOUT_C_OK)
		return;
	if (t->look.verbose == 0 && (says_enough(r) || ++t->told > FEW))
		return;
	say_of_host(t, fanout_class_name(r->cls), r->text, strlen(r->text));
}

static void
on_event(struct cli_view *v, const struct fanout_event *ev)
{
	struct text_view *t = (struct text_view *)v;

	t->name = ev->name;
	switch (ev->kind) {
	case FANOUT_EV_START:
	case FANOUT_EV_ROOM:
		break;
	case FANOUT_EV_OUT:
	case FANOUT_EV_ERR:
		on_output(t, ev);
		break;
	case FANOUT_EV_LOG:
		if (*ev->name == '\0')
			say(t, ev->data);
		else
			say_of_host(t, "", ev->data, ev->len);
		break;
	case FANOUT_EV_DONE:
		on_done(t, ev);
		break;
	}
}

/* Hosts given up keep what they said so far. */
static void
show_rest(struct text_view *t, const struct cli_roster *r)
{
	size_t i;

	for (i = 0; i < 2 * r->count; i++) {
		t->name = fanout_hosts_at(r->hosts, i / 2);
		if (cli_lines_end(t->lines, i) && !t->look.no_labels)
			cli_sink_put(t->last, "\n", 1);
	}
}

static void
on_end(struct cli_view *v, const struct cli_roster *r, int status)
{
	struct text_view *t = (struct text_view *)v;
	char *text;

	(void)status;
	show_rest(t, r);
	if (r->failed + r->skipped > 0) {
		text = cli_summary(r);
		say(t, text != NULL ? text : "some failed (out of memory)");
		free(text);
	}
	cli_sink_flush(v->out);
	cli_sink_flush(v->err);
}

static void
free_view(struct cli_view *v)
{
	cli_lines_free(((struct text_view *)v)->lines);
	free(v);
}

struct cli_view *
cli_text_view(const struct cli_look *look, size_t hosts, struct cli_sink *out,
    struct cli_sink *err)
{
	struct text_view *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->view = (struct cli_view){ on_event, on_end, free_view, out, err };
	t->look = *look;
	t->hosts = hosts;
	t->lines = cli_lines_new(2 * hosts, LINE_BUDGET, !look->no_labels,
	    on_piece, t);
	if (t->lines == NULL) {
		free(t);
		return NULL;
	}
	return &t->view;
}
