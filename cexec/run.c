#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cexec.h"
#include "cli/drive.h"
#include "cli/history.h"
#include "cli/summary.h"
#include "cli/visible.h"

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

static int
drive(struct cexec *c, const struct fanout_opts *opts,
    const struct fanout_hosts *hosts, const char *const *skip)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_error e;
	bool takes_part = false;
	int status;
	const struct cli_record record = { .opts = &c->report,
	    .command = c->command, .words = &c->kept,
	    .retry_of = c->saved != NULL ? c->saved->id : NULL };
	const struct cli_extra extra = { .begin = input_begin,
	    .event = input_event, .ctx = &c->send.input };
	struct cli_run run = { .opts = opts, .hosts = hosts, .cmd = &cmd,
	    .record = &record, .ask = &c->connect.ask, .plan = &c->plan,
	    .largest_status = c->largest };

	cli_expand_open(&c->expand, &c->target, hosts, opts);
	if (send_make(&c->send, c->command, &c->form, &c->expand, opts, hosts,
	    skip, input_fd(c), &cmd, &takes_part, &e) != 0 ||
	    cli_plan_make(&c->plan, hosts, cmd.skip, c->target.seed,
	    &e) != 0) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	c->send.input.ask = &c->connect.ask;
	run.ahead = c->send.ahead;
	run.look = c->look;
	run.look.verbose = c->connect.verbose;
	run.extra = takes_part ? &extra : NULL;
	status = cli_drive(&run);
	cli_plan_clear(&c->plan);
	return status;
}

static int
run_on(struct cexec *c, const struct fanout_hosts *hosts)
{
	struct fanout_opts opts;
	struct fanout_marks *marks = NULL;
	struct fanout_error e;
	const char **skip = NULL;
	int status = CLI_EXIT_USAGE;

	FANOUT_OPTS_INIT(&opts);
	if (cli_look_check(&c->look, hosts, &e) != 0 ||
	    cli_connect_apply(&c->connect, &opts, &e) != 0 ||
	    cli_dead_find(&c->target.dead, hosts, &marks, &skip, &e) != 0)
		warnx("%s", e.text);
	else
		status = drive(c, &opts, hosts, skip);
	cli_dead_free(marks, skip);
	return status;
}

/* Only shown; to explain them it takes an engine, that does nothing else. */
static int
show(struct cexec *c, const struct fanout_hosts *hosts, char *const *words)
{
	struct fanout_opts opts;
	struct fanout_error e;
	int status;

	FANOUT_OPTS_INIT(&opts);
	if (c->target.explain && (cli_connect_apply(&c->connect, &opts,
	    &e) != 0 || fanout_new(&c->target.way, &opts, &e) != 0)) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	status = cli_target_show(&c->target, hosts, words);
	fanout_free(c->target.way);
	c->target.way = NULL;
	return status;
}

/* A script that was fed to a shell would be an empty one now, and all ok. So
 * /dev/null, which cron gives, will not do. */
static bool
lacks_input(const struct cexec *c)
{
	int fd = input_fd(c);
	struct stat st;

	return c->saved->fed > 0 && c->send.stdin_file == NULL &&
	    (fd == -1 || (fstat(fd, &st) == 0 &&
	    S_ISCHR(st.st_mode)));
}

/* The hosts of a run that is tried again, but those that were left out. */
static int
retry_hosts(struct cexec *c, struct fanout_hosts **hosts,
    struct fanout_error *e)
{
	size_t i, n = fanout_hosts_count(c->again);
	int rc = 0;

	*hosts = NULL;
	for (i = 0; i < n && rc == 0; i++)
		rc = fanout_selection_add(c->target.selection,
		    FANOUT_SELECT_HOSTS, fanout_hosts_at(c->again, i), e);
	return rc != 0 ? rc : fanout_selection_finish(hosts,
	    c->target.selection, e);
}

static void
announce(const struct cexec *c, const struct fanout_hosts *hosts)
{
	char *names = NULL, *command, *shown;
	size_t n = strlen(c->command);

	fanout_hosts_fold(hosts, &names);
	command = malloc(n * CLI_VISIBLE_MAX + 1);
	if (names != NULL && command != NULL) {
		command[cli_visible(command, c->command, n)] = '\0';
		for (shown = command; (shown = strchr(shown, '\n')) != NULL;)
			*shown = ' ';
		warnx("again, as in run %s: %s: %s (%zu of %zu): %.200s%s",
		    c->saved->id, c->report.retry, names,
		    fanout_hosts_count(hosts), c->saved->roster.count, command,
		    strlen(command) > 200 ? "..." : "");
	}
	free(command);
	free(names);
}

static int
run_again(struct cexec *c)
{
	struct fanout_hosts *hosts;
	struct fanout_error e;
	int status;

	if (fanout_hosts_count(c->again) == 0) {
		warnx("run %s: no host of it is %s", c->saved->id,
		    c->report.retry);
		return 0;
	}
	if (lacks_input(c)) {
		warnx("run %s had standard input: give it again, as in "
		    "cexec --retry %s <FILE", c->saved->id, c->report.retry);
		return CLI_EXIT_USAGE;
	}
	if (retry_hosts(c, &hosts, &e) != 0) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	if (fanout_hosts_count(hosts) == 0)
		warnx("no host is left of those that are %s", c->report.retry);
	else if (!cli_target_shows(&c->target))
		announce(c, hosts);
	status = fanout_hosts_count(hosts) == 0 ? CLI_EXIT_USAGE :
	    cli_target_shows(&c->target) ?
	    show(c, hosts, c->words + 1) :
	    run_on(c, hosts);
	fanout_hosts_free(hosts);
	return status;
}

static int
print_completion(const char *shell)
{
	struct fanout_error e;

	if (cexec_completion(shell, &e) != 0) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	if (fflush(stdout) == EOF) {
		warn("standard output");
		return CLI_EXIT_USAGE;
	}
	return 0;
}

int
cexec_run(struct cexec *c)
{
	struct fanout_hosts *hosts;
	struct fanout_error e;
	int status;

	if (c->completion != NULL)
		return print_completion(c->completion);
	if (cli_history_acts(&c->report)) {
		c->look.verbose = c->connect.verbose;
		return cli_history_act(&c->report, &c->look, c->words);
	}
	if (c->report.retry != NULL)
		return run_again(c);
	if (cli_dead_acts(&c->target.dead))
		return cli_dead_act(&c->target.dead);
	if (cli_target_hosts(&c->target, &hosts, &e) != 0) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	status = cli_target_shows(&c->target) ?
	    show(c, hosts, c->words) : run_on(c, hosts);
	fanout_hosts_free(hosts);
	return status;
}
