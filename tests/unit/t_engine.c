/*
 * t_engine.c - the seven points of the engine's contract, each by itself.
 */
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>

#include "enginerun.h"

/* ---- 1: exactly one DONE, in order ---- */

static void
test_one_done(void)
{
	struct fanout_opts o;
	struct run r;
	size_t i, same = 0;

	FANOUT_OPTS_INIT(&o);
	o.command_ms = 150;
	o.window = 40;
	run_new(&r, &o, "ok[1-200],exit7-[1-50],fail[1-20],vanish[1-20],"
	    "no-peer[1-20],bad-plan[1-20],hang-run[1-20],mute-close[1-5]");
	run_submit(&r, "x", -1);
	is_int(fanout_run(r.f, note, &r), 0, "mixed run ends");
	for (i = 0; i < r.n; i++)
		same += r.seen[i].dones == 1 && r.seen[i].starts == 1;
	is_int(same, r.n, "one START and one DONE for each of %zu", r.n);
	is_int(r.disorder, 0, "START, data, DONE in this order");
	is_int(run_count(&r, FANOUT_C_OK), 205, "ok");
	is_int(run_count(&r, FANOUT_C_EXIT), 50, "exit");
	is_int(run_count(&r, FANOUT_C_REMOTE), 20, "remote");
	is_int(run_count(&r, FANOUT_C_LOST), 20, "vanished is lost, not ok");
	is_int(run_count(&r, FANOUT_C_LOCAL), 40, "local");
	is_int(run_count(&r, FANOUT_C_COMMAND_TIMEOUT), 20, "timed out");
	run_free(&r);
	is_int(r.book.made, r.book.freed, "every peer made was freed");
}

struct canceler {
	struct fanout	*f;
	fanout_job	 job;
};

static void *
cancel_main(void *arg)
{
	struct canceler *c = arg;

	usleep(30000);
	fanout_cancel(c->f, c->job);
	return NULL;
}

/* What waits ends, what runs goes on, and so do others. */
static void
test_leave_out(void)
{
	struct fanout_opts o;
	struct fanout_event ev;
	struct run r;
	int fds[2];
	unsigned i;

	FANOUT_OPTS_INIT(&o);
	o.window = 1;
	run_new(&r, &o, "echo[1-9]");
	if (pipe(fds) == -1)
		abort();
	(void)run_submit(&r, "x", fds[0]);
	while (fanout_next(r.f, &ev, -1) == 1 && ev.kind != FANOUT_EV_START)
		(void)note(&ev, &r);
	(void)note(&ev, &r);
	fanout_leave_out(r.f, ev.name);
	fanout_leave_out(r.f, "echo7");
	fanout_leave_out(r.f, "echo9");
	fanout_leave_out(r.f, "echo9");
	fanout_leave_out(r.f, "nobody");
	close(fds[1]);		/* which ends the first */
	is_int(fanout_run(r.f, note, &r), 0, "some left out: ends");
	is_int(run_dones(&r), 9, "one DONE each with some left out");
	is_int(run_count(&r, FANOUT_C_SKIPPED), 2, "those that waited");
	is_int(run_count(&r, FANOUT_C_OK), 7, "others, and what ran");
	for (i = 6; i < 9; i += 2)
		is_int(r.seen[i].starts, 0, "no START");
	is_int(r.disorder, 0, "order kept when left out");
	run_free(&r);
	close(fds[0]);
}

static void
test_cancel(void)
{
	struct fanout_opts o;
	struct canceler c;
	pthread_t thread;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	o.window = 16;
	run_new(&r, &o, "talk[1-100]");
	c.job = run_submit(&r, "x", -1);
	c.f = r.f;
	pthread_create(&thread, NULL, cancel_main, &c);
	is_int(fanout_run(r.f, note, &r), 0, "canceled by another thread: ends");
	pthread_join(thread, NULL);
	is_int(run_dones(&r), 100, "one DONE each when canceled");
	is_int(run_count(&r, FANOUT_C_CANCELED), 100, "class canceled");
	is_int(r.disorder, 0, "order kept when canceled");
	run_free(&r);
}

static void
test_free_in_mid_run(void)
{
	struct fanout_event ev;
	struct fanout_opts o;
	struct run r;
	int i;

	FANOUT_OPTS_INIT(&o);
	o.close_ms = 200;
	run_new(&r, &o, "talk[1-50],hang-kex[1-50],hang-plan[1-3],"
	    "mute-close[1-3]");
	run_submit(&r, "x", -1);
	for (i = 0; i < 20; i++)
		(void)fanout_next(r.f, &ev, 50);
	run_free(&r);
	is_int(r.book.made, r.book.freed, "freed in mid-run: nothing is left");
}

/* ---- 2: by pull, on the caller's thread, with one fd to poll ---- */

static pthread_t main_thread;
static bool elsewhere;

static int
check_thread(const struct fanout_event *ev, void *arg)
{
	(void)ev;
	(void)arg;
	elsewhere |= !pthread_equal(pthread_self(), main_thread);
	return 0;
}

static bool
readable(const struct fanout *f, int ms)
{
	struct pollfd pfd = { .fd = fanout_fd(f), .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

static int
stop_at_three(const struct fanout_event *ev, void *arg)
{
	(void)ev;
	return ++*(int *)arg == 3 ? -42 : 0;
}

static void
test_pull(void)
{
	struct fanout_event ev;
	struct fanout_opts o;
	struct run r;
	int n = 0, rc;

	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o, "ok[1-10]");
	is_int(fanout_next(r.f, &ev, 0), FANOUT_EIDLE, "nothing to do: idle");
	ok(!readable(r.f, 0), "the fd is not readable when idle");
	run_submit(&r, "x", -1);
	ok(readable(r.f, 2000), "the fd becomes readable");
	while ((rc = fanout_next(r.f, &ev, 0)) >= 0) {
		if (rc == 1)
			n++;
		else if (!readable(r.f, 2000))
			break;
	}
	is_int(rc, FANOUT_EIDLE, "drained by poll and next alone");
	is_int(n, 30, "START, OUT and DONE of ten hosts");
	ok(!readable(r.f, 0), "the fd is quiet again");
	run_submit(&r, "x", -1);
	main_thread = pthread_self();
	fanout_run(r.f, check_thread, NULL);
	ok(!elsewhere, "callbacks of fanout_run run on the caller's thread");
	n = 0;
	run_submit(&r, "x", -1);
	is_int(fanout_run(r.f, stop_at_three, &n), -42, "the callback's value "
	    "stops the run");
	run_free(&r);
}

/* ---- 3: memory is bounded, nothing is dropped ---- */

static long
resident_kib(void)
{
	char line[256];
	long kib = 0;
	FILE *fp;

	if ((fp = fopen("/proc/self/status", "r")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), fp) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	fclose(fp);
	return kib;
}

static void
test_memory(void)
{
	struct fanout_opts o;
	struct fanout_event ev;
	struct run r;
	long before, after;
	int i;

	FANOUT_OPTS_INIT(&o);
	o.transport = "local";
	run_new(&r, &o, "h[1-4]");
	before = resident_kib();
	run_submit(&r, "head -c 30000000 /dev/zero; "
	    "head -c 20000000 /dev/zero >&2", -1);
	for (i = 0; i < 4; i++) {	/* look, and do not read on */
		if (fanout_next(r.f, &ev, 2000) == 1)
			note(&ev, &r);
	}
	usleep(300000);
	after = resident_kib();
	ok(after - before < 16 * 1024, "200 MB held back in %ld KiB",
	    after - before);
	is_int(fanout_run(r.f, note, &r), 0, "then read to the end");
	for (i = 0; i < 4; i++) {
		is_int(r.seen[i].out, 30000000, "all of stdout %d", i);
		is_int(r.seen[i].err, 20000000, "all of stderr %d", i);
		is_int(r.seen[i].result.out_bytes, 30000000, "and counted");
	}
	run_free(&r);
}

/* ---- 4: failure is a value ---- */

/* A port of 127.0.0.1: refusing, or (hole) accepting nothing more. */
static int
bound_port(int *fd, bool hole)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int i, c;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(*fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    getsockname(*fd, (struct sockaddr *)&sin, &len) == -1)
		abort();
	if (hole) {
		listen(*fd, 0);
		for (i = 0; i < 4; i++) {	/* the backlog, filled */
			c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK |
			    SOCK_CLOEXEC, 0);
			(void)connect(c, (struct sockaddr *)&sin, sizeof(sin));
		}
	}
	return ntohs(sin.sin_port);
}

static void
test_values(void)
{
	struct fanout_opts o;
	struct run r;
	char expr[128];
	int fd;

	FANOUT_OPTS_INIT(&o);
	(void)snprintf(expr, sizeof(expr), "fail1");
	run_new(&r, &o, expr);
	run_submit(&r, "x", -1);
	fanout_run(r.f, note, &r);
	is_int(r.seen[0].result.sys_errno, 28, "errno is told");
	is_int(r.seen[0].result.lib_err, -7, "library code is told");
	is_int(r.seen[0].result.stage, FANOUT_S_RUN, "stage is told");
	is_str(r.seen[0].result.text, "no^[[2J space",
	    "text is one line and safe");
	run_free(&r);

	/* A host expression has no colon without a port: "tcp:1234" is one. */
	(void)snprintf(expr, sizeof(expr), "tcp:%d", bound_port(&fd, false));
	run_new(&r, &o, expr);
	run_submit(&r, "x", -1);
	fanout_run(r.f, note, &r);
	is_int(r.seen[0].result.cls, FANOUT_C_REFUSED, "refused");
	is_int(r.seen[0].result.sys_errno, ECONNREFUSED, "by ECONNREFUSED");
	is_int(r.seen[0].result.stage, FANOUT_S_CONNECT, "in connect");
	run_free(&r);
	close(fd);
}

/* ---- 5: every stage has a deadline; a hung peer costs one slot ---- */

static void
test_deadlines(void)
{
	static const struct {
		const char *host, *what;
		enum fanout_class cls;
		enum fanout_stage stage;
	} t[] = {
		{ "hang-plan", "resolve", FANOUT_C_RESOLVE, FANOUT_S_RESOLVE },
		{ "hang-kex", "login", FANOUT_C_LOGIN_TIMEOUT, FANOUT_S_KEX },
		{ "hang-run", "idle", FANOUT_C_IDLE_TIMEOUT, FANOUT_S_RUN },
		{ "talk", "command", FANOUT_C_COMMAND_TIMEOUT, FANOUT_S_RUN },
		{ NULL, "connect", FANOUT_C_CONNECT_TIMEOUT,
		    FANOUT_S_CONNECT }
	};
	struct fanout_opts o;
	struct run r;
	char hole[32];
	size_t i;
	int fd;

	(void)snprintf(hole, sizeof(hole), "tcp:%d", bound_port(&fd, true));
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		FANOUT_OPTS_INIT(&o);
		o.resolve_ms = o.connect_ms = o.login_ms = o.idle_ms = 100;
		o.command_ms = 250;
		run_new(&r, &o, t[i].host != NULL ? t[i].host : hole);
		run_submit(&r, "x", -1);
		fanout_run(r.f, note, &r);
		is_int(r.seen[0].result.cls, t[i].cls, "%s: class",
		    t[i].what);
		is_int(r.seen[0].result.stage, t[i].stage, "%s: stage",
		    t[i].what);
		ok(r.seen[0].result.text[0] != '\0', "%s: says why: %s",
		    t[i].what, r.seen[0].result.text);
		run_free(&r);
	}
	close(fd);
}

static void
test_close_deadline(void)
{
	struct fanout_opts o;
	struct run r;
	int64_t start = now_ms();

	FANOUT_OPTS_INIT(&o);
	o.command_ms = 50;
	o.close_ms = 50;
	run_new(&r, &o, "mute-close1,talk1");
	run_submit(&r, "x", -1);
	fanout_run(r.f, note, &r);
	is_int(r.seen[0].result.cls, FANOUT_C_OK, "its task was done");
	is_int(r.seen[1].result.cls, FANOUT_C_COMMAND_TIMEOUT, "timed out");
	run_free(&r);
	is_int(r.book.freed, 2, "a peer that never closes is freed");
	ok(now_ms() - start < 5000, "and not waited for");
}

static void
test_one_slot(void)
{
	struct fanout_opts o;
	struct run r;
	size_t i, good = 0;

	FANOUT_OPTS_INIT(&o);
	o.window = 2;
	o.login_ms = 1500;
	run_new(&r, &o, "hang-kex1,ok[1-100]");
	run_submit(&r, "x", -1);
	fanout_run(r.f, note, &r);
	for (i = 1; i < r.n; i++)
		good += r.seen[i].result.cls == FANOUT_C_OK &&
		    r.seen[i].result.queue_ms < 1400;
	is_int(good, 100, "a hung host holds up none of the others");
	run_free(&r);
}

/* ---- 6: signals, wake, cancel ---- */

static struct fanout *wake_me;

static void
on_alarm(int sig)
{
	(void)sig;
	fanout_wake(wake_me);
}

static void
test_signals(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct fanout_event ev;
	struct fanout_opts o;
	struct run r;
	int rc;

	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o, "hang-run1");
	wake_me = r.f;
	sigaction(SIGALRM, &sa, NULL);
	run_submit(&r, "x", -1);
	while (fanout_next(r.f, &ev, 200) == 1)
		;
	ualarm(30000, 0);
	do
		rc = fanout_next(r.f, &ev, 5000);
	while (rc == 1);
	is_int(rc, 0, "woken by a signal handler");
	is_int(r.book.unblocked, 0, "workers run with all signals blocked");
	run_free(&r);
}

/* ---- 7: descriptors ---- */

static void
test_descriptors(void)
{
	struct fanout_opts o;
	struct rlimit rl, old;
	struct run r;
	size_t i, clean = 0;
	char command[128];
	int inherited = -1;
	FILE *fp;

	/* What we were started with, and what the shell adds. */
	if ((fp = popen("ls /proc/self/fd | wc -l", "re")) == NULL ||
	    fscanf(fp, "%d", &inherited) != 1)
		abort();
	pclose(fp);
	FANOUT_OPTS_INIT(&o);
	o.transport = "local";
	o.window = 30;
	run_new(&r, &o, "h[1-60]");
	(void)snprintf(command, sizeof(command),
	    "exit $(($(ls /proc/self/fd | wc -l) - %d))", inherited);
	run_submit(&r, command, -1);
	fanout_run(r.f, note, &r);
	for (i = 0; i < r.n; i++)
		clean += r.seen[i].result.status == 0;
	is_int(clean, r.n, "no descriptor leaks into a child");
	run_free(&r);

	getrlimit(RLIMIT_NOFILE, &old);
	rl = old;
	rl.rlim_cur = 100;
	setrlimit(RLIMIT_NOFILE, &rl);
	o.window = 200;
	run_new(&r, &o, "h[1-200]");
	run_submit(&r, "sleep 0.05", -1);
	fanout_run(r.f, note, &r);
	is_int(run_count(&r, FANOUT_C_OK), 200, "200 hosts within 100 "
	    "descriptors: they wait, none fails");
	run_free(&r);
	setrlimit(RLIMIT_NOFILE, &old);
}

/* Descriptors that the limit does not show: the program took them itself. */
static void
test_descriptors_taken(void)
{
	int taken[400], port, fd, n = 0, spare = 6;
	char expr[4096] = "";
	struct fanout_opts o;
	struct rlimit rl, old;
	struct run r;
	size_t len;

	getrlimit(RLIMIT_NOFILE, &old);
	rl = old;
	rl.rlim_cur = 256;
	setrlimit(RLIMIT_NOFILE, &rl);
	port = bound_port(&fd, false);
	listen(fd, 128);
	FANOUT_OPTS_INIT(&o);
	o.window = 100;
	for (n = 0; n < 60; n++) {
		len = strlen(expr);
		(void)snprintf(expr + len, sizeof(expr) - len,
		    "%su%d@tcp:%d", n > 0 ? "," : "", n, port);
	}
	run_new(&r, &o, "ok1");
	n = 0;
	while (n < 400 && (taken[n] = open("/dev/null",
	    O_RDONLY | O_CLOEXEC)) != -1)
		n++;
	while (spare-- > 0)
		close(taken[--n]);
	run_submit(&r, "x", -1);
	fanout_run(r.f, note, &r);
	is_int(run_count(&r, FANOUT_C_OK), 1, "works with few descriptors");
	run_free(&r);
	while (n > 0)
		close(taken[--n]);
	close(fd);
	setrlimit(RLIMIT_NOFILE, &old);
}

int
main(void)
{
	test_one_done();
	test_leave_out();
	test_cancel();
	test_free_in_mid_run();
	test_pull();
	test_memory();
	test_values();
	test_deadlines();
	test_close_deadline();
	test_one_slot();
	test_signals();
	test_descriptors();
	test_descriptors_taken();
	return test_end();
}
