/*
 * deadline.c - every stage has one: what they are and what happens then.
 */
#include <string.h>

#include "base/clock.h"
#include "engine.h"

/* A stuck farewell may not hold up fanout_free for ever. */
#define CLOSE_CAP_MS 10000

/* To look whether the processes are gone after SIGKILL. */
#define LOOK_MS 1000

static bool
is_login(enum fanout_stage stage)
{
	return stage >= FANOUT_S_KEX && stage <= FANOUT_S_OPEN;
}

static int
stage_ms(const struct fanout_io *p, enum fanout_stage stage)
{
	const struct engine_times *t = &p->worker->eng->times;

	switch (stage) {
	case FANOUT_S_RESOLVE:
		return t->resolve;
	case FANOUT_S_CONNECT:
		return p->lookup->plan.connect_ms >= 0 ?
		    p->lookup->plan.connect_ms : t->connect;
	case FANOUT_S_KEX:
	case FANOUT_S_HOSTKEY:
	case FANOUT_S_AUTH:
	case FANOUT_S_OPEN:
		return t->login;
	case FANOUT_S_CLOSE:
		return t->close > 0 ? t->close : CLOSE_CAP_MS;
	default:
		return 0;
	}
}

/* The login stages share one deadline, which starts with the first. */
void
peer_enter(struct fanout_io *p, enum fanout_stage stage)
{
	int64_t now = p->worker->now;
	bool shared = is_login(p->stage) && is_login(stage) &&
	    p->stage_due != FO_NEVER;

	p->stage = stage;
	/* Whoever has a channel is off the server's list for certain. */
	if (stage > FANOUT_S_OPEN) {
		peer_leave_door(p);
		if (p->logs_in && p->host != NULL)
			admit_logged_in(&p->worker->eng->admit, p->host);
		p->logs_in = false;
	}
	if (stage == FANOUT_S_CLOSE)
		p->command_due = FO_NEVER;	/* it has ended */
	if (!shared)
		p->stage_due = fo_deadline(now, stage_ms(p, stage));
	if (p->task == NULL)
		return;
	atomic_store(&p->task->stage, (int)stage);
	if (stage == FANOUT_S_RUN) {
		p->task->running = now;
		p->idle_since = now;
		p->command_due = p->task->job->carrier != NULL ? FO_NEVER :
		    fo_deadline(now, p->worker->eng->times.command);
	}
}

void
peer_allow_grace(struct fanout_io *p)
{
	int grace = p->worker->eng->grace_ms;

	if (grace >= 0 && p->stage_due != FO_NEVER)
		p->stage_due += grace + LOOK_MS;
}

void
peer_restart_stage(struct fanout_io *p)
{
	p->stage_due = fo_deadline(p->worker->now, stage_ms(p, p->stage));
}

/* Silence counts in the run only, and not while it is we who do not read. */
static int64_t
idle_due(const struct fanout_io *p)
{
	int ms = p->worker->eng->times.idle;

	if (ms <= 0 || p->task == NULL || p->task->job->carrier != NULL ||
	    p->state != PEER_BUSY ||
	    p->stage != FANOUT_S_RUN || atomic_load(&p->task->held))
		return FO_NEVER;
	return p->idle_since + ms;
}

static int64_t
earliest(const struct fanout_io *p)
{
	int64_t when = idle_due(p);

	if (p->stage_due < when)
		when = p->stage_due;
	if (p->command_due < when)
		when = p->command_due;
	if (p->step_due < when)
		when = p->step_due;
	if (p->pace_due < when)
		when = p->pace_due;
	if (p->ask_due < when)
		when = p->ask_due;
	return when;
}

/*
 * The heap is told only of deadlines that come nearer; one that moved away
 * is found out when the old time comes.
 */
void
peer_set_timer(struct fanout_io *p)
{
	struct timers *heap = &p->worker->timers;
	int64_t when;

	if (p->state == PEER_DEAD)
		return;
	when = earliest(p);
	if (p->timer.slot == 0 ? when != FO_NEVER : when < p->timer.when)
		timers_set(heap, &p->timer, when);
}

static double
seconds(int ms)
{
	return ms / 1000.0;
}

/* Did the command's end come, whatever became of the session? */
static bool
has_ended(const struct task *t)
{
	return t->result.status != -1 || t->result.signal[0] != '\0';
}

static void
give_up(struct fanout_io *p)
{
	peer_finish(p);
	peer_bury(p);
}

static void
dial_expired(struct fanout_io *p, double s)
{
	const struct fanout_plan *plan = &p->lookup->plan;

	if (p->dial_error == 0)
		peer_fail(p, FANOUT_C_CONNECT_TIMEOUT, 0, 0,
		    "no connection to %s port %u within %g s",
		    plan->address, plan->port, s);
	else
		peer_fail(p, FANOUT_C_CONNECT_TIMEOUT, p->dial_error, 0,
		    "no connection to %s port %u within %g s "
		    "(one address: %s)", plan->address, plan->port, s,
		    strerror(p->dial_error));
}

static void
stage_expired(struct fanout_io *p)
{
	double s = seconds(stage_ms(p, p->stage));

	switch (p->state) {
	case PEER_LOOKUP:
		peer_fail(p, FANOUT_C_RESOLVE, 0, 0,
		    "looking up the name took more than %g s", s);
		break;
	case PEER_DIAL:
		dial_expired(p, s);
		break;
	case PEER_BUSY:
		if (p->stage == FANOUT_S_CLOSE && has_ended(p->task))
			/* How is known; only the farewell is missing. */
			give_up(p);
		else if (is_login(p->stage))
			peer_end(p, FANOUT_C_LOGIN_TIMEOUT,
			    "no login within %g s (%s)", s,
			    fanout_stage_name(p->stage));
		else if (p->stage <= FANOUT_S_CONNECT)
			/* A transport that connects by itself. */
			peer_end(p, FANOUT_C_CONNECT_TIMEOUT,
			    "no connection within %g s", s);
		else
			peer_end(p, FANOUT_C_LOST, "the command ended, but "
			    "not its session within %g s", s);
		break;
	case PEER_ENDING:
		give_up(p);
		break;
	default:
		peer_bury(p);
	}
}

void
peer_expire(struct fanout_io *p)
{
	const struct engine_times *t = &p->worker->eng->times;
	int64_t now = p->worker->now;

	if (p->ask_due <= now)
		io_expire_ask(p);
	if (p->pace_due <= now) {
		p->pace_due = FO_NEVER;
		peer_runnable(p);
	}
	if (p->stage_due <= now)
		stage_expired(p);
	else if (p->command_due <= now)
		peer_end(p, FANOUT_C_COMMAND_TIMEOUT,
		    "the command took more than %g s", seconds(t->command));
	else if (idle_due(p) <= now)
		peer_end(p, FANOUT_C_IDLE_TIMEOUT,
		    "silent for more than %g s", seconds(t->idle));
	else if (p->step_due <= now && p->state == PEER_DIAL)
		dial_step(p);
	else if (p->step_due <= now) {
		p->step_due = FO_NEVER;
		peer_runnable(p);
	}
	peer_set_timer(p);
}
