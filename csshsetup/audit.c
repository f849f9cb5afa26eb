/*
 * audit.c - which keys may log in where; and which of them should not.
 */
#include <dirent.h>
#include <err.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/view.h"
#include "cli/visible.h"
#include "dialog.h"
#include "edit.h"
#include "keyline.h"
#include "modes.h"
#include "script.h"

#define TEXT_MAX 160		/* of comments and options that is shown */

struct place {
	size_t	 host;
	unsigned times;		/* in its files */
	bool	 expired;
	char	*options;
};

struct akey {
	struct akey *next;
	char	 print[KEYLINE_PRINT_SIZE];
	char	 type[40];
	char	*comment;	/* safe to print */
	const char *weak;	/* NULL: it is not */
	unsigned bits;
	bool	 known;
	size_t	 owner;		/* host whose account has it; FANOUT_NOHOST:
				 * none */
	struct place *place;
	size_t	 count, room;
};

struct audit {
	struct setup *s;
	void	*tree;		/* of all, by fingerprint */
	struct akey *first, **last;	/* in the order they were found */
	size_t	 odd;		/* lines that are no keys */
	bool	 failed;
	time_t	 now;
};

static int
compare(const void *one, const void *other)
{
	const struct akey *a = one, *b = other;

	return strcmp(a->print, b->print);
}

/* ---- keys ---------------------------------------------------------------- */

static char *
visible(const char *text, size_t len)
{
	char shown[TEXT_MAX * CLI_VISIBLE_MAX + 1], *p;

	shown[cli_visible(shown, text, len < TEXT_MAX ? len : TEXT_MAX)] = '\0';
	for (p = shown; *p != '\0'; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	return strdup(shown);
}

static struct akey *
find(struct audit *a, const struct keyline *k)
{
	struct akey *x, **same;

	if ((x = calloc(1, sizeof(*x))) == NULL)
		return NULL;
	keyline_fingerprint(k, x->print);
	same = tsearch(x, &a->tree, compare);
	if (same == NULL || *same != x) {
		free(x);
		return same != NULL ? *same : NULL;
	}
	*a->last = x;
	a->last = &x->next;
	snprintf(x->type, sizeof(x->type), "%.*s", (int)k->type_len, k->type);
	x->bits = k->bits;
	x->owner = FANOUT_NOHOST;
	x->weak = keyline_weak(k);
	return x;
}

static struct place *
place_of(struct akey *x, size_t host)
{
	struct place *p;

	if (x->count > 0 && x->place[x->count - 1].host == host)
		return &x->place[x->count - 1];
	if (x->count == x->room) {
		p = reallocarray(x->place, x->room * 2 + 4, sizeof(*p));
		if (p == NULL)
			return NULL;
		x->place = p;
		x->room = x->room * 2 + 4;
	}
	x->place[x->count] = (struct place){ .host = host };
	return &x->place[x->count++];
}

static void
take_key(struct audit *a, size_t host, const struct keyline *k)
{
	struct akey *x = find(a, k);
	struct place *p = x != NULL ? place_of(x, host) : NULL;

	if (p == NULL) {
		a->failed = true;
		return;
	}
	p->times++;
	p->expired = p->expired || keyline_expired(k, a->now);
	if (p->options == NULL)
		p->options = visible(k->options, k->options_len);
	if (x->comment == NULL && k->comment_len > 0)
		x->comment = visible(k->comment, k->comment_len);
}

static bool
is_remark(const char *line, size_t len)
{
	size_t i = 0;

	while (i < len && (line[i] == ' ' || line[i] == '\t' ||
	    line[i] == '\r'))
		i++;
	return i == len || line[i] == '#';
}

static void
take_file(struct audit *a, size_t host, const struct record *r,
    struct cli_sink *out)
{
	struct edit e;
	const char *line;
	struct keyline k;
	char text[300], *path;
	size_t len;

	edit_begin(&e, r);
	while (edit_next(&e, &line, &len)) {
		if (keyline_parse(&k, line, len)) {
			take_key(a, host, &k);
			continue;
		}
		if (is_remark(line, len))
			continue;
		a->odd++;
		if ((path = visible(r->rest, r->len)) == NULL)
			continue;
		snprintf(text, sizeof(text), "%.200s:%zu: this is no key",
		    path, e.line);
		free(path);
		setup_tell(a->s, out, "odd", fanout_hosts_at(a->s->hosts,
		    host), text);
	}
	edit_clear(&e);
}

static void
know(struct audit *a, const char *line, size_t len, size_t owner)
{
	struct keyline k;
	struct akey *x;

	if (!keyline_parse(&k, line, len))
		return;
	if ((x = find(a, &k)) == NULL)
		a->failed = true;
	else {
		x->known = true;
		if (x->owner == FANOUT_NOHOST)
			x->owner = owner;
		if (x->comment == NULL && k.comment_len > 0)
			x->comment = visible(k.comment, k.comment_len);
	}
}

static void
on_turn(void *ctx, size_t host, const struct answer *said, FILE *reply,
    struct cli_sink *out)
{
	struct audit *a = ctx;
	struct answer from = *said;
	struct record r;

	while (answer_next(&from, &r)) {
		if (record_is(&r, "file"))
			take_file(a, host, &r, out);
		else if (record_is(&r, "mine"))
			know(a, r.rest, r.len, host);
	}
	fputs("commit\n", reply);
}

/* ---- those that are known ------------------------------------------------ */

static int
know_file(struct audit *a, const char *path)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	FILE *f;

	if ((f = fopen(path, "re")) == NULL)
		return -1;
	while ((n = getline(&line, &size, f)) != -1)
		know(a, line, (size_t)n, FANOUT_NOHOST);
	free(line);
	fclose(f);
	return 0;
}

/* Ours: all that lie beside the one that is used. */
static void
know_ours(struct audit *a)
{
	char *dir = strdup(a->s->key.path), *slash, *path;
	struct dirent *d;
	size_t n;
	DIR *list;

	if (dir == NULL || (slash = strrchr(dir, '/')) == NULL) {
		free(dir);
		return;
	}
	*slash = '\0';
	list = opendir(dir);
	while (list != NULL && (d = readdir(list)) != NULL) {
		n = strlen(d->d_name);
		if (n < 5 || strcmp(d->d_name + n - 4, ".pub") != 0 ||
		    asprintf(&path, "%s/%s", dir, d->d_name) == -1)
			continue;
		(void)know_file(a, path);
		free(path);
	}
	if (list != NULL)
		closedir(list);
	free(dir);
}

/* ---- telling ------------------------------------------------------------- */

static bool
is_twice(const struct akey *x)
{
	size_t i;

	for (i = 0; i < x->count; i++)
		if (x->place[i].times > 1)
			return true;
	return false;
}

static bool
is_expired(const struct akey *x)
{
	size_t i;

	for (i = 0; i < x->count; i++)
		if (x->place[i].expired)
			return true;
	return false;
}

/* At most four; how many. */
static size_t
marks(const struct akey *x, const char *mark[4])
{
	size_t n = 0;

	if (x->weak != NULL)
		mark[n++] = x->weak;
	if (!x->known)
		mark[n++] = "unknown";
	if (is_twice(x))
		mark[n++] = "duplicate";
	if (is_expired(x))
		mark[n++] = "expired";
	return n;
}

static void
put(struct cli_sink *out, const char *text)
{
	cli_sink_put(out, text, strlen(text));
}

static bool
alike(const struct place *a, const struct place *b)
{
	return (a->times > 1) == (b->times > 1) && a->expired == b->expired &&
	    a->options != NULL && b->options != NULL &&
	    strcmp(a->options, b->options) == 0;
}

/* "    node[1-3]: OPTIONS (duplicate, expired)" */
static void
put_places(const struct audit *a, const struct akey *x, size_t from,
    bool *told, struct cli_sink *out)
{
	const struct place *p = &x->place[from];
	struct fanout_hosts *set;
	char *names = NULL;
	size_t i;

	if (fanout_hosts_new(&set) != 0)
		return;
	for (i = from; i < x->count; i++)
		if (!told[i] && alike(p, &x->place[i])) {
			told[i] = true;
			(void)fanout_hosts_add(set, fanout_hosts_at(
			    a->s->hosts, x->place[i].host), NULL);
		}
	told[from] = true;
	(void)fanout_hosts_fold(set, &names);
	fanout_hosts_free(set);
	put(out, "    ");
	put(out, names != NULL && *names != '\0' ? names :
	    fanout_hosts_at(a->s->hosts, p->host));
	if (p->options != NULL && *p->options != '\0') {
		put(out, ": ");
		put(out, p->options);
	}
	put(out, p->times > 1 ? p->expired ? " (duplicate, expired)" :
	    " (duplicate)" : p->expired ? " (expired)" : "");
	put(out, "\n");
	free(names);
}

static void
put_text(const struct audit *a, const struct akey *x, struct cli_sink *out)
{
	const char *mark[4];
	bool *told = calloc(x->count, sizeof(*told));
	size_t i, n = marks(x, mark);
	char head[200];

	snprintf(head, sizeof(head), "%s %s %u", x->print, x->type, x->bits);
	put(out, head);
	if (x->comment != NULL) {
		put(out, " ");
		put(out, x->comment);
	}
	if (x->owner != FANOUT_NOHOST) {
		put(out, " (of ");
		put(out, fanout_hosts_at(a->s->hosts, x->owner));
		put(out, ")");
	}
	for (i = 0; i < n; i++) {
		put(out, i == 0 ? "  " : ", ");
		cli_sink_paint(out, CLI_PAINT_ERROR, mark[i], strlen(mark[i]));
	}
	put(out, "\n");
	for (i = 0; told != NULL && i < x->count; i++)
		if (!told[i])
			put_places(a, x, i, told, out);
	free(told);
}

static void
put_json(const struct audit *a, const struct akey *x, struct cli_sink *out)
{
	const char *mark[4];
	const struct place *p;
	size_t i, n = marks(x, mark);
	char text[80];

	put(out, "{\"event\":\"key\",\"fingerprint\":");
	cli_json_string(out, x->print);
	put(out, ",\"type\":");
	cli_json_string(out, x->type);
	snprintf(text, sizeof(text), ",\"bits\":%u,\"comment\":", x->bits);
	put(out, text);
	cli_json_string(out, x->comment != NULL ? x->comment : "");
	if (x->owner != FANOUT_NOHOST) {
		put(out, ",\"of\":");
		cli_json_string(out, fanout_hosts_at(a->s->hosts, x->owner));
	}
	put(out, ",\"marks\":[");
	for (i = 0; i < n; i++) {
		put(out, i > 0 ? "," : "");
		cli_json_string(out, mark[i]);
	}
	put(out, "],\"hosts\":[");
	for (i = 0; i < x->count; i++) {
		p = &x->place[i];
		put(out, i > 0 ? ",{\"host\":" : "{\"host\":");
		cli_json_string(out, fanout_hosts_at(a->s->hosts, p->host));
		put(out, ",\"options\":");
		cli_json_string(out, p->options != NULL ? p->options : "");
		snprintf(text, sizeof(text), ",\"times\":%u,\"expired\":%s}",
		    p->times, p->expired ? "true" : "false");
		put(out, text);
	}
	put(out, "]}\n");
}

static int
tell(struct audit *a)
{
	const char *mark[4];
	struct cli_sink out;
	struct akey *x;
	size_t keys = 0, marked = 0;
	char sum[120];
	int status;

	if ((status = setup_open_sink(a->s, &out)) != 0)
		return status;
	for (x = a->first; x != NULL; x = x->next) {
		if (x->count == 0)
			continue;
		keys++;
		marked += marks(x, mark) > 0;
		if (a->s->c->look.json)
			put_json(a, x, &out);
		else
			put_text(a, x, &out);
	}
	snprintf(sum, sizeof(sum), "%zu key%s, %zu marked\n", keys, keys == 1 ?
	    "" : "s", marked);
	if (!a->s->c->look.json)
		put(&out, sum);
	cli_sink_close(&out);
	a->s->bad = marked > 0 || a->odd > 0;
	return 0;
}

/* ---- all ----------------------------------------------------------------- */

static int
look(struct audit *a)
{
	const struct script_wish wish = { .dry_run = true, .key = true };
	struct dialog d = { .setup = a->s, .script = script_account(&wish),
	    .want = setup_is_trusted, .turn = on_turn, .ctx = a };
	int status;

	know_ours(a);
	if (a->s->c->known_keys != NULL &&
	    know_file(a, a->s->c->known_keys) == -1) {
		warn("--known-keys: %s", a->s->c->known_keys);
		return CLI_EXIT_USAGE;
	}
	if ((status = setup_log_in(a->s)) != 0 || (status = dialog_run(&d)) != 0)
		return status;
	if (!a->failed)
		return tell(a);
	warnx("out of memory");
	return CLI_EXIT_USAGE;
}

static void
keep(void *x)
{
	(void)x;
}

static void
clear(struct audit *a)
{
	struct akey *x, *next;
	size_t i;

	tdestroy(a->tree, keep);
	for (x = a->first; x != NULL; x = next) {
		next = x->next;
		for (i = 0; i < x->count; i++)
			free(x->place[i].options);
		free(x->place);
		free(x->comment);
		free(x);
	}
}

int
setup_audit(struct setup *s)
{
	struct audit a = { .s = s, .now = time(NULL) };
	int status;

	a.last = &a.first;
	status = look(&a);
	clear(&a);
	return status;
}
