/*
 * io_ask.c - the questions of a peer: fanout_io_ask() and its like.
 */
#include "base/clock.h"
#include "engine.h"

bool
fanout_io_can_ask(const struct fanout_io *p, enum fanout_ask_kind kind)
{
	return p->worker->eng->asks.can & FANOUT_CAN_ANSWER(kind);
}

/* The user's time is not the server's. */
static void
rest(struct fanout_io *p, struct ask *q)
{
	const char *text;

	p->ask = q;
	p->resting = true;
	(void)asks_look(&p->worker->eng->asks, q, &text, &p->ask_due);
	p->stage_left = FO_NEVER;
	if (p->stage_due != FO_NEVER)
		p->stage_left = p->stage_due - p->worker->now;
	p->stage_due = FO_NEVER;
}

static void
resume(struct fanout_io *p)
{
	if (p->resting && p->stage_left != FO_NEVER)
		p->stage_due = fo_now() + p->stage_left;
	p->resting = false;
	p->ask_due = FO_NEVER;
}

int
fanout_io_ask(struct fanout_io *p, const struct fanout_ask *ask)
{
	struct fanout_event of = { .name = p->name };
	struct asks *asks = &p->worker->eng->asks;
	struct ask *q;

	fanout_io_forget(p);
	if (p->task == NULL)
		return -1;
	of.job = p->task->job->id;
	of.host = p->task->job->carrier != NULL ? FANOUT_NOHOST :
	    (size_t)(p->task - p->task->job->tasks);
	worker_hand_over(p->worker);	/* what it said before comes before */
	if ((q = asks_put(asks, ask, &of, p->worker->index)) == NULL)
		return -1;
	rest(p, q);
	return 0;
}

int
fanout_io_ask_once(struct fanout_io *p, const struct fanout_ask *ask,
    const char *key, fanout_check_fn check, void *arg)
{
	struct asks *asks = &p->worker->eng->asks;
	struct ask *q;

	fanout_io_forget(p);
	worker_hand_over(p->worker);
	if ((q = asks_join(asks, ask, key, check, arg)) == NULL)
		return -1;
	rest(p, q);
	/* It may have been answered long ago, and nothing else wakes us. */
	if (io_is_answered(p))
		peer_runnable(p);
	return 0;
}

int
fanout_io_answer(struct fanout_io *p, const char **text)
{
	int64_t due;

	*text = "there is no question";
	if (p->ask == NULL)
		return -1;
	switch (asks_look(&p->worker->eng->asks, p->ask, text, &due)) {
	case ASK_GOOD:
		resume(p);
		return 1;
	case ASK_REFUSED:
		resume(p);
		return -1;
	default:
		p->ask_due = due;
		return 0;
	}
}

void
fanout_io_forget(struct fanout_io *p)
{
	struct ask *q = p->ask;

	if (q == NULL)
		return;
	resume(p);
	p->ask = NULL;
	asks_leave(&p->worker->eng->asks, q);
}

bool
io_is_answered(struct fanout_io *p)
{
	const char *text;
	int64_t due;

	if (p->ask == NULL || !p->resting)
		return false;
	return asks_look(&p->worker->eng->asks, p->ask, &text, &due) >=
	    ASK_GOOD;
}

void
io_expire_ask(struct fanout_io *p)
{
	const char *text;

	asks_expire(&p->worker->eng->asks, p->ask, p->worker->now);
	/* It may have been put once more, with a deadline of its own. */
	if (asks_look(&p->worker->eng->asks, p->ask, &text, &p->ask_due) >=
	    ASK_GOOD)
		peer_runnable(p);
}
