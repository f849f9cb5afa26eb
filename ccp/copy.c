/*
 * copy.c - what all hosts of a copy share: its making and its end.
 */
#include <stdlib.h>

#include "copy.h"
#include "extra.h"
#include "get.h"
#include "tell.h"

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
