/*
 * t_engine_oom.c - memory runs out at every allocation in turn.
 *
 * malloc(3) and its kin are replaced by ones that count and fail on request.
 * A small job is made, run and freed over and over: the 1st allocation fails,
 * the 2nd, ... until none was left to fail; then the same with the next four
 * failing too. Whatever happens, either a call says ENOMEM or ESYS and
 * nothing was begun, or every host gets exactly one DONE; and what the
 * program itself allocated or opened is given back.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "test.h"
#include "toy.h"

#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__) || \
    defined(__SANITIZE_THREAD__)
#define NO_OOM
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NO_OOM
#endif
#endif

#ifdef NO_OOM

int
main(void)
{
	skip(1, "malloc cannot be replaced in this build");
	return test_end();
}

#else

#define SWEEP_MAX 2000		/* a job of six hosts needs far fewer */
#define PATIENCE_MS 10000	/* a run takes some 30 ms */
#define HOSTS 10

/* ---- an allocator that fails ---- */

#define EXPORT __attribute__((__visibility__("default")))

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);
extern const char __executable_start[], etext[];

static atomic_bool armed;
static atomic_uint counted;		/* allocations since armed */
static unsigned fail_first, fail_last;

/* Of what the code linked into this program has asked for, not libraries. */
#define MINE_MAX 4096
static pthread_mutex_t mine_mu = PTHREAD_MUTEX_INITIALIZER;
static void *mine[MINE_MAX];
static size_t nmine;

static bool
failing(void)
{
	unsigned n;

	if (!atomic_load(&armed))
		return false;
	n = atomic_fetch_add(&counted, 1) + 1;
	if (n < fail_first || n > fail_last)
		return false;
	errno = ENOMEM;
	return true;
}

static void
disown(const void *p)
{
	size_t i;

	pthread_mutex_lock(&mine_mu);
	for (i = nmine; i-- > 0;)
		if (mine[i] == p) {
			mine[i] = mine[--nmine];
			break;
		}
	pthread_mutex_unlock(&mine_mu);
}

static void *
own(void *p, const void *caller)
{
	if (p == NULL || !atomic_load(&armed) ||
	    (const char *)caller < __executable_start ||
	    (const char *)caller >= etext)
		return p;
	pthread_mutex_lock(&mine_mu);
	if (nmine < MINE_MAX)
		mine[nmine++] = p;
	pthread_mutex_unlock(&mine_mu);
	return p;
}

static void *
renew(void *old, size_t size, const void *caller)
{
	void *p;

	if (failing())
		return NULL;
	/* First: once it is freed another thread may get the same address. */
	if (old != NULL)
		disown(old);
	if ((p = __libc_realloc(old, size)) == NULL)
		return NULL;
	return own(p, caller);
}

EXPORT void *
malloc(size_t size)
{
	return failing() ? NULL :
	    own(__libc_malloc(size), __builtin_return_address(0));
}

EXPORT void *
calloc(size_t n, size_t size)
{
	return failing() ? NULL :
	    own(__libc_calloc(n, size), __builtin_return_address(0));
}

EXPORT void *
realloc(void *old, size_t size)
{
	return renew(old, size, __builtin_return_address(0));
}

EXPORT void *
reallocarray(void *old, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return renew(old, all, __builtin_return_address(0));
}

EXPORT char *
strdup(const char *s)
{
	size_t len = strlen(s) + 1;
	char *p;

	if (failing() || (p = __libc_malloc(len)) == NULL)
		return NULL;
	return own(memcpy(p, s, len), __builtin_return_address(0));
}

EXPORT void
free(void *p)
{
	int saved = errno;

	if (p != NULL)
		disown(p);
	__libc_free(p);
	errno = saved;
}

/* ---- one run ---- */

struct kind {
	const char	*transport;	/* NULL: the toy */
	const char	*expr, *command, *input;
	struct {
		const char	*host;
		enum fanout_class cls;	/* when nothing fails */
	} want[HOSTS];
};

struct run {
	const struct kind *kind;
	struct fanout_hosts *hosts;
	struct fanout	*f;
	struct toy_book	 book;
	unsigned	 dones[HOSTS];
	uint64_t	 out[HOSTS];
	unsigned	 failed;	/* hosts of another class than wanted */
	bool		 refused;	/* a call said that memory ran out */
	char		 wrong[256];	/* "": nothing */
};

static void __attribute__((__format__(printf, 2, 3)))
complain(struct run *r, const char *fmt, ...)
{
	va_list ap;

	if (r->wrong[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(r->wrong, sizeof(r->wrong), fmt, ap);
	va_end(ap);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A call may fail, but only for want of memory. */
static bool
went_well(struct run *r, const char *what, int rc, const struct fanout_error *e)
{
	if (rc == 0)
		return true;
	r->refused = true;
	if (rc != FANOUT_ENOMEM && rc != FANOUT_ESYS)
		complain(r, "%s: %d: %s", what, rc, e->text);
	else if (e->text[0] == '\0')
		complain(r, "%s: no text", what);
	return false;
}

static void
judge(struct run *r, const struct fanout_event *ev)
{
	enum fanout_class cls = ev->result->cls;
	size_t i;

	r->dones[ev->host]++;
	for (i = 0; strncmp(r->kind->want[i].host, ev->name,
	    strlen(r->kind->want[i].host)) != 0; i++)
		;
	if (cls != r->kind->want[i].cls) {
		r->failed++;
		if (cls != FANOUT_C_LOCAL)
			complain(r, "%s: %s: %s", ev->name,
			    fanout_class_name(cls), ev->result->text);
		else if (ev->result->text[0] == '\0')
			complain(r, "%s: no text", ev->name);
	} else if (cls == FANOUT_C_OK && r->kind->input != NULL &&
	    r->out[ev->host] != strlen(r->kind->input))
		complain(r, "%s: ok, but of %zu bytes only %llu came",
		    ev->name, strlen(r->kind->input),
		    (unsigned long long)r->out[ev->host]);
}

/* What could not be taken for want of memory may be said again. */
static void
answer(struct run *r, uint64_t ask)
{
	int rc, i;

	for (i = 0; i < 10; i++)
		if ((rc = fanout_answer(r->f, ask, "right")) != FANOUT_ENOMEM)
			break;
	if (rc != 0)
		complain(r, "answer: %d", rc);
}

static void
drain(struct run *r)
{
	int64_t until = now_ms() + PATIENCE_MS;
	struct fanout_event ev;
	size_t i, n = fanout_hosts_count(r->hosts);
	int rc;

	while ((rc = fanout_next(r->f, &ev, 1000)) >= 0 && now_ms() < until)
		if (rc == 1 && ev.kind == FANOUT_EV_OUT)
			r->out[ev.host] += ev.len;
		else if (rc == 1 && ev.kind == FANOUT_EV_DONE)
			judge(r, &ev);
		else if (rc == 1 && ev.kind == FANOUT_EV_ASK)
			answer(r, ev.ask->id);
	if (rc != FANOUT_EIDLE)
		complain(r, "not over after %d ms: %d", PATIENCE_MS, rc);
	for (i = 0; i < n; i++)
		if (r->dones[i] != 1)
			complain(r, "%s: %u times done",
			    fanout_hosts_at(r->hosts, i), r->dones[i]);
}

/* From nothing to nothing. */
static void
live(struct run *r, int in)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_error e = { .code = 0 };
	struct fanout_opts o;
	fanout_job job;
	int rc;

	FANOUT_OPTS_INIT(&o);
	o.workers = 2;
	o.can_answer = FANOUT_CAN_ANSWER(FANOUT_ASK_PASSWORD) |
	    FANOUT_CAN_ANSWER(FANOUT_ASK_PASSPHRASE);
	o.transport = r->kind->transport;
	if (o.transport == NULL) {
		o.custom = &toy_transport;
		o.custom_config = &r->book;
	}
	cmd.command = r->kind->command;
	cmd.stdin_fd = in;
	if ((rc = fanout_hosts_new(&r->hosts)) != 0) {
		r->refused = true;
		if (rc != FANOUT_ENOMEM)
			complain(r, "hosts_new: %d", rc);
	} else if (went_well(r, "hosts_add",
	    fanout_hosts_add(r->hosts, r->kind->expr, &e), &e) &&
	    went_well(r, "new", fanout_new(&r->f, &o, &e), &e)) {
		if (went_well(r, "submit",
		    fanout_submit(r->f, r->hosts, &cmd, &job, &e), &e))
			drain(r);
		else if (fanout_next(r->f, &(struct fanout_event){ 0 }, 0) !=
		    FANOUT_EIDLE)
			complain(r, "refused, but there is a job");
	}
	fanout_free(r->f);
	fanout_hosts_free(r->hosts);
}

static unsigned
descriptors(void)
{
	unsigned n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static size_t
left_over(void)
{
	size_t n;

	pthread_mutex_lock(&mine_mu);
	n = nmine;
	pthread_mutex_unlock(&mine_mu);
	return n;
}

static int
input(const char *text)
{
	int fd[2];

	if (text == NULL)
		return -1;
	if (pipe(fd) == -1 ||
	    write(fd[1], text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd[1]);
	return fd[0];
}

/* How many allocations there were. */
static unsigned
run(struct run *r, const struct kind *kind, unsigned first, unsigned last)
{
	int in = input(kind->input), i;
	unsigned had = descriptors();

	memset(r, 0, sizeof(*r));
	r->kind = kind;
	fail_first = first;
	fail_last = last;
	nmine = 0;
	atomic_store(&counted, 0);
	atomic_store(&armed, true);
	live(r, in);
	/* A look-up thread may be on its way out still. */
	for (i = 0; i < 2000 && left_over() > 0; i++)
		usleep(1000);
	atomic_store(&armed, false);
	if (left_over() > 0)
		complain(r, "%zu allocations leaked", left_over());
	if (descriptors() != had)
		complain(r, "%u descriptors, were %u", descriptors(), had);
	if (atomic_load(&r->book.made) != atomic_load(&r->book.freed))
		complain(r, "peers: %d made, %d freed",
		    atomic_load(&r->book.made), atomic_load(&r->book.freed));
	if (in != -1)
		close(in);
	return atomic_load(&counted);
}

/* ---- all of them ---- */

static void
sweep(const char *what, const struct kind *kind, unsigned more)
{
	unsigned n, wrong = 0, felt = 0;
	struct run r;

	run(&r, kind, 0, 0);
	ok(!r.refused && r.failed == 0 && r.wrong[0] == '\0',
	    "%s with all the memory it wants: %s", what, r.wrong);
	for (n = 1; n < SWEEP_MAX; n++) {
		alarm(60);
		if (run(&r, kind, n, n + more) < n)
			break;
		felt += r.refused || r.failed > 0;
		if (r.wrong[0] == '\0')
			continue;
		wrong++;
		printf("# %s, allocation %u: %s\n", what, n, r.wrong);
		fflush(stdout);
	}
	is_int(wrong, 0, "%s, %u at a time: nothing goes wrong", what,
	    more + 1);
	ok(n > 20 && n < SWEEP_MAX, "%s: %u allocations were made to fail",
	    what, n - 1);
	ok(felt > n / 4, "%s: %u of these were felt", what, felt);
}

/* A port that refuses: bound, so that nobody else can listen there. */
static unsigned
refusing(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, len) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		abort();
	return ntohs(sin.sin_port);
}

int
main(void)
{
	static char expr[128];
	static const struct kind toy = {
		.expr = expr, .command = "x", .want = {
		{ "ok", FANOUT_C_OK }, { "exit7", FANOUT_C_EXIT },
		{ "slow", FANOUT_C_OK }, { "fail", FANOUT_C_REMOTE },
		{ "bad-plan", FANOUT_C_LOCAL }, { "dial", FANOUT_C_REFUSED },
		{ "ask", FANOUT_C_OK }, { "key", FANOUT_C_OK },
		{ "via", FANOUT_C_OK } }
	};
	static const struct kind local = {
		.transport = "local", .expr = "n[1-6]", .command = "cat",
		.input = "hi\n", .want = { { "n", FANOUT_C_OK } }
	};

	(void)fanout_version();		/* what is done once a process */
	(void)snprintf(expr, sizeof(expr),
	    "ok1,exit7,slow1,fail1,bad-plan1,ask1,key1,"
	    "via_carry1_ok[1-2],dial1:%u", refusing());
	sweep("toy", &toy, 0);
	sweep("toy", &toy, 4);
	sweep("local", &local, 0);
	sweep("local", &local, 4);
	return test_end();
}

#endif
