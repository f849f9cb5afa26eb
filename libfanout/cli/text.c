/*
 * The run as text: "host: line" as the lines come, stdout to stdout, stderr
 * to stderr; what the tool itself has to say goes to stderr under its name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "mask.h"
#include "summary.h"
#include "view.h"

#define LINE_BUDGET (1024 * 1024)

/* So many kinds of failure are told about at once, each for the first host
 * that has it; the other hosts only in the summary, unless the user is
 * curious. */
#define FEW 10

struct text_view {
	struct cli_view	 view;
	struct cli_look	 look;
	bool		 live_out, live_err;
	size_t		 hosts;
	struct cli_lines *lines;	/* slot: 2 * host + (stderr) */
	const char	*name;		/* of the host of the current event */
	struct cli_sink	*last;		/* written to last */
	char		*told[FEW];	/* class and masked text */
	size_t		 ntold;
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
put_label(struct cli_sink *s, const char *paint, const char *name)
{
	char label[320];
	int n = snprintf(label, sizeof(label), "%s: ", name);

	if ((size_t)n < sizeof(label))
		cli_sink_paint(s, paint, label, (size_t)n);
	else {
		cli_sink_put(s, name, strlen(name));
		cli_sink_put(s, ": ", 2);
	}
}

static void
on_piece(void *ctx, size_t slot, bool starts, const char *data, size_t len)
{
	struct text_view *t = ctx;
	struct cli_sink *s;

	s = turn_to(t, slot % 2 == 0 ? t->view.out : t->view.err);
	if (starts && !t->look.no_labels)
		put_label(s, slot % 2 == 0 ? CLI_PAINT_LABEL : CLI_PAINT_ERROR,
		    t->name);
	cli_sink_put_remote(s, data, len);
}

static void
say(struct text_view *t, const char *line)
{
	cli_sink_say(turn_to(t, t->view.err), line);
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

/* Is this the first failure of its kind? */
static bool
new_kind(struct text_view *t, const struct fanout_result *r)
{
	char kind[sizeof(r->text) * CLI_MASK_MAX + 32];
	size_t i, n;

	n = strlcpy(kind, fanout_class_name(r->cls), 32);
	n += cli_mask(kind + n, r->text, strlen(r->text), t->name);
	kind[n] = '\0';
	for (i = 0; i < t->ntold; i++)
		if (strcmp(t->told[i], kind) == 0)
			return false;
	if (t->ntold < FEW && (t->told[t->ntold] = strdup(kind)) != NULL) {
		t->ntold++;
		return true;
	}
	return false;
}

static void
on_output(struct text_view *t, const struct fanout_event *ev)
{
	size_t slot = 2 * ev->host + (ev->kind == FANOUT_EV_ERR);
	char line[160];

	if (slot % 2 == 0 ? !t->live_out : !t->live_err)
		return;
	/* One host without labels: nothing to keep apart. */
	if (t->look.no_labels && t->hosts == 1) {
		cli_sink_put_remote(turn_to(t, slot == 0 ? t->view.out : t->view.err),
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
	return ((r->cls == FANOUT_C_EXIT || r->cls == FANOUT_C_SIGNAL) &&
	    strncmp(r->text, CLI_OPTION_TEXT, 2) != 0) ||
	    (r->cls == FANOUT_C_SKIPPED &&
	    strncmp(r->text, CLI_NOT_BEGUN_TEXT, 9) == 0) ||
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
	if (t->look.verbose == 0 && (says_enough(r) ||
	    (r->fate != FANOUT_F_RUNNING && !new_kind(t, r))))
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
	case FANOUT_EV_ASK:
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

static void
on_rest(struct cli_view *v, const struct cli_roster *r)
{
	struct text_view *t = (struct text_view *)v;
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
	struct text_view *t = (struct text_view *)v;

	while (t->ntold > 0)
		free(t->told[--t->ntold]);
	cli_lines_free(t->lines);
	free(t);
}

struct cli_view *
cli_text_view(const struct cli_look *look, size_t hosts, struct cli_sink *out,
    struct cli_sink *err)
{
	struct text_view *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->view = (struct cli_view){ .event = on_event, .rest = on_rest,
	    .end = on_end, .free = free_view, .out = out, .err = err };
	t->look = *look;
	t->live_out = cli_look_live_out(look);
	t->live_err = cli_look_live_err(look);
	t->hosts = hosts;
	t->lines = cli_lines_new(2 * hosts, LINE_BUDGET, !look->no_labels,
	    on_piece, t);
	if (t->lines == NULL) {
		free(t);
		return NULL;
	}
	return &t->view;
}
