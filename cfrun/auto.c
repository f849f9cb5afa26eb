/*
 * auto.c - by cf-serverd's protocol, and where that did not come to run an
 * agent, by ssh.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "fanout_transport.h"
#include "transport.h"

struct shared {
	const struct fanout_transport *by[2];	/* cfengine, ssh */
	void	*shared[2];
	bool	 selects;
};

struct way {
	unsigned i;			/* of by */
	struct fanout_plan plan;	/* its own; but its texts are the engine's */
	char	 host[];		/* without the port, which is cf-serverd's */
};

struct peer {
	const struct fanout_transport *t;
	void	*impl;
	struct fanout_task task;
};

static void
auto_close_all(void *shared)
{
	struct shared *sh = shared;
	unsigned i;

	for (i = 0; i < 2; i++)
		if (sh->shared[i] != NULL)
			sh->by[i]->close_all(sh->shared[i]);
	free(sh);
}

static int
auto_open(void **out, void *config, const struct fanout_opts *o,
    struct fanout_error *e)
{
	struct cfengine_config *c = config;
	struct shared *sh;
	int rc;

	*out = NULL;
	if ((sh = calloc(1, sizeof(*sh))) == NULL)
		return cli_nomem(e);
	sh->by[0] = &cfengine_transport;
	sh->by[1] = fanout_transport_named("auto");
	sh->selects = c->selects;
	if ((rc = sh->by[0]->open(&sh->shared[0], c, o, e)) != 0 ||
	    (rc = sh->by[1]->open(&sh->shared[1], NULL, o, e)) != 0) {
		auto_close_all(sh);
		return rc;
	}
	*out = sh;
	return 0;
}

static bool
name_for_ssh(char *out, const char *host)
{
	struct fanout_hostspec spec;
	size_t n = 0;

	if (fanout_host_split(host, &spec) != 0)
		return false;
	if (spec.user != NULL) {
		memcpy(out, spec.user, spec.user_len);
		n = spec.user_len;
		out[n++] = '@';
	}
	memcpy(out + n, spec.name, spec.name_len);
	out[n + spec.name_len] = '\0';
	return true;
}

/* The inner plan's texts become those of the plan, which has one owner. */
static int
auto_plan(void *shared, const char *host, struct fanout_plan *plan,
    struct fanout_result *why)
{
	struct shared *sh = shared;
	struct way *w;
	int rc;

	if ((w = calloc(1, sizeof(*w) + strlen(host) + 2)) == NULL) {
		why->cls = FANOUT_C_LOCAL;
		(void)strlcpy(why->text, "out of memory", sizeof(why->text));
		return -1;
	}
	w->i = plan->round > 0;
	w->plan = *plan;
	if (w->i == 0 || !name_for_ssh(w->host, host))
		memcpy(w->host, host, strlen(host) + 1);
	rc = sh->by[w->i]->plan(sh->shared[w->i], w->host, &w->plan, why);
	*plan = w->plan;
	plan->priv = w;
	w->plan.address = w->plan.source = NULL;
	w->plan.via = w->plan.notes = NULL;
	return rc;
}

static void
auto_plan_free(void *shared, struct fanout_plan *plan)
{
	struct shared *sh = shared;
	struct way *w = plan->priv;

	if (w == NULL)
		return;
	if (sh->by[w->i]->plan_free != NULL)
		sh->by[w->i]->plan_free(sh->shared[w->i], &w->plan);
	free(w);
}

static void *
auto_new(void *shared, struct fanout_io *io, const char *host,
    const struct fanout_plan *plan, int fd)
{
	const struct way *w = plan->priv;
	struct shared *sh = shared;
	struct peer *p;

	if ((p = calloc(1, sizeof(*p))) == NULL) {
		if (fd != -1)
			close(fd);
		return NULL;
	}
	p->t = sh->by[w->i];
	p->impl = p->t->peer_new(sh->shared[w->i], io, w->i == 0 ? host :
	    w->host, &w->plan, fd);
	if (p->impl == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

static void
auto_start(void *peer, const struct fanout_task *task)
{
	struct peer *p = peer;
	const char *s = task->command;
	int i;

	p->task = *task;
	/* What a shell is to run is the third line. */
	for (i = 0; p->t != &cfengine_transport && s != NULL && i < 2; i++) {
		s += strcspn(s, "\n");
		s += *s != '\0';
	}
	p->task.command = s;
	p->t->start(p->impl, &p->task);
}

static enum fanout_verdict
auto_step(void *peer)
{
	struct peer *p = peer;

	return p->t->step(p->impl);
}

static void
auto_cancel(void *peer)
{
	struct peer *p = peer;

	p->t->cancel(p->impl);
}

static void
auto_close(void *peer)
{
	struct peer *p = peer;

	p->t->close(p->impl);
}

static void
auto_free(void *peer)
{
	struct peer *p = peer;

	p->t->free(p->impl);
	free(p);
}

/*
 * The port is closed, cf-serverd hangs up, does not know us, or denies what is
 * asked. A host that shows a wrong key is not trusted by another way, and one
 * that is silent is silent.
 */
static bool
auto_again(void *shared, const struct fanout_plan *plan,
    const struct fanout_result *r)
{
	const struct shared *sh = shared;

	if (plan->round > 0 || sh->selects)
		return false;
	return r->cls == FANOUT_C_REFUSED || r->cls == FANOUT_C_AUTH ||
	    (r->cls == FANOUT_C_REMOTE && r->stage == FANOUT_S_OPEN);
}

static char *
auto_explain(void *shared, const char *host)
{
	struct shared *sh = shared;

	return sh->by[0]->explain(sh->shared[0], host);
}

const struct fanout_transport auto_transport = {
	.size = sizeof(struct fanout_transport),
	.name = "auto",
	.descriptors = 2,
	.open = auto_open,
	.close_all = auto_close_all,
	.plan = auto_plan,
	.plan_free = auto_plan_free,
	.peer_new = auto_new,
	.start = auto_start,
	.step = auto_step,
	.cancel = auto_cancel,
	.close = auto_close,
	.free = auto_free,
	.explain = auto_explain,
	.again = auto_again
};
