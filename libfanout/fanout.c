/*
 * fanout.c - the public entry points: check the arguments, call down.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

#include "auto.h"
#include "base/err.h"
#include "engine/engine.h"
#include "fanout_transport.h"
#include "proc/local.h"
#include "proc/openssh.h"
#include "ssh/ssh2.h"

struct fanout {
	struct engine *eng;
};

static once_flag once = ONCE_FLAG_INIT;
static char version[64];

static void
init(void)
{
	ssh2_init();
	(void)snprintf(version, sizeof(version), "%s libssh2/%s",
	    FANOUT_VERSION, ssh2_library());
}

const char *
fanout_version(void)
{
	call_once(&once, init);
	return version;
}

void
fanout_opts_init(struct fanout_opts *o, size_t size)
{
	const struct fanout_opts defaults = {
		.size = size,
		.window = FANOUT_WINDOW_DEFAULT,
		.resolve_ms = 20000,
		.connect_ms = 10000,
		.login_ms = 30000,
		.close_ms = 3000,
		.grace_ms = 2000,
		.ask_ms = 120000,
		.host_buffer = 64 * 1024
	};

	memset(o, 0, size);
	memcpy(o, &defaults, size < sizeof(defaults) ? size :
	    sizeof(defaults));
}

static unsigned
cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > 64 ? 64 : (unsigned)n;
}

const struct fanout_transport *
fanout_transport_named(const char *name)
{
	static const struct fanout_transport *const known[] = {
		&fo_transport_auto, &fo_transport_ssh2, &fo_transport_openssh,
		&fo_transport_local
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i]->name, name) == 0)
			return known[i];
	return NULL;
}

static const struct fanout_transport *
find_transport(const struct fanout_opts *o)
{
	if (o->custom != NULL)
		return o->custom;
	return fanout_transport_named(o->transport != NULL ? o->transport :
	    "auto");
}

int
fanout_new(struct fanout **out, const struct fanout_opts *given,
    struct fanout_error *e)
{
	const struct fanout_transport *t;
	struct fanout_opts o;
	struct fanout *f;
	int rc;

	*out = NULL;
	call_once(&once, init);
	FANOUT_OPTS_INIT(&o);
	if (given != NULL)
		memcpy(&o, given, given->size < sizeof(o) ? given->size :
		    sizeof(o));
	if (o.window == 0)
		o.window = FANOUT_WINDOW_DEFAULT;
	if (o.workers == 0)
		o.workers = cores();
	if (o.host_buffer < 4096)
		o.host_buffer = 4096;
	if ((t = find_transport(&o)) == NULL)
		return fo_error(e, FANOUT_EINVAL, "unknown transport \"%s\": "
		    "there are auto, ssh2, openssh and local", o.transport);
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	if ((rc = engine_new(&f->eng, t, &o, e)) != 0) {
		free(f);
		return rc;
	}
	*out = f;
	return 0;
}

void
fanout_free(struct fanout *f)
{
	if (f == NULL)
		return;
	engine_free(f->eng);
	free(f);
}

int
fanout_submit(struct fanout *f, const struct fanout_hosts *hosts,
    const struct fanout_cmd *cmd, fanout_job *job, struct fanout_error *e)
{
	struct fanout_cmd c = FANOUT_CMD_INIT;
	fanout_job ignored;

	memcpy(&c, cmd, cmd->size < sizeof(c) ? cmd->size : sizeof(c));
	return engine_submit(f->eng, hosts, &c, job != NULL ? job : &ignored,
	    e);
}

void
fanout_cancel(struct fanout *f, fanout_job job)
{
	engine_cancel(f->eng, job);
}

void
fanout_leave_out(struct fanout *f, const char *host)
{
	engine_leave_out(f->eng, host);
}

ssize_t
fanout_write(struct fanout *f, fanout_job job, size_t host, const void *data,
    size_t len)
{
	return engine_write(f->eng, job, host, data, len);
}

int
fanout_write_end(struct fanout *f, fanout_job job, size_t host)
{
	return engine_write_end(f->eng, job, host, false);
}

int
fanout_write_stop(struct fanout *f, fanout_job job, size_t host)
{
	return engine_write_end(f->eng, job, host, true);
}

uint64_t
fanout_taken(struct fanout *f, fanout_job job, size_t host)
{
	return engine_taken(f->eng, job, host);
}

void
fanout_wake(struct fanout *f)
{
	queue_wake(&f->eng->queue);
}

int
fanout_fd(const struct fanout *f)
{
	return f->eng->queue.fd;
}

int
fanout_next(struct fanout *f, struct fanout_event *ev, int timeout_ms)
{
	return engine_next(f->eng, ev, timeout_ms);
}

int
fanout_run(struct fanout *f, fanout_fn fn, void *arg)
{
	struct fanout_event ev;
	int rc;

	while ((rc = fanout_next(f, &ev, -1)) >= 0)
		if (rc == 1 && (rc = fn(&ev, arg)) != 0)
			return rc;
	return rc == FANOUT_EIDLE ? 0 : rc;
}

int
fanout_answer(struct fanout *f, uint64_t ask, const char *text)
{
	return asks_answer(&f->eng->asks, ask, text);
}

int
fanout_explain(struct fanout *f, const char *host, char **text,
    struct fanout_error *e)
{
	const struct fanout_transport *t = f->eng->transport;

	*text = NULL;
	if (f->eng->unfinished > 0)
		return fo_error(e, FANOUT_EINVAL, "a job is running");
	*text = t->size < sizeof(*t) || t->explain == NULL ? strdup("") :
	    t->explain(f->eng->shared, host);
	return *text != NULL ? 0 : fo_error(e, FANOUT_ENOMEM,
	    "out of memory");
}

void
fanout_stats(struct fanout *f, struct fanout_stats *st)
{
	admit_stats(&f->eng->admit, st);
}
