#include <sys/resource.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive.h"
#include "signals.h"
#include "summary.h"

/* From the wish to stop: so long hosts may take to end in order, beside the
 * time they give their commands, and so long a reader may take what is still
 * to be written. */
#define STOP_MS 500
#define KILL_MS 1000		/* to look whether they are gone */
#define DRAIN_MS 800

struct drive {
	const struct cli_run *run;
	struct fanout	*engine;
	struct cli_roster roster;
	struct cli_view	*view;
	struct cli_sink	 out, err;
	int64_t		 stopped;	/* when; 0: goes on */
	int		 stop_ms;	/* how long from then */
	bool		 kill_due;	/* to be said */
	bool		 interrupted;	/* stopped by the user */
	bool		 report_due;
};

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

/* Straight to stderr: the view would first write to a stdout that may be what
 * makes us wait. */
static void
say(struct drive *d, const char *line)
{
	const char *me = getprogname();

	cli_sink_put(&d->err, me, strlen(me));
	cli_sink_put(&d->err, ": ", 2);
	cli_sink_put(&d->err, line, strlen(line));
	cli_sink_put(&d->err, "\n", 1);
}

static void
stop(struct drive *d)
{
	if (d->stopped != 0)
		return;
	d->stopped = cli_now();
	d->kill_due = d->roster.running > 0 && d->run->opts->grace_ms >= 0;
	d->stop_ms = STOP_MS + (d->kill_due ? KILL_MS +
	    d->run->opts->grace_ms : 0);
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
	say(d, line);
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
			say(d, line);
	say(d, "interrupt twice within a second to cancel");
	free(text);
	cli_sink_flush(&d->err);
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
		stop(d);
		break;
	}
	/* A sink that waits takes no more. */
	if (d->report_due && busy != &d->err)
		report_who_runs(d);
	if (d->kill_due && busy != &d->err)
		report_kill(d);
	return d->stopped == 0 ? -1 : left(d->stopped, DRAIN_MS);
}

/* Output that can go nowhere ends the run. What is only said about it, on
 * stderr, does not: a daemon may have closed that. */
static void
check_output(struct drive *d)
{
	if (d->out.error != 0 && d->stopped == 0)
		stop(d);
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
		if (rc != FANOUT_EIDLE)
			say(d, fanout_strerror(rc));
		return false;
	}
	if (rc > 0) {
		*came = true;
		cli_roster_event(&d->roster, &ev);
		d->view->event(d->view, &ev);
	}
	return true;
}

static void
loop(struct drive *d)
{
	bool came;

	for (;;) {
		attend(d, NULL);
		check_output(d);
		if (!one_event(d, 0, &came))
			return;
		if (came)
			continue;
		/* Nothing at hand: show what there is before waiting. */
		cli_sink_flush(&d->out);
		cli_sink_flush(&d->err);
		if (d->stopped != 0 && left(d->stopped, d->stop_ms) == 0)
			return;
		if (!one_event(d, d->stopped == 0 ? -1 :
		    left(d->stopped, d->stop_ms), &came))
			return;
	}
}

static int
finish(struct drive *d)
{
	int status;

	/* Whoever went away does not want to know the end. */
	if (d->out.error == EPIPE && !d->interrupted)
		return CLI_EXIT_FAILED;
	cli_roster_give_up(&d->roster);
	status = cli_status(&d->roster, d->run->largest_status,
	    d->interrupted);
	d->view->end(d->view, &d->roster, status);
	if (d->out.error == 0 || d->out.error == EPIPE)
		return status;
	if (d->out.error == ETIMEDOUT)
		warnx("standard output: nobody reads it; the rest is lost");
	else
		warnc(d->out.error, "standard output");
	return d->interrupted ? status : CLI_EXIT_FAILED;
}

static void
close_drive(struct drive *d)
{
	bool broken = d->out.error == EPIPE && !d->interrupted;

	if (d->view != NULL)
		d->view->free(d->view);
	cli_sink_close(&d->out);
	cli_sink_close(&d->err);
	cli_roster_clear(&d->roster);
	cli_signals_stop();
	fanout_free(d->engine);
	if (broken)
		cli_signals_die(SIGPIPE);
}

static int
open_drive(struct drive *d)
{
	struct cli_patience patience = { attend, d };
	size_t n = fanout_hosts_count(d->run->hosts);
	struct fanout_error e;
	fanout_job job;

	if (fanout_new(&d->engine, d->run->opts, &e) != 0) {
		warnx("%s", e.text);
		return -1;
	}
	if (cli_signals_start(d->engine) == -1) {
		warn("signals");
		return -1;
	}
	if (cli_roster_init(&d->roster, d->run->hosts) == -1 ||
	    cli_sink_open(&d->out, STDOUT_FILENO, patience) == -1 ||
	    cli_sink_open(&d->err, STDERR_FILENO, patience) == -1 ||
	    (d->view = d->run->look.json ? cli_json_view(n, &d->out, &d->err) :
	    cli_text_view(&d->run->look, n, &d->out, &d->err)) == NULL) {
		warnx("out of memory");
		return -1;
	}
	if (fanout_submit(d->engine, d->run->hosts, d->run->cmd, &job,
	    &e) != 0) {
		warnx("%s", e.text);
		return -1;
	}
	return 0;
}

int
cli_drive(const struct cli_run *run)
{
	struct drive d = { .run = run };
	int status = CLI_EXIT_USAGE;

	if (open_drive(&d) == 0) {
		loop(&d);
		status = finish(&d);
	}
	close_drive(&d);
	return status;
}
