#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "openssh.h"
#include "process.h"
#include "signame.h"
#include "sshlog.h"

#define GRACE_MS 500		/* for our ssh, between TERM and KILL */

/* What every ssh of an engine is started with. */
struct shared {
	char	**argv;		/* "ssh", options; NULL at the end */
	size_t	 argc;
};

struct openssh {
	const struct shared *shared;
	struct process	 process;
	struct sshlog	 log;
	const char	*host;
	bool		 closing, idle;
};

/* ---- the command line ---- */

static void
shared_close(void *shared)
{
	struct shared *sh = shared;
	size_t i;

	for (i = 0; i < sh->argc; i++)
		free(sh->argv[i]);
	free(sh->argv);
	free(sh);
}

static int
push(struct shared *sh, const char *word)
{
	char **argv, *copy;

	argv = reallocarray(sh->argv, sh->argc + 2, sizeof(*argv));
	if (argv == NULL)
		return -1;
	sh->argv = argv;
	if ((copy = strdup(word)) == NULL)
		return -1;
	argv[sh->argc++] = copy;
	argv[sh->argc] = NULL;
	return 0;
}

static int
push_option(struct shared *sh, const char *option)
{
	return push(sh, "-o") == -1 || push(sh, option) == -1 ? -1 : 0;
}

/*
 * The user's options come first, as ssh takes the first value of each. A
 * shared connection of the user's is used, but none is left behind: it would
 * hold our pipes open.
 */
static int
fill(struct shared *sh, const struct fanout_opts *o)
{
	const char *const *opt;
	char text[64];

	/* Not -v, which a ProxyJump's ssh would be given as well. */
	if (push(sh, "ssh") == -1 || push_option(sh, "LogLevel=DEBUG1") == -1 ||
	    (o->ssh_config != NULL &&
	    (push(sh, "-F") == -1 || push(sh, o->ssh_config) == -1)))
		return -1;
	for (opt = o->ssh_options; opt != NULL && *opt != NULL; opt++)
		if (push_option(sh, *opt) == -1)
			return -1;
	if (o->connect_ms > 0) {
		(void)snprintf(text, sizeof(text), "ConnectTimeout=%d",
		    (o->connect_ms + 999) / 1000);
		if (push_option(sh, text) == -1)
			return -1;
	}
	return push_option(sh, "BatchMode=yes") == -1 ||
	    push_option(sh, "ControlMaster=no") == -1 ||
	    push(sh, "-T") == -1 ? -1 : 0;
}

static int
shared_open(void **out, void *config, const struct fanout_opts *o,
    struct fanout_error *e)
{
	struct shared *sh;

	(void)config;
	if ((sh = calloc(1, sizeof(*sh))) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	if (fill(sh, o) == -1) {
		shared_close(sh);
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	}
	*out = sh;
	return 0;
}

static int
openssh_plan(void *shared, const char *host, struct fanout_plan *plan,
    struct fanout_result *why)
{
	(void)shared;
	(void)host;
	(void)plan;		/* ssh looks up and connects by itself */
	(void)why;
	return 0;
}

/* ---- one host ---- */

static void
on_log(void *arg, const char *line)
{
	struct openssh *s = arg;

	sshlog_line(&s->log, line);
	fanout_io_log(s->process.io, 2, "%s", line);
	fanout_io_stage(s->process.io, s->log.stage);
}

static void *
openssh_new(void *shared, struct fanout_io *io, const char *host,
    const struct fanout_plan *plan, int fd)
{
	struct openssh *s;

	(void)plan;
	(void)fd;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	process_init(&s->process, io);
	s->shared = shared;
	s->host = host;
	return s;
}

/* "[user@]name[:port]" as ssh takes it: -l user -p port -- name. */
struct target {
	char user[128], name[256], port[12];
};

static void
split_target(const char *host, struct target *t)
{
	struct fanout_hostspec h;

	memset(t, 0, sizeof(*t));
	if (fanout_host_split(host, &h) != 0) {
		(void)strlcpy(t->name, host, sizeof(t->name));
		return;
	}
	(void)snprintf(t->name, sizeof(t->name), "%.*s", (int)h.name_len,
	    h.name);
	if (h.user != NULL)
		(void)snprintf(t->user, sizeof(t->user), "%.*s",
		    (int)h.user_len, h.user);
	if (h.port != 0)
		(void)snprintf(t->port, sizeof(t->port), "%u", h.port);
}

static int
start(struct openssh *s, const struct fanout_task *task)
{
	static char dash_e[] = "-E", dash_l[] = "-l", dash_p[] = "-p";
	static char dash_o[] = "-o", cipher[] = "Ciphers=^aes128-gcm@openssh.com,"
	    "aes256-gcm@openssh.com", kex[] = "KexAlgorithms=-sntrup761*";
	static char dash_tt[] = "-tt", dash_s[] = "-s";
	static char end[] = "--", nothing[] = "exit 0";
	char log[PROCESS_LOG_PATH], **argv;
	size_t n = s->shared->argc;
	struct target t;
	int rc = ENOMEM;

	split_target(s->host, &t);
	if ((argv = calloc(n + 16, sizeof(*argv))) != NULL &&
	    (rc = process_log(&s->process, log, on_log, s)) == 0) {
		memcpy(argv, s->shared->argv, n * sizeof(*argv));
		argv[n++] = dash_e;
		argv[n++] = log;
		if (t.user[0] != '\0') {
			argv[n++] = dash_l;
			argv[n++] = t.user;
		}
		if (t.port[0] != '\0') {
			argv[n++] = dash_p;
			argv[n++] = t.port;
		}
		/* The fastest there is, of those it would use anyway; and not
		 * sntrup761, which takes it 65 ms, where a login without has
		 * just been good enough. */
		if (task->bulk) {
			argv[n++] = dash_o;
			argv[n++] = cipher;
			argv[n++] = dash_o;
			argv[n++] = kex;
		}
		if (task->tty)
			argv[n++] = dash_tt;
		if (task->subsystem)
			argv[n++] = dash_s;
		argv[n++] = end;
		argv[n++] = t.name;
		argv[n++] = task->command != NULL ?
		    (char *)(uintptr_t)task->command : nothing;
		rc = process_start(&s->process, argv, environ, task);
	}
	free(argv);
	if (rc != 0)
		process_end(&s->process);
	return rc;
}

static void
openssh_start(void *peer, const struct fanout_task *task)
{
	struct openssh *s = peer;
	int rc;

	sshlog_init(&s->log);
	fanout_io_stage(s->process.io, FANOUT_S_CONNECT);
	s->idle = (rc = start(s, task)) != 0;
	if (s->idle)
		fanout_io_fail(s->process.io, FANOUT_C_LOCAL, rc, 0,
		    "cannot start ssh: %s", strerror(rc));
}

/* ssh itself failed: why, from its log. */
static void
set_failure(struct openssh *s)
{
	const struct sshlog *l = &s->log;
	struct fanout_io *io = s->process.io;

	if (l->signaled) {
		struct fanout_result *r = fanout_io_result(io);

		r->cls = FANOUT_C_SIGNAL;
		(void)strlcpy(r->signal, "?", sizeof(r->signal));
		(void)strlcpy(r->text, "killed by a signal (ssh does not say "
		    "which)", sizeof(r->text));
	} else if (l->cls != FANOUT_C_OK)
		fanout_io_fail(io, l->cls, 0, 255, "%s", l->text);
	else if (l->last[0] == '\0' && l->stage == FANOUT_S_CONNECT)
		fanout_io_fail(io, FANOUT_C_LOCAL, 0, 255, "ssh did not start: "
		    "see the standard error of this host");
	else
		fanout_io_fail(io, FANOUT_C_LOST, 0, 255, "ssh ended without "
		    "an exit status: %s", l->last[0] != '\0' ? l->last :
		    fanout_stage_name(l->stage));
}

static void
set_result(struct openssh *s)
{
	struct fanout_result *r = fanout_io_result(s->process.io);
	int status = s->process.child.status;

	if (r->cls != FANOUT_C_OK)
		return;
	if (!WIFEXITED(status)) {
		char name[16];

		signal_name(WTERMSIG(status), name, sizeof(name));
		fanout_io_fail(s->process.io, FANOUT_C_LOST, 0, 0,
		    "ssh was killed by SIG%s", name);
	} else if (!s->log.status) {
		set_failure(s);
	} else {
		r->stage = FANOUT_S_RUN;
		r->status = WEXITSTATUS(status);
		if (r->status != 0) {
			r->cls = FANOUT_C_EXIT;
			(void)snprintf(r->text, sizeof(r->text),
			    "exit status %d", r->status);
		}
	}
}

static enum fanout_verdict
openssh_step(void *peer)
{
	struct openssh *s = peer;
	enum fanout_verdict verdict;

	if (s->closing)
		return FANOUT_CLOSED;
	if (s->idle)
		return FANOUT_DONE;
	if ((verdict = process_step(&s->process)) == FANOUT_DONE) {
		s->idle = true;
		set_result(s);
	}
	return verdict;
}

static void
openssh_cancel(void *peer)
{
	process_cancel(&((struct openssh *)peer)->process, GRACE_MS);
}

static void
openssh_close(void *peer)
{
	((struct openssh *)peer)->closing = true;
}

static void
openssh_free(void *peer)
{
	struct openssh *s = peer;

	process_end(&s->process);
	free(s);
}

const struct fanout_transport fo_transport_openssh = {
	.size = sizeof(struct fanout_transport),
	.name = "openssh",
	.descriptors = 6,
	.open = shared_open,
	.close_all = shared_close,
	.plan = openssh_plan,
	.peer_new = openssh_new,
	.start = openssh_start,
	.step = openssh_step,
	.cancel = openssh_cancel,
	.close = openssh_close,
	.free = openssh_free
};
