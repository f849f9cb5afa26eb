#include <sys/stat.h>

#include <err.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/drive.h"
#include "cli/error.h"
#include "cli/summary.h"
#include "session.h"
#include "targets.h"
#include "verdict.h"

/* As many as a hub takes whose maxconnections nobody has raised: each client
 * that runs its agent asks the hub for policy. */
#define WINDOW 30

/* Silence is normal while an agent works, but not for ever. */
#define IDLE_MS (1800 * 1000)

struct run {
	const struct cfrun *c;
	const struct targets *t;
	struct verdict_host *verdicts;
	struct fanout_result result;	/* the one we changed */
	bool	 silent, only_errors;
	char	*shown;			/* lines that are errors */
	size_t	 shown_len, shown_size;
};

/* ---- events ---------------------------------------------------------------- */

static void
collect(void *arg, const struct verdict_host *h, bool is_error)
{
	struct run *r = arg;
	size_t need = r->shown_len + h->len + 1;
	char *more;

	if (!is_error)
		return;
	if (need > r->shown_size) {
		if ((more = realloc(r->shown, 2 * need)) == NULL)
			return;
		r->shown = more;
		r->shown_size = 2 * need;
	}
	memcpy(r->shown + r->shown_len, h->line, h->len);
	r->shown[need - 1] = '\n';
	r->shown_len = need;
}

static bool
on_output(struct run *r, struct fanout_event *ev)
{
	r->shown_len = 0;
	if (ev->kind == FANOUT_EV_OUT)
		verdict_output(&r->verdicts[ev->host], ev->data, ev->len,
		    r->only_errors ? collect : NULL, r);
	if (r->silent)
		return false;
	if (!r->only_errors || ev->kind != FANOUT_EV_OUT)
		return true;
	ev->data = r->shown;
	ev->len = r->shown_len;
	return r->shown_len > 0;
}

static void
say_json(const struct run *r, const struct fanout_event *ev,
    struct cli_sink *out)
{
	const struct verdict_host *h = &r->verdicts[ev->host];
	char line[1024];
	int len;

	/* A name has nothing in it that JSON would have to quote. */
	len = snprintf(line, sizeof(line), "{\"event\":\"verdict\",\"host\":"
	    "\"%s\",\"verdict\":\"%s\",\"errors\":%u,\"changes\":%u", ev->name,
	    verdict_name(h->verdict), h->errors, h->changes);
	cli_sink_put(out, line, (size_t)len);
	if (h->counted) {
		len = snprintf(line, sizeof(line), ",\"kept\":%.2f,"
		    "\"repaired\":%.2f,\"not_kept\":%.2f", h->kept,
		    h->repaired, h->not_kept);
		cli_sink_put(out, line, (size_t)len);
	}
	cli_sink_put(out, "}\n", 2);
}

static void
on_done(struct run *r, struct fanout_event *ev, struct cli_sink *out)
{
	r->result = *ev->result;
	if (!r->c->ping)
		verdict_done(&r->verdicts[ev->host], &r->result,
		    r->t->informed[ev->host]);
	ev->result = &r->result;
	if (r->c->look.json && !r->c->ping)
		say_json(r, ev, out);
}

static bool
on_event(void *ctx, struct fanout_event *ev, struct cli_sink *out)
{
	struct run *r = ctx;

	if (ev->kind == FANOUT_EV_OUT || ev->kind == FANOUT_EV_ERR)
		return on_output(r, ev);
	if (ev->kind == FANOUT_EV_DONE)
		on_done(r, ev, out);
	return true;
}

static void
at_end(void *ctx, const struct cli_roster *roster, struct cli_sink *out,
    struct cli_sink *err)
{
	const struct run *r = ctx;
	char *text, *line;

	if (r->c->look.json || (text = verdict_summary(r->verdicts,
	    roster->count, r->t->hosts)) == NULL)
		return;
	cli_sink_flush(out);
	if (asprintf(&line, "%s: %s\n", getprogname(), text) != -1) {
		cli_sink_put(err, line, strlen(line));
		free(line);
	}
	free(text);
}

/* One client: its agent's status, or 255 where there is none; several: how
 * many failed, 100 at most. */
static int
runagent_status(void *ctx, const struct cli_roster *roster, int usual)
{
	const struct cli_place *p = roster->places;

	(void)ctx;
	(void)usual;
	if (roster->count > 1)
		return roster->failed < 100 ? (int)roster->failed : 100;
	if (p->cls == FANOUT_C_OK)
		return 0;
	return p->cls == FANOUT_C_EXIT ? p->code : 255;
}

/* ---- the run ----------------------------------------------------------------- */

static const char *
find_workdir(const struct cfrun *c)
{
	static const char *const dirs[] = { "/var/lib/cfengine3",
	    "/var/cfengine" };
	static char home[1024];
	const char *dir = getenv("CFENGINE_TEST_OVERRIDE_WORKDIR");
	struct stat st;
	size_t i;

	if (c->workdir != NULL)
		return c->workdir;
	if (dir != NULL && *dir != '\0')
		return dir;
	if (getuid() != 0 && (dir = getenv("HOME")) != NULL) {
		(void)snprintf(home, sizeof(home), "%s/.cfagent", dir);
		return home;
	}
	for (i = 0; i < 2; i++)
		if (stat(dirs[i], &st) == 0 && S_ISDIR(st.st_mode))
			return dirs[i];
	return dirs[0];
}

static const char *
user_name(const struct cfrun *c)
{
	const struct passwd *pw = getpwuid(getuid());

	if (c->user != NULL)
		return c->user;
	return pw != NULL ? pw->pw_name : "root";
}

static void
limit(const struct cfrun *c, const struct targets *t, struct fanout_opts *o)
{
	const struct fanout_cfcontrol *control;
	size_t n = fanout_hosts_count(t->hosts);

	if (o->window == 0 && t->file != NULL) {
		control = fanout_cfhosts_control(t->file);
		o->window = control->maxchild;
	}
	if (o->window == 0)
		o->window = WINDOW;
	if (c->splay > 0 && n > 1)
		o->connect_gap_ms = (unsigned)(c->splay * 1000UL / n);
	if (c->connect.idle_ms < 0)
		o->idle_ms = IDLE_MS;
}

static void
set_look(struct cfrun *c, const struct targets *t, struct run *r)
{
	const struct fanout_cfcontrol *control;

	r->silent = c->silent;
	c->look.verbose = c->connect.verbose;
	if (t->file == NULL)
		return;
	control = fanout_cfhosts_control(t->file);
	r->only_errors = strcmp(control->outputlevel, "error") == 0;
	if (*control->outputdir != '\0' && c->look.outdir == NULL)
		c->look.outdir = control->outputdir;
}

static int
drive(struct cfrun *c, struct targets *t, const struct fanout_opts *o,
    const char **skip)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct run r = { .c = c, .t = t };
	struct cli_extra extra = { .event = on_event, .end = at_end,
	    .status = c->runagent_status ? runagent_status : NULL,
	    .ctx = &r };
	struct cli_run run = { .opts = o, .hosts = t->hosts, .cmd = &cmd,
	    .ask = &c->connect.ask, .extra = &extra };
	int status;

	r.verdicts = calloc(fanout_hosts_count(t->hosts),
	    sizeof(*r.verdicts));
	if (r.verdicts == NULL) {
		warnx("out of memory");
		return CLI_EXIT_USAGE;
	}
	set_look(c, t, &r);
	cmd.command = t->command;
	cmd.commands = (const char *const *)t->commands;
	cmd.skip = skip;
	run.look = c->look;
	status = cli_drive(&run);
	free(r.shown);
	free(r.verdicts);
	return status;
}

static int
complain(const struct fanout_error *e)
{
	warnx("%s", e->text);
	return CLI_EXIT_USAGE;
}

static int
run_on(struct cfrun *c, struct targets *t, const char *workdir)
{
	struct cfengine_config config = { .workdir = workdir,
	    .registry = c->registry, .user = user_name(c), .port = c->port,
	    .trust_new = c->trust_new, .ask = c->ask,
	    .selects = c->select != NULL || c->nclasses > 0 };
	struct fanout_marks *marks;
	struct fanout_opts o;
	struct fanout_error e;
	const char **skip;
	int status;

	FANOUT_OPTS_INIT(&o);
	if (targets_ask(t, c, &e) != 0 ||
	    cli_look_check(&c->look, t->hosts, &e) != 0 ||
	    cli_connect_apply(&c->connect, &o, &e) != 0)
		return complain(&e);
	limit(c, t, &o);
	if (t->file != NULL && *fanout_cfhosts_control(
	    t->file)->bindtointerface != '\0')
		config.source = fanout_cfhosts_control(t->file)->bindtointerface;
	if (c->way != BY_SSH) {
		o.custom = c->way == BY_AUTO ? &auto_transport :
		    &cfengine_transport;
		o.custom_config = &config;
	}
	if (cli_dead_find(&c->target.dead, t->hosts, &marks, &skip, &e) != 0)
		status = complain(&e);
	else
		status = drive(c, t, &o, skip);
	cli_dead_free(marks, skip);
	return status;
}

int
cfrun_run(struct cfrun *c)
{
	const char *workdir = find_workdir(c);
	struct targets t;
	struct fanout_error e;
	int status;

	if (cli_dead_acts(&c->target.dead))
		return cli_dead_act(&c->target.dead);
	if (targets_find(&t, c, workdir, &e) != 0)
		status = complain(&e);
	else if (cli_target_shows(&c->target))
		status = cli_target_show(&c->target, t.hosts, c->hosts +
		    c->nhosts);
	else
		status = run_on(c, &t, workdir);
	targets_clear(&t);
	return status;
}
