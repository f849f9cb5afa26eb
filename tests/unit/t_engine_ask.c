/*
 * t_engine_ask.c - the engine's questions: who waits for them, for how long,
 * and what becomes of the answers.
 */
#include <errno.h>

#include "enginerun.h"

struct asked {
	struct run	*run;
	unsigned	 n, of_no_host;
	uint64_t	 last;
	unsigned	 attempt[8];	/* of the first questions */
	const char	*answers[8];	/* to them; the last goes for the rest */
	bool		 silent;	/* do not answer */
	char		 path[64], prompt[64];
};

static int
answer(const struct fanout_event *ev, void *arg)
{
	struct asked *a = arg;
	size_t i = a->n < 7 ? a->n : 7;

	if (ev->kind != FANOUT_EV_ASK)
		return note(ev, a->run);
	a->n++;
	a->of_no_host += ev->job == 0 && ev->name[0] == '\0';
	a->last = ev->ask->id;
	a->attempt[i] = ev->ask->attempt;
	(void)strlcpy(a->path, ev->ask->path, sizeof(a->path));
	(void)strlcpy(a->prompt, ev->ask->prompt, sizeof(a->prompt));
	if (a->silent)
		return 0;
	while (i > 0 && a->answers[i] == NULL)
		i--;
	return fanout_answer(a->run->f, ev->ask->id, a->answers[i]);
}

static void
begin(struct run *r, struct asked *a, struct fanout_opts *o, const char *expr)
{
	memset(a, 0, sizeof(*a));
	a->run = r;
	run_new(r, o, expr);
}

static void
ask_opts(struct fanout_opts *o)
{
	FANOUT_OPTS_INIT(o);
	o->can_answer = FANOUT_CAN_ANSWER(FANOUT_ASK_PASSWORD) |
	    FANOUT_CAN_ANSWER(FANOUT_ASK_PASSPHRASE);
}

static void
end(struct run *r)
{
	is_int(run_dones(r), r->n, "  one DONE each of %zu", r->n);
	is_int(r->disorder, 0, "  in order");
	run_free(r);
	is_int(r->book.made, r->book.freed, "  nothing is left");
}

static void
test_nobody(void)
{
	struct fanout_opts o;
	struct asked a;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	o.can_answer = FANOUT_CAN_ANSWER(FANOUT_ASK_HOSTKEY);
	begin(&r, &a, &o, "ask[1-3],ok1");
	run_submit(&r, "x", -1);
	is_int(fanout_run(r.f, answer, &a), 0, "nobody answers");
	is_int(a.n, 0, "and so nothing is asked");
	is_int(run_count(&r, FANOUT_C_AUTH), 3, "auth");
	end(&r);
}

static void
test_each(void)
{
	struct fanout_opts o;
	struct asked a;
	struct run r;

	ask_opts(&o);
	begin(&r, &a, &o, "ask[1-50],ok[1-50]");
	a.answers[0] = "right";
	run_submit(&r, "x", -1);
	is_int(fanout_run(r.f, answer, &a), 0, "each asks for itself");
	is_int(a.n, 50, "one question each");
	is_int(a.of_no_host, 0, "of its host");
	is_str(a.prompt, "pass^[word:", "safe to print");
	is_int(run_count(&r, FANOUT_C_OK), 100, "all ok");
	end(&r);
	begin(&r, &a, &o, "ask1");
	a.answers[0] = "wrong";
	a.answers[1] = "right";
	run_submit(&r, "x", -1);
	is_int(fanout_run(r.f, answer, &a), 0, "a wrong answer");
	is_int(a.attempt[1], 2, "is told");
	is_int(run_count(&r, FANOUT_C_OK), 1, "and another one accepted");
	end(&r);
}

/* Whoever waits with a question is logging in, whoever runs its command or is
 * over is not: so it is known that nobody else will ask. */
static int
count_logins(const struct fanout_event *ev, void *arg)
{
	struct asked *a = arg;
	struct fanout_stats st;

	if (ev->kind == FANOUT_EV_ASK)
		a->n++;
	fanout_stats(a->run->f, &st);
	if (a->n < 3 || st.logging_in > 3 || st.pending > 0)
		return note(ev, a->run);
	a->silent = st.logging_in == 3;
	return 1;
}

static void
test_logins(void)
{
	struct fanout_opts o;
	struct fanout_stats st;
	struct asked a;
	struct run r;

	ask_opts(&o);
	o.command_ms = 20000;
	begin(&r, &a, &o, "ask[1-3],ok[1-20],fail1,talk[1-2]");
	run_submit(&r, "x", -1);
	is_int(fanout_run(r.f, count_logins, &a), 1, "a run with questions");
	ok(a.silent, "exactly those that ask are logging in");
	fanout_cancel(r.f, 0);
	is_int(fanout_run(r.f, note, &r), 0, "canceled");
	fanout_stats(r.f, &st);
	is_int(st.logging_in, 0, "nobody is logging in");
	end(&r);
}

static void
test_refused(void)
{
	char longer[FANOUT_ANSWER_MAX + 2];
	struct fanout_opts o;
	struct asked a;
	struct run r;

	ask_opts(&o);
	begin(&r, &a, &o, "ask[1-20],ok1");
	run_submit(&r, "x", -1);
	is_int(fanout_run(r.f, answer, &a), 0, "refused to answer");
	is_int(run_count(&r, FANOUT_C_AUTH), 20, "auth");
	is_str(r.seen[0].result.text, "not answered", "and the text says so");
	end(&r);
	begin(&r, &a, &o, "ask1");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	a.answers[0] = longer;
	run_submit(&r, "x", -1);
	is_int(fanout_run(r.f, answer, &a), FANOUT_ELIMIT, "too long an answer");
	is_int(fanout_answer(r.f, a.last + 1, "x"), FANOUT_EINVAL,
	    "to nothing that was asked");
	is_int(fanout_answer(r.f, a.last, "right"), 0, "the question stands");
	is_int(fanout_answer(r.f, a.last, "right"), FANOUT_EINVAL,
	    "but is answered once");
	a.silent = true;
	is_int(fanout_run(r.f, answer, &a), 0, "ends");
	is_int(run_count(&r, FANOUT_C_OK), 1, "ok");
	end(&r);
}

/* Nobody but who asks waits; its login deadline rests, the question's runs. */
static void
test_deadline(void)
{
	struct fanout_opts o;
	struct asked a;
	struct run r;
	int64_t start = now_ms();

	ask_opts(&o);
	o.login_ms = 100;
	o.ask_ms = 400;
	begin(&r, &a, &o, "ask[1-3],slow[1-30]");
	a.silent = true;
	run_submit(&r, "x", -1);
	while (run_count(&r, FANOUT_C_OK) < 30) {
		struct fanout_event ev;

		if (fanout_next(r.f, &ev, -1) == 1)
			answer(&ev, &a);
	}
	ok(now_ms() - start < 350, "the others do not wait for the answer");
	is_int(run_dones(&r), 30, "who asks does");
	is_int(fanout_run(r.f, answer, &a), 0, "unanswered: ends");
	ok(now_ms() - start >= 400, "at the question's deadline");
	is_int(run_count(&r, FANOUT_C_AUTH), 3, "auth");
	is_str(r.seen[0].result.text, "nobody answered in time",
	    "and the text says so");
	is_int(fanout_answer(r.f, a.last, "right"), FANOUT_EINVAL, "too late");
	end(&r);
}

static void
test_late(void)
{
	struct fanout_event ev;
	struct fanout_opts o;
	struct asked a;
	struct run r;

	ask_opts(&o);
	o.login_ms = 100;
	o.ask_ms = 0;
	begin(&r, &a, &o, "ask1");
	a.silent = true;
	run_submit(&r, "x", -1);
	while (a.n == 0)
		if (fanout_next(r.f, &ev, -1) == 1)
			answer(&ev, &a);
	is_int(fanout_next(r.f, &ev, 250), 0, "no deadline: it waits");
	is_int(fanout_answer(r.f, a.last, "right"), 0, "answered late");
	is_int(fanout_run(r.f, answer, &a), 0, "ends");
	is_int(run_count(&r, FANOUT_C_OK), 1, "ok, whatever the login deadline");
	end(&r);
}

static void
test_cancel(void)
{
	struct fanout_event ev;
	struct fanout_opts o;
	struct asked a;
	struct run r;

	ask_opts(&o);
	begin(&r, &a, &o, "ask[1-20],key[1-20]");
	a.silent = true;
	run_submit(&r, "x", -1);
	while (a.n < 21)
		if (fanout_next(r.f, &ev, -1) == 1)
			answer(&ev, &a);
	fanout_cancel(r.f, 0);
	is_int(fanout_run(r.f, answer, &a), 0, "canceled while asking");
	is_int(run_count(&r, FANOUT_C_CANCELED), 40, "all canceled");
	end(&r);
	begin(&r, &a, &o, "ask[1-20],key[1-20]");
	run_submit(&r, "x", -1);
	(void)fanout_next(r.f, &ev, -1);
	run_free(&r);
	is_int(r.book.made, r.book.freed, "freed while asking");
}

/* ---- one question for many hosts ---- */

static void
test_once(void)
{
	struct fanout_opts o;
	struct asked a;
	struct run r;
	int64_t start = now_ms();

	ask_opts(&o);
	o.window = 60;
	o.login_ms = 100;
	begin(&r, &a, &o, "key[1-100],slow[1-50]");
	r.book.check_ms = 300;
	a.answers[0] = "right";
	run_submit(&r, "x", -1);
	while (run_count(&r, FANOUT_C_OK) == 0) {
		struct fanout_event ev;

		if (fanout_next(r.f, &ev, -1) == 1)
			(void)answer(&ev, &a);
	}
	is_int(fanout_run(r.f, answer, &a), 0, "a key of many hosts");
	ok(now_ms() - start >= 300, "its check takes time");
	is_int(a.n, 1, "one question");
	is_int(a.of_no_host, 1, "of no host");
	is_int(r.book.checks, 1, "one check");
	is_str(a.path, "/toy\\n/key", "about this key");
	is_int(run_count(&r, FANOUT_C_OK), 150, "all ok");
	end(&r);
}

/* Who has no part in it is not held up by the check. */
static void
test_check_aside(void)
{
	struct fanout_opts o;
	struct asked a;
	struct run r;
	int64_t start = now_ms();

	ask_opts(&o);
	o.workers = 1;
	begin(&r, &a, &o, "key1,slow[1-20]");
	r.book.check_ms = 500;
	a.answers[0] = "right";
	run_submit(&r, "x", -1);
	while (run_dones(&r) < 20) {
		struct fanout_event ev;

		if (fanout_next(r.f, &ev, -1) == 1)
			(void)answer(&ev, &a);
	}
	ok(now_ms() - start < 450, "20 others are done before it is checked");
	is_int(fanout_run(r.f, answer, &a), 0, "ends");
	is_int(run_count(&r, FANOUT_C_OK), 21, "all ok");
	end(&r);
}

static void
test_once_wrong(void)
{
	struct fanout_opts o;
	struct asked a;
	struct run r;

	ask_opts(&o);
	begin(&r, &a, &o, "key[1-30]");
	a.answers[0] = a.answers[1] = "wrong";
	a.answers[2] = "right";
	run_submit(&r, "x", -1);
	is_int(fanout_run(r.f, answer, &a), 0, "right the third time");
	is_int(a.n, 3, "three questions");
	is_int(a.attempt[2], 3, "the third says so");
	is_int(run_count(&r, FANOUT_C_OK), 30, "all ok");
	end(&r);
	begin(&r, &a, &o, "key[1-30]");
	a.answers[0] = "wrong";
	run_submit(&r, "x", -1);
	is_int(fanout_run(r.f, answer, &a), 0, "wrong for ever");
	is_int(a.n, 3, "three questions");
	is_int(run_count(&r, FANOUT_C_AUTH), 30, "auth");
	is_str(r.seen[7].result.text, "wrong three times", "and why");
	end(&r);
	begin(&r, &a, &o, "key[1-30]");
	a.answers[0] = "useless";
	run_submit(&r, "x", -1);
	is_int(fanout_run(r.f, answer, &a), 0, "no answer would do");
	is_int(a.n, 1, "it is not asked again");
	is_int(run_count(&r, FANOUT_C_AUTH), 30, "auth");
	end(&r);
}

static void
test_once_deadline(void)
{
	struct fanout_opts o;
	struct asked a;
	struct run r;

	ask_opts(&o);
	o.ask_ms = 100;
	o.window = 10;
	begin(&r, &a, &o, "key[1-30]");
	a.silent = true;
	run_submit(&r, "x", -1);
	is_int(fanout_run(r.f, answer, &a), 0, "one deadline for all hosts");
	is_int(a.n, 1, "one question");
	is_int(run_count(&r, FANOUT_C_AUTH), 30, "auth");
	end(&r);
}

int
main(void)
{
	test_nobody();
	test_each();
	test_logins();
	test_refused();
	test_deadline();
	test_late();
	test_cancel();
	test_once();
	test_check_aside();
	test_once_wrong();
	test_once_deadline();
	return test_end();
}
