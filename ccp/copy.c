/*
 * copy.c - what all hosts of a copy share: its making, its work, its end.
 */
#include <stdlib.h>
#include <string.h>

#include "become.h"
#include "cli/error.h"
#include "copy.h"
#include "extra.h"
#include "get.h"
#include "submit.h"
#include "tell.h"

#define SUM_SLICE (4 * 1024 * 1024)	/* some ms */
#define FLY_MAX (4 * 1024 * 1024)	/* bytes of a host not acknowledged */
#define FLY_MIN (128 * 1024)
#define FLY_ALL (48 * 1024 * 1024)	/* of all together */
#define SYNC_EACH_MAX 64		/* files; for more, all at once */

static void
set_limits(struct copy *c)
{
	uint64_t n = fanout_hosts_count(c->hosts);
	struct load *l;

	if (n > FANOUT_WINDOW_DEFAULT)
		n = FANOUT_WINDOW_DEFAULT;
	c->may_fly = FLY_ALL / n;
	if (c->may_fly > FLY_MAX)
		c->may_fly = FLY_MAX;
	if (c->may_fly < FLY_MIN)
		c->may_fly = FLY_MIN;
	c->sync_each = true;
	for (l = c->loads; l != NULL; l = l->next)
		c->sync_each &= l->source.count <= SYNC_EACH_MAX;
}

struct load *
copy_load(struct copy *c)
{
	struct load *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->to_sum = NO_PARENT;
	l->next = c->loads;
	return c->loads = l;
}

void
copy_work_on(struct copy *c, struct load *l)
{
	if (l->busy)
		return;
	l->busy = true;
	l->next_busy = c->busy;
	c->busy = l;
}

static void
load_free(struct load *l)
{
	archive_free(l);
	source_free(&l->source);
	free(l->by_name);
	free(l);
}

int
copy_init(struct copy *c)
{
	size_t i, n = fanout_hosts_count(c->hosts);
	struct load *l;
	struct host *h;

	set_limits(c);
	c->undecided = n;
	for (l = c->loads; c->opts.delete && l != NULL; l = l->next)
		if (extra_index(l) == -1)
			return -1;
	if ((c->at = calloc(n, sizeof(*c->at))) == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		h = &c->at[i];
		h->copy = c;
		h->load = c->loads;
		h->dest = c->opts.dest;
		h->index = i;
		h->name = fanout_hosts_at(c->hosts, i);
		h->begin = c->get != NULL ? AT_GET : AT_DEST;
		h->result.status = -1;
	}
	return 0;
}

void
copy_free(struct copy *c)
{
	struct load *l;
	size_t i;

	for (i = 0; c->at != NULL && i < fanout_hosts_count(c->hosts); i++) {
		host_end_session(&c->at[i]);
		large_close(&c->at[i]);
		free(c->at[i].base);
		free(c->at[i].as_name);
		free(c->at[i].todo);
		free(c->at[i].kept);
		free(c->at[i].input);
		free(c->at[i].answer);
		free(c->at[i].told);
		free(c->at[i].gone);
		extra_free(&c->at[i]);
		free(c->at[i].sums);
		free(c->at[i].old);
	}
	tell_free(c);
	while ((l = c->loads) != NULL) {
		c->loads = l->next;
		load_free(l);
	}
	for (i = 0; i < c->jobs_size; i++)
		free(c->jobs[i].map);
	free(c->at);
	free(c->jobs);
	free(c->alive);
}

/* ---- while it goes on ---- */

/* The archive is made: hosts that waited for it, at SUMS, do so no more. */
static void
go_on(struct copy *c)
{
	size_t i;

	for (i = 0; i < fanout_hosts_count(c->hosts); i++)
		if (c->at[i].sftp != NULL && c->at[i].state == AT_SUMS)
			host_pump(&c->at[i]);
}

static bool
work_on(struct copy *c, struct load *l)
{
	int rc;

	if (l->archive.state == ARCHIVE_MAKING) {
		if (!archive_make_some(l))
			go_on(c);
		return true;
	}
	if (l->to_sum == NO_PARENT)
		return false;
	/* Once nobody reads it, whoever wants the sum sees to it. */
	rc = l->source.entries[l->to_sum].readers == 0 ? 0 :
	    source_sum_some(&l->source, l->to_sum, SUM_SLICE);
	if (rc != 1)
		l->to_sum = NO_PARENT;
	return rc == 1;
}

bool
copy_idle(struct copy *c)
{
	struct load *l;

	if (c->waiting > 0)
		fellow_attend(c);
	while ((l = c->busy) != NULL) {
		if (work_on(c, l))
			return true;
		c->busy = l->next_busy;
		l->busy = false;
	}
	return false;
}

bool
copy_moved(const struct copy *c, uint64_t *bytes, uint64_t *of)
{
	size_t i, n = fanout_hosts_count(c->hosts);
	uint64_t sent = c->sent;

	/* Large files count as they go, others when they are acknowledged. */
	for (i = 0; i < n; i++)
		if (c->at[i].phase == PHASE_LARGE && c->at[i].job != 0)
			sent += fanout_taken(c->engine, c->at[i].job,
			    c->at[i].job_host);
	*bytes = sent;
	*of = c->undecided == 0 && c->get == NULL && c->to_send > sent ?
	    c->to_send : 0;
	return sent > 0;
}

#define ATTEND_MS 1000

int
copy_due(const struct copy *c)
{
	return c->waiting > 0 ? ATTEND_MS : -1;
}

/* ---- beginning and end ---- */

int
copy_start(struct copy *c, const struct fanout_hosts *hosts, const size_t *map,
    const char *const *skip, struct fanout_error *e)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct copy_job it = { .all = map == NULL };
	size_t i, n = fanout_hosts_count(hosts);
	struct host *h;
	fanout_job job;
	char *command;
	int rc;

	if (map != NULL) {
		if ((it.map = reallocarray(NULL, n, sizeof(*map))) == NULL)
			return cli_nomem(e);
		memcpy(it.map, map, n * sizeof(*map));
	}
	cmd.subsystem = c->become.user == NULL;
	cmd.own_input = true;
	cmd.keep = c->get == NULL;
	cmd.skip = skip;
	cmd.command = command = become_sftp(c);
	rc = command == NULL ? cli_nomem(e) :
	    fanout_submit(c->engine, hosts, &cmd, &job, e);
	free(command);
	if (rc != 0 || job_note(c, job, it) == -1) {
		free(it.map);
		return rc != 0 ? rc : cli_nomem(e);
	}
	for (i = 0; i < n; i++) {
		h = &c->at[map != NULL ? map[i] : i];
		h->job = job;
		h->job_host = i;
		become_begin(h);
	}
	return 0;
}
