/*
 * twice.c - two jobs on one host, given at once, on a session that is kept.
 *
 *	twice SSH_CONFIG HOST COMMAND [tty]
 *
 * Prints the class of each outcome, a line each.
 */
#include <err.h>
#include <stdio.h>

#include "fanout.h"

static int
on_event(const struct fanout_event *ev, void *arg)
{
	(void)arg;
	if (ev->kind == FANOUT_EV_DONE)
		printf("%s\n", fanout_class_name(ev->result->cls));
	return 0;
}

int
main(int argc, char **argv)
{
	struct fanout_opts o;
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_hosts *hosts;
	struct fanout_error e;
	struct fanout *f;
	fanout_job job;
	int i;

	if (argc < 4)
		errx(2, "usage: twice SSH_CONFIG HOST COMMAND [tty]");
	FANOUT_OPTS_INIT(&o);
	o.ssh_config = argv[1];
	o.keep_sessions = true;
	cmd.command = argv[3];
	cmd.tty = argc > 4;
	if (fanout_hosts_new(&hosts) != 0 ||
	    fanout_hosts_add(hosts, argv[2], &e) != 0 ||
	    fanout_new(&f, &o, &e) != 0)
		errx(1, "%s", e.text);
	for (i = 0; i < 2; i++)
		if (fanout_submit(f, hosts, &cmd, &job, &e) != 0)
			errx(1, "%s", e.text);
	i = fanout_run(f, on_event, NULL);
	fanout_free(f);
	fanout_hosts_free(hosts);
	return i != 0;
}
