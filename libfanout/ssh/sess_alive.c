/*
 * sess_alive.c - ServerAliveInterval: a silent server is asked whether it is
 * still there, and given up when it does not say.
 */
#include <poll.h>

#include "base/clock.h"
#include "sess.h"

/* libssh2 does not send them nearer together, seconds. */
#define ALIVE_MIN 2

/* None while another packet is on its way or the socket is full. */
bool
sess_may_probe(const struct sess *s)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLOUT };

	return s->pending == PEND_NONE && s->rest == NULL && poll(&pfd, 1, 0) == 1 &&
	    (pfd.revents & POLLOUT) != 0;
}

static void
probe(struct sess *s)
{
	int next;

	if (!sess_may_probe(s))
		return;
	libssh2_keepalive_config(s->ssh, 1, ALIVE_MIN);
	(void)libssh2_keepalive_send(s->ssh, &next);
}

enum sess_res
sess_alive(struct sess *s)
{
	int64_t now, silent, every = s->plan->conf.alive_ms;
	int most = s->plan->conf.alive_max;

	if (every <= 0)
		return RES_NEXT;
	if (every < ALIVE_MIN * 1000)
		every = ALIVE_MIN * 1000;
	now = fo_now();
	/* While we do not read it may have said anything. */
	if (s->alive.came != s->came || s->alive.at == 0 || s->held) {
		s->alive.came = s->came;
		s->alive.at = now;
		s->alive.probes = 0;
	}
	silent = now - s->alive.at;
	if (silent >= every * (s->alive.probes + 1)) {
		if (s->alive.probes >= most)
			return sess_fail(s, FANOUT_C_LOST, "the server has "
			    "been silent for %lld s, probed %d time%s",
			    (long long)silent / 1000, most,
			    most == 1 ? "" : "s");
		probe(s);
		s->alive.probes++;
	}
	fanout_io_timer(s->io, (int)(every * (s->alive.probes + 1) - silent));
	return RES_NEXT;
}
