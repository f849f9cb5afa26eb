#include <libssh2.h>

#include <stdio.h>

#include "sess.h"
#include "shared.h"
#include "ssh2.h"

void
ssh2_init(void)
{
	(void)libssh2_init(0);
}

const char *
ssh2_library(void)
{
	return libssh2_version(0);
}

bool
ssh2_cannot(const struct fanout_result *r)
{
	return r->cls == FANOUT_C_ALGORITHM || r->lib_err == SSH2_CANNOT;
}

bool
ssh2_any_algorithm(const struct fanout_plan *plan)
{
	const struct hostplan *hp = plan->priv;

	return hp != NULL && hp->conf.ciphers == NULL && hp->conf.kex == NULL;
}

const struct fanout_transport fo_transport_ssh2 = {
	.size = sizeof(struct fanout_transport),
	.name = "ssh2",
	.descriptors = 2,	/* the socket, and an agent's while it signs */
	.open = shared_open,
	.close_all = shared_close,
	.plan = shared_plan,
	.plan_free = shared_plan_free,
	.peer_new = sess_new,
	.start = sess_start,
	.step = sess_step,
	.cancel = sess_cancel,
	.close = sess_close,
	.free = sess_free,
	.explain = shared_explain
};
