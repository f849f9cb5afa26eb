/*
 * proof.c - a host trusts our key once that key, and no other, has let us in.
 */
#include <stdio.h>

#include "attempt.h"
#include "setup.h"
#include "why.h"

static bool
is_installed(const struct setup *s, size_t host)
{
	return s->host[host].state == INSTALLED;
}

static bool
is_let_in_otherwise(const struct setup *s, size_t host)
{
	return s->host[host].seen && s->host[host].state == INSTALLED;
}

static void
refused(struct host *h, const struct fanout_result *r)
{
	setup_give_up(h, r);
	h->marked = true;
	h->result.cls = FANOUT_C_AUTH;
	snprintf(h->result.text, sizeof(h->result.text), "the key %s, "
	    "but is refused all the same; sshd's log there says why "
	    "(modes of the home directory, PermitRootLogin, "
	    "PubkeyAuthentication, AuthorizedKeysFile)",
	    h->changed ? "is there with its new options" :
	    h->was_there ? "was installed before" : "is installed");
}

static void
conclude(struct setup *s, const struct attempts *a, struct cli_sink *out)
{
	struct host *h;
	size_t i;

	for (i = 0; i < s->count; i++) {
		h = &s->host[i];
		switch (a->verdict[i]) {
		case ATTEMPT_LET_IN:
			h->state = TRUSTED;
			setup_tell(s, out, "trust", fanout_hosts_at(s->hosts,
			    i), "trusted now");
			break;
		case ATTEMPT_REFUSED:
			refused(h, &a->result[i]);
			break;
		case ATTEMPT_FAILED:
			if (a->result[i].cls != FANOUT_C_CANCELED)
				setup_give_up(h, &a->result[i]);
			break;
		case ATTEMPT_OTHER:
			h->seen = true;
			break;
		case ATTEMPT_NONE:
			break;
		}
	}
}

/* It is this very key that must open the door. With an agent there may be others
 * that come first; then once more without it. */
static int
prove_by(struct setup *s, bool agent)
{
	struct attempts a = { .setup = s, .key = s->key.path, .agent = agent };
	struct cli_sink out;
	int status;

	if ((status = attempts_run(&a, agent ? is_installed :
	    is_let_in_otherwise)) == 0 || status == CLI_EXIT_INTERRUPTED) {
		if (a.verdict != NULL && setup_open_sink(s, &out) == 0) {
			conclude(s, &a, &out);
			cli_sink_close(&out);
		}
	}
	attempts_clear(&a);
	return status;
}

static int
prove(struct setup *s)
{
	size_t i;
	int status;

	for (i = 0; i < s->count; i++)
		s->host[i].seen = s->host[i].marked = false;
	status = prove_by(s, true);
	return status != 0 ? status : prove_by(s, false);
}

int
setup_prove(struct setup *s)
{
	int status = prove(s);

	return status != 0 ? status : why_refused(s);
}
