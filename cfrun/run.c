#include <sys/stat.h>

#include <err.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/drive.h"
#include "cli/error.h"
#include "cli/history.h"
#include "cli/summary.h"
#include "cli/visible.h"
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
	bool	 only_errors;		/* of what agents say is shown */
	const char *name;		/* of the client that speaks */
	struct cli_sink *out;
};

/* ---- events ---------------------------------------------------------------- */

static void
show_error(void *arg, const struct verdict_host *h, bool is_error)
{
	struct run *r = arg;
	char safe[VERDICT_LINE * CLI_VISIBLE_MAX];

	if (!is_error)
		return;
	cli_sink_put(r->out, r->name, strlen(r->name));
	cli_sink_put(r->out, ": ", 2);
	cli_sink_put(r->out, safe, cli_visible(safe, h->line, h->len));
	cli_sink_put(r->out, "\n", 1);
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

	r->name = ev->name;
	r->out = out;
	if (ev->kind == FANOUT_EV_OUT)
		verdict_output(&r->verdicts[ev->host], ev->data, ev->len,
		    r->only_errors ? show_error : NULL, r);
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

/* The status of an agent, whatever it says of promises; 255: there is none. */
static int
agent_status(const struct run *r, const struct cli_roster *roster, size_t i)
{
	const struct cli_place *p = &roster->places[i];

	if (p->cls == FANOUT_C_EXIT)
		return p->code;
	return p->cls == FANOUT_C_OK ||
	    r->verdicts[i].verdict == VERDICT_NOT_KEPT ? 0 : 255;
}

/* One client: that of its agent; several: how many failed, 100 at most. */
static int
runagent_status(void *ctx, const struct cli_roster *roster, int usual)
{
	int failed = 0;
	size_t i;

	(void)usual;
	if (roster->count == 1)
		return agent_status(ctx, roster, 0);
	for (i = 0; i < roster->count; i++)
		failed += agent_status(ctx, roster, i) != 0;
	return failed < 100 ? failed : 100;
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

	c->look.silent = c->silent;
	if (t->file == NULL)
		return;
	control = fanout_cfhosts_control(t->file);
	if (strcmp(control->outputlevel, "error") == 0 && !c->silent &&
	    !c->look.json)
		r->only_errors = c->look.silent = true;
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
	const struct cli_record record = cli_again_record(&c->again,
	    c->command);
	struct cli_run run = { .opts = o, .record = &record,
	    .hosts = t->hosts, .cmd = &cmd,
	    .ask = &c->connect.ask, .plan = &c->plan, .extra = &extra };
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
	free(r.verdicts);
	return status;
}

static int
complain(const struct fanout_error *e)
{
	warnx("%s", e->text);
	return CLI_EXIT_USAGE;
}

static void
set_transport(const struct cfrun *c, const struct targets *t,
    struct cfengine_config *config, struct fanout_opts *o)
{
	const char *source;

	config->registry = c->registry;
	config->user = user_name(c);
	config->port = c->port;
	config->trust_new = c->trust_new;
	config->ask = c->ask;
	config->selects = c->select != NULL || c->nclasses > 0;
	if (t->file != NULL) {
		source = fanout_cfhosts_control(t->file)->bindtointerface;
		config->source = *source != '\0' ? source : NULL;
	}
	if (c->way == BY_SSH)
		return;
	o->custom = c->way == BY_AUTO ? &auto_transport : &cfengine_transport;
	o->custom_config = config;
}

static int
run_on(struct cfrun *c, struct targets *t, const char *workdir)
{
	struct cfengine_config config = { .workdir = workdir };
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
	set_transport(c, t, &config, &o);
	if (cli_dead_find(&c->target.dead, t->hosts, &marks, &skip, &e) != 0 ||
	    cli_plan_make(&c->plan, t->hosts, skip, c->target.seed, &e) != 0)
		status = complain(&e);
	else
		status = drive(c, t, &o, skip);
	cli_plan_clear(&c->plan);
	cli_dead_free(marks, skip);
	return status;
}

struct way_of {
	const struct cfrun *c;
	const struct targets *t;
	struct cfengine_config config;
};

static void
set_way(void *ctx, struct fanout_opts *o)
{
	struct way_of *w = ctx;

	set_transport(w->c, w->t, &w->config, o);
}

static int
show(struct cfrun *c, struct targets *t, const char *workdir)
{
	struct way_of w = { c, t, { .workdir = workdir } };
	struct cli_tool tool = cfrun_tool(c);
	char *none[] = { NULL };

	tool.self = &w;
	tool.way = set_way;
	return cli_tool_show(&tool, t->hosts, none);
}

int
cfrun_run(struct cfrun *c)
{
	const char *workdir = find_workdir(c);
	struct targets t;
	struct fanout_error e;
	int status;

	c->look.verbose = c->connect.verbose;
	if (c->completion != NULL)
		return cfrun_completion(c->completion);
	if (cli_history_acts(&c->again.report))
		return cli_history_act(&c->again.report, &c->look, c->hosts);
	if (cli_dead_acts(&c->target.dead))
		return cli_dead_act(&c->target.dead);
	if (cli_again_none(&c->again))
		return 0;
	if (targets_find(&t, c, workdir, &e) != 0)
		status = complain(&e);
	else if (cli_target_shows(&c->target))
		status = show(c, &t, workdir);
	else {
		if (c->again.saved != NULL)
			cli_again_announce(&c->again, t.hosts, NULL);
		status = run_on(c, &t, workdir);
	}
	targets_clear(&t);
	return status;
}
