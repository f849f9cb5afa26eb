#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/diff.h"
#include "cli/view.h"
#include "edit.h"

void
edit_begin(struct edit *e, const struct record *r)
{
	const char *p, *end;

	*e = (struct edit){ .number = r->number, .path = r->rest,
	    .path_len = r->len, .old = r->body, .len = r->size };
	if (r->body == NULL)
		e->len = 0;
	for (p = e->old, end = p + e->len; p < end; e->lines++) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p != NULL ? p + 1 : end;
	}
	e->gone = calloc(e->lines + 1, sizeof(*e->gone));
	e->failed = e->gone == NULL;
}

void
edit_clear(struct edit *e)
{
	free(e->gone);
	free(e->more);
	e->gone = NULL;
	e->more = NULL;
}

void
edit_rewind(struct edit *e)
{
	e->at = e->line = 0;
}

/* The length of the line at an offset, and in *all with its newline. */
static size_t
line_at(const struct edit *e, size_t at, size_t *all)
{
	const char *nl = memchr(e->old + at, '\n', e->len - at);
	size_t n = nl != NULL ? (size_t)(nl - (e->old + at)) : e->len - at;

	*all = n + (nl != NULL);
	return n;
}

bool
edit_next(struct edit *e, const char **line, size_t *len)
{
	size_t all;

	if (e->at >= e->len)
		return false;
	*line = e->old + e->at;
	*len = line_at(e, e->at, &all);
	e->at += all;
	e->line++;
	return true;
}

void
edit_drop(struct edit *e)
{
	if (e->gone == NULL || e->gone[e->line - 1])
		return;
	e->gone[e->line - 1] = true;
	e->dropped++;
}

void
edit_add(struct edit *e, const char *line)
{
	size_t n = strlen(line);
	char *more = realloc(e->more, e->more_len + n + 2);

	if (more == NULL) {
		e->failed = true;
		return;
	}
	e->more = more;
	memcpy(more + e->more_len, line, n);
	memcpy(more + e->more_len + n, "\n", 2);
	e->more_len += n + 1;
	e->added++;
}

bool
edit_changes(const struct edit *e)
{
	return !e->failed && (e->dropped > 0 || e->added > 0);
}

/* The new file, for free(3); what it begins with may lack its last newline. */
static char *
new_text(const struct edit *e, size_t *len)
{
	char *text = malloc(e->len + e->more_len + 2);
	size_t at = 0, n, line;

	*len = 0;
	if (text == NULL)
		return NULL;
	for (line = 0; at < e->len; at += n, line++) {
		(void)line_at(e, at, &n);
		if (e->gone == NULL || !e->gone[line]) {
			memcpy(text + *len, e->old + at, n);
			*len += n;
		}
	}
	if (*len > 0 && text[*len - 1] != '\n')
		text[(*len)++] = '\n';
	if (e->more_len > 0)
		memcpy(text + *len, e->more, e->more_len);
	*len += e->more_len;
	return text;
}

size_t
edit_size(const struct edit *e)
{
	size_t at = 0, n, line, size = 0;
	bool newline = true;

	for (line = 0; at < e->len; at += n, line++) {
		(void)line_at(e, at, &n);
		if (e->gone[line])
			continue;
		size += n;
		newline = e->old[at + n - 1] == '\n';
	}
	return size + !newline + e->more_len;
}

/* What sed(1) makes of it. */
static void
send_drops(const struct edit *e, FILE *f)
{
	size_t i, to;
	const char *sep = "";

	if (e->dropped == 0)
		fputs("-", f);
	for (i = 0; i < e->lines; i = to + 1) {
		for (to = i; to < e->lines && e->gone[to]; to++)
			;
		if (to == i)
			continue;
		fprintf(f, to == i + 1 ? "%s%zud" : "%s%zu,%zud", sep, i + 1, to);
		sep = ";";
	}
}

void
edit_send(const struct edit *e, FILE *f)
{
	fprintf(f, "edit %d ", e->number);
	send_drops(e, f);
	fprintf(f, " %zu %zu\n", e->added, edit_size(e));
	if (e->more != NULL)
		fputs(e->more, f);
}

/* ---- what it would be ---------------------------------------------------- */

struct show {
	struct cli_sink *out;	/* NULL: into text */
	FILE	*text;
};

static void
put(const struct show *w, const char *p, size_t n)
{
	if (w->out != NULL)
		cli_sink_put_remote(w->out, p, n);
	else
		fwrite(p, 1, n, w->text);
}

static void
on_line(void *ctx, char kind, const char *line, size_t len)
{
	const struct show *w = ctx;

	if (kind != '@')
		put(w, &kind, 1);
	put(w, line, len);
	put(w, "\n", 1);
}

static int
diff(const struct edit *e, const struct show *w)
{
	struct cli_text a = { NULL, NULL, 0 }, b = { NULL, NULL, 0 };
	char *old, *new;
	size_t len;
	int rc = -1;

	old = malloc(e->len + 1);
	new = new_text(e, &len);
	if (old == NULL || new == NULL) {
		free(old);
		free(new);
		return -1;
	}
	if (e->len > 0)
		memcpy(old, e->old, e->len);
	if (cli_text_init(&a, old, e->len) == 0)
		rc = cli_text_init(&b, new, len);
	else
		free(new);
	if (rc == 0)
		rc = cli_diff(&a, &b, on_line, (void *)(uintptr_t)w);
	cli_text_clear(&a);
	cli_text_clear(&b);
	return rc;
}

static void
put_json(const char *name, const char *path, size_t path_len,
    const char *text, struct cli_sink *out)
{
	char safe[512];

	snprintf(safe, sizeof(safe), "%.*s", (int)path_len, path);
	cli_sink_put(out, "{\"event\":\"change\",\"host\":", 25);
	cli_json_string(out, name);
	cli_sink_put(out, ",\"path\":", 8);
	cli_json_string(out, safe);
	cli_sink_put(out, ",\"diff\":", 8);
	cli_json_string(out, text);
	cli_sink_put(out, "}\n", 2);
}

static void
show_json(const struct edit *e, const char *name, struct cli_sink *out)
{
	struct show w = { NULL, NULL };
	char *text = NULL;
	size_t len;

	if ((w.text = open_memstream(&text, &len)) == NULL)
		return;
	(void)diff(e, &w);
	if (fclose(w.text) == 0 && text != NULL)
		put_json(name, e->path, e->path_len, text, out);
	free(text);
}

static void
put_head(const struct show *w, const char *name, const char *path,
    size_t path_len)
{
	char head[1400];
	int n = path_len < 300 ? (int)path_len : 300;

	n = snprintf(head, sizeof(head), "--- %.300s:%.*s\n+++ %.300s:%.*s\n",
	    name, n, path, name, n, path);
	put(w, head, (size_t)n);
}

void
edit_show(const struct edit *e, const struct setup *s, size_t host,
    struct cli_sink *out)
{
	const char *name = fanout_hosts_at(s->hosts, host);
	const struct show w = { out, NULL };

	if (!edit_changes(e))
		return;
	if (s->c->look.json) {
		show_json(e, name, out);
		return;
	}
	put_head(&w, name, e->path, e->path_len);
	(void)diff(e, &w);
}

void
edit_show_more(const struct setup *s, size_t host, const char *path,
    size_t lines, const char *line, struct cli_sink *out)
{
	const char *name = fanout_hosts_at(s->hosts, host);
	const struct show w = { out, NULL };
	char *text;

	if (asprintf(&text, "@@ -%zu,0 +%zu @@\n+%s\n", lines, lines + 1,
	    line) == -1)
		return;
	if (s->c->look.json)
		put_json(name, path, strlen(path), text, out);
	else {
		put_head(&w, name, path, strlen(path));
		put(&w, text, strlen(text));
	}
	free(text);
}
