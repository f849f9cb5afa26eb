/*
 * run.c - the frame of all that is done: hosts, runs over some of them, and in
 * the end what became of each, told and saved.
 */
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/history.h"
#include "cli/view.h"
#include "identity.h"
#include "limit.h"
#include "modes.h"
#include "setup.h"

/* ---- hosts --------------------------------------------------------------- */

bool
setup_is_new(const struct setup *s, size_t host)
{
	return s->host[host].state == NEW;
}

bool
setup_is_trusted(const struct setup *s, size_t host)
{
	return s->host[host].state == TRUSTED;
}

char *
setup_names(const struct setup *s, bool (*want)(const struct setup *,
    size_t host, const void *ctx), const void *ctx)
{
	struct fanout_hosts *set;
	char *names = NULL;
	size_t i;

	if (fanout_hosts_new(&set) != 0)
		return NULL;
	for (i = 0; i < s->count; i++)
		if (want(s, i, ctx))
			(void)fanout_hosts_add(set, fanout_hosts_at(s->hosts,
			    i), NULL);
	if (fanout_hosts_count(set) == 0 ||
	    fanout_hosts_fold(set, &names) != 0)
		names = NULL;
	fanout_hosts_free(set);
	return names;
}

bool
setup_is_marked(const struct setup *s, size_t host)
{
	return s->host[host].marked;
}

int
setup_keep(struct host *h, const void *data, size_t len, size_t max)
{
	size_t size;
	char *said;

	if (len > max || h->len > max - len)
		return -1;
	if (h->len + len >= h->size) {
		size = (h->len + len + 512) * 2;
		if ((said = realloc(h->said, size)) == NULL)
			return -1;
		h->said = said;
		h->size = size;
	}
	memcpy(h->said + h->len, data, len);
	h->len += len;
	h->said[h->len] = '\0';
	return 0;
}

void
setup_forget(struct host *h)
{
	free(h->said);
	h->said = NULL;
	h->len = h->size = 0;
}

void
setup_give_up(struct host *h, const struct fanout_result *r)
{
	h->state = OVER;
	h->result = *r;
}

void
setup_refuse(struct host *h, const struct fanout_result *r, const char *fmt, ...)
{
	static const struct fanout_result none = { .stage = FANOUT_S_CLOSE,
	    .status = -1 };
	va_list ap;

	setup_give_up(h, r != NULL ? r : &none);
	h->result.cls = FANOUT_C_REMOTE;
	va_start(ap, fmt);
	(void)vsnprintf(h->result.text, sizeof(h->result.text), fmt, ap);
	va_end(ap);
}

bool
setup_answered(const struct fanout_result *r)
{
	return r->cls == FANOUT_C_OK || r->cls == FANOUT_C_EXIT;
}

/* ---- telling ------------------------------------------------------------- */

static void
put(struct cli_sink *out, const char *text)
{
	cli_sink_put(out, text, strlen(text));
}

void
setup_tell(const struct setup *s, struct cli_sink *out, const char *event,
    const char *name, const char *what)
{
	if (!s->c->look.json) {
		put(out, name);
		put(out, ": ");
		put(out, what);
		put(out, "\n");
		return;
	}
	put(out, "{\"event\":\"");
	put(out, event);
	put(out, "\",\"host\":");
	cli_json_string(out, name);
	put(out, ",\"text\":");
	cli_json_string(out, what);
	put(out, "}\n");
}

static int
no_hurry(void *ctx, struct cli_sink *out)
{
	(void)ctx;
	(void)out;
	return -1;
}

int
setup_open_sink(const struct setup *s, struct cli_sink *out)
{
	const struct cli_patience patience = { no_hurry, NULL };

	if (cli_sink_open(out, STDOUT_FILENO, patience) == -1) {
		warnx("out of memory");
		return CLI_EXIT_USAGE;
	}
	out->color = cli_look_color(&s->c->look, out->tty);
	return 0;
}

/* ---- the end ------------------------------------------------------------- */

/* What is known of a host that is not dead. */
static const struct fanout_result *
known(struct setup *s, struct host *h)
{
	static const struct fanout_result ok = { .cls = FANOUT_C_OK,
	    .stage = FANOUT_S_CLOSE, .status = -1 };

	if (h->state == OVER)
		return &h->result;
	if (h->state == TRUSTED && !s->interrupted)
		return &ok;
	if (h->state == INSTALLED && s->c->dry_run)
		return &ok;
	if (h->state == TRUSTED && s->c->mode == SETUP_TRUST &&
	    !s->c->mutual && s->c->hub == NULL && !limit_given(s->c))
		return &ok;
	if (s->interrupted || h->result.cls == FANOUT_C_OK) {
		h->result = (struct fanout_result){ .cls = FANOUT_C_CANCELED,
		    .stage = h->state != NEW ? FANOUT_S_CLOSE : FANOUT_S_QUEUE,
		    .status = -1 };
		strlcpy(h->result.text, h->state == INSTALLED ? "the key is "
		    "installed, which is not proven yet" : "interrupted",
		    sizeof(h->result.text));
	}
	return &h->result;
}

static void
foretell(struct setup *s)
{
	size_t i;

	for (i = 0; i < s->count; i++) {
		s->skip[i] = s->dead != NULL ? s->dead[i] : NULL;
		if (s->skip[i] != NULL)
			continue;
		s->ahead[i] = known(s, &s->host[i]);
		s->skip[i] = "known";
	}
}

static int
on_status(void *ctx, const struct cli_roster *r, int usual)
{
	const struct setup *s = ctx;

	(void)r;
	if (s->interrupted)
		return CLI_EXIT_INTERRUPTED;
	/* A question about all of them, with one answer. */
	if (usual != 0 && s->c->mode == SETUP_VERIFY)
		return CLI_EXIT_FAILED;
	if (s->bad)
		return usual == CLI_EXIT_UNREACHED ? CLI_EXIT_BOTH :
		    CLI_EXIT_FAILED;
	return usual;
}

int
setup_last(struct setup *s)
{
	const struct cli_extra extra = { .status = on_status, .ctx = s };
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	const struct cli_record record = cli_again_record(&s->c->again,
	    setup_command(s->c));
	const struct cli_run run = { .opts = &s->opts, .hosts = s->hosts,
	    .cmd = &cmd, .ahead = s->ahead, .extra = &extra,
	    .look = s->c->look, .record = &record };

	foretell(s);
	cmd.skip = s->skip;
	return cli_drive(&run);
}

/* ---- begin and end ------------------------------------------------------- */

static int
open_key(struct setup *s, struct fanout_error *e)
{
	char *path, *other = NULL;
	int rc;

	if ((path = key_path(s->c, e)) == NULL)
		return e->code;
	if (s->c->key == NULL && s->c->mode != SETUP_AUDIT)
		other = identity_choose(s, path);
	if (other != NULL)
		free(path);
	if ((rc = key_find(&s->key, s->c, other != NULL ? other : path,
	    e)) != 0)
		return rc;
	s->key.configured = other != NULL;
	if (asprintf(&s->identity, "IdentityFile=\"%s\"", s->key.path) == -1) {
		s->identity = NULL;
		return cli_nomem(e);
	}
	return 0;
}

static int
open_setup(struct setup *s, struct fanout_error *e)
{
	int rc;

	s->count = fanout_hosts_count(s->hosts);
	s->host = calloc(s->count, sizeof(*s->host));
	s->map = calloc(s->count, sizeof(*s->map));
	s->skip = calloc(s->count, sizeof(*s->skip));
	s->ahead = calloc(s->count, sizeof(*s->ahead));
	if (s->host == NULL || s->map == NULL || s->skip == NULL ||
	    s->ahead == NULL)
		return cli_nomem(e);
	s->c->look.verbose = s->c->connect.verbose;
	FANOUT_OPTS_INIT(&s->opts);
	if ((rc = cli_look_check(&s->c->look, s->hosts, e)) != 0 ||
	    (rc = cli_connect_apply(&s->c->connect, &s->opts, e)) != 0)
		return rc;
	return open_key(s, e);
}

static void
close_setup(struct setup *s)
{
	size_t i;

	for (i = 0; s->host != NULL && i < s->count; i++)
		setup_forget(&s->host[i]);
	free(s->host);
	free(s->map);
	free(s->skip);
	free(s->ahead);
	expected_clear(&s->expected);
	free(s->identity);
	free(s->also);
	key_clear(&s->key);
	secrets_clear(&s->secrets);
}

static int
go(struct setup *s)
{
	int status;

	switch (s->c->mode) {
	case SETUP_VERIFY:
		status = setup_verify(s);
		break;
	case SETUP_REVOKE:
		status = setup_revoke(s);
		break;
	case SETUP_ROTATE:
		status = setup_rotate(s);
		break;
	case SETUP_AUDIT:
		status = setup_audit(s);
		break;
	case SETUP_TRUST:
	default:
		status = s->c->mutual || s->c->hub != NULL ? setup_mesh(s) :
		    setup_install(s);
		break;
	}
	s->interrupted = status == CLI_EXIT_INTERRUPTED;
	return status == 0 || s->interrupted ? setup_last(s) : status;
}

int
setup_hosts(struct csshsetup *c, const struct fanout_hosts *hosts)
{
	struct setup s = { .c = c, .hosts = hosts };
	struct fanout_marks *marks = NULL;
	struct fanout_error e;
	int status = CLI_EXIT_USAGE;

	if (cli_dead_find(&c->target.dead, hosts, &marks, &s.dead, &e) != 0 ||
	    open_setup(&s, &e) != 0)
		warnx("%s", e.text);
	else if ((status = expected_open(&s.expected, &s)) == 0)
		status = go(&s);
	close_setup(&s);
	cli_dead_free(marks, s.dead);
	return status;
}

int
setup_run(struct csshsetup *c)
{
	static char *const none[] = { NULL };
	const struct cli_tool t = setup_tool(c);

	if (c->completion != NULL)
		return setup_completion(c->completion);
	return cli_tool_run(&t, cli_history_acts(&c->again.report) ? c->words :
	    none, setup_command(c));
}
