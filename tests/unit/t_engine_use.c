/*
 * t_engine_use.c - what callers of an engine lean on beside its contract:
 * windows, kept sessions, rates, input, skipped hosts, bad calls.
 */
#include <sys/resource.h>

#include <fcntl.h>
#include <pthread.h>

#include "enginerun.h"

static void
test_window(void)
{
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	o.window = 8;
	o.workers = 3;
	run_new(&r, &o, "slow[1-64]");
	run_submit(&r, "x", -1);
	fanout_run(r.f, note, &r);
	is_int(run_count(&r, FANOUT_C_OK), 64, "64 through a window of 8");
	ok(r.book.most <= 8, "at most 8 in flight (%d)", r.book.most);
	ok(r.book.most >= 6, "and the window is used (%d)", r.book.most);
	run_free(&r);
}

static void
test_keep(void)
{
	struct fanout_opts o;
	struct fanout_stats st;
	struct run r;
	int i;

	FANOUT_OPTS_INIT(&o);
	o.keep_sessions = true;
	o.window = 7;
	o.workers = 2;
	run_new(&r, &o, "slow[1-40]");
	for (i = 0; i < 3; i++) {
		memset(r.seen, 0, r.n * sizeof(*r.seen));
		run_submit(&r, "x", -1);
		fanout_run(r.f, note, &r);
		is_int(run_count(&r, FANOUT_C_OK), 40, "job %d", i);
	}
	is_int(r.book.made, 40, "one session for three jobs");
	ok(r.book.most <= 7, "the window holds for kept sessions (%d)",
	    r.book.most);
	fanout_stats(r.f, &st);
	is_int(st.sessions, 40, "40 sessions are open");
	is_int(st.in_flight + st.pending, 0, "none of them busy");
	is_int(st.logging_in, 0, "nor logging in");
	memset(r.seen, 0, r.n * sizeof(*r.seen));
	run_submit(&r, "x", -1);
	run_submit(&r, "y", -1);
	r.disorder = 0;
	fanout_run(r.f, note, &r);
	is_int(run_dones(&r), 80, "two jobs at once on the same hosts");
	run_free(&r);
	is_int(r.book.closed, 40, "all are told good-bye");
}

/* More kept sessions than descriptors allow: the oldest make room. */
static void
test_keep_evict(void)
{
	struct fanout_opts o;
	struct rlimit rl, old;
	struct run r;
	int i;

	getrlimit(RLIMIT_NOFILE, &old);
	rl = old;
	rl.rlim_cur = 80;
	setrlimit(RLIMIT_NOFILE, &rl);
	FANOUT_OPTS_INIT(&o);
	o.keep_sessions = true;
	o.workers = 2;
	run_new(&r, &o, "slow[1-100]");
	for (i = 0; i < 2; i++) {
		memset(r.seen, 0, r.n * sizeof(*r.seen));
		run_submit(&r, "x", -1);
		fanout_run(r.f, note, &r);
		is_int(run_count(&r, FANOUT_C_OK), 100, "kept and evicted %d",
		    i);
	}
	run_free(&r);
	setrlimit(RLIMIT_NOFILE, &old);
}

static void
test_rate(void)
{
	struct fanout_opts o;
	int64_t start = now_ms();
	struct run r;

	FANOUT_OPTS_INIT(&o);
	o.connects_per_sec = 50;
	run_new(&r, &o, "ok[1-20]");
	run_submit(&r, "x", -1);
	fanout_run(r.f, note, &r);
	is_int(run_count(&r, FANOUT_C_OK), 20, "20 hosts at 50 a second");
	ok(now_ms() - start >= 360, "take their time (%d ms)",
	    (int)(now_ms() - start));
	run_free(&r);
}

/* Through a pipe, so that it is spooled, past what is kept in memory. */
static void *
write_main(void *arg)
{
	char buf[65536];
	int i, fd = *(int *)arg;

	memset(buf, 'a', sizeof(buf));
	for (i = 0; i < 80; i++)
		if (write(fd, buf, sizeof(buf)) != (ssize_t)sizeof(buf))
			break;
	close(fd);
	return NULL;
}

static void
test_input(void)
{
	struct fanout_opts o;
	pthread_t thread;
	struct run r;
	int fds[2], i, good = 0;

	if (pipe2(fds, O_CLOEXEC) == -1)
		abort();
	FANOUT_OPTS_INIT(&o);
	o.transport = "local";
	o.window = 3;
	run_new(&r, &o, "h[1-8]");
	pthread_create(&thread, NULL, write_main, &fds[1]);
	run_submit(&r, "test \"$FANOUT_HOST\" = h2 && sleep 0.3; wc -c", fds[0]);
	fanout_run(r.f, note, &r);
	pthread_join(thread, NULL);
	for (i = 0; i < 8; i++)
		good += r.seen[i].result.in_bytes == 80 * 65536;
	is_int(good, 8, "5 MiB of input reach each of 8 hosts whole");
	run_free(&r);
	close(fds[0]);
}

static void
test_many(void)
{
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	o.window = 1000;
	run_new(&r, &o, "ok[1-10000]");
	run_submit(&r, "x", -1);
	fanout_run(r.f, note, &r);
	is_int(run_count(&r, FANOUT_C_OK), 10000, "10,000 hosts, all ok");
	is_int(r.disorder, 0, "in order");
	run_free(&r);
}

/* Skipped hosts are told, and nothing of theirs is begun. */
static void
test_skip(void)
{
	const char *skip[4] = { NULL, "marked dead", NULL, "on\033holiday" };
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o, "ok[1-4]");
	cmd.command = "x";
	cmd.skip = skip;
	is_int(fanout_submit(r.f, r.hosts, &cmd, NULL, NULL), 0, "submit");
	fanout_run(r.f, note, &r);
	is_int(run_count(&r, FANOUT_C_SKIPPED), 2, "two are skipped");
	is_int(run_count(&r, FANOUT_C_OK), 2, "two are run");
	is_int(r.book.made, 2, "and nobody else was called on");
	is_str(r.seen[1].result.text, "marked dead", "the reason is told");
	is_str(r.seen[3].result.text, "on^[holiday", "safely");
	is_int(r.seen[1].result.stage, FANOUT_S_QUEUE, "it never left");
	run_free(&r);
}

static void
test_bad_calls(void)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_opts o;
	struct fanout_error e;
	struct fanout_hosts *none;
	struct fanout *f;
	struct run r;
	fanout_job job;

	FANOUT_OPTS_INIT(&o);
	o.transport = "carrier-pigeon";
	is_int(fanout_new(&f, &o, &e), FANOUT_EINVAL, "unknown transport");
	ok(f == NULL && strstr(e.text, "carrier-pigeon") != NULL, "%s",
	    e.text);
	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o, "ok1");
	fanout_hosts_new(&none);
	is_int(fanout_submit(r.f, none, &cmd, &job, &e), FANOUT_EINVAL,
	    "an empty set: %s", e.text);
	is_int(job, 0, "and no job");
	cmd.stdin_fd = 12345;
	is_int(fanout_submit(r.f, r.hosts, &cmd, &job, &e), FANOUT_ESYS,
	    "a bad fd: %s", e.text);
	fanout_cancel(r.f, 99);		/* unknown: harmless */
	fanout_hosts_free(none);
	run_free(&r);
	fanout_free(NULL);
}

/* A transport that knows another way gets its host once more, and the caller
 * sees one start and one end. */
static void
test_again(void)
{
	struct fanout_opts o;
	struct run r;
	size_t i;

	FANOUT_OPTS_INIT(&o);
	o.window = 3;
	run_new(&r, &o, "again[1-20],redial[1-20]:1,ok1,fail1,dial1:1");
	run_submit(&r, "x", -1);
	fanout_run(r.f, note, &r);
	is_int(run_count(&r, FANOUT_C_OK), 41, "two ways are enough");
	is_int(run_count(&r, FANOUT_C_REMOTE), 1, "who has only one, fails");
	is_int(run_count(&r, FANOUT_C_REFUSED), 1, "also where nobody is");
	is_int(r.disorder, 0, "in order");
	for (i = 0; i < r.n; i++)
		if (r.seen[i].starts != 1 || r.seen[i].dones != 1)
			break;
	is_int(i, r.n, "one start and one end each");
	run_free(&r);

	/* Canceled in between, it is canceled. */
	run_new(&r, &o, "again[1-200]");
	run_submit(&r, "x", -1);
	fanout_cancel(r.f, 0);
	fanout_run(r.f, note, &r);
	is_int(run_dones(&r), 200, "all have an end");
	run_free(&r);
}

static void
test_gap(void)
{
	struct fanout_opts o;
	struct run r;
	int64_t begin = now_ms();

	FANOUT_OPTS_INIT(&o);
	o.connect_gap_ms = 30;
	run_new(&r, &o, "ok[1-6]");
	run_submit(&r, "x", -1);
	fanout_run(r.f, note, &r);
	ok(now_ms() - begin >= 140, "five gaps of 30 ms");
	run_free(&r);
}

int
main(void)
{
	test_window();
	test_keep();
	test_keep_evict();
	test_rate();
	test_input();
	test_many();
	test_skip();
	test_again();
	test_gap();
	test_bad_calls();
	return test_end();
}
