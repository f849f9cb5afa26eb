#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive_int.h"
#include "error.h"
#include "plan.h"
#include "signals.h"
#include "spill.h"
#include "summary.h"

/* ---- standard input, for more than one batch ---------------------------- */

/* Each batch reads it from the begin. What cannot be read twice is copied. */
static int
spool(struct drive *d, int fd)
{
	struct cli_spill s = CLI_SPILL_INIT;
	char buf[65536];
	off_t where;
	ssize_t n;

	if ((d->input = lseek(fd, 0, SEEK_CUR)) != -1)
		return 0;
	d->input = 0;
	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || cli_spill_add(&s, buf, (size_t)n,
		    &where) == -1) {
			warn("standard input cannot be kept for all batches");
			cli_spill_close(&s);
			return -1;
		}
	}
	/* Even if there was none: a file at its end. */
	if (s.fd == -1 && cli_spill_add(&s, "", 0, &where) == -1) {
		warn("standard input cannot be kept for all batches");
		return -1;
	}
	d->spool = s.fd;
	return 0;
}

static int
input_of(const struct drive *d)
{
	int fd = d->spool != -1 ? d->spool : d->run->cmd->stdin_fd;

	if (fd != -1 && d->run->plan != NULL && !cli_plan_whole(d->run->plan))
		(void)lseek(fd, d->input, SEEK_SET);
	return fd;
}

/* ---- jobs of some hosts ------------------------------------------------- */

static void
forget_job(struct drive *d)
{
	free(d->map);
	fanout_hosts_free(d->set);
	d->map = NULL;
	d->set = NULL;
}

static const char **
pick(const char *const *all, const size_t *map, size_t n)
{
	const char **some;
	size_t i;

	if (all == NULL ||
	    (some = reallocarray(NULL, n + 1, sizeof(*some))) == NULL)
		return NULL;
	for (i = 0; i < n; i++)
		some[i] = all[map[i]];
	return some;
}

/* The hosts of d->map, n of them, as a set. */
static int
make_set(struct drive *d, size_t n)
{
	size_t i;
	int rc;

	if ((rc = fanout_hosts_new(&d->set)) != 0)
		return rc;
	for (i = 0; i < n && rc == 0; i++)
		rc = fanout_hosts_add(d->set,
		    fanout_hosts_at(d->run->hosts, d->map[i]), NULL);
	return rc;
}

/* The tool may have its own way to begin with hosts. A check is a command. */
static int
begin(struct drive *d, const struct fanout_hosts *set,
    const struct fanout_cmd *cmd, struct fanout_error *e)
{
	const struct cli_extra *x = d->run->extra;

	if (x != NULL && x->begin != NULL && !d->checking)
		return x->begin(x->ctx, d->engine, set, d->map, cmd, e);
	return fanout_submit(d->engine, set, cmd, &d->job, e);
}

static int
submit(struct drive *d, const size_t *order, size_t n, struct fanout_cmd cmd,
    struct fanout_error *e)
{
	const char **skip, **commands;
	int rc;

	forget_job(d);
	d->map = reallocarray(NULL, n + 1, sizeof(*d->map));
	if (d->map == NULL)
		return cli_nomem(e);
	memcpy(d->map, order, n * sizeof(*d->map));
	skip = pick(cmd.skip, d->map, n);
	commands = pick(cmd.commands, d->map, n);
	if ((cmd.skip != NULL && skip == NULL) ||
	    (cmd.commands != NULL && commands == NULL) ||
	    make_set(d, n) != 0) {
		rc = cli_nomem(e);
	} else {
		cmd.skip = skip;
		cmd.commands = commands;
		rc = begin(d, d->set, &cmd, e);
	}
	free(skip);
	free(commands);
	return rc;
}

/* The whole set as it is, or the next part of the plan. */
static int
submit_next(struct drive *d, struct fanout_error *e)
{
	struct cli_plan *p = d->run->plan;
	struct fanout_cmd cmd = *d->run->cmd;
	size_t from;

	cli_drive_remarks(d);
	cmd.stdin_fd = input_of(d);
	if (p == NULL || cli_plan_whole(p)) {
		if (p != NULL)
			cli_plan_take(p);
		return begin(d, d->run->hosts, &cmd, e);
	}
	from = p->next;
	cli_plan_take(p);
	return submit(d, p->order + from, p->next - from, cmd, e);
}

/* ---- rules -------------------------------------------------------------- */

static void
halt(struct drive *d)
{
	char line[sizeof(d->why) + 80];

	d->halted = true;
	if (d->report != NULL &&
	    d->roster.over + d->roster.running < d->roster.count)
		snprintf(line, sizeof(line), "stopped: %s; \"%s --retry "
		    "skipped\" goes on", d->why, getprogname());
	else
		snprintf(line, sizeof(line), "stopped: %s", d->why);
	cli_drive_say(d, line);
}

void
cli_batches_rules(struct drive *d, const char *host)
{
	/* Behind the last host there is nothing to stop. */
	if (d->run->plan == NULL || d->checking || d->stopped != 0 ||
	    d->roster.over == d->roster.count ||
	    !cli_plan_halts(d->run->plan, &d->roster, host, d->why,
	    sizeof(d->why)))
		return;
	halt(d);
	cli_drive_stop(d);
}

/* Hosts that a rule kept from beginning are skipped, not canceled. */
void
cli_batches_amend(struct drive *d, struct fanout_event *ev)
{
	if (ev->kind == FANOUT_EV_DONE && d->run->ahead != NULL &&
	    ev->result->cls == FANOUT_C_SKIPPED &&
	    d->run->ahead[ev->host] != NULL)
		ev->result = d->run->ahead[ev->host];
	if (!d->halted || ev->kind != FANOUT_EV_DONE ||
	    ev->result->cls != FANOUT_C_CANCELED ||
	    ev->result->stage != FANOUT_S_QUEUE)
		return;
	d->result = *ev->result;
	d->result.cls = FANOUT_C_SKIPPED;
	snprintf(d->result.text, sizeof(d->result.text), "%s: %s",
	    CLI_NOT_BEGUN_TEXT, d->why);
	ev->result = &d->result;
}

static void
check_event(struct drive *d, const struct fanout_event *ev)
{
	struct fanout_event in_all = *ev;

	cli_roster_event(&d->check_roster, ev);
	if (d->check_view != NULL)
		d->check_view->event(d->check_view, ev);
	if (ev->kind != FANOUT_EV_DONE)
		return;
	in_all.host = d->map[ev->host];
	if (d->report != NULL)
		d->report->check(d->report, &in_all);
	cli_views_check(&d->views, &in_all);
}

bool
cli_batches_event(struct drive *d, struct fanout_event *ev)
{
	/* Remarks may come late, from a job that is over. */
	if (ev->job != d->job)
		return true;
	if (d->checking) {
		check_event(d, ev);
		return false;
	}
	if (d->map != NULL)
		ev->host = d->map[ev->host];
	return true;
}

/* Those that were never begun are told of like all others. */
static void
skip_rest(struct drive *d)
{
	const struct fanout_result r = { .cls = FANOUT_C_CANCELED,
	    .stage = FANOUT_S_QUEUE, .status = -1 };
	struct fanout_event ev = { .kind = FANOUT_EV_DONE, .job = d->job };
	size_t i;

	for (i = 0; i < d->roster.count; i++) {
		if (d->roster.places[i].state != CLI_WAITS)
			continue;
		ev.host = i;
		ev.name = fanout_hosts_at(d->run->hosts, i);
		ev.result = &r;
		cli_batches_amend(d, &ev);
		cli_roster_event(&d->roster, &ev);
		if (d->report != NULL)
			d->report->event(d->report, &ev);
		cli_views_event(&d->views, &ev);
	}
}

/* ---- the check ---------------------------------------------------------- */

static void
end_check(struct drive *d)
{
	char *text, *line;

	d->unfit += d->check_roster.failed;
	text = cli_summary(&d->check_roster);
	if (text != NULL && asprintf(&line, "check: %s", text) != -1) {
		cli_drive_say(d, line);
		free(line);
	}
	free(text);
}

/* On those of the batch that are well so far. */
static void
check(struct drive *d, size_t from)
{
	static const struct cli_look plain = { .verbose = 0 };
	const struct cli_plan *p = d->run->plan;
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_error e;
	size_t i, n = 0, *well;

	if ((well = reallocarray(NULL, p->next - from + 1, sizeof(*well))) ==
	    NULL) {
		cli_drive_say(d, "no check: out of memory");
		return;
	}
	for (i = from; i < p->next; i++)
		if (d->roster.places[p->order[i]].cls == FANOUT_C_OK)
			well[n++] = p->order[i];
	cmd.command = p->check;
	d->checking = true;
	if (n > 0 && submit(d, well, n, cmd, &e) == 0 &&
	    cli_roster_init(&d->check_roster, d->set) == 0) {
		if (!d->run->look.json)
			d->check_view = cli_text_view(&plain, n, &d->err,
			    &d->err);
		cli_drive_loop(d);
		if (d->stopped != 0)
			cli_roster_give_up(&d->check_roster);
		if (d->check_view != NULL) {
			d->check_view->rest(d->check_view, &d->check_roster);
			d->check_view->free(d->check_view);
			d->check_view = NULL;
		}
		end_check(d);
		cli_roster_clear(&d->check_roster);
	} else if (n > 0) {
		/* What was not looked at is not well. */
		d->unfit += n;
		cli_drive_say(d, "the check cannot be run");
	}
	d->checking = false;
	free(well);
}

/* ---- between batches ---------------------------------------------------- */

static void
wait_a_while(struct drive *d, int64_t ms)
{
	int64_t end = cli_now() + ms, left;
	struct pollfd pfd;

	cli_sink_flush(&d->out);
	while ((left = end - cli_now()) > 0 && d->stopped == 0) {
		cli_sink_flush(&d->err);
		cli_drive_tick(d);
		pfd = (struct pollfd){ .fd = cli_signals_fd(),
		    .events = POLLIN };
		(void)poll(&pfd, 1, left < CLI_PROGRESS_MS ? (int)left :
		    CLI_PROGRESS_MS);
		cli_drive_attend(d);
		cli_drive_remarks(d);
	}
}

static void
put_question(struct drive *d, size_t n)
{
	const struct cli_plan *p = d->run->plan;
	struct fanout_hosts *set = NULL;
	char *names = NULL, *text;
	size_t i;

	if (fanout_hosts_new(&set) == 0) {
		for (i = 0; i < n; i++)
			fanout_hosts_add(set, fanout_hosts_at(d->run->hosts,
			    p->order[p->next + i]), NULL);
		fanout_hosts_fold(set, &names);
	}
	if (asprintf(&text, "%s: %zu of %zu over, %zu failed. Go on with %zu: "
	    "%s? [y]es, [n]o, [a]ll: ", getprogname(), d->roster.over,
	    d->roster.count, d->roster.failed + d->unfit, n, names != NULL ?
	    names : "?") != -1) {
		cli_terminal_say(&d->terminal, text);
		free(text);
	}
	free(names);
	fanout_hosts_free(set);
}

/* One line from the terminal: 'y', 'n', 'a'; '?': none of these. */
static char
answer(struct drive *d)
{
	struct pollfd pfd[2];
	const char *line;
	bool interrupted;
	int rc = 0;

	while (rc == 0 && d->stopped == 0) {
		pfd[0] = (struct pollfd){ .fd = d->terminal.fd,
		    .events = POLLIN };
		pfd[1] = (struct pollfd){ .fd = cli_signals_fd(),
		    .events = POLLIN };
		interrupted = poll(pfd, 2, -1) == -1 || pfd[1].revents != 0;
		cli_drive_attend(d);
		if (interrupted && d->stopped == 0)
			return '?';	/* its line is gone */
		if (pfd[0].revents != 0)
			rc = cli_terminal_read(&d->terminal);
	}
	if (rc != 1)
		return 'n';
	line = d->terminal.line;
	if (strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0)
		return 'y';
	if (strcasecmp(line, "n") == 0 || strcasecmp(line, "no") == 0)
		return 'n';
	return strcasecmp(line, "a") == 0 || strcasecmp(line, "all") == 0 ?
	    'a' : '?';
}

static bool
confirmed(struct drive *d, size_t n)
{
	struct cli_plan *p = d->run->plan;
	char a;

	cli_sink_flush(&d->out);
	cli_sink_flush(&d->err);
	cli_progress_hide(&d->progress);
	do {
		put_question(d, n);
		a = answer(d);
	} while (a == '?');
	if (a == 'a')
		p->confirm = false;
	if (a != 'n')
		return true;
	if (d->stopped == 0) {
		strlcpy(d->why, "not confirmed", sizeof(d->why));
		halt(d);
		d->interrupted = true;
	}
	return false;
}

/* Before the next batch. A single one is asked about, too: why else confirm? */
static bool
may_begin(struct drive *d)
{
	struct cli_plan *p = d->run->plan;
	size_t n = cli_plan_size(p);

	if (p->batches > 0 && p->pause_ms > 0)
		wait_a_while(d, p->pause_ms);
	if (d->stopped != 0)
		return false;
	return !p->confirm || (p->batches == 0 && n < p->count) ||
	    confirmed(d, n);
}

/* -1: nothing is run at all, why has been said. */
static int
one_batch(struct drive *d)
{
	const struct cli_plan *p = d->run->plan;
	size_t from = p->next, failed = d->roster.failed, unfit = d->unfit;
	struct fanout_error e;

	if (submit_next(d, &e) != 0) {
		strlcpy(d->why, e.text, sizeof(d->why));
		if (from == 0)
			warnx("%s", e.text);
		else
			halt(d);
		return from == 0 ? -1 : 0;
	}
	cli_drive_loop(d);
	if (d->stopped == 0 && p->check != NULL)
		check(d, from);
	if (d->stopped == 0 && cli_plan_ends(p, d->roster.failed - failed +
	    d->unfit - unfit, d->roster.failed + d->unfit, d->why,
	    sizeof(d->why)) && cli_plan_size(p) > 0)
		halt(d);
	return 0;
}

int
cli_batches_run(struct drive *d)
{
	struct fanout_error e;

	if (d->run->plan == NULL) {
		if (submit_next(d, &e) != 0) {
			warnx("%s", e.text);
			return -1;
		}
		cli_drive_loop(d);
		return 0;
	}
	while (d->stopped == 0 && !d->halted &&
	    cli_plan_size(d->run->plan) > 0 && may_begin(d))
		if (one_batch(d) == -1)
			return -1;
	if (d->halted)
		skip_rest(d);
	return 0;
}

int
cli_batches_open(struct drive *d)
{
	const struct cli_plan *p = d->run->plan;

	d->spool = -1;
	d->terminal = (struct cli_terminal)CLI_TERMINAL_INIT;
	if (p == NULL)
		return 0;
	/* The check is run in the session that is there. */
	d->opts.keep_sessions = d->opts.keep_sessions || p->check != NULL;
	if (p->confirm && cli_terminal_open(&d->terminal) == -1) {
		warnx("--confirm: there is no terminal to ask on");
		return -1;
	}
	if (d->run->cmd->stdin_fd != -1 && !cli_plan_whole(p))
		return spool(d, d->run->cmd->stdin_fd);
	return 0;
}

void
cli_batches_close(struct drive *d)
{
	forget_job(d);
	cli_terminal_close(&d->terminal);
	if (d->spool != -1)
		close(d->spool);
}
