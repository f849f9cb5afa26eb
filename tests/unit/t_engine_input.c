/*
 * t_engine_input.c - a host's own standard input and command; what becomes of
 * a command that is given up.
 */
#include <fcntl.h>

#include "enginerun.h"

struct talk {
	struct fanout	*f;
	fanout_job	 job;
	size_t		 want;		/* bytes to write to each host */
	size_t		*written, *read;
	bool		 end;
	unsigned	 wrong, rooms, late;
	bool		*over;
};

/* Byte i of host h. */
static unsigned char
byte_at(size_t h, size_t i)
{
	return (unsigned char)(i * 31 + h * 7 + i / 251);
}

static void
write_more(struct talk *k, size_t h)
{
	unsigned char buf[5000];
	size_t i, n;
	ssize_t took;

	while (k->written[h] < k->want) {
		n = k->want - k->written[h];
		if (n > sizeof(buf))
			n = sizeof(buf);
		for (i = 0; i < n; i++)
			buf[i] = byte_at(h, k->written[h] + i);
		if ((took = fanout_write(k->f, k->job, h, buf, n)) < 0)
			abort();
		k->written[h] += (size_t)took;
		if ((size_t)took < n)
			return;
	}
	if (k->end && fanout_write_end(k->f, k->job, h) != 0)
		abort();
}

static int
on_event(const struct fanout_event *ev, void *arg)
{
	struct talk *k = arg;
	const unsigned char *p = ev->data;
	size_t i;

	k->late += k->over[ev->host];
	switch (ev->kind) {
	case FANOUT_EV_ROOM:
		k->rooms++;
		/* fall through */
	case FANOUT_EV_START:
		write_more(k, ev->host);
		break;
	case FANOUT_EV_OUT:
		for (i = 0; i < ev->len; i++)
			k->wrong += p[i] != byte_at(ev->host,
			    k->read[ev->host]++);
		break;
	case FANOUT_EV_DONE:
		k->over[ev->host] = true;
		break;
	default:
		break;
	}
	return 0;
}

static void
talk_new(struct talk *k, struct run *r, size_t want)
{
	memset(k, 0, sizeof(*k));
	k->f = r->f;
	k->want = want;
	k->end = true;
	k->written = calloc(r->n, sizeof(*k->written));
	k->read = calloc(r->n, sizeof(*k->read));
	k->over = calloc(r->n, sizeof(*k->over));
}

static void
talk_free(struct talk *k)
{
	free(k->written);
	free(k->read);
	free(k->over);
}

/* More than fits at once: what is written comes back whole, in order. */
static void
test_streams(const char *transport, const char *expr, const char *command)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_opts o;
	struct talk k;
	struct run r;
	size_t h, good = 0;

	FANOUT_OPTS_INIT(&o);
	o.transport = transport;
	o.workers = 2;
	o.window = 5;
	run_new(&r, &o, expr);
	talk_new(&k, &r, 700001);
	cmd.command = command;
	cmd.own_input = true;
	is_int(fanout_submit(r.f, r.hosts, &cmd, &k.job, NULL), 0, "submit");
	is_int(fanout_run(r.f, on_event, &k), 0, "run");
	for (h = 0; h < r.n; h++)
		good += k.read[h] == k.want;
	is_int(good, (long)r.n, "all bytes of all hosts come back");
	is_int(k.wrong, 0, "and none is wrong");
	ok(k.rooms >= r.n, "room is told (%u times)", k.rooms);
	is_int(k.late, 0, "never after the end");
	is_int(fanout_write(r.f, k.job, 0, "x", 1), FANOUT_EIDLE,
	    "a job that is over takes no input");
	talk_free(&k);
	run_free(&r);
}

/* Writer and reader at full speed, the one as often in front as the other. */
static void
test_pace(void)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	static char piece[128 * 1024];
	struct fanout_opts o;
	struct fanout_event ev;
	size_t left = (size_t)200 * 1024 * 1024;
	struct run r;
	fanout_job job;
	ssize_t n;
	int rc, stuck = 0, events = 0;

	FANOUT_OPTS_INIT(&o);
	o.transport = "local";
	run_new(&r, &o, "h1");
	cmd.command = "cat >/dev/null";
	cmd.own_input = true;
	fanout_submit(r.f, r.hosts, &cmd, &job, NULL);
	while ((rc = fanout_next(r.f, &ev, 5000)) >= 0) {
		if (rc == 0 && ++stuck > 0)
			break;
		if (ev.kind != FANOUT_EV_START && ev.kind != FANOUT_EV_ROOM)
			continue;
		do {
			n = fanout_write(r.f, job, 0, piece,
			    left < sizeof(piece) ? left : sizeof(piece));
			left -= n > 0 ? (size_t)n : 0;
		} while (left > 0 && n == (ssize_t)sizeof(piece));
		if (left == 0)
			fanout_write_end(r.f, job, 0);
		/* Time to read it all before we ask for the next event. */
		if (events++ < 20)
			usleep(2000);
	}
	is_int(stuck, 0, "200 MiB at full speed");
	is_int((long)left, 0, "all of them");
	run_free(&r);
}

/* The same many at a time, starting and ending. */
static void
test_many(void)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_opts o;
	struct talk k;
	struct run r;
	size_t h, good = 0;

	FANOUT_OPTS_INIT(&o);
	o.workers = 3;
	run_new(&r, &o, "echo[1-500]");
	talk_new(&k, &r, 3000);
	cmd.command = "x";
	cmd.own_input = true;
	fanout_submit(r.f, r.hosts, &cmd, &k.job, NULL);
	fanout_run(r.f, on_event, &k);
	for (h = 0; h < r.n; h++)
		good += k.read[h] == k.want;
	is_int(good, 500, "500 hosts with inputs of their own");
	is_int(k.wrong, 0, "not one byte astray");
	talk_free(&k);
	run_free(&r);
}

/* First what is the host's own, then what is for all. */
static void
test_own_then_shared(void)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_opts o;
	struct run r;
	fanout_job job;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1 || write(fds[1], "shared", 6) != 6)
		abort();
	close(fds[1]);
	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o, "echo[1-3]");
	cmd.command = "x";
	cmd.own_input = true;
	cmd.stdin_fd = fds[0];
	fanout_submit(r.f, r.hosts, &cmd, &job, NULL);
	is_int(fanout_write(r.f, job, 0, "mine ", 5), 5, "before its turn");
	is_int(fanout_write_end(r.f, job, 0), 0, "end");
	is_int(fanout_write_end(r.f, job, 1), 0, "nothing of its own");
	is_int(fanout_write(r.f, job, 1, "x", 1), FANOUT_EIDLE,
	    "nothing after the end");
	is_int(fanout_write(r.f, job, 2, "mine", 4), 4, "the third");
	is_int(fanout_write_stop(r.f, job, 2), 0, "nothing else for it");
	is_int(fanout_write(r.f, job, 3, "x", 1), FANOUT_EIDLE, "no such host");
	is_int(fanout_write(r.f, job + 7, 0, "x", 1), FANOUT_EIDLE,
	    "no such job");
	fanout_run(r.f, note, &r);
	is_int((long)r.seen[0].out, 11, "both");
	is_int((long)r.seen[1].out, 6, "only what is for all");
	is_int((long)r.seen[2].out, 4, "only its own");
	is_int((long)r.seen[0].result.in_bytes, 11, "counted together");
	run_free(&r);
	close(fds[0]);
}

/* A host that is never written to can be canceled, or passes its deadline. */
static void
test_mute(void)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	o.command_ms = 100;
	run_new(&r, &o, "echo1,ok1");
	cmd.command = "x";
	cmd.own_input = true;
	fanout_submit(r.f, r.hosts, &cmd, NULL, NULL);
	fanout_run(r.f, note, &r);
	is_int(r.seen[0].result.cls, FANOUT_C_COMMAND_TIMEOUT, "waits in vain");
	is_int(r.seen[1].result.cls, FANOUT_C_OK, "who reads none is ok");
	run_free(&r);
}

/* Freed with bytes unread, an event on its way and a writer that waits. */
static void
test_free_early(void)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	static char block[300000];
	struct fanout_opts o;
	struct run r;
	fanout_job job;
	size_t h;

	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o, "echo[1-20]");
	cmd.command = "x";
	cmd.own_input = true;
	fanout_submit(r.f, r.hosts, &cmd, &job, NULL);
	for (h = 0; h < r.n; h++)
		(void)fanout_write(r.f, job, h, block, sizeof(block));
	usleep(20000);
	run_free(&r);
	ok(true, "an engine freed in the middle of it");
}

static void
test_commands(void)
{
	const char *commands[] = { "one", "two and", "three" };
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	run_new(&r, &o, "tell[1-3]");
	cmd.commands = commands;
	fanout_submit(r.f, r.hosts, &cmd, NULL, NULL);
	memset(commands, 0, sizeof(commands));
	fanout_run(r.f, note, &r);
	is_int((long)(r.seen[0].out * 100 + r.seen[1].out * 10 +
	    r.seen[2].out), 375, "a command for each");
	run_free(&r);
}

static void
test_fate(void)
{
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	o.command_ms = 50;
	o.close_ms = 200;
	o.grace_ms = 0;
	run_new(&r, &o, "stay1,hang-run1,hang-kex1");
	o.login_ms = 100;
	run_free(&r);
	run_new(&r, &o, "stay1,hang-run1,hang-kex1");
	run_submit(&r, "x", -1);
	fanout_run(r.f, note, &r);
	is_int(r.seen[0].result.fate, FANOUT_F_RUNNING, "its fate is told");
	is_int(r.seen[0].result.pid, 42, "with a pid");
	is_str(r.seen[0].result.text, "the command took more than 0.05 s; "
	    "still running (pid 42^[)", "and in words");
	is_int(r.seen[0].result.cls, FANOUT_C_COMMAND_TIMEOUT, "the class is "
	    "what it was");
	is_int(r.seen[1].result.fate, FANOUT_F_UNKNOWN, "not told: unknown");
	is_int(r.seen[2].result.fate, FANOUT_F_NONE, "nothing was begun");
	run_free(&r);
}

/* What a local command started is gone with it. */
static void
test_local_group(void)
{
	struct fanout_opts o;
	struct run r;

	FANOUT_OPTS_INIT(&o);
	o.transport = "local";
	o.command_ms = 100;
	o.grace_ms = 200;
	run_new(&r, &o, "h1,h2");
	run_submit(&r, "test $FANOUT_HOST = h1 || trap '' TERM; "
	    "(trap '' TERM; sleep 30; sleep 30) & sleep 30; sleep 30", -1);
	fanout_run(r.f, note, &r);
	is_int((long)run_count(&r, FANOUT_C_COMMAND_TIMEOUT), 2, "both late");
	is_int(r.seen[0].result.fate, FANOUT_F_KILLED, "%s",
	    r.seen[0].result.text);
	is_int(r.seen[1].result.fate, FANOUT_F_KILLED, "%s",
	    r.seen[1].result.text);
	run_free(&r);
}

int
main(void)
{
	test_streams(NULL, "echo[1-12]", "x");
	test_streams("local", "h[1-6]", "cat");
	test_pace();
	test_many();
	test_own_then_shared();
	test_mute();
	test_free_early();
	test_commands();
	test_fate();
	test_local_group();
	return test_end();
}
