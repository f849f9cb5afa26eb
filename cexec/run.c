#include <err.h>
#include <fcntl.h>
#include <unistd.h>

#include "cexec.h"
#include "cli/drive.h"
#include "cli/summary.h"

/* A terminal is not read (the user types to the tool), nor what cannot be. */
static int
input_fd(const struct cexec *c)
{
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	if (c->no_stdin || isatty(STDIN_FILENO) || flags == -1 ||
	    (flags & O_ACCMODE) == O_WRONLY)
		return -1;
	return STDIN_FILENO;
}

static int
run_on(struct cexec *c, const struct fanout_hosts *hosts)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_opts opts;
	struct fanout_marks *marks;
	struct fanout_error e;
	const char **skip;
	int status;
	struct cli_run run = { .opts = &opts, .hosts = hosts, .cmd = &cmd };

	FANOUT_OPTS_INIT(&opts);
	if (cli_look_check(&c->look, hosts, &e) != 0 ||
	    cli_connect_apply(&c->connect, &opts, &e) != 0) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	if (cli_dead_find(&c->target.dead, hosts, &marks, &skip, &e) != 0) {
		warnx("%s", e.text);
		cli_dead_free(marks, skip);
		return CLI_EXIT_USAGE;
	}
	cmd.command = c->command;
	cmd.skip = skip;
	cmd.stdin_fd = input_fd(c);
	run.look = c->look;
	run.look.verbose = c->connect.verbose;
	run.ask = &c->connect.ask;
	run.largest_status = c->largest;
	status = cli_drive(&run);
	cli_dead_free(marks, skip);
	return status;
}

int
cexec_run(struct cexec *c)
{
	struct fanout_hosts *hosts;
	struct fanout_error e;
	int status;

	if (cli_dead_acts(&c->target.dead))
		return cli_dead_act(&c->target.dead);
	if (cli_target_hosts(&c->target, &hosts, &e) != 0) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	status = cli_target_shows(&c->target) ?
	    cli_target_show(&c->target, hosts, c->words) : run_on(c, hosts);
	fanout_hosts_free(hosts);
	return status;
}
