/*
 * part.c - the engine over some of the hosts.
 */
#include <err.h>
#include <stdlib.h>

#include "cli/error.h"
#include "limit.h"
#include "setup.h"

const char *const setup_keys_only[] = { "PasswordAuthentication=no",
    "KbdInteractiveAuthentication=no", NULL };

bool
setup_exact(const struct setup *s)
{
	return s->c->key != NULL || (s->c->mode == SETUP_TRUST &&
	    limit_given(s->c) && !s->c->mutual && s->c->hub == NULL);
}

void
setup_by_keys(const struct setup *s, const char *own[SETUP_BY_KEYS])
{
	bool named = setup_exact(s) || s->also != NULL;

	own[0] = setup_keys_only[0];
	own[1] = setup_keys_only[1];
	own[2] = named ? s->identity : NULL;
	own[3] = named ? s->also : NULL;
	own[4] = NULL;
}

/* Options of one run, before those of the user; free(3). NULL: no memory. */
static const char **
ssh_options(const struct setup *s, const char *const *own)
{
	const char *const *user = s->opts.ssh_options;
	const char **all;
	size_t i, n = 0, ours = 0, theirs = 0;

	while (own[ours] != NULL)
		ours++;
	while (user[theirs] != NULL)
		theirs++;
	if ((all = calloc(ours + theirs + 1, sizeof(*all))) == NULL)
		return NULL;
	for (i = 0; i < ours; i++)
		all[n++] = own[i];
	for (i = 0; i < theirs; i++)
		all[n++] = user[i];
	return all;
}

/* Those hosts that are wanted, as a set; the map is theirs. */
static int
pick(struct setup *s, setup_want want, struct fanout_hosts **set,
    struct fanout_error *e)
{
	size_t i, n = 0;
	int rc;

	if ((rc = fanout_hosts_new(set)) != 0)
		return cli_nomem(e);
	for (i = 0; i < s->count && rc == 0; i++) {
		if (!want(s, i) || (s->dead != NULL && s->dead[i] != NULL))
			continue;
		s->map[n++] = i;
		rc = fanout_hosts_add(*set, fanout_hosts_at(s->hosts, i), e);
	}
	return rc;
}

/* ---- what was typed in a run before -------------------------------------- */

struct part {
	struct setup *s;
	const struct cli_run *like;
};

static const struct cli_extra *
extra_of(void *ctx)
{
	return ((struct part *)ctx)->like->extra;
}

static int
on_begin(void *ctx, struct fanout *f, const struct fanout_hosts *set,
    const size_t *map, const struct fanout_cmd *cmd, struct fanout_error *e)
{
	const struct cli_extra *x = extra_of(ctx);

	return x->begin(x->ctx, f, set, map, cmd, e);
}

static bool
on_event(void *ctx, struct fanout_event *ev, struct cli_sink *out)
{
	const struct cli_extra *x = extra_of(ctx);

	return x->event(x->ctx, ev, out);
}

static bool
on_ask(void *ctx, struct fanout *f, const struct fanout_event *ev)
{
	struct part *p = ctx;
	const struct cli_extra *x = extra_of(ctx);

	if (ev->ask->kind == FANOUT_ASK_PASSPHRASE)
		return secrets_key(&p->s->secrets, f, p->like->ask, ev->ask);
	if (p->s->use_password && ev->ask->kind != FANOUT_ASK_HOSTKEY &&
	    secrets_password(&p->s->secrets, f, ev->ask))
		return true;
	return x->ask != NULL && x->ask(x->ctx, f, ev);
}

static void
on_end(void *ctx, const struct cli_roster *r, struct cli_sink *out,
    struct cli_sink *err)
{
	struct part *p = ctx;

	(void)r;
	(void)out;
	(void)err;
	if (p->like->ask != NULL && p->like->ask->once)
		p->s->typed = p->like->ask->password != NULL;
	if (p->like->ask != NULL)
		secrets_keep(&p->s->secrets, p->like->ask);
}

/* ---- all ------------------------------------------------------------------ */

int
setup_part(struct setup *s, setup_want want, const struct cli_run *like,
    const char *const *own, struct fanout_opts opts)
{
	struct part p = { s, like };
	const struct cli_extra extra = { .event = on_event, .ask = on_ask,
	    .begin = like->extra->begin != NULL ? on_begin : NULL,
	    .end = on_end, .ctx = &p };
	struct cli_run run = *like;
	struct fanout_hosts *set;
	struct fanout_error e;
	const char **all;
	int status = CLI_EXIT_USAGE;

	all = ssh_options(s, own);
	if (all == NULL || pick(s, want, &set, &e) != 0) {
		warnx("%s", all == NULL ? "out of memory" : e.text);
		free(all);
		return CLI_EXIT_USAGE;
	}
	opts.ssh_options = all;
	run.opts = &opts;
	run.hosts = set;
	run.look = s->c->look;
	run.part = true;
	run.extra = &extra;
	status = fanout_hosts_count(set) > 0 ? cli_drive(&run) : 0;
	fanout_hosts_free(set);
	free(all);
	return status == CLI_EXIT_USAGE || status == CLI_EXIT_INTERRUPTED ?
	    status : 0;
}
