#include <sys/resource.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive_int.h"
#include "signals.h"
#include "summary.h"

/* From the wish to stop: so long hosts may take to end in order, beside the
 * time they give their commands, and so long a reader may take what is still
 * to be written. */
#define STOP_MS 500
#define KILL_MS 1000		/* to look whether they are gone */
#define DRAIN_MS 800

void
cli_prepare(void)
{
	struct rlimit rl;
	int fd;

	/* A closed one becomes one that cannot be used the way it should:
	 * writing to it is an error, as it would have been. */
	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			exit(CLI_EXIT_USAGE);
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
}

/* Straight to stderr: a view would first write to a stdout that may be what
 * makes us wait. */
void
cli_drive_say(struct drive *d, const char *line)
{
	cli_sink_say(&d->err, line);
}

void
cli_drive_stop(struct drive *d)
{
	if (d->stopped != 0)
		return;
	d->stopped = cli_now();
	d->kill_due = d->roster.running > 0 && d->opts.grace_ms >= 0;
	d->stop_ms = STOP_MS + (d->kill_due ? KILL_MS +
	    d->opts.grace_ms : 0);
	if (d->run->ask != NULL)
		cli_ask_rest(d->run->ask);
	fanout_cancel(d->engine, 0);
}

static void
report_kill(struct drive *d)
{
	char line[120];

	d->kill_due = false;
	if (d->roster.running == 0)
		return;
	snprintf(line, sizeof(line), "ending what runs on %zu host%s; "
	    "interrupt once more to leave at once", d->roster.running,
	    d->roster.running == 1 ? "" : "s");
	cli_drive_say(d, line);
	cli_sink_flush(&d->err);
}

static void
report_who_runs(struct drive *d)
{
	char *text, *line, *rest;

	d->report_due = false;
	if ((text = rest = cli_who_runs(&d->roster)) == NULL)
		return;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			cli_drive_say(d, line);
	cli_drive_say(d, "interrupt twice within a second to cancel");
	free(text);
	cli_sink_flush(&d->err);
	if (d->run->ask != NULL)
		cli_ask_again(d->run->ask);
}

static int
left(int64_t since, int ms)
{
	int64_t gone = cli_now() - since;

	return gone >= ms ? 0 : (int)(ms - gone);
}

/* struct cli_patience: busy is the sink that waits, NULL: none does. */
static int
attend(void *ctx, struct cli_sink *busy)
{
	struct drive *d = ctx;

	switch (cli_signals_take()) {
	case CLI_GO_ON:
		break;
	case CLI_WHO_RUNS:
		d->report_due = true;
		break;
	case CLI_STOP:
		d->interrupted = true;
		cli_drive_stop(d);
		break;
	}
	/* A sink that waits takes no more. */
	if (d->report_due && busy != &d->err)
		report_who_runs(d);
	/* Who only closed our output does not want to know. */
	if (d->kill_due && d->interrupted && busy != &d->err)
		report_kill(d);
	return d->stopped == 0 ? -1 : left(d->stopped, DRAIN_MS);
}

void
cli_drive_attend(struct drive *d)
{
	(void)attend(d, NULL);
}

/* Output that can go nowhere ends the run. What is only said about it, on
 * stderr, does not: a daemon may have closed that. */
static void
check_output(struct drive *d)
{
	if (d->out.error != 0 && d->stopped == 0)
		cli_drive_stop(d);
}

static void
take_event(struct drive *d, struct fanout_event *ev)
{
	const struct cli_extra *x = d->run->extra;
	bool shown;

	if (ev->kind == FANOUT_EV_ASK && x != NULL && x->ask != NULL &&
	    x->ask(x->ctx, d->engine, ev))
		return;
	if (d->run->ask != NULL)
		cli_ask_event(d->run->ask, ev);
	if (!cli_batches_event(d, ev))
		return;
	shown = x == NULL || x->event == NULL ||
	    x->event(x->ctx, ev, &d->out);
	if (ev->kind == 0)
		return;
	cli_batches_amend(d, ev);
	cli_roster_event(&d->roster, ev);
	if (d->report != NULL && (shown || ev->kind == FANOUT_EV_DONE))
		d->report->event(d->report, ev);
	if (shown && d->run->ask != NULL)
		cli_ask_shown(d->run->ask, ev);
	if (shown)
		cli_views_event(&d->views, ev);
	if (ev->kind == FANOUT_EV_DONE)
		cli_batches_rules(d, ev->name);
}

void
cli_drive_remarks(struct drive *d)
{
	const struct cli_extra *x = d->run->extra;
	struct fanout_event ev;

	while (x != NULL && x->remark != NULL && x->remark(x->ctx, d->engine,
	    &ev))
		take_event(d, &ev);
}

/* One event, if one comes in time; false when there will be no more. */
static bool
one_event(struct drive *d, int timeout_ms, bool *came)
{
	struct fanout_event ev;
	int rc;

	*came = false;
	rc = fanout_next(d->engine, &ev, timeout_ms);
	if (rc < 0) {
		d->abandoned = rc != FANOUT_EIDLE;
		if (d->abandoned)
			cli_drive_say(d, fanout_strerror(rc));
		return false;
	}
	if (rc > 0) {
		*came = true;
		d->taken.events++;
		d->taken.bytes += ev.len;
		take_event(d, &ev);
	}
	return true;
}

/* What is to be seen of the run while nothing comes. */
void
cli_drive_tick(struct drive *d)
{
	int64_t ms = cli_now() - d->progress.began;
	const struct cli_extra *x = d->run->extra;
	uint64_t bytes, of;

	if (x != NULL && x->moved != NULL && x->moved(x->ctx, &bytes, &of))
		cli_progress_bytes(&d->progress, bytes, of);
	if (d->report != NULL)
		d->report->tick(d->report, &d->roster, ms);
	cli_views_tick(&d->views, &d->roster, ms);
	if (d->run->ask != NULL && cli_ask_busy(d->run->ask))
		return;		/* the prompt has the line */
	if (!d->out.tty || !d->out.mid_line)
		if (!d->err.mid_line)
			cli_progress_draw(&d->progress, &d->roster);
}

/* How long to wait for an event. */
static int
wait_ms(const struct drive *d)
{
	const struct cli_extra *x = d->run->extra;
	int ms, due;

	if (d->stopped != 0)
		return left(d->stopped, d->stop_ms);
	ms = d->progress.fd != -1 || d->run->look.json ? CLI_PROGRESS_MS : -1;
	due = x != NULL && x->due != NULL ? x->due(x->ctx) : -1;
	return ms == -1 || (due != -1 && due < ms) ? due : ms;
}

/* As long as there is something to ask: until an answer or an event comes. */
static bool
asked(struct drive *d)
{
	if (d->run->ask == NULL || !cli_ask_busy(d->run->ask))
		return false;
	cli_progress_hide(&d->progress);
	cli_ask_wait(d->run->ask, wait_ms(d));
	return true;
}

/*
 * Of many hosts that answer one by one each would wake us: what they say in a
 * few milliseconds is taken at once. Not where much comes, for which they would
 * have to wait, nor where they wait for what we say to it.
 */
#define GATHER_MS 5
#define GATHER_HOSTS 32
#define GATHER_EVENTS 64
#define GATHER_BYTES 16384

static void
gather(struct drive *d)
{
	const struct cli_extra *x = d->run->extra;

	if ((x == NULL || x->idle == NULL) &&
	    d->roster.running >= GATHER_HOSTS && d->taken.events > 0 &&
	    d->taken.events < GATHER_EVENTS && d->taken.bytes < GATHER_BYTES)
		(void)poll(NULL, 0, GATHER_MS);	/* a signal ends it */
	d->taken.events = d->taken.bytes = 0;
}

void
cli_drive_loop(struct drive *d)
{
	const struct cli_extra *x = d->run->extra;
	bool came;

	for (;;) {
		attend(d, NULL);
		check_output(d);
		cli_drive_remarks(d);
		if (!one_event(d, 0, &came))
			return;
		if (came)
			continue;
		/* Nothing at hand: show what there is before waiting. */
		cli_sink_flush(&d->out);
		cli_sink_flush(&d->err);
		cli_drive_tick(d);
		if (d->stopped != 0 && left(d->stopped, d->stop_ms) == 0) {
			d->abandoned = true;
			return;
		}
		if (asked(d) || (x != NULL && x->idle != NULL &&
		    x->idle(x->ctx)))
			continue;
		gather(d);
		if (!one_event(d, wait_ms(d), &came))
			return;
	}
}

/* Does nobody read our output any more? */
static bool
gone(const struct drive *d)
{
	return d->out.error == EPIPE && !d->interrupted;
}

static int
finish(struct drive *d)
{
	const struct cli_extra *x = d->run->extra;
	int status;

	cli_roster_give_up(&d->roster);
	status = cli_status(&d->roster, d->run->largest_status,
	    d->interrupted);
	if (d->unfit > 0 && !d->interrupted && !d->run->largest_status)
		status = status == 0 ? CLI_EXIT_FAILED :
		    status == CLI_EXIT_UNREACHED ? CLI_EXIT_BOTH : status;
	else if (d->unfit > 0 && status == 0)
		status = CLI_EXIT_FAILED;
	if (x != NULL && x->status != NULL && !d->interrupted)
		status = x->status(x->ctx, &d->roster, status);
	/* Whoever went away does not want to know the end. */
	if (gone(d))
		status = 128 + SIGPIPE;
	if (d->report != NULL)
		d->report->end(d->report, &d->roster, status);
	if (gone(d))
		return status;
	if (x != NULL && x->end != NULL)
		x->end(x->ctx, &d->roster, &d->out, &d->err);
	cli_views_end(&d->views, &d->roster, status);
	if (d->out.error == 0 || d->out.error == EPIPE)
		return cli_views_broken(&d->views) && status == 0 ?
		    CLI_EXIT_FAILED : status;
	if (d->out.error == ETIMEDOUT)
		warnx("standard output: nobody reads it; the rest is lost");
	else
		warnc(d->out.error, "standard output");
	return d->interrupted ? status : CLI_EXIT_FAILED;
}

/* One with jobs that were given up would mix them with the next ones. */
static void
leave_engine(struct drive *d)
{
	struct fanout **keep = d->run->engine;

	if (keep != NULL && !d->abandoned) {
		*keep = d->engine;
		return;
	}
	fanout_free(d->engine);
	if (keep != NULL)
		*keep = NULL;
}

static void
close_drive(struct drive *d)
{
	bool broken = gone(d);

	if (d->run->ask != NULL && d->run->engine != NULL)
		cli_ask_rest(d->run->ask);
	else if (d->run->ask != NULL)
		cli_ask_close(d->run->ask);
	cli_progress_hide(&d->progress);
	cli_views_free(&d->views);
	if (d->report != NULL)
		d->report->free(d->report);
	cli_batches_close(d);
	cli_sink_close(&d->out);
	cli_sink_close(&d->err);
	cli_roster_clear(&d->roster);
	cli_signals_stop();
	leave_engine(d);
	if (broken)
		cli_signals_die(SIGPIPE);
}

static void
open_terminal(struct drive *d)
{
	const struct cli_look *look = &d->run->look;

	d->out.color = cli_look_color(look, d->out.tty);
	d->err.color = cli_look_color(look, d->err.tty);
	cli_progress_init(&d->progress, d->err.tty && !look->json &&
	    !look->no_progress ? STDERR_FILENO : -1);
	d->out.progress = d->err.progress = &d->progress;
}

static int
open_drive(struct drive *d)
{
	struct cli_patience patience = { attend, d };
	struct fanout_error e;

	d->opts = *d->run->opts;
	if (cli_batches_open(d) == -1)
		return -1;
	if (d->run->engine != NULL) {
		d->engine = *d->run->engine;
		d->opts.keep_sessions = true;
	}
	if (d->engine == NULL && fanout_new(&d->engine, &d->opts, &e) != 0) {
		warnx("%s", e.text);
		return -1;
	}
	if (cli_signals_start(d->engine) == -1) {
		warn("signals");
		return -1;
	}
	if (d->run->ask != NULL)
		cli_ask_start(d->run->ask, d->engine);
	if (cli_roster_init(&d->roster, d->run->hosts) == -1 ||
	    cli_sink_open(&d->out, STDOUT_FILENO, patience) == -1 ||
	    cli_sink_open(&d->err, STDERR_FILENO, patience) == -1) {
		warnx("out of memory");
		return -1;
	}
	open_terminal(d);
	if (!d->run->part && cli_views_open(&d->views, &d->run->look,
	    &d->roster, &d->out, &d->err) == -1)
		return -1;
	if (d->run->record != NULL && !d->run->record->opts->none)
		d->report = cli_report_view(d->run->record, &d->roster,
		    &d->err);
	return 0;
}

int
cli_drive(const struct cli_run *run)
{
	struct drive d = { .run = run, .progress = { .fd = -1 },
	    .terminal = CLI_TERMINAL_INIT, .spool = -1 };
	int status = CLI_EXIT_USAGE;

	if (open_drive(&d) == 0 && cli_batches_run(&d) == 0)
		status = finish(&d);
	close_drive(&d);
	return status;
}
