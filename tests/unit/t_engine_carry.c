/*
 * t_engine_carry.c - hosts behind other hosts: one carrier for all of them,
 * and what becomes of them when it fails.
 */
#include "enginerun.h"

static void
end(struct run *r)
{
	is_int(run_dones(r), r->n, "  one DONE each of %zu", r->n);
	is_int(r->disorder, 0, "  in order");
	run_free(r);
	is_int(r->book.made, r->book.freed, "  nothing is left");
}

static void
all(struct run *r)
{
	run_submit(r, "x", -1);
	is_int(fanout_run(r->f, note, r), 0, "  ends");
}

static void
test_one(void)
{
	struct fanout_opts o;
	struct fanout_stats st;
	struct run r;
	int i;

	FANOUT_OPTS_INIT(&o);
	o.window = 30;
	run_new(&r, &o, "via_carry1_ok[1-100],ok[1-20]");
	all(&r);
	is_int(run_count(&r, FANOUT_C_OK), 120, "100 behind one host: all ok");
	is_int(r.book.carriers, 1, "which was logged in to once");
	is_int(r.book.open, 100, "and opened a way for each");
	/* The hosts are saying good-bye. */
	for (i = 0; i < 500; i++) {
		fanout_stats(r.f, &st);
		if (st.in_flight == 0)
			break;
		usleep(10000);
	}
	is_int(st.in_flight + st.sessions, 0, "it is in nobody's books");
	end(&r);
}

static void
test_window(void)
{
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	o.window = 1;
	o.workers = 1;
	o.command_ms = 5000;
	run_new(&r, &o, "via_carry1_ok[1-5],via_carry2_ok[1-5]");
	all(&r);
	is_int(run_count(&r, FANOUT_C_OK), 10, "a window of one is no deadlock");
	is_int(r.book.carriers, 2, "two carriers");
	end(&r);
}

static void
test_hangs(void)
{
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	o.login_ms = 300;
	run_new(&r, &o, "via_hang-kex1_ok[1-30],ok1");
	all(&r);
	is_int(run_count(&r, FANOUT_C_LOGIN_TIMEOUT), 30,
	    "the carrier hangs: its deadline, its class");
	ok(strncmp(r.seen[0].result.text, "via hang-kex1: ", 15) == 0,
	    "named: %s", r.seen[0].result.text);
	end(&r);
}

static void
test_fails(void)
{
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o, "via_fail1_ok[1-30],via_bad-plan1_ok1,via_no-peer1_ok1,"
	    "via_carry1_no-way[1-3],via_carry1_ok1");
	all(&r);
	is_int(run_count(&r, FANOUT_C_REMOTE), 30, "the carrier fails: its class");
	is_int(run_count(&r, FANOUT_C_LOCAL), 2, "no plan, no peer");
	is_int(run_count(&r, FANOUT_C_REFUSED), 3, "no way to some");
	is_int(run_count(&r, FANOUT_C_OK), 1, "but to others");
	ok(strcmp(r.seen[32].result.text, "via carry1: no way") == 0,
	    "named: %s", r.seen[32].result.text);
	end(&r);
}

static void
test_detour(void)
{
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o, "via_ask1_ok[1-10]");
	all(&r);
	is_int(run_count(&r, FANOUT_C_AUTH), 10, "not logged in to");
	end(&r);
	run_new(&r, &o, "via_ask1_redo[1-10]");
	all(&r);
	is_int(run_count(&r, FANOUT_C_OK), 10, "another way was found");
	end(&r);
}

static void
test_lost(void)
{
	struct fanout_event ev;
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o, "via_drop1_watch[1-40]");
	run_submit(&r, "x", -1);
	while (atomic_load(&r.book.open) < 40)
		if (fanout_next(r.f, &ev, 10) == 1)
			note(&ev, &r);
	atomic_store(&r.book.drop, true);
	is_int(fanout_run(r.f, note, &r), 0, "the carrier is lost: ends");
	is_int(run_count(&r, FANOUT_C_LOST), 40, "so are all behind it");
	is_str(r.seen[9].result.text, "via drop1: dropped", "and told why");
	end(&r);
}

static void
test_cancel(void)
{
	struct fanout_event ev;
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	o.close_ms = 200;
	run_new(&r, &o, "via_jam1_ok[1-20],via_hang-kex1_ok[1-20]");
	run_submit(&r, "x", -1);
	(void)fanout_next(r.f, &ev, 100);
	note(&ev, &r);
	fanout_cancel(r.f, 0);
	is_int(fanout_run(r.f, note, &r), 0, "canceled while waiting: ends");
	is_int(run_count(&r, FANOUT_C_CANCELED), 40, "canceled");
	end(&r);
	run_new(&r, &o, "via_jam1_ok[1-20],via_carry1_talk[1-20]");
	run_submit(&r, "x", -1);
	(void)fanout_next(r.f, &ev, 100);
	run_free(&r);
	is_int(r.book.made, r.book.freed, "freed in mid-run: nothing is left");
}

int
main(void)
{
	test_one();
	test_window();
	test_hangs();
	test_fails();
	test_detour();
	test_lost();
	test_cancel();
	return test_end();
}
