/*
 * t_engine_edge.c - where an engine may sleep for ever, spin, or blame the
 * wrong one: races and corners beside the seven points of t_engine.c.
 */
#include <sys/resource.h>
#include <sys/time.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "test.h"
#include "toy.h"

#define HOSTS_MAX 128

struct run {
	struct fanout	*f;
	struct toy_book	 book;
	unsigned	 dones[HOSTS_MAX], classes[FANOUT_NCLASSES];
	struct fanout_result last;
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
cpu_ms(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000 +
	    (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1000;
}

static void
run_new(struct run *r, struct fanout_opts *o)
{
	struct fanout_error e;

	memset(r, 0, sizeof(*r));
	if (o->transport == NULL) {
		o->custom = &toy_transport;
		o->custom_config = &r->book;
	}
	if (fanout_new(&r->f, o, &e) != 0) {
		printf("# %s\n", e.text);
		abort();
	}
}

static fanout_job
submit(struct run *r, const char *expr, int fd)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_hosts *hosts;
	struct fanout_error e;
	fanout_job job;

	cmd.command = "cat >/dev/null";
	cmd.stdin_fd = fd;
	if (fanout_hosts_new(&hosts) != 0 ||
	    fanout_hosts_add(hosts, expr, &e) != 0 ||
	    fanout_submit(r->f, hosts, &cmd, &job, &e) != 0) {
		printf("# %s\n", e.text);
		abort();
	}
	fanout_hosts_free(hosts);
	return job;
}

static int
note(const struct fanout_event *ev, void *arg)
{
	struct run *r = arg;

	if (ev->kind == FANOUT_EV_DONE) {
		r->dones[ev->host]++;
		r->classes[ev->result->cls]++;
		r->last = *ev->result;
	}
	return 0;
}

/* Events until a DONE of the job, or so many ms; how long it took. */
static int
until_done(struct run *r, fanout_job job, int ms)
{
	int64_t start = now_ms();
	struct fanout_event ev;

	int rc;

	while (now_ms() - start < ms &&
	    (rc = fanout_next(r->f, &ev, 50)) >= 0) {
		if (rc == 0 || ev.kind != FANOUT_EV_DONE)
			continue;
		note(&ev, r);
		if (ev.job == job)
			break;
	}
	return (int)(now_ms() - start);
}

static bool
readable(struct fanout *f)
{
	struct pollfd pfd = { .fd = fanout_fd(f), .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

/* ---- waking ---- */

struct waker {
	struct fanout	*f;
	atomic_int	 round, finished;
};

#define ROUNDS 3000

static void *
wake_main(void *arg)
{
	struct waker *w = arg;
	int i;

	for (i = 1; i <= ROUNDS; i++) {
		while (atomic_load(&w->round) < i)
			sched_yield();
		fanout_wake(w->f);
		atomic_store(&w->finished, i);
	}
	return NULL;
}

/* A wake is answered between its flag and its descriptor: no false alarm
 * may stay, or whoever polls spins. */
static void
test_wake_race(void)
{
	struct fanout_event ev;
	struct fanout_opts o;
	struct waker w;
	pthread_t thread;
	struct run r;
	int i, stuck = 0;

	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o);
	submit(&r, "hang-run1", -1);
	while (fanout_next(r.f, &ev, 100) == 1)
		;
	w.f = r.f;
	atomic_store(&w.round, 0);
	atomic_store(&w.finished, 0);
	pthread_create(&thread, NULL, wake_main, &w);
	for (i = 1; i <= ROUNDS; i++) {
		atomic_store(&w.round, i);
		while (atomic_load(&w.finished) < i)
			(void)fanout_next(r.f, &ev, 0);
		(void)fanout_next(r.f, &ev, 0);
		(void)fanout_next(r.f, &ev, 0);
		stuck += readable(r.f);
	}
	pthread_join(thread, NULL);
	is_int(stuck, 0, "the fd is quiet after %d wakes", ROUNDS);
	fanout_free(r.f);
}

static void
test_wake_idle(void)
{
	struct fanout_event ev;
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o);
	fanout_wake(r.f);
	is_int(fanout_next(r.f, &ev, 0), FANOUT_EIDLE, "woken without a job");
	(void)fanout_next(r.f, &ev, 0);
	ok(!readable(r.f), "the fd of an idle engine does not stay readable");
	fanout_free(r.f);
}

/* ---- the end ---- */

static void
test_free_sleeps(void)
{
	struct fanout_opts o;
	struct run r;
	int64_t cpu;

	FANOUT_OPTS_INIT(&o);
	o.close_ms = 800;
	run_new(&r, &o);
	submit(&r, "mute-close[1-3]", -1);
	fanout_run(r.f, note, &r);
	cpu = cpu_ms();
	fanout_free(r.f);
	cpu = cpu_ms() - cpu;
	ok(cpu < 200, "waiting for the last good-byes costs no CPU (%d ms)",
	    (int)cpu);
}

/* ---- two jobs on one host ---- */

/* One worker has nothing but hung hosts; what it gives back, others take. */
static void
test_requeued(void)
{
	struct fanout_opts o;
	struct run r;
	fanout_job job;
	int ms;

	FANOUT_OPTS_INIT(&o);
	o.workers = 2;
	run_new(&r, &o);
	submit(&r, "nap1,hang-run[1-13]", -1);
	usleep(50000);
	submit(&r, "ok[1-20]", -1);
	job = submit(&r, "nap1", -1);
	ms = until_done(&r, job, 3000);
	ok(ms < 2500, "a second job on a host is not held up by other hosts "
	    "that hang (%d ms)", ms);
	fanout_free(r.f);
}

static void
test_cancel_behind(void)
{
	struct fanout_opts o;
	struct run r;
	fanout_job job;
	int ms;

	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o);
	submit(&r, "hang-run1", -1);
	usleep(50000);
	job = submit(&r, "hang-run1", -1);
	fanout_cancel(r.f, job);
	ms = until_done(&r, job, 2000);
	ok(ms < 1500, "canceled at once, though its host is busy (%d ms)", ms);
	is_int(r.last.cls, FANOUT_C_CANCELED, "class canceled");
	fanout_free(r.f);
}

static void
test_faded(void)
{
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	o.keep_sessions = true;
	run_new(&r, &o);
	submit(&r, "fade[1-5]", -1);
	fanout_run(r.f, note, &r);
	submit(&r, "fade[1-5]", -1);
	fanout_run(r.f, note, &r);
	is_int(r.classes[FANOUT_C_OK], 10, "a kept session that had died is "
	    "replaced");
	is_int(r.book.made, 10, "by a new one each");
	fanout_free(r.f);
	is_int(r.book.freed, 10, "and nothing is left");
}

/* ---- deadlines ---- */

/* The caller did not read: the host may not be blamed for its silence. */
static void
test_idle_after_held(void)
{
	struct fanout_opts o;
	struct fanout_event ev;
	struct run r;
	int fds[2], ms;
	fanout_job job;

	if (pipe2(fds, O_CLOEXEC) == -1)
		abort();
	FANOUT_OPTS_INIT(&o);
	o.idle_ms = 500;
	o.host_buffer = 4096;
	run_new(&r, &o);
	job = submit(&r, "burst1", fds[0]);
	(void)fanout_next(r.f, &ev, 1000);
	usleep(900000);
	ms = until_done(&r, job, 3000);
	is_int(r.last.cls, FANOUT_C_IDLE_TIMEOUT, "silent in the end");
	ok(ms >= 450, "but counted from when it was heard (%d ms)", ms);
	fanout_free(r.f);
	close(fds[0]);
	close(fds[1]);
}

/* ---- descriptors ---- */

static int
listener(int *fd)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(*fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(*fd, 128) == -1 ||
	    getsockname(*fd, (struct sockaddr *)&sin, &len) == -1)
		abort();
	return ntohs(sin.sin_port);
}

/* The program took the descriptors after the engine had counted them. */
static void
test_no_descriptors(void)
{
	char expr[4096] = "";
	struct rlimit rl, old;
	struct fanout_opts o;
	struct run r;
	int taken[256], n = 0, i, fd, port = listener(&fd);

	getrlimit(RLIMIT_NOFILE, &old);
	rl = old;
	rl.rlim_cur = 256;
	setrlimit(RLIMIT_NOFILE, &rl);
	FANOUT_OPTS_INIT(&o);
	o.workers = 3;
	run_new(&r, &o);
	while (n < 256 && (taken[n] = open("/dev/null",
	    O_RDONLY | O_CLOEXEC)) != -1)
		n++;
	for (i = 0; i < 6; i++)
		close(taken[--n]);
	for (i = 0; i < 100; i++)
		(void)snprintf(expr + strlen(expr), sizeof(expr) -
		    strlen(expr), "%sdial%d:%d", i > 0 ? "," : "", i, port);
	submit(&r, expr, -1);
	fanout_run(r.f, note, &r);
	is_int(r.classes[FANOUT_C_OK], 100, "100 hosts through 6 descriptors");
	fanout_free(r.f);
	while (n > 0)
		close(taken[--n]);
	close(fd);
	setrlimit(RLIMIT_NOFILE, &old);
}

/* ---- input ---- */

static void
test_bad_input(void)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	char path[] = "/tmp/t_engine_edge.XXXXXX";
	struct fanout_hosts *hosts;
	struct fanout_opts o;
	struct run r;
	fanout_job job;
	int fd;

	FANOUT_OPTS_INIT(&o);
	o.transport = "local";
	run_new(&r, &o);
	close(mkstemp(path));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	submit(&r, "h1", fd);
	fanout_run(r.f, note, &r);
	is_int(r.last.cls, FANOUT_C_LOCAL, "input that cannot be read is no "
	    "end of input: %s", r.last.text);
	close(fd);
	unlink(path);
	cmd.stdin_fd = 12345;
	fanout_hosts_new(&hosts);
	fanout_hosts_add(hosts, "h1", NULL);
	is_int(fanout_submit(r.f, hosts, &cmd, &job, NULL), FANOUT_ESYS,
	    "a bad fd, and nobody to tell why");
	fanout_hosts_free(hosts);
	fanout_free(r.f);
}

int
main(void)
{
	test_wake_race();
	test_wake_idle();
	test_free_sleeps();
	test_requeued();
	test_cancel_behind();
	test_faded();
	test_idle_after_held();
	test_no_descriptors();
	test_bad_input();
	return test_end();
}
