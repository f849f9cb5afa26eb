#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auto.h"
#include "base/err.h"
#include "proc/openssh.h"
#include "ssh/ssh2.h"

static const struct fanout_transport *const first = &fo_transport_ssh2;
static const struct fanout_transport *const second = &fo_transport_openssh;

struct shared {
	void	*first, *second;
	bool	 have_ssh;	/* the system's is installed */
};

struct autoplan {
	struct fanout_plan first;
	bool	 skip_first;	/* it said so itself when it planned */
};

struct autopeer {
	struct shared	*shared;
	struct fanout_io *io;
	const char	*host;
	struct fanout_task task;
	const struct fanout_transport *now;	/* first or second */
	void		*impl;
	bool		 any_algorithm;
	void		*resting;	/* the first one's, while a task that
					 * is bulk goes by the second */
};

static bool
in_path(const char *program)
{
	const char *dir = getenv("PATH");
	char path[1024];
	size_t len;

	for (; dir != NULL && *dir != '\0'; dir += len + (dir[len] == ':')) {
		len = strcspn(dir, ":");
		if (len + strlen(program) + 2 > sizeof(path))
			continue;
		memcpy(path, dir, len);
		path[len] = '/';
		(void)strlcpy(path + len + 1, program, sizeof(path) - len - 1);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static void
auto_close_all(void *shared)
{
	struct shared *sh = shared;

	if (sh->first != NULL)
		first->close_all(sh->first);
	if (sh->second != NULL)
		second->close_all(sh->second);
	free(sh);
}

static int
auto_open(void **out, void *config, const struct fanout_opts *o,
    struct fanout_error *e)
{
	struct shared *sh;
	int rc;

	if ((sh = calloc(1, sizeof(*sh))) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	sh->have_ssh = in_path("ssh");
	if ((rc = first->open(&sh->first, config, o, e)) != 0 ||
	    (rc = second->open(&sh->second, config, o, e)) != 0) {
		auto_close_all(sh);
		return rc;
	}
	*out = sh;
	return 0;
}

/* The engine frees address and notes: they must have one owner. */
static void
take_over(struct fanout_plan *plan, struct autoplan *ap)
{
	void *priv = plan->priv;

	*plan = ap->first;
	plan->priv = priv;
	ap->first.address = NULL;
	ap->first.source = ap->first.via = NULL;
	ap->first.notes = NULL;
}

static int
auto_plan(void *shared, const char *host, struct fanout_plan *plan,
    struct fanout_result *why)
{
	struct shared *sh = shared;
	struct autoplan *ap;
	int rc;

	if ((ap = calloc(1, sizeof(*ap))) == NULL) {
		fo_fail(why, FANOUT_C_LOCAL, 0, 0, "out of memory");
		return -1;
	}
	plan->priv = ap;
	ap->first = *plan;
	ap->first.priv = NULL;
	rc = first->plan(sh->first, host, &ap->first, why);
	take_over(plan, ap);
	if (rc == 0 && plan->round > 0 && plan->via != NULL) {
		ap->skip_first = true;
		free(plan->address);
		free(plan->via);
		plan->address = plan->via = NULL;
		return 0;
	}
	if (rc == 0 || plan->carries || !sh->have_ssh || !ssh2_cannot(why))
		return rc;
	fanout_plan_log(plan, 1, "%s; using the system's ssh", why->text);
	ap->skip_first = true;
	free(plan->address);
	plan->address = NULL;
	memset(why, 0, sizeof(*why));
	return 0;
}

/* The jump host is nothing for the first one: the second goes all the way. */
static bool
auto_again(void *shared, const struct fanout_plan *plan,
    const struct fanout_result *why)
{
	const struct shared *sh = shared;

	return plan->via != NULL && plan->round == 0 && sh->have_ssh &&
	    ssh2_cannot(why);
}

static char *
auto_explain(void *shared, const char *host)
{
	return first->explain(((struct shared *)shared)->first, host);
}

static void
auto_plan_free(void *shared, struct fanout_plan *plan)
{
	struct shared *sh = shared;
	struct autoplan *ap = plan->priv;

	if (ap == NULL)
		return;
	first->plan_free(sh->first, &ap->first);
	free(ap);
}

static void *
auto_new(void *shared, struct fanout_io *io, const char *host,
    const struct fanout_plan *plan, int fd)
{
	const struct autoplan *ap = plan->priv;
	struct shared *sh = shared;
	struct autopeer *p;

	if ((p = calloc(1, sizeof(*p))) == NULL) {
		if (fd != -1)
			close(fd);
		return NULL;
	}
	p->shared = sh;
	p->io = io;
	p->host = host;
	p->any_algorithm = ssh2_any_algorithm(&ap->first);
	p->now = ap->skip_first ? second : first;
	p->impl = p->now->peer_new(ap->skip_first ? sh->second : sh->first,
	    io, host, &ap->first, fd);
	if (p->impl == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

/*
 * libssh2 enciphers block by block: where much is to be sent the system's ssh
 * does it at less than half the cost, which soon pays for its login. The
 * session that is open waits; they watch the same slots.
 */
static void
start_bulk(struct autopeer *p)
{
	unsigned i;
	void *impl;

	impl = second->peer_new(p->shared->second, p->io, p->host, NULL, -1);
	if (impl == NULL)
		return;
	for (i = 0; i < FANOUT_WATCHES; i++)
		fanout_io_watch(p->io, i, -1, 0);
	p->task.bulk = p->any_algorithm;
	p->resting = p->impl;
	p->now = second;
	p->impl = impl;
}

static void
end_bulk(struct autopeer *p)
{
	second->free(p->impl);
	p->now = first;
	p->impl = p->resting;
	p->resting = NULL;
}

static void
auto_start(void *peer, const struct fanout_task *task)
{
	struct autopeer *p = peer;

	p->task = *task;
	p->task.bulk = false;
	if (task->bulk && p->now == first && p->shared->have_ssh)
		start_bulk(p);
	p->now->start(p->impl, &p->task);
}

/* It ended before the command began: from the beginning, the other way. */
static enum fanout_verdict
try_second(struct autopeer *p)
{
	struct fanout_result *r = fanout_io_result(p->io);
	void *impl;

	impl = second->peer_new(p->shared->second, p->io, p->host, NULL, -1);
	if (impl == NULL)
		return FANOUT_DONE;	/* the first one's result stands */
	fanout_io_log(p->io, 1, "%s; trying the system's ssh", r->text);
	p->now->free(p->impl);
	p->now = second;
	p->impl = impl;
	memset(r, 0, sizeof(*r));
	r->status = -1;
	second->start(impl, &p->task);
	return FANOUT_MORE;
}

static enum fanout_verdict
auto_step(void *peer)
{
	struct autopeer *p = peer;
	enum fanout_verdict verdict = p->now->step(p->impl);

	if (verdict == FANOUT_DONE && p->resting != NULL)
		end_bulk(p);
	else if (verdict == FANOUT_DONE && p->now == first &&
	    p->shared->have_ssh && !p->task.carry &&
	    ssh2_cannot(fanout_io_result(p->io)))
		return try_second(p);
	return verdict;
}

static void
auto_cancel(void *peer)
{
	struct autopeer *p = peer;

	p->now->cancel(p->impl);
}

static void
auto_close(void *peer)
{
	struct autopeer *p = peer;

	if (p->resting != NULL)
		end_bulk(p);
	p->now->close(p->impl);
}

static void
auto_free(void *peer)
{
	struct autopeer *p = peer;

	if (p->resting != NULL)
		end_bulk(p);
	p->now->free(p->impl);
	free(p);
}

const struct fanout_transport fo_transport_auto = {
	.size = sizeof(struct fanout_transport),
	.name = "auto",
	.descriptors = 2,	/* of ssh2: nearly all of them */
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
