#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "child.h"
#include "local.h"
#include "signame.h"

#define CHUNK (16 * 1024)
#define CHUNKS_A_STEP 8		/* then the others' turn */
#define GRACE_MS 500		/* between TERM and KILL */

enum { WATCH_IN, WATCH_OUT, WATCH_ERR, WATCH_END };

struct local {
	struct fanout_io *io;
	const char	*host;
	struct child	 child;
	bool		 canceled, closing;
	int64_t		 kill_at;	/* canceled: TERM was not enough */
	bool		 refused;	/* it could not be started */
	char		*input;		/* CHUNK bytes, while there is input */
	size_t		 in_off, in_len;
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
	static const struct child none = CHILD_INIT;
	struct local *l;

	(void)shared;
	(void)plan;
	(void)fd;
	if ((l = calloc(1, sizeof(*l))) != NULL) {
		l->io = io;
		l->host = host;
		l->child = none;
	}
	return l;
}

/* Our environment and the host's name; NULL: out of memory. */
static char **
environment(const char *host, char *var, size_t size)
{
	char **env;
	size_t i, n = 0;

	while (environ[n] != NULL)
		n++;
	if ((env = calloc(n + 2, sizeof(*env))) == NULL)
		return NULL;
	(void)snprintf(var, size, "FANOUT_HOST=%s", host);
	env[0] = var;
	for (i = 0; i < n; i++)
		env[i + 1] = environ[i];
	return env;
}

static void
local_start(void *peer, const struct fanout_task *task)
{
	struct local *l = peer;
	static char shell[] = "/bin/sh", dash_c[] = "-c";
	char *argv[] = { shell, dash_c, (char *)task->command, NULL };
	char var[512], **env;
	int rc = ENOMEM;

	fanout_io_stage(l->io, FANOUT_S_RUN);
	if (task->command == NULL)
		return;
	if ((env = environment(l->host, var, sizeof(var))) != NULL &&
	    (!task->has_input || (l->input = malloc(CHUNK)) != NULL))
		rc = child_start(&l->child, argv, env, task->has_input);
	free(env);
	if (rc != 0) {
		l->refused = true;
		fanout_io_fail(l->io, FANOUT_C_LOCAL, rc, 0,
		    "cannot start a process: %s", strerror(rc));
		return;
	}
	fanout_io_watch(l->io, WATCH_OUT, l->child.out, POLLIN);
	fanout_io_watch(l->io, WATCH_ERR, l->child.err, POLLIN);
	fanout_io_watch(l->io, WATCH_END, l->child.pidfd, POLLIN);
}

static void
drop(struct local *l, unsigned slot, int *fd)
{
	fanout_io_watch(l->io, slot, -1, 0);
	child_close(fd);
}

/* Bytes moved; 0: nothing to do now. */
static size_t
pump_in(struct local *l)
{
	ssize_t n;

	if (l->child.in == -1)
		return 0;
	if (l->in_off == l->in_len) {
		n = fanout_io_input(l->io, l->input, CHUNK);
		if (n == 0 || n == -2) {
			drop(l, WATCH_IN, &l->child.in);
			return 0;
		}
		if (n == -1) {
			fanout_io_watch(l->io, WATCH_IN, l->child.in, 0);
			return 0;
		}
		l->in_off = 0;
		l->in_len = (size_t)n;
	}
	n = write(l->child.in, l->input + l->in_off, l->in_len - l->in_off);
	if (n > 0) {
		l->in_off += (size_t)n;
		return (size_t)n;
	}
	if (n == -1 && errno == EAGAIN)
		fanout_io_watch(l->io, WATCH_IN, l->child.in, POLLOUT);
	else
		drop(l, WATCH_IN, &l->child.in);	/* it reads no more */
	return 0;
}

static size_t
pump_out(struct local *l, unsigned slot, int *fd, enum fanout_kind kind)
{
	char buf[CHUNK];
	size_t room;
	ssize_t n;

	if (*fd == -1)
		return 0;
	room = fanout_io_room(l->io);
	fanout_io_watch(l->io, slot, *fd, room > 0 ? POLLIN : 0);
	if (room == 0)
		return 0;
	n = read(*fd, buf, room < sizeof(buf) ? room : sizeof(buf));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		drop(l, slot, fd);
		return 0;
	}
	if (fanout_io_emit(l->io, kind, buf, (size_t)n) == -1) {
		fanout_io_fail(l->io, FANOUT_C_LOCAL, ENOMEM, 0,
		    "out of memory");
		child_signal(&l->child, SIGKILL);
		drop(l, slot, fd);
	}
	return (size_t)n;
}

static void
set_result(struct local *l)
{
	struct fanout_result *r = fanout_io_result(l->io);
	int status = l->child.status;

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

/* As with ssh: over when it ended and nobody holds its output any more. */
static bool
is_over(struct local *l)
{
	if (!child_ended(&l->child))
		return false;
	fanout_io_watch(l->io, WATCH_END, -1, 0);
	return l->canceled || (l->child.out == -1 && l->child.err == -1);
}

static void
let_go(struct local *l)
{
	static const struct child none = CHILD_INIT;
	unsigned i;

	for (i = WATCH_IN; i <= WATCH_END; i++)
		fanout_io_watch(l->io, i, -1, 0);
	child_free(&l->child);
	free(l->input);
	l->input = NULL;
	l->in_off = l->in_len = 0;
	l->child = none;
	l->canceled = l->refused = false;
}

static enum fanout_verdict
local_step(void *peer)
{
	struct local *l = peer;
	size_t moved = 1;
	int i;

	if (l->closing)
		return FANOUT_CLOSED;
	for (i = 0; i < CHUNKS_A_STEP && moved > 0; i++)
		moved = pump_in(l) +
		    pump_out(l, WATCH_OUT, &l->child.out, FANOUT_EV_OUT) +
		    pump_out(l, WATCH_ERR, &l->child.err, FANOUT_EV_ERR);
	if (is_over(l)) {
		if (!l->refused)
			set_result(l);
		let_go(l);
		return FANOUT_DONE;
	}
	if (l->canceled && fo_until(fo_now(), l->kill_at) == 0)
		child_signal(&l->child, SIGKILL);
	return moved > 0 ? FANOUT_MORE : FANOUT_WAIT;
}

static void
local_cancel(void *peer)
{
	struct local *l = peer;

	l->canceled = true;
	l->kill_at = fo_deadline(fo_now(), GRACE_MS);
	child_signal(&l->child, SIGTERM);
	fanout_io_timer(l->io, GRACE_MS);
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

	let_go(l);
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
