#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"

/* "logged in as USER with PATH TYPE", where the transport says so. */
static void
take_log(struct attempts *a, size_t host, const char *text, size_t len)
{
	static const char with[] = " with ";
	const char *p = memmem(text, len, with, strlen(with));
	size_t n = strlen(a->key), left;

	if (p == NULL || memmem(text, len, "logged in as ", 13) != text)
		return;
	p += strlen(with);
	left = len - (size_t)(p - text);
	if (*a->key != '/' && left > n &&
	    (p = memmem(p, left, a->key, n)) != NULL)
		left = len - (size_t)(p - text);
	if (p != NULL && left > n && memcmp(p, a->key, n) == 0 && p[n] == ' ')
		a->by_key[host] = true;
	else
		a->by_other[host] = true;
}

static enum attempt
judge(const struct attempts *a, size_t host, const struct fanout_result *r)
{
	if (r->cls == FANOUT_C_AUTH)
		return ATTEMPT_REFUSED;
	if (!setup_answered(r))
		return ATTEMPT_FAILED;
	if (a->by_other[host])
		return a->agent ? ATTEMPT_OTHER : ATTEMPT_REFUSED;
	return ATTEMPT_LET_IN;
}

static bool
on_event(void *ctx, struct fanout_event *ev, struct cli_sink *out)
{
	struct attempts *a = ctx;
	size_t host;

	(void)out;
	if (ev->job == 0 || (ev->kind != FANOUT_EV_LOG &&
	    ev->kind != FANOUT_EV_DONE))
		return false;
	host = a->setup->map[ev->host];
	if (ev->kind == FANOUT_EV_LOG)
		take_log(a, host, ev->data, ev->len);
	else {
		a->verdict[host] = judge(a, host, ev->result);
		a->result[host] = *ev->result;
	}
	return false;
}

static int
run(struct attempts *a, setup_want want)
{
	const struct cli_extra extra = { .event = on_event, .ctx = a };
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct cli_ask ask = CLI_ASK_INIT;
	const struct cli_run like = { .cmd = &cmd, .ask = &ask,
	    .extra = &extra };
	struct fanout_opts opts = a->setup->opts;
	const char *own[6] = { setup_keys_only[0], setup_keys_only[1], NULL,
	    "IdentitiesOnly=yes", a->agent ? NULL : "IdentityAgent=none" };
	struct fanout_error e;
	char *identity;
	int status = CLI_EXIT_USAGE;

	opts.can_answer = 0;
	if (opts.log_level < 1)
		opts.log_level = 1;
	if (asprintf(&identity, "IdentityFile=\"%s\"", a->key) == -1) {
		warnx("out of memory");
		return status;
	}
	own[2] = identity;
	if (cli_ask_open(&ask, &opts, &e) != 0)
		warnx("%s", e.text);
	else
		status = setup_part(a->setup, want, &like, own, opts);
	free(identity);
	return status;
}

int
attempts_run(struct attempts *a, setup_want want)
{
	size_t n = a->setup->count;

	a->verdict = calloc(n, sizeof(*a->verdict));
	a->result = calloc(n, sizeof(*a->result));
	a->by_key = calloc(n, sizeof(*a->by_key));
	a->by_other = calloc(n, sizeof(*a->by_other));
	if (a->verdict == NULL || a->result == NULL || a->by_key == NULL ||
	    a->by_other == NULL) {
		warnx("out of memory");
		return CLI_EXIT_USAGE;
	}
	return run(a, want);
}

void
attempts_clear(struct attempts *a)
{
	free(a->verdict);
	free(a->result);
	free(a->by_key);
	free(a->by_other);
	a->verdict = NULL;
	a->result = NULL;
	a->by_key = a->by_other = NULL;
}
