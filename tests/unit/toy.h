/*
 * toy.h - a transport for tests of the engine, written against
 * fanout_transport.h as any third party would. A host's name says how it
 * behaves:
 *
 *	ok*          one task after the other is fine
 *	exit7*       ends with status 7
 *	slow*        works for 20 ms
 *	hang-plan*   its plan takes 400 ms
 *	hang-kex*    never gets through the login
 *	hang-run*    never says anything in its command
 *	talk*        says something every 20 ms, for ever
 *	mute-close*  does not end when it is told to
 *	no-peer*     cannot be made (out of memory)
 *	fail*        fails with class remote and a text of control characters
 *	watch*       fails when its connection ends
 *	vanish*      the session closes in mid-task without a word
 *	nap*         works for 300 ms
 *	burst*       says all there is room for, waits for input, never ends
 *	echo*        says what its input says, to the end of it
 *	tell*        says its command
 *	stay*        as hang-run, and tells its fate when canceled
 *	fade*        its session is dead when it gets a second task
 *	dialN:PORT   as tcp:PORT
 *	tcp:PORT     connects to 127.0.0.1 PORT first, then ok
 *	bad-plan*    its plan fails
 *	again*       fails the first way, the second is fine
 *	redialN:PORT as tcp:PORT, and if that fails without network
 *	via_C_NAME   is reached through the host C, then as NAME. C carries, if
 *	             it is called carry*; jam* does, but opens no way; drop* opens
 *	             them and fails when it is told to (book.drop); others are
 *	             as above. A NAME that begins with "no-way" is refused,
 *	             one with "redo" needs C no more when that failed.
 *	ask*         asks its password, which is "right"; asks again once
 *	key*         asks for one passphrase with all others, which toy_check
 *	             takes its time to find right
 */
#ifndef TOY_H
#define TOY_H

#include <sys/socket.h>

#include <netinet/in.h>

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fanout_transport.h"

struct toy_book {
	atomic_int	made, freed;	/* peers */
	atomic_int	now, most;	/* tasks in flight */
	atomic_int	unblocked;	/* a worker with a signal not blocked */
	atomic_int	closed;		/* told to close */
	atomic_int	checks;		/* of the passphrase */
	int		check_ms;	/* how long one takes */
	atomic_int	carriers;	/* tasks to carry */
	atomic_int	open;		/* ways opened */
	atomic_bool	drop;		/* drop* fail now */
};

struct toy {
	struct toy_book	*book;
	struct fanout_io *io;
	const char	*host;
	int		 fd;
	const char	*command;
	int		 turns, tasks;
	unsigned	 asked;
	bool		 carry;
	int		 way[256], ways;
	bool		 busy, canceled, closing;
	unsigned	 round;
};

static bool
toy_is(const struct toy *t, const char *what)
{
	return strncmp(t->host, what, strlen(what)) == 0;
}

static int
toy_open(void **shared, void *config, const struct fanout_opts *o,
    struct fanout_error *e)
{
	(void)o;
	(void)e;
	*shared = config;
	return 0;
}

static void
toy_close_all(void *shared)
{
	(void)shared;
}

static int
toy_plan(void *shared, const char *host, struct fanout_plan *plan,
    struct fanout_result *why)
{
	(void)shared;
	if (strncmp(host, "hang-plan", 9) == 0)
		usleep(400000);
	if (strncmp(host, "bad-plan", 8) == 0) {
		why->cls = FANOUT_C_LOCAL;
		(void)snprintf(why->text, sizeof(why->text), "no plan");
		return -1;
	}
	if (strncmp(host, "via_", 4) == 0) {
		if (plan->round > 0)
			return 0;
		plan->via = strndup(host + 4, strcspn(host + 4, "_"));
		plan->address = strdup(strrchr(host, '_') + 1);
		plan->port = 1;
		if (plan->via != NULL && plan->address != NULL)
			return 0;
		why->cls = FANOUT_C_LOCAL;
		(void)snprintf(why->text, sizeof(why->text), "out of memory");
		return -1;
	}
	if (strncmp(host, "redial", 6) == 0) {
		plan->priv = why;	/* its mark, never looked into */
		if (plan->round > 0)
			return 0;
	}
	if (strncmp(host, "redial", 6) == 0 || strncmp(host, "tcp:", 4) == 0 || strncmp(host, "dial", 4) == 0) {
		plan->address = strdup("127.0.0.1");
		plan->port = (unsigned)strtoul(strchr(host, ':') + 1, NULL,
		    10);
	} else if (strncmp(host, "name:", 5) == 0) {
		plan->address = strdup(host + 5);
		plan->port = 9;
	} else
		return 0;
	if (plan->address == NULL) {
		why->cls = FANOUT_C_LOCAL;
		(void)snprintf(why->text, sizeof(why->text), "out of memory");
		return -1;
	}
	return 0;
}

static void *
toy_new(void *shared, struct fanout_io *io, const char *host,
    const struct fanout_plan *plan, int fd)
{
	struct toy *t;

	if (strncmp(host, "no-peer", 7) == 0 ||
	    (t = calloc(1, sizeof(*t))) == NULL) {
		if (fd != -1)
			close(fd);
		return NULL;
	}
	t->book = shared;
	t->io = io;
	t->host = strncmp(host, "via_", 4) == 0 && !plan->carries ?
	    strrchr(host, '_') + 1 : host;
	t->fd = fd;
	t->round = plan->round;
	atomic_fetch_add(&t->book->made, 1);
	fanout_io_stage(io, FANOUT_S_KEX);
	return t;
}

static void
toy_start(void *peer, const struct fanout_task *task)
{
	struct toy *t = peer;
	sigset_t set;
	int n;

	t->command = task->command;
	t->carry = task->carry;
	if (t->carry)
		atomic_fetch_add(&t->book->carriers, 1);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	if (!sigismember(&set, SIGINT) || !sigismember(&set, SIGUSR1))
		atomic_store(&t->book->unblocked, 1);
	n = atomic_fetch_add(&t->book->now, 1) + 1;
	if (n > atomic_load(&t->book->most))
		atomic_store(&t->book->most, n);
	t->turns = 0;
	t->tasks++;
	t->busy = true;
}

static enum fanout_verdict
toy_done(struct toy *t)
{
	t->busy = false;
	atomic_fetch_sub(&t->book->now, 1);
	return FANOUT_DONE;
}

static void
toy_burst(struct toy *t)
{
	static const char bytes[65536];
	char in[16];
	size_t room = fanout_io_room(t->io);

	if (room > sizeof(bytes))
		room = sizeof(bytes);
	if (t->turns++ == 0)
		(void)fanout_io_emit(t->io, FANOUT_EV_OUT, bytes, room);
	(void)fanout_io_room(t->io);
	(void)fanout_io_input(t->io, in, sizeof(in));
}

static enum fanout_verdict
toy_echo(struct toy *t)
{
	char buf[10000];
	size_t room;
	ssize_t n;

	while ((room = fanout_io_room(t->io)) > 0) {
		n = fanout_io_input(t->io, buf, room < sizeof(buf) ? room :
		    sizeof(buf));
		if (n <= 0)
			return n == 0 ? toy_done(t) : FANOUT_WAIT;
		(void)fanout_io_emit(t->io, FANOUT_EV_OUT, buf, (size_t)n);
	}
	return FANOUT_WAIT;
}

static enum fanout_verdict
toy_run(struct toy *t)
{
	struct fanout_result *r = fanout_io_result(t->io);

	if (toy_is(t, "echo"))
		return toy_echo(t);
	if (toy_is(t, "tell")) {
		(void)fanout_io_emit(t->io, FANOUT_EV_OUT, t->command,
		    strlen(t->command));
		return toy_done(t);
	}

	r->status = 0;
	if (toy_is(t, "exit7")) {
		r->cls = FANOUT_C_EXIT;
		r->status = 7;
	} else if (toy_is(t, "fail")) {
		fanout_io_fail(t->io, FANOUT_C_REMOTE, 28, -7, "%s",
		    "no\033[2J space\n");
	} else if (toy_is(t, "again") && t->round == 0) {
		fanout_io_fail(t->io, FANOUT_C_REMOTE, 4242, 0, "not so");
		return toy_done(t);
	} else if (toy_is(t, "watch")) {
		char c;

		/* Until the other end of its stream is gone. */
		fanout_io_watch(t->io, 0, t->fd, POLLIN);
		if (recv(t->fd, &c, 1, MSG_DONTWAIT) != 0)
			return FANOUT_WAIT;
		fanout_io_watch(t->io, 0, -1, 0);
		fanout_io_fail(t->io, FANOUT_C_LOST, 0, 0, "end of file");
	} else if (toy_is(t, "vanish")) {
		atomic_fetch_sub(&t->book->now, 1);
		t->busy = false;
		return FANOUT_CLOSED;
	} else if (toy_is(t, "hang-run") || toy_is(t, "stay"))
		return FANOUT_WAIT;
	else if (toy_is(t, "talk")) {
		(void)fanout_io_emit(t->io, FANOUT_EV_OUT, "x\n", 2);
		fanout_io_timer(t->io, 20);
		return FANOUT_WAIT;
	} else if (toy_is(t, "slow") && t->turns++ == 0) {
		fanout_io_timer(t->io, 20);
		return FANOUT_WAIT;
	} else if (toy_is(t, "nap") && t->turns++ == 0) {
		fanout_io_timer(t->io, 300);
		return FANOUT_WAIT;
	} else if (toy_is(t, "burst")) {
		toy_burst(t);
		return FANOUT_WAIT;
	}
	(void)fanout_io_emit(t->io, FANOUT_EV_OUT, "hello\n", 6);
	return toy_done(t);
}

static int
toy_check(void *arg, const char *answer)
{
	struct toy_book *book = arg;

	atomic_fetch_add(&book->checks, 1);
	usleep((useconds_t)book->check_ms * 1000);
	return strcmp(answer, "right") == 0 ? 0 :
	    strcmp(answer, "useless") == 0 ? -1 : 1;
}

static int
toy_ask(struct toy *t)
{
	struct fanout_ask ask = { .attempt = ++t->asked };

	if (toy_is(t, "key")) {
		ask.kind = FANOUT_ASK_PASSPHRASE;
		ask.path = "/toy\n/key";
		return fanout_io_ask_once(t->io, &ask, "toy", toy_check,
		    t->book);
	}
	ask.kind = FANOUT_ASK_PASSWORD;
	ask.prompt = "pass\033word:";
	ask.user = "me";
	return fanout_io_ask(t->io, &ask);
}

/* 1: on with it; 0: wait; -1: failed. */
static int
toy_login(struct toy *t)
{
	const char *text = "nobody to ask";
	int rc;

	if (t->turns > 0 || (!toy_is(t, "ask") && !toy_is(t, "key")))
		return 1;
	fanout_io_stage(t->io, FANOUT_S_AUTH);
	if (t->asked == 0 && toy_ask(t) == -1) {
		rc = -1;
		if (fanout_io_can_ask(t->io, FANOUT_ASK_PASSWORD))
			text = "out of memory";
	} else
		rc = fanout_io_answer(t->io, &text);
	if (rc == 1 && text != NULL && strcmp(text, "right") != 0 &&
	    t->asked < 2 && toy_ask(t) == 0)
		return 0;
	if (rc == -1)
		fanout_io_fail(t->io, strcmp(text, "out of memory") == 0 ?
		    FANOUT_C_LOCAL : FANOUT_C_AUTH, 0, 0, "%s", text);
	else if (rc == 1 && text != NULL && strcmp(text, "right") != 0) {
		fanout_io_fail(t->io, FANOUT_C_AUTH, 0, 0, "wrong twice");
		rc = -1;
	}
	if (rc != 0)
		fanout_io_forget(t->io);
	return rc;
}

static enum fanout_verdict
toy_carry(struct toy *t)
{
	struct fanout_ride *r;
	const char *to;
	unsigned port;

	fanout_io_stage(t->io, FANOUT_S_RUN);
	if (toy_is(t, "drop") && atomic_load(&t->book->drop)) {
		fanout_io_fail(t->io, FANOUT_C_LOST, 0, 0, "dropped");
		return toy_done(t);
	}
	if (toy_is(t, "drop"))
		fanout_io_timer(t->io, 10);
	while (!toy_is(t, "jam") &&
	    (r = fanout_io_ride(t->io, &to, &port)) != NULL)
		if (strncmp(to, "no-way", 6) == 0 || t->ways == 256)
			fanout_io_ride_fail(t->io, r, FANOUT_C_REFUSED, 0,
			    "no way");
		else if ((t->way[t->ways] = fanout_io_ride_open(t->io,
		    r)) != -1) {
			t->ways++;
			atomic_fetch_add(&t->book->open, 1);
		}
	return FANOUT_WAIT;
}

static enum fanout_verdict
toy_step(void *peer)
{
	struct toy *t = peer;

	if (toy_is(t, "mute-close") && (t->canceled || t->closing))
		return FANOUT_WAIT;
	if (t->closing)
		return FANOUT_CLOSED;
	if (!t->busy)
		return FANOUT_WAIT;
	if (t->canceled && toy_is(t, "stay"))
		fanout_io_fate(t->io, FANOUT_F_RUNNING, 42, "pid 42\033");
	if (t->canceled)
		return toy_done(t);
	if (toy_is(t, "hang-kex"))
		return FANOUT_WAIT;
	if (toy_is(t, "fade") && t->tasks == 2)
		return FANOUT_CLOSED;
	switch (toy_login(t)) {
	case 0:
		return FANOUT_WAIT;
	case -1:
		return toy_done(t);
	}
	if (t->carry && (toy_is(t, "carry") || toy_is(t, "jam") ||
	    toy_is(t, "drop")))
		return toy_carry(t);
	if (t->turns == 0)
		fanout_io_stage(t->io, FANOUT_S_RUN);
	return toy_run(t);
}

static void
toy_cancel(void *peer)
{
	((struct toy *)peer)->canceled = true;
}

static void
toy_close(void *peer)
{
	struct toy *t = peer;

	t->closing = true;
	atomic_fetch_add(&t->book->closed, 1);
}

static void
toy_free(void *peer)
{
	struct toy *t = peer;

	if (t->busy)
		atomic_fetch_sub(&t->book->now, 1);
	if (t->fd != -1)
		close(t->fd);
	while (t->ways > 0)
		close(t->way[--t->ways]);
	atomic_fetch_add(&t->book->freed, 1);
	free(t);
}

static bool
toy_again(void *shared, const struct fanout_plan *plan,
    const struct fanout_result *r)
{
	(void)shared;
	if (plan->via != NULL && plan->address != NULL)
		return plan->round == 0 &&
		    strncmp(plan->address, "redo", 4) == 0;
	return plan->round == 0 && (r->sys_errno == 4242 ||
	    (r->cls == FANOUT_C_REFUSED && plan->priv != NULL));
}

static const struct fanout_transport toy_transport = {
	.size = sizeof(struct fanout_transport),
	.name = "toy",
	.descriptors = 1,
	.open = toy_open,
	.close_all = toy_close_all,
	.plan = toy_plan,
	.peer_new = toy_new,
	.start = toy_start,
	.step = toy_step,
	.cancel = toy_cancel,
	.close = toy_close,
	.free = toy_free,
	.again = toy_again
};

#endif
