/*
 * enginerun.h - a run of an engine with the toy transport, and what was seen
 * of it: what t_engine*.c share.
 */
#ifndef ENGINERUN_H
#define ENGINERUN_H

#include <time.h>

#include "test.h"
#include "toy.h"

struct seen {
	unsigned	 starts, dones, bytes_after, done_after;
	uint64_t	 out, err;
	struct fanout_result result;
};

struct run {
	struct fanout	*f;
	struct toy_book	 book;
	struct fanout_hosts *hosts;
	struct seen	*seen;
	size_t		 n;
	unsigned	 disorder;	/* events in the wrong order */
};

static int64_t TEST_UNUSED
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
run_new(struct run *r, struct fanout_opts *o, const char *expr)
{
	struct fanout_error e;

	memset(r, 0, sizeof(*r));
	if (o->transport == NULL) {
		o->custom = &toy_transport;
		o->custom_config = &r->book;
	}
	if (fanout_new(&r->f, o, &e) != 0 || fanout_hosts_new(&r->hosts) != 0 ||
	    fanout_hosts_add(r->hosts, expr, &e) != 0) {
		printf("# %s\n", e.text);
		abort();
	}
	r->n = fanout_hosts_count(r->hosts);
	r->seen = calloc(r->n, sizeof(*r->seen));
}

static fanout_job TEST_UNUSED
run_submit(struct run *r, const char *command, int fd)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_error e;
	fanout_job job;

	cmd.command = command;
	cmd.stdin_fd = fd;
	if (fanout_submit(r->f, r->hosts, &cmd, &job, &e) != 0) {
		printf("# %s\n", e.text);
		abort();
	}
	return job;
}

static int
note(const struct fanout_event *ev, void *arg)
{
	struct run *r = arg;
	struct seen *s = &r->seen[ev->host];

	if (ev->kind == FANOUT_EV_LOG || ev->kind == FANOUT_EV_ASK)
		return 0;
	if (s->dones > 0 || (ev->kind != FANOUT_EV_START && s->starts == 0 &&
	    !(ev->kind == FANOUT_EV_DONE && ev->result->stage ==
	    FANOUT_S_QUEUE)))
		r->disorder++;
	switch (ev->kind) {
	case FANOUT_EV_START:
		s->starts++;
		break;
	case FANOUT_EV_OUT:
		s->out += ev->len;
		break;
	case FANOUT_EV_ERR:
		s->err += ev->len;
		break;
	default:
		s->dones++;
		s->result = *ev->result;
	}
	return 0;
}

static void
run_free(struct run *r)
{
	fanout_free(r->f);
	fanout_hosts_free(r->hosts);
	free(r->seen);
}

static size_t TEST_UNUSED
run_count(const struct run *r, enum fanout_class cls)
{
	size_t i, n = 0;

	for (i = 0; i < r->n; i++)
		n += r->seen[i].dones == 1 && r->seen[i].result.cls == cls;
	return n;
}

static unsigned TEST_UNUSED
run_dones(const struct run *r)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < r->n; i++)
		n += r->seen[i].dones;
	return n;
}

#endif
