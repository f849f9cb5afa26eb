/*
 * verify.c - who can log in where, without a password and without a change.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attempt.h"
#include "modes.h"
#include "why.h"

/* Without anything to ask about: a host key that is not known is refused. */
static bool
on_event(void *ctx, struct fanout_event *ev, struct cli_sink *out)
{
	struct setup *s = ctx;
	struct host *h;

	if (ev->kind != FANOUT_EV_DONE)
		return false;
	h = &s->host[s->map[ev->host]];
	if (setup_answered(ev->result)) {
		h->state = TRUSTED;
		if (s->c->mode == SETUP_VERIFY && !s->c->mutual &&
		    s->c->hub == NULL)
			setup_tell(s, out, "trust", ev->name, "trusted");
	} else
		setup_give_up(h, ev->result);
	h->marked = ev->result->cls == FANOUT_C_AUTH;
	return false;
}

int
setup_log_in(struct setup *s)
{
	const struct cli_extra extra = { .event = on_event, .ctx = s };
	const char *own[SETUP_BY_KEYS + 1] = { "StrictHostKeyChecking=yes" };
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct cli_ask ask = CLI_ASK_INIT;
	const struct cli_run like = { .cmd = &cmd, .ask = &ask,
	    .extra = &extra };
	struct fanout_opts opts = s->opts;
	struct fanout_error e;

	setup_by_keys(s, own + 1);
	opts.can_answer = 0;
	if (cli_ask_open(&ask, &opts, &e) != 0)
		return CLI_EXIT_USAGE;
	opts.can_answer &= ~FANOUT_CAN_ANSWER(FANOUT_ASK_HOSTKEY);
	return setup_part(s, setup_is_new, &like, own, opts);
}

/* With --key it is that very key. */
static int
try_key(struct setup *s)
{
	struct attempts a = { .setup = s, .key = s->key.path };
	struct cli_sink out;
	bool here = access(s->key.path, F_OK) == 0;
	struct host *h;
	size_t i;
	int status;

	if ((status = attempts_run(&a, setup_is_new)) != 0 ||
	    (status = setup_open_sink(s, &out)) != 0) {
		attempts_clear(&a);
		return status;
	}
	for (i = 0; i < s->count; i++) {
		h = &s->host[i];
		h->marked = a.verdict[i] == ATTEMPT_REFUSED;
		if (a.verdict[i] == ATTEMPT_LET_IN) {
			h->state = TRUSTED;
			setup_tell(s, &out, "trust", fanout_hosts_at(s->hosts,
			    i), "trusted");
		} else if (a.verdict[i] != ATTEMPT_NONE)
			setup_give_up(h, &a.result[i]);
		if (h->marked) {
			h->result.cls = FANOUT_C_AUTH;
			(void)snprintf(h->result.text, sizeof(h->result.text),
			    "this key is refused%s%s", here ? "" :
			    "; its private half is not here: ",
			    here ? "" : s->key.path);
		}
	}
	cli_sink_close(&out);
	attempts_clear(&a);
	return 0;
}

int
setup_verify(struct setup *s)
{
	struct member *all;
	size_t hub;
	int status;

	if ((status = mesh_hub(s, &hub)) != 0 ||
	    (status = s->c->key != NULL && !s->c->mutual ? try_key(s) :
	    setup_log_in(s)) != 0 || (status = why_refused(s)) != 0 ||
	    (!s->c->mutual && s->c->hub == NULL))
		return status;
	if ((all = members_new(s)) == NULL)
		return CLI_EXIT_USAGE;
	if ((status = members_ask(s, all, false)) == 0)
		status = setup_matrix(s, all, hub);
	members_free(s, all);
	return status;
}
