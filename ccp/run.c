#include <err.h>

#include "become.h"
#include "ccp.h"
#include "cli/drive.h"
#include "cli/error.h"
#include "cli/saved.h"
#include "cli/summary.h"
#include "each.h"
#include "tell.h"

struct run {
	struct ccp	*ccp;
	struct copy	 copy;
	struct each	 each;
	struct host	*ended;		/* by the event at hand; NULL */
};

static void
on_over(void *arg, struct host *h)
{
	((struct run *)arg)->ended = h;
}

static int
begin(void *ctx, struct fanout *engine, const struct fanout_hosts *hosts,
    const size_t *map, const struct fanout_cmd *cmd, struct fanout_error *e)
{
	struct run *r = ctx;

	r->copy.engine = engine;
	return copy_start(&r->copy, hosts, map, cmd->skip, e);
}

/* What sudo said before the user's command had begun. */
static void
hide(struct host *h, struct fanout_event *ev)
{
	if (ev->kind != FANOUT_EV_ERR || h->hidden == 0)
		return;
	ev->data = (const char *)ev->data + h->hidden;
	ev->len -= h->hidden;
	h->hidden = 0;
	if (ev->len == 0)
		ev->kind = 0;
}

/* Events of the copy's jobs become those of the run. */
static bool
event(void *ctx, struct fanout_event *ev, struct cli_sink *out)
{
	struct run *r = ctx;
	struct host *h;

	(void)out;
	r->ended = NULL;
	h = copy_event(&r->copy, ev);
	if (h != NULL) {
		ev->host = h->index;
		ev->name = h->name;
		hide(h, ev);
	}
	if (r->ended != NULL) {
		ev->kind = FANOUT_EV_DONE;
		ev->result = &r->ended->result;
	} else if (ev->kind != FANOUT_EV_LOG && (h == NULL ||
	    !host_is_users(h) || (ev->kind != FANOUT_EV_OUT &&
	    ev->kind != FANOUT_EV_ERR)) &&
	    (ev->kind != FANOUT_EV_START || h == NULL ||
	    h->phase != PHASE_LOOK || h->by_sftp))
		ev->kind = 0;
	return true;
}

static void
end(void *ctx, const struct cli_roster *roster, struct cli_sink *out,
    struct cli_sink *err)
{
	struct run *r = ctx;

	(void)roster;
	(void)err;
	if (!r->ccp->look.json)
		tell_all(&r->copy, out);
}

/* --check: to differ is to fail. */
static int
status(void *ctx, const struct cli_roster *roster, int usual)
{
	struct run *r = ctx;

	(void)roster;
	return usual == 0 && r->copy.opts.check && tell_differs(&r->copy) ?
	    CLI_EXIT_FAILED : usual;
}

static bool
idle(void *ctx)
{
	return copy_idle(&((struct run *)ctx)->copy);
}

static int
due(void *ctx)
{
	return copy_due(&((struct run *)ctx)->copy);
}

static bool
moved(void *ctx, uint64_t *bytes, uint64_t *of)
{
	return copy_moved(&((struct run *)ctx)->copy, bytes, of);
}

static int
drive(struct run *r, const struct fanout_hosts *hosts, struct fanout_opts *opts,
    const struct fanout_cmd *cmd)
{
	const struct cli_extra extra = { .begin = begin, .event = event,
	    .end = end, .status = status, .idle = idle, .due = due,
	    .moved = moved,
	    .ctx = r };
	const struct cli_record record = cli_again_record(&r->ccp->again,
	    r->ccp->command);
	struct cli_run run = { .opts = opts, .hosts = hosts, .cmd = cmd,
	    .extra = &extra, .record = &record };

	run.look = r->ccp->look;
	run.look.verbose = r->ccp->connect.verbose;
	run.ask = &r->ccp->connect.ask;
	run.ahead = r->each.ahead;
	run.plan = &r->ccp->plan;
	return cli_drive(&run);
}

static int
find_files(struct run *r, const char *const *skip, struct fanout_error *e)
{
	struct ccp *c = r->ccp;
	struct copy *copy = &r->copy;

	if (!c->gather)
		return each_find(&r->each, copy, c->words, &c->source,
		    &c->expand, skip, e);
	if (copy_load(copy) == NULL)
		return cli_nomem(e);
	return get_open(&copy->get, c->words, c->copy.dest, &c->get, e);
}

/*
 * A run that is tried again may have ended between the last file and what was
 * to be done then: now the files are right, and nothing would do it. It may
 * have been a retry, of a run that ended so.
 */
static void
note_debts(struct copy *c, const struct cli_saved *run)
{
	const struct cli_place *p;
	size_t i, at;

	for (i = 0; run != NULL && i < fanout_hosts_count(c->hosts); i++) {
		at = fanout_hosts_find(run->hosts, c->at[i].name);
		if (at == FANOUT_NOHOST)
			continue;
		p = &run->roster.places[at];
		c->at[i].owes_after = p->state != CLI_OVER ||
		    (p->cls != FANOUT_C_OK && p->cls != FANOUT_C_SKIPPED &&
		    (!cli_unreached(p) || run->retry_of != NULL));
	}
}

int
ccp_copy_to(struct ccp *c, const struct fanout_hosts *hosts)
{
	struct run r = { .ccp = c };
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_marks *marks = NULL;
	const char **skip = NULL;
	struct fanout_opts opts;
	struct fanout_error e;
	int status = CLI_EXIT_USAGE;

	r.copy.hosts = hosts;
	r.copy.opts = c->copy;
	r.copy.expand = &c->expand;
	r.copy.become = c->become;
	r.copy.become.ask = &c->connect.ask;
	r.copy.over = on_over;
	r.copy.arg = &r;
	r.copy.telling = !c->gather && (c->copy.dry_run ||
	    c->connect.verbose > 0);
	r.copy.tell_same = c->connect.verbose > 0;
	FANOUT_OPTS_INIT(&opts);
	opts.total_rate = c->bytes_per_sec;
	opts.host_rate = c->host_bytes_per_sec;
	if (cli_look_check(&c->look, hosts, &e) != 0 ||
	    cli_connect_apply(&c->connect, &opts, &e) != 0 ||
	    cli_dead_find(&c->target.dead, hosts, &marks, &skip, &e) != 0)
		warnx("%s", e.text);
	else if (cli_expand_open(&c->expand, &c->target, hosts, &opts),
	    find_files(&r, skip, &e) != 0 ||
	    cli_plan_make(&c->plan, hosts, r.each.skip != NULL ?
	    r.each.skip : skip, c->target.seed, &e) != 0)
		warnx("%s", e.text);
	else if (become_open(&r.copy, &e) != 0)
		warnx("%s", e.text);
	else if (temp_names(&r.copy) == -1 || copy_init(&r.copy) == -1)
		warnx("out of memory");
	else {
		each_give(&r.each, &r.copy);
		note_debts(&r.copy, c->again.saved);
		cmd.skip = r.each.skip != NULL ? r.each.skip : skip;
		status = drive(&r, hosts, &opts, &cmd);
	}
	cli_plan_clear(&c->plan);
	cli_dead_free(marks, skip);
	copy_free(&r.copy);
	get_close(r.copy.get);
	become_close(&r.copy);
	each_free(&r.each);
	return status;
}

int
ccp_run(struct ccp *c)
{
	const struct cli_tool t = ccp_tool(c);

	if (c->completion != NULL)
		return ccp_completion(c->completion);
	return cli_tool_run(&t, c->given, c->command);
}
