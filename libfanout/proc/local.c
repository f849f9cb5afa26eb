#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local.h"
#include "process.h"
#include "signame.h"

struct local {
	struct process	 process;
	const char	*host;
	bool		 closing;
	bool		 idle;		/* nothing was started */
	bool		 canceled;
};

static int
local_open(void **shared, void *config, const struct fanout_opts *o,
    struct fanout_error *e)
{
	(void)config;
	(void)o;
	(void)e;
	*shared = NULL;
	return 0;
}

static void
local_close_all(void *shared)
{
	(void)shared;
}

static int
local_plan(void *shared, const char *host, struct fanout_plan *plan,
    struct fanout_result *why)
{
	(void)shared;
	(void)host;
	(void)plan;		/* no address: nothing to resolve */
	(void)why;
	return 0;
}

static void *
local_new(void *shared, struct fanout_io *io, const char *host,
    const struct fanout_plan *plan, int fd)
{
	struct local *l;

	(void)shared;
	(void)plan;
	(void)fd;
	if ((l = calloc(1, sizeof(*l))) != NULL) {
		process_init(&l->process, io);
		l->host = host;
	}
	return l;
}

static void
local_start(void *peer, const struct fanout_task *task)
{
	static char shell[] = "/bin/sh", dash_c[] = "-c";
	struct local *l = peer;
	char *argv[] = { shell, dash_c, (char *)(uintptr_t)task->command,
	    NULL };
	char var[512], **env;
	int rc = ENOMEM;

	fanout_io_stage(l->process.io, FANOUT_S_RUN);
	l->idle = true;
	if (task->command == NULL)
		return;
	if (task->tty || task->subsystem) {
		fanout_io_fail(l->process.io, FANOUT_C_LOCAL, 0, 0, "transport "
		    "local has no %s", task->tty ? "terminals" : "subsystems");
		return;
	}
	(void)snprintf(var, sizeof(var), "FANOUT_HOST=%s", l->host);
	if ((env = process_environment(var)) != NULL)
		rc = process_start(&l->process, argv, env, task);
	free(env);
	if (rc != 0)
		fanout_io_fail(l->process.io, FANOUT_C_LOCAL, rc, 0,
		    "cannot start a process: %s", strerror(rc));
	else
		l->idle = false;
}

static void
set_result(struct local *l)
{
	struct fanout_result *r = fanout_io_result(l->process.io);
	int status = l->process.child.status;

	r->stage = FANOUT_S_RUN;
	if (r->cls != FANOUT_C_OK)
		return;
	if (WIFSIGNALED(status)) {
		r->cls = FANOUT_C_SIGNAL;
		signal_name(WTERMSIG(status), r->signal, sizeof(r->signal));
		(void)snprintf(r->text, sizeof(r->text), "killed by SIG%s",
		    r->signal);
		return;
	}
	r->status = WEXITSTATUS(status);
	if (r->status != 0) {
		r->cls = FANOUT_C_EXIT;
		(void)snprintf(r->text, sizeof(r->text), "exit status %d",
		    r->status);
	}
}

static enum fanout_verdict
local_step(void *peer)
{
	struct local *l = peer;
	enum fanout_verdict verdict;

	if (l->closing)
		return FANOUT_CLOSED;
	if (l->idle)
		return FANOUT_DONE;
	if ((verdict = process_step(&l->process)) == FANOUT_DONE) {
		l->idle = true;
		if (l->canceled)
			fanout_io_fate(l->process.io, FANOUT_F_KILLED, 0, "");
		set_result(l);
	}
	return verdict;
}

static void
local_cancel(void *peer)
{
	struct local *l = peer;
	int grace = fanout_io_grace(l->process.io);

	l->canceled = true;
	process_cancel(&l->process, grace < 0 ? 500 : grace);
}

static void
local_close(void *peer)
{
	struct local *l = peer;

	l->closing = true;
}

static void
local_free(void *peer)
{
	struct local *l = peer;

	process_end(&l->process);
	free(l);
}

const struct fanout_transport fo_transport_local = {
	.size = sizeof(struct fanout_transport),
	.name = "local",
	.descriptors = 4,
	.open = local_open,
	.close_all = local_close_all,
	.plan = local_plan,
	.peer_new = local_new,
	.start = local_start,
	.step = local_step,
	.cancel = local_cancel,
	.close = local_close,
	.free = local_free
};
