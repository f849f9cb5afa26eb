#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cexec.h"
#include "cli/drive.h"
#include "cli/error.h"
#include "cli/summary.h"

/* A terminal is not read (the user types to the tool), nor what cannot be. */
static int
input_fd(const struct cexec *c)
{
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	if (c->no_stdin || c->send.stdin_file != NULL ||
	    isatty(STDIN_FILENO) || flags == -1 ||
	    (flags & O_ACCMODE) == O_WRONLY)
		return -1;
	return STDIN_FILENO;
}

/* Hosts that could not be locked are those that could not be reached. */
static int
take_lock(struct cexec *c, const struct fanout_opts *opts,
    const struct fanout_hosts *hosts, const char *const **skip)
{
	int status;

	if (c->lock.name == NULL)
		return 0;
	status = lock_take(&c->lock, hosts, *skip, opts, &c->connect.ask,
	    c->command);
	*skip = c->lock.skip;
	return status;
}

static int
add_unlocked(struct cexec *c, struct fanout_error *e)
{
	const struct fanout_result *r;
	size_t i;

	for (i = 0; i < c->send.nhosts; i++)
		if ((r = lock_failure(&c->lock, i)) != NULL &&
		    send_ahead(&c->send, i, r) == -1)
			return cli_nomem(e);
	return 0;
}

static int
begin(void *ctx, struct fanout *engine, const struct fanout_hosts *set,
    const size_t *map, const struct fanout_cmd *cmd, struct fanout_error *e)
{
	struct cexec *c = ctx;

	return input_begin(&c->send.input, engine, set, map, cmd, e);
}

static bool
event(void *ctx, struct fanout_event *ev, struct cli_sink *out)
{
	struct cexec *c = ctx;
	bool shown = !c->takes_part || input_event(&c->send.input, ev, out);

	lock_judge(&c->lock, ev);
	return shown;
}

/* A host that has lost the lock is not begun, if it has not been. */
static bool
remark(void *ctx, struct fanout *engine, struct fanout_event *ev)
{
	struct cexec *c = ctx;

	if (!lock_watch(&c->lock, ev))
		return false;
	if (c->send.skip != NULL && c->send.skip[ev->host] == NULL)
		c->send.skip[ev->host] = c->lock.skip[ev->host];
	fanout_leave_out(engine, ev->name);
	return true;
}

static int
due(void *ctx)
{
	(void)ctx;
	return LOCK_WATCH_MS;
}

static int
status_of(void *ctx, const struct cli_roster *roster, int usual)
{
	struct cexec *c = ctx;

	(void)roster;
	c->unlocked = lock_release(&c->lock);
	return c->lock.lost == 0 ? usual : usual == 0 ? CLI_EXIT_FAILED :
	    usual == CLI_EXIT_UNREACHED && !c->largest ? CLI_EXIT_BOTH : usual;
}

static void
end(void *ctx, const struct cli_roster *roster, struct cli_sink *out,
    struct cli_sink *err)
{
	struct cexec *c = ctx;

	(void)out;
	if (c->unlocked != NULL)
		cli_sink_say(err, c->unlocked);
	if (c->over != NULL)
		c->over(c->over_ctx, roster);
}

/* Who else has a say in the run. */
static void
add_parts(const struct cexec *c, struct cli_extra *x)
{
	if (c->takes_part)
		x->begin = begin;
	if (c->takes_part || c->lock.name != NULL)
		x->event = event;
	if (c->lock.name == NULL)
		return;
	x->remark = remark;
	x->due = due;
	x->status = status_of;
}

static int
drive(struct cexec *c, const struct fanout_opts *opts,
    const struct fanout_hosts *hosts, const char *const *skip)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_error e;
	int status;
	const struct cli_record record = cli_again_record(&c->again,
	    c->command);
	struct cli_extra extra = { .end = end, .ctx = c };
	struct cli_run run = { .opts = opts, .hosts = hosts, .cmd = &cmd,
	    .record = &record, .ask = &c->connect.ask, .plan = &c->plan,
	    .engine = c->engine, .extra = &extra,
	    .largest_status = c->largest };

	if ((status = take_lock(c, opts, hosts, &skip)) != 0)
		return status;
	cli_expand_open(&c->expand, &c->target, hosts, opts);
	if (send_make(&c->send, c->command, &c->form, &c->expand, opts, hosts,
	    skip, input_fd(c), &cmd, &c->takes_part, &e) != 0 ||
	    add_unlocked(c, &e) != 0 ||
	    cli_plan_make(&c->plan, hosts, cmd.skip, c->target.seed,
	    &e) != 0) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	c->send.input.ask = &c->connect.ask;
	run.ahead = c->send.ahead;
	run.look = c->look;
	run.look.verbose = c->connect.verbose;
	add_parts(c, &extra);
	status = cli_drive(&run);
	cli_plan_clear(&c->plan);
	return status;
}

int
cexec_opts(struct cexec *c, struct fanout_opts *opts)
{
	struct fanout_error e;

	FANOUT_OPTS_INIT(opts);
	if (cli_connect_apply(&c->connect, opts, &e) == 0)
		return 0;
	warnx("%s", e.text);
	return CLI_EXIT_USAGE;
}

int
cexec_run_on(struct cexec *c, const struct fanout_opts *opts,
    const struct fanout_hosts *hosts)
{
	struct fanout_marks *marks = NULL;
	struct fanout_error e;
	const char **skip = NULL;
	int status = CLI_EXIT_USAGE;
	char *line;

	if (cli_look_check(&c->look, hosts, &e) != 0 ||
	    cli_dead_find(&c->target.dead, hosts, &marks, &skip, &e) != 0)
		warnx("%s", e.text);
	else
		status = drive(c, opts, hosts, skip);
	if ((line = lock_release(&c->lock)) != NULL)
		warnx("%s", line);
	free(line);
	free(c->unlocked);
	c->unlocked = NULL;
	cli_dead_free(marks, skip);
	return status;
}

/* A script that was fed to a shell would be an empty one now, and all ok. So
 * /dev/null, which cron gives, will not do. */
static bool
lacks_input(const struct cexec *c)
{
	int fd = input_fd(c);
	struct stat st;

	return c->again.saved->fed > 0 && c->send.stdin_file == NULL &&
	    (fd == -1 || (fstat(fd, &st) == 0 &&
	    S_ISCHR(st.st_mode)));
}

int
cexec_run(struct cexec *c)
{
	const struct cli_tool t = cexec_tool(c);
	const struct cli_saved *saved = c->again.saved;

	if (c->completion != NULL)
		return cexec_completion(c->completion);
	if (saved != NULL && fanout_hosts_count(c->again.hosts) > 0 &&
	    !cli_target_shows(&c->target) && lacks_input(c)) {
		warnx("run %s had standard input: give it again, as in "
		    "cexec --retry %s <FILE", saved->id,
		    c->again.report.retry);
		return CLI_EXIT_USAGE;
	}
	return cli_tool_run(&t, c->words, c->command);
}
