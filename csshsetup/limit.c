/*
 * limit.c - what our key may do on hosts that have it already: as --options and
 * --expiry say, where they are given.
 *
 * That may lock us out. So it is tried on one host first, where the key has to
 * open the door afterwards, too; if it does not, the session that changed it,
 * which stays open until then, takes it back, and no other host is changed.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/visible.h"
#include "dialog.h"
#include "limit.h"
#include "script.h"

/* A line as it was. */
struct was {
	struct was *next;
	int	 file;		/* its number in a dialog */
	char	*line;
};

struct limit {
	struct setup *s;
	bool	 keep;		/* it is only told where it has others */
	bool	 looking;	/* nothing is changed yet */
	bool	 once;		/* of a turn: there is a line with the new ones */
	bool	*wants;		/* one a host: a change */
	char	**were;		/* its options, safe to print */

	/* of the host on which it is tried */
	struct fanout *sessions;
	struct was *was;	/* the last one first */
	bool	 trying, undone;
};

/* ---- on the host --------------------------------------------------------- */

static bool
is_ours(const struct limit *l, const struct keyline *k)
{
	const char *word = l->s->key.word;
	size_t n = (size_t)(k->blob + k->blob_len - k->type);

	return strlen(word) == n && memcmp(word, k->type, n) == 0;
}

bool
limit_given(const struct csshsetup *c)
{
	return c->options != NULL || c->expiry != NULL;
}

int
limit_line(struct edit *e, const struct csshsetup *c, const struct keyline *k)
{
	char *line, *to = keyline_limit(k->options, k->options_len, c->options,
	    c->expiry);
	int rc = 0;

	if (to == NULL)
		return -1;
	if (strlen(to) == k->options_len &&
	    memcmp(to, k->options, k->options_len) == 0)
		;
	else if (asprintf(&line, "%s%s%.*s", to, *to != '\0' ? " " : "",
	    (int)(k->comment + k->comment_len - k->type), k->type) == -1)
		rc = -1;
	else {
		edit_drop(e);
		edit_add(e, line);
		free(line);
		rc = 1;
	}
	free(to);
	return rc;
}

static void
note(struct limit *l, size_t host, const struct keyline *k)
{
	size_t n = k->options_len < 200 ? k->options_len : 200;
	char *text = malloc(n * CLI_VISIBLE_MAX + 1);

	if (text == NULL || l->were[host] != NULL) {
		free(text);
		return;
	}
	text[cli_visible(text, k->options, n)] = '\0';
	l->were[host] = text;
}

static void
remember(struct limit *l, struct edit *e, const char *line, size_t len)
{
	struct was *w = malloc(sizeof(*w));

	if (w == NULL || (w->line = strndup(line, len)) == NULL) {
		free(w);
		e->failed = true;
		return;
	}
	w->file = e->number;
	w->next = l->was;
	l->was = w;
}

static void
forget(struct limit *l)
{
	struct was *w;

	while ((w = l->was) != NULL) {
		l->was = w->next;
		free(w->line);
		free(w);
	}
	fanout_free(l->sessions);
	l->sessions = NULL;
}

/* Of several lines that would become equal one stays. */
static void
limit_file(struct limit *l, size_t host, struct edit *e)
{
	const char *line;
	struct keyline k;
	size_t len;
	int rc;

	while (edit_next(e, &line, &len)) {
		if (!keyline_parse(&k, line, len) || !is_ours(l, &k))
			continue;
		if (l->trying)
			remember(l, e, line, len);
		if (l->once) {
			edit_drop(e);
			rc = 1;
		} else if ((rc = limit_line(e, l->s->c, &k)) == -1)
			e->failed = true;
		if (rc == 1) {
			note(l, host, &k);
			l->wants[host] = true;
		}
		l->once = l->s->c->options != NULL;
	}
}

static void
on_turn(void *ctx, size_t host, const struct answer *said, FILE *reply,
    struct cli_sink *out)
{
	struct limit *l = ctx;
	struct answer a = *said;
	struct record file;
	struct edit e;

	l->once = false;
	while (answer_next(&a, &file)) {
		if (!record_is(&file, "file"))
			continue;
		edit_begin(&e, &file);
		limit_file(l, host, &e);
		if (e.failed)
			setup_refuse(&l->s->host[host], NULL, "out of memory");
		else if (l->s->c->dry_run && !l->keep)
			edit_show(&e, l->s, host, out);
		else if (!l->looking && edit_changes(&e))
			edit_send(&e, reply);
		edit_clear(&e);
	}
	if (l->s->host[host].state != OVER)
		fputs("commit\n", reply);
}

static void
tell(const struct limit *l, size_t host, struct cli_sink *out)
{
	const char *were = l->were[host];
	char text[200 * CLI_VISIBLE_MAX + 80];

	snprintf(text, sizeof(text), "%s, it had %s%s",
	    l->s->c->dry_run ? "the key's options would be changed" :
	    "the key's options are changed", were != NULL && *were != '\0' ?
	    "" : "none", were != NULL ? were : "");
	setup_tell(l->s, out, "trust", fanout_hosts_at(l->s->hosts, host), text);
}

static void
on_over(void *ctx, size_t host, const struct answer *said, struct cli_sink *out)
{
	struct limit *l = ctx;
	struct host *h = &l->s->host[host];

	(void)said;
	if (l->keep)
		return;
	if (l->looking && !l->wants[host]) {
		if (h->state == TRUSTED)
			setup_tell(l->s, out, "trust", fanout_hosts_at(
			    l->s->hosts, host), "already trusted");
		return;
	}
	if (l->looking && !l->s->c->dry_run)
		return;
	tell(l, host, out);
	if (l->s->c->dry_run)
		return;
	h->state = INSTALLED;
	h->changed = true;
}

/* ---- and back ------------------------------------------------------------ */

/* Of one file, the oldest line first. */
static void
add_lines(const struct was *w, struct edit *e)
{
	if (w == NULL)
		return;
	add_lines(w->next, e);
	if (w->file == e->number)
		edit_add(e, w->line);
}

static void
on_turn_back(void *ctx, size_t host, const struct answer *said, FILE *reply,
    struct cli_sink *out)
{
	struct limit *l = ctx;
	struct answer a = *said;
	struct record file;
	struct keyline k;
	const char *line;
	struct edit e;
	bool failed = false;
	size_t len;

	(void)host;
	(void)out;
	while (answer_next(&a, &file)) {
		if (!record_is(&file, "file"))
			continue;
		edit_begin(&e, &file);
		while (edit_next(&e, &line, &len))
			if (keyline_parse(&k, line, len) && is_ours(l, &k))
				edit_drop(&e);
		add_lines(l->was, &e);
		failed |= e.failed;
		if (!failed && edit_changes(&e))
			edit_send(&e, reply);
		edit_clear(&e);
	}
	if (!failed)
		fputs("commit\n", reply);
}

static void
on_back(void *ctx, size_t host, const struct answer *said, struct cli_sink *out)
{
	(void)host;
	(void)said;
	(void)out;
	((struct limit *)ctx)->undone = true;
}

/* The host that is marked does not let our key in any more. */
static int
take_back(struct limit *l, struct host *h)
{
	const struct script_wish wish = { .dry_run = false };
	struct dialog d = { .setup = l->s, .want = setup_is_marked,
	    .turn = on_turn_back, .over = on_back, .passes = true,
	    .sessions = &l->sessions, .ctx = l,
	    .script = script_account(&wish) };
	struct fanout_result was = h->result;
	int status;

	l->undone = false;
	h->state = NEW;
	status = dialog_run(&d);
	h->state = OVER;
	h->result = was;
	h->changed = !l->undone;
	snprintf(h->result.text, sizeof(h->result.text), "%s: %.*s", l->undone ?
	    "it has its old options again, as with the new ones" :
	    "with its new options, which could not be taken back",
	    (int)sizeof(was.text) - 60, was.text);
	return status;
}

/* ---- all ----------------------------------------------------------------- */

static bool
by_key(const struct setup *s, size_t host)
{
	const struct host *h = &s->host[host];

	return h->marked && !h->by_password;
}

static bool
by_password(const struct setup *s, size_t host)
{
	const struct host *h = &s->host[host];

	return h->marked && h->by_password;
}

/* Those that are marked. */
static int
talk(struct limit *l, bool looking)
{
	const struct script_wish wish = { .dry_run = looking };
	const struct dialog d = { .setup = l->s, .want = by_key,
	    .turn = on_turn, .over = on_over,
	    .sessions = l->trying ? &l->sessions : NULL, .ctx = l };

	l->looking = looking;
	return dialog_both(&d, &wish, by_password);
}

/* What is marked, and nothing else, is changed and has to let us in. */
static int
change(struct limit *l)
{
	int status = talk(l, false);

	return status != 0 ? status : setup_prove(l->s);
}

static void
mark(struct limit *l, size_t from, size_t to)
{
	size_t i;

	for (i = 0; i < l->s->count; i++)
		l->s->host[i].marked = i >= from && i < to &&
		    l->s->host[i].state == NEW && l->wants[i];
}

static void
leave(struct limit *l, size_t from, size_t first)
{
	size_t i;

	for (i = from; i < l->s->count; i++)
		if (l->wants[i] && l->s->host[i].state == NEW)
			setup_refuse(&l->s->host[i], NULL, "the key is there "
			    "with other options, and keeps them (%.150s): with "
			    "the new ones %.100s does not let it in",
			    *l->were[i] != '\0' ? l->were[i] : "none",
			    fanout_hosts_at(l->s->hosts, first));
}

static int
change_all(struct limit *l)
{
	struct host *h;
	size_t i, n = l->s->count;
	bool locked_out;
	int status = 0;

	for (i = 0; i < n && status == 0; i++) {
		h = &l->s->host[i];
		if (!l->wants[i] || h->state != NEW)
			continue;
		mark(l, i, i + 1);
		l->trying = true;
		status = change(l);
		l->trying = false;
		locked_out = h->state == OVER && h->changed &&
		    h->result.cls == FANOUT_C_AUTH;
		if (locked_out && status == 0)
			status = take_back(l, h);
		forget(l);
		if (locked_out) {
			leave(l, i + 1, i);
			return status;
		}
		if (h->state == TRUSTED)
			break;
	}
	if (status != 0 || i >= n)
		return status;
	mark(l, i + 1, n);
	return change(l);
}

static bool
is_wanted(const struct setup *s, size_t host, const void *ctx)
{
	const struct limit *l = ctx;

	(void)s;
	return l->wants[host];
}

/* With -r it is about the members' keys. */
static void
tell_kept(const struct limit *l)
{
	char *names = setup_names(l->s, is_wanted, l);

	if (names != NULL)
		warnx("our own key keeps the options that it has on %s: what "
		    "the keys of members may do is asked for with %s", names,
		    l->s->c->mutual ? "-r" : "--hub");
	free(names);
}

static int
run(struct limit *l)
{
	struct host *h;
	size_t i;
	int status;

	for (i = 0; i < l->s->count; i++) {
		h = &l->s->host[i];
		h->marked = l->keep ? h->state == TRUSTED : h->was_there &&
		    (h->state == TRUSTED || (h->state == INSTALLED &&
		    !h->own_password));
	}
	if ((status = talk(l, true)) == 0 && l->keep)
		tell_kept(l);
	if (status != 0 || l->keep || l->s->c->dry_run)
		return status;
	/* They wait, so that none is proven before it is its turn. */
	for (i = 0; i < l->s->count; i++)
		if (l->wants[i] && l->s->host[i].state != OVER)
			l->s->host[i].state = NEW;
	return change_all(l);
}

int
setup_limit(struct setup *s)
{
	struct limit l = { .s = s, .keep = s->c->mutual ||
	    s->c->hub != NULL };
	int status = CLI_EXIT_USAGE;
	size_t i;

	l.wants = calloc(s->count, sizeof(*l.wants));
	l.were = calloc(s->count, sizeof(*l.were));
	if (l.wants == NULL || l.were == NULL)
		warnx("out of memory");
	else
		status = run(&l);
	for (i = 0; l.were != NULL && i < s->count; i++)
		free(l.were[i]);
	free(l.were);
	free(l.wants);
	return status;
}
