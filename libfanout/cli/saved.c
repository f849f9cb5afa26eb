#include <sys/file.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "jsonread.h"
#include "saved.h"

/* The fields of one event; strings point into the line. */
struct fields {
	struct cli_saved *saved;	/* where those of "run" go */
	char	 event[16];
	const char *host, *cls, *stage, *signal, *text, *base64;
	size_t	 text_len, base64_len;
	double	 time, status, exit, in, out, err, login_ms, run_ms;
	uint64_t out_sum, err_sum;
	bool	 nomem, bad;
};

/* What is to be done with an event of a report. */
typedef void (*event_fn)(void *ctx, const struct fanout_event *,
    const struct fields *);

static void
set_text(struct fields *f, const char *key, const struct cli_json_value *v)
{
	struct cli_saved *s = f->saved;
	const struct {
		const char *key;
		char	**to;
	} own[] = {
		{ "id", &s->id }, { "tool", &s->tool },
		{ "command", &s->command }, { "user", &s->user },
		{ "from", &s->from }, { "directory", &s->directory },
		{ "retry_of", &s->retry_of }
	};
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(own[i].key, key) == 0 && *own[i].to == NULL &&
		    (*own[i].to = strdup(v->text)) == NULL)
			f->nomem = true;
}

static void
set_item(struct fields *f, const char *key, const struct cli_json_value *v)
{
	struct fanout_error e;
	int rc;

	if (strcmp(key, "options") == 0) {
		if (cli_words_add(&f->saved->words, v->text, v->len) == -1)
			f->nomem = true;
	} else if (strcmp(key, "hosts") == 0) {
		rc = fanout_hosts_add(f->saved->hosts, v->text, &e);
		if (rc == FANOUT_ENOMEM)
			f->nomem = true;
		else if (rc != 0)
			f->bad = true;
	}
}

static void
set_string(struct fields *f, const char *key, const struct cli_json_value *v)
{
	if (strcmp(key, "event") == 0) {
		strlcpy(f->event, v->text, sizeof(f->event));
	} else if (strcmp(key, "host") == 0) {
		f->host = v->text;
	} else if (strcmp(key, "class") == 0) {
		f->cls = v->text;
	} else if (strcmp(key, "stage") == 0) {
		f->stage = v->text;
	} else if (strcmp(key, "signal") == 0) {
		f->signal = v->text;
	} else if (strcmp(key, "text") == 0) {
		f->text = v->text;
		f->text_len = v->len;
	} else if (strcmp(key, "base64") == 0) {
		f->base64 = v->text;
		f->base64_len = v->len;
	} else if (strcmp(key, "out_sum") == 0) {
		f->out_sum = strtoull(v->text, NULL, 16);
	} else if (strcmp(key, "err_sum") == 0) {
		f->err_sum = strtoull(v->text, NULL, 16);
	} else if (strcmp(f->event, "run") == 0)
		set_text(f, key, v);
}

static void
set_number(struct fields *f, const char *key, double n)
{
	const struct {
		const char *key;
		double	*to;
	} all[] = {
		{ "time", &f->time }, { "status", &f->status },
		{ "exit", &f->exit }, { "in_bytes", &f->in },
		{ "out_bytes", &f->out }, { "err_bytes", &f->err },
		{ "login_ms", &f->login_ms }, { "run_ms", &f->run_ms }
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].key, key) == 0)
			*all[i].to = n;
}

static int
on_field(void *ctx, const char *key, const struct cli_json_value *v)
{
	struct fields *f = ctx;

	if (v->kind == CLI_JSON_NUMBER)
		set_number(f, key, v->number);
	else if (v->kind == CLI_JSON_STRING && v->item)
		set_item(f, key, v);
	else if (v->kind == CLI_JSON_STRING)
		set_string(f, key, v);
	return f->nomem || f->bad;
}

/* ---- events ------------------------------------------------------------- */

static int
fill_result(const struct fields *f, struct fanout_result *r)
{
	int i;

	*r = (struct fanout_result){ .cls = FANOUT_NCLASSES,
	    .stage = FANOUT_NSTAGES, .status = (int)f->status,
	    .in_bytes = (uint64_t)f->in, .out_bytes = (uint64_t)f->out,
	    .err_bytes = (uint64_t)f->err, .login_ms = (uint32_t)f->login_ms,
	    .run_ms = (uint32_t)f->run_ms };
	for (i = 0; f->cls != NULL && i < FANOUT_NCLASSES; i++)
		if (strcmp(fanout_class_name(i), f->cls) == 0)
			r->cls = i;
	for (i = 0; f->stage != NULL && i < FANOUT_NSTAGES; i++)
		if (strcmp(fanout_stage_name(i), f->stage) == 0)
			r->stage = i;
	if (f->signal != NULL)
		strlcpy(r->signal, f->signal, sizeof(r->signal));
	if (f->text != NULL)
		strlcpy(r->text, f->text, sizeof(r->text));
	return r->cls == FANOUT_NCLASSES || r->stage == FANOUT_NSTAGES ?
	    -1 : 0;
}

static enum fanout_kind
kind_of(const char *event)
{
	return strcmp(event, "start") == 0 ? FANOUT_EV_START :
	    strcmp(event, "out") == 0 ? FANOUT_EV_OUT :
	    strcmp(event, "err") == 0 ? FANOUT_EV_ERR :
	    strcmp(event, "done") == 0 ? FANOUT_EV_DONE : 0;
}

/* 0, or -1: it makes no sense. */
static int
host_event(const struct fields *f, event_fn fn, void *ctx)
{
	struct fanout_event ev = { .kind = kind_of(f->event), .job = 1 };
	struct fanout_result result;
	bool check = strcmp(f->event, "check") == 0;
	long n;

	if (ev.kind == 0 && !check)
		return 0;
	ev.host = f->host == NULL ? FANOUT_NOHOST :
	    fanout_hosts_find(f->saved->hosts, f->host);
	if (ev.host == FANOUT_NOHOST)
		return -1;
	if (check) {
		f->saved->sums[ev.host].unfit = f->cls == NULL ||
		    strcmp(f->cls, fanout_class_name(FANOUT_C_OK)) != 0;
		return 0;
	}
	ev.name = fanout_hosts_at(f->saved->hosts, ev.host);
	ev.data = f->text;
	ev.len = f->text_len;
	if (f->base64 != NULL) {
		/* It lies in the line, which is ours to change. */
		n = cli_base64_decode((char *)(uintptr_t)f->base64,
		    f->base64_len);
		if (n == -1)
			return -1;
		ev.data = f->base64;
		ev.len = (size_t)n;
	}
	if (ev.kind == FANOUT_EV_DONE) {
		if (fill_result(f, &result) == -1)
			return -1;
		ev.result = &result;
	} else if (ev.kind != FANOUT_EV_START && ev.data == NULL)
		return -1;
	fn(ctx, &ev, f);
	return 0;
}

static int
bad_line(const struct cli_saved *s, unsigned line, struct fanout_error *e)
{
	return cli_error(e, FANOUT_EPARSE, "%.180s, line %u: not what a "
	    "report has there", s->path, line);
}

/* The whole file but its first line, if that was read before; fn may be NULL.
 * A last line that is torn was being written when the run died. */
static int
read_events(FILE *fp, struct cli_saved *s, unsigned line, event_fn fn,
    void *ctx, struct fanout_error *e)
{
	struct fields f;
	char *text = NULL;
	size_t size = 0;
	ssize_t n;
	int rc = 0;

	while (rc == 0 && (n = getline(&text, &size, fp)) > 0 &&
	    text[n - 1] == '\n') {
		line++;
		f = (struct fields){ .saved = s, .status = -1 };
		if (cli_json_each(text, (size_t)n - 1, on_field, &f) != 0 ||
		    host_event(&f, fn, ctx) == -1)
			rc = f.nomem ? cli_nomem(e) : bad_line(s, line, e);
		else if (strcmp(f.event, "summary") == 0) {
			s->ended = true;
			s->ended_at = f.time;
			s->exit = (int)f.exit;
		}
	}
	if (rc == 0 && ferror(fp))
		rc = cli_error(e, FANOUT_ESYS, "%.180s: %s", s->path,
		    strerror(errno));
	free(text);
	return rc;
}

/* The first line: about the run. */
static int
read_begin(FILE *fp, struct cli_saved *s, struct fanout_error *e)
{
	struct fields f = { .saved = s };
	char *text = NULL;
	size_t size = 0;
	ssize_t n;
	int rc = 0;

	n = getline(&text, &size, fp);
	if (n <= 0 || text[n - 1] != '\n' ||
	    cli_json_each(text, (size_t)n - 1, on_field, &f) != 0 ||
	    strcmp(f.event, "run") != 0 || s->id == NULL || s->tool == NULL ||
	    s->command == NULL || fanout_hosts_count(s->hosts) == 0)
		rc = f.nomem ? cli_nomem(e) : bad_line(s, 1, e);
	s->time = f.time;
	free(text);
	return rc;
}

static void
take_event(void *ctx, const struct fanout_event *ev, const struct fields *f)
{
	struct cli_saved *s = ctx;

	cli_roster_event(&s->roster, ev);
	if (ev->kind == FANOUT_EV_OUT || ev->kind == FANOUT_EV_ERR)
		s->outputs = true;
	if (ev->kind != FANOUT_EV_DONE)
		return;
	s->sums[ev->host].out = f->out_sum;
	s->sums[ev->host].err = f->err_sum;
	if (ev->result->in_bytes > s->fed)
		s->fed = ev->result->in_bytes;
}

static int
load(FILE *fp, struct cli_saved *s, struct fanout_error *e)
{
	int rc;

	if (fanout_hosts_new(&s->hosts) != 0)
		return cli_nomem(e);
	if (flock(fileno(fp), LOCK_SH | LOCK_NB) == -1)
		s->running = errno == EWOULDBLOCK;
	if ((rc = read_begin(fp, s, e)) != 0)
		return rc;
	s->sums = calloc(fanout_hosts_count(s->hosts), sizeof(*s->sums));
	if (s->sums == NULL || cli_roster_init(&s->roster, s->hosts) == -1)
		return cli_nomem(e);
	return read_events(fp, s, 1, take_event, s, e);
}

int
cli_saved_open(struct cli_saved **out, const char *path,
    struct fanout_error *e)
{
	struct cli_saved *s;
	FILE *fp;
	int rc;

	*out = NULL;
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->path = strdup(path)) == NULL) {
		free(s);
		return cli_nomem(e);
	}
	if ((fp = fopen(path, "re")) == NULL) {
		rc = cli_error(e, FANOUT_ESYS, "%.180s: %s", path,
		    strerror(errno));
	} else {
		rc = load(fp, s, e);
		fclose(fp);
	}
	if (rc != 0)
		cli_saved_free(s);
	else
		*out = s;
	return rc;
}

void
cli_saved_free(struct cli_saved *s)
{
	if (s == NULL)
		return;
	cli_roster_clear(&s->roster);
	fanout_hosts_free(s->hosts);
	cli_words_clear(&s->words);
	free(s->sums);
	free(s->path);
	free(s->id);
	free(s->tool);
	free(s->command);
	free(s->user);
	free(s->from);
	free(s->directory);
	free(s->retry_of);
	free(s);
}

struct replay {
	struct cli_roster *roster;
	struct cli_views *views;
};

static void
replay_event(void *ctx, const struct fanout_event *ev, const struct fields *f)
{
	struct replay *r = ctx;

	(void)f;
	cli_roster_event(r->roster, ev);
	cli_views_event(r->views, ev);
}

int
cli_saved_replay(const struct cli_saved *s, struct cli_roster *roster,
    struct cli_views *views, struct fanout_error *e)
{
	struct cli_saved again = *s;
	struct replay r = { roster, views };
	char *first = NULL;
	size_t size = 0;
	FILE *fp;
	int rc;

	if ((fp = fopen(s->path, "re")) == NULL)
		return cli_error(e, FANOUT_ESYS, "%.180s: %s", s->path,
		    strerror(errno));
	rc = getline(&first, &size, fp) > 0 ?
	    read_events(fp, &again, 1, replay_event, &r, e) : 0;
	free(first);
	fclose(fp);
	if (rc == 0)
		cli_roster_give_up(roster);
	return rc;
}

/* ---- which one ---------------------------------------------------------- */

static int
any(const struct dirent *d)
{
	return cli_report_name(d->d_name, NULL);
}

static int
last(struct dirent **list, int n, unsigned before, const char **name,
    struct fanout_error *e)
{
	while (--n >= 0)
		if (cli_report_name(list[n]->d_name, getprogname()) &&
		    before-- == 0) {
			*name = list[n]->d_name;
			return 0;
		}
	return cli_error(e, FANOUT_ECONFIG, "no run of %s is saved",
	    getprogname());
}

static int
search(struct dirent **list, int n, const char *id, const char **name,
    struct fanout_error *e)
{
	size_t len = strlen(id);
	const char *dot, *at;
	int i;

	*name = NULL;
	for (i = 0; i < n; i++) {
		dot = strchr(list[i]->d_name, '.');
		if ((size_t)(dot - list[i]->d_name) == len &&
		    strncmp(list[i]->d_name, id, len) == 0) {
			*name = list[i]->d_name;
			return 0;
		}
		at = strstr(list[i]->d_name, id);
		if (at == NULL || at + len > dot || len == 0)
			continue;
		if (*name != NULL)
			return cli_error(e, FANOUT_ECONFIG, "%.40s is a part of "
			    "more than one ID; see --runs", id);
		*name = list[i]->d_name;
	}
	return *name != NULL ? 0 : cli_error(e, FANOUT_ECONFIG,
	    "no saved run has the ID %.60s; see --runs", id);
}

int
cli_saved_find(char **path, const char *id, unsigned before,
    struct fanout_error *e)
{
	char dir[PATH_MAX];
	struct dirent **list = NULL;
	const char *name;
	int n = 0, i, rc;

	*path = NULL;
	if (cli_report_dir(dir, sizeof(dir), false) == -1)
		return cli_error(e, FANOUT_ESYS, "%s", strerror(errno));
	if ((n = scandir(dir, &list, any, alphasort)) == -1) {
		if (errno != ENOENT)
			return cli_error(e, FANOUT_ESYS, "%.180s: %s", dir,
			    strerror(errno));
		n = 0;
	}
	rc = id != NULL ? search(list, n, id, &name, e) :
	    last(list, n, before, &name, e);
	if (rc == 0 && asprintf(path, "%s/%s", dir, name) == -1) {
		*path = NULL;
		rc = cli_nomem(e);
	}
	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return rc;
}

int
cli_saved_load(struct cli_saved **s, const char *id, unsigned before,
    struct fanout_error *e)
{
	char *path;
	int rc;

	*s = NULL;
	if ((rc = cli_saved_find(&path, id, before, e)) != 0)
		return rc;
	rc = cli_saved_open(s, path, e);
	free(path);
	return rc;
}

/* ---- which hosts -------------------------------------------------------- */

struct choice {
	const char *which;
	int	 code;		/* of exit=N; -1: none */
	int	 cls;		/* name of a class; -1: none */
};

static bool
chosen(const struct cli_place *p, bool unfit, const struct choice *c)
{
	bool over = p->state == CLI_OVER;

	if (c->code != -1)
		return over && p->cls == FANOUT_C_EXIT && p->code == c->code;
	if (strcmp(c->which, "all") == 0)
		return true;
	if (strcmp(c->which, "unfinished") == 0)
		return !over || p->cls == FANOUT_C_CANCELED;
	if (strcmp(c->which, "failed") == 0)
		return !over || unfit || (p->cls != FANOUT_C_OK &&
		    p->cls != FANOUT_C_SKIPPED);
	if (!over)
		return false;
	if (strcmp(c->which, "succeeded") == 0)
		return p->cls == FANOUT_C_OK;
	if (strcmp(c->which, "unreachable") == 0)
		return cli_unreached(p);
	if (strcmp(c->which, "timeout") == 0)
		return p->cls == FANOUT_C_CONNECT_TIMEOUT ||
		    p->cls == FANOUT_C_LOGIN_TIMEOUT ||
		    p->cls == FANOUT_C_COMMAND_TIMEOUT ||
		    p->cls == FANOUT_C_IDLE_TIMEOUT;
	return p->cls == c->cls;
}

static int
parse_choice(struct choice *c, const char *which, struct fanout_error *e)
{
	static const char *const words[] = { "failed", "unreachable",
	    "succeeded", "timeout", "skipped", "unfinished", "all" };
	const char *why;
	size_t i;

	*c = (struct choice){ which, -1, -1 };
	if (strncmp(which, "exit=", 5) == 0) {
		c->code = (int)strtonum(which + 5, 1, 255, &why);
		if (why == NULL)
			return 0;
		return cli_error(e, FANOUT_EINVAL, "--retry %.40s: a number "
		    "from 1 to 255", which);
	}
	for (i = 0; i < FANOUT_NCLASSES; i++)
		if (strcmp(fanout_class_name(i), which) == 0)
			c->cls = (int)i;
	for (i = 0; c->cls == -1 && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], which) == 0)
			return 0;
	return c->cls != -1 ? 0 : cli_error(e, FANOUT_EINVAL, "--retry %.40s: "
	    "it is failed, unreachable, succeeded, timeout, exit=N, skipped, "
	    "unfinished, all, or a class such as auth", which);
}

int
cli_saved_pick(const struct cli_saved *s, const char *which,
    struct fanout_hosts **hosts, struct fanout_error *e)
{
	struct choice c;
	size_t i;
	int rc;

	*hosts = NULL;
	if ((rc = parse_choice(&c, which, e)) != 0)
		return rc;
	if (fanout_hosts_new(hosts) != 0)
		return cli_nomem(e);
	for (i = 0; i < s->roster.count && rc == 0; i++)
		if (chosen(&s->roster.places[i], s->sums[i].unfit, &c))
			rc = fanout_hosts_add(*hosts,
			    fanout_hosts_at(s->hosts, i), e);
	if (rc != 0) {
		fanout_hosts_free(*hosts);
		*hosts = NULL;
	}
	return rc;
}
