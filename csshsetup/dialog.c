#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "dialog.h"
#include "script.h"

/* Where no option says it: a script that waits for locks takes so long, and one
 * that does more than that says something now and then. */
#define SCRIPT_MS 120000
#define IDLE_MS 60000

struct dialog_host {
	char	*reply;		/* NULL: not yet */
	size_t	 len, off;
	bool	 replied;	/* its turn is over */
	bool	 too_much;
};

static int
on_begin(void *ctx, struct fanout *f, const struct fanout_hosts *set,
    const size_t *map, const struct fanout_cmd *like, struct fanout_error *e)
{
	struct dialog *d = ctx;
	struct fanout_cmd cmd = *like;

	(void)map;
	d->engine = f;
	cmd.own_input = true;
	return fanout_submit(f, set, &cmd, &d->job, e);
}

/* As much of the reply as there is room for; at job_host of the job. */
static void
send_reply(struct dialog *d, struct dialog_host *dh, size_t job_host)
{
	ssize_t n;

	if (dh->reply == NULL)
		return;
	while (dh->off < dh->len) {
		n = fanout_write(d->engine, d->job, job_host,
		    dh->reply + dh->off, dh->len - dh->off);
		if (n <= 0)
			return;
		dh->off += (size_t)n;
	}
	(void)fanout_write_end(d->engine, d->job, job_host);
	free(dh->reply);
	dh->reply = NULL;
}

static void
take_turn(struct dialog *d, size_t host, size_t job_host, struct cli_sink *out)
{
	struct dialog_host *dh = &d->hosts[host];
	const struct host *h = &d->setup->host[host];
	struct answer a;
	FILE *f;

	dh->replied = true;
	if ((f = open_memstream(&dh->reply, &dh->len)) != NULL) {
		answer_begin(&a, h->said, h->len);
		if (d->turn != NULL)
			d->turn(d->ctx, host, &a, f, out);
		if (ferror(f) | (fclose(f) == EOF))
			dh->len = 0;	/* an empty one changes nothing */
	}
	if (dh->reply == NULL)
		(void)fanout_write_end(d->engine, d->job, job_host);
	send_reply(d, dh, job_host);
}

/* Only the end of what came tells whether it is worth a look at all of it. */
static bool
seems_ready(const struct host *h)
{
	static const char word[] = SCRIPT_SAYS "ready\n";
	size_t n = strlen(word);

	return h->len >= n && memcmp(h->said + h->len - n, word, n) == 0 &&
	    answer_ends(h->said, h->len, "ready");
}

static void
take_output(struct dialog *d, const struct fanout_event *ev, size_t host,
    struct cli_sink *out)
{
	struct dialog_host *dh = &d->hosts[host];
	struct host *h = &d->setup->host[host];

	if (!dh->too_much &&
	    setup_keep(h, ev->data, ev->len, DIALOG_MAX) == -1) {
		dh->too_much = true;
		(void)fanout_write_end(d->engine, d->job, ev->host);
	}
	if (!dh->too_much && !dh->replied && seems_ready(h))
		take_turn(d, host, ev->host, out);
}

/* Why it did not come to its end. */
static void
explain(const struct dialog *d, size_t host, struct fanout_result *r)
{
	const struct host *h = &d->setup->host[host];
	struct host told = *h;
	struct answer a;
	struct record rec, no = { .word = "" };
	char why[200] = "";

	answer_begin(&a, h->said, h->len);
	while (answer_next(&a, &rec))
		if (record_is(&rec, "no"))
			no = rec;
	if (record_is(&no, "no"))
		record_text(&no, why, sizeof(why));
	if (d->hosts[host].too_much)
		setup_refuse(&told, r, "it says more than %u MiB",
		    DIALOG_MAX >> 20);
	else if (*why != '\0')
		setup_refuse(&told, r, "%s", why);
	else {
		(void)script_read(h->said != NULL ? h->said : "", why,
		    sizeof(why));
		setup_refuse(&told, r, "the login runs no commands of /bin/sh, "
		    "or they were ended%s%.120s", *why != '\0' ?
		    "; it says: " : "", why);
	}
	*r = told.result;
}

static void
take_end(struct dialog *d, const struct fanout_event *ev, size_t host,
    struct cli_sink *out)
{
	struct host *h = &d->setup->host[host];
	struct fanout_result r = *ev->result;
	struct answer a;

	if (h->said == NULL)
		(void)setup_keep(h, "", 0, 1);
	if (h->state == OVER)
		;	/* its turn gave it up */
	else if (setup_answered(&r) && h->said != NULL &&
	    !d->hosts[host].too_much && answer_ends(h->said, h->len, "done")) {
		answer_begin(&a, h->said, h->len);
		if (d->over != NULL)
			d->over(d->ctx, host, &a, out);
	} else {
		if (setup_answered(&r))
			explain(d, host, &r);
		if (d->failed != NULL)
			d->failed(d->ctx, host, &r, out);
		else if (!d->passes)
			setup_give_up(h, &r);
	}
	setup_forget(h);
	free(d->hosts[host].reply);
	d->hosts[host].reply = NULL;
}

static bool
on_event(void *ctx, struct fanout_event *ev, struct cli_sink *out)
{
	struct dialog *d = ctx;
	size_t host;

	if (ev->job != d->job || ev->job == 0)
		return false;
	host = d->setup->map[ev->host];
	if (ev->kind == FANOUT_EV_OUT)
		take_output(d, ev, host, out);
	else if (ev->kind == FANOUT_EV_ROOM)
		send_reply(d, &d->hosts[host], ev->host);
	else if (ev->kind == FANOUT_EV_DONE)
		take_end(d, ev, host, out);
	return false;
}

static int
run(struct dialog *d)
{
	struct setup *s = d->setup;
	const struct cli_extra extra = { .begin = on_begin, .event = on_event,
	    .ctx = d };
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct cli_ask ask = CLI_ASK_INIT;
	const struct cli_run like = { .cmd = &cmd, .extra = &extra,
	    .ask = d->passwords && s->secrets.password == NULL ?
	    &s->c->connect.ask : &ask, .engine = d->sessions };
	const char *by_keys[SETUP_BY_KEYS];
	int status;
	struct fanout_opts opts = s->opts;
	struct fanout_error e;

	cmd.command = d->script;
	if (opts.idle_ms == 0)
		opts.idle_ms = IDLE_MS;
	if (opts.command_ms == 0)
		opts.command_ms = d->takes_ms > 0 ? d->takes_ms : SCRIPT_MS;
	setup_by_keys(s, by_keys);
	if (like.ask == &ask)
		opts.can_answer = 0;
	if (like.ask == &ask && cli_ask_open(&ask, &opts, &e) != 0) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	if (d->passwords && s->secrets.password != NULL)
		opts.can_answer |= FANOUT_CAN_ANSWER(FANOUT_ASK_PASSWORD) |
		    FANOUT_CAN_ANSWER(FANOUT_ASK_PROMPT);
	s->use_password = d->passwords;
	status = setup_part(s, d->want, &like, d->options != NULL ?
	    d->options : by_keys, opts);
	s->use_password = false;
	if (d->sessions != NULL && like.ask == &ask)
		cli_ask_close(&ask);	/* it rests only */
	return status;
}

int
dialog_run(struct dialog *d)
{
	int status = CLI_EXIT_USAGE;
	size_t i;

	d->hosts = calloc(d->setup->count + 1, sizeof(*d->hosts));
	if (d->script == NULL || d->hosts == NULL)
		warnx("out of memory");
	else
		status = run(d);
	for (i = 0; d->hosts != NULL && i < d->setup->count; i++)
		free(d->hosts[i].reply);
	free(d->hosts);
	free(d->script);
	d->hosts = NULL;
	d->script = NULL;
	return status;
}

/* Keys that were refused are not tried again, see install(). */
int
dialog_both(const struct dialog *like, const struct script_wish *wish,
    setup_want by_password)
{
	const char *const own[] = { "BatchMode=no", setup_exact(like->setup) ?
	    NULL : "PubkeyAuthentication=no", NULL };
	struct dialog d = *like;
	int status;

	d.script = script_account(wish);
	if ((status = dialog_run(&d)) != 0 || by_password == NULL)
		return status;
	d = *like;
	d.script = script_account(wish);
	d.want = by_password;
	d.options = own;
	d.passwords = true;
	return dialog_run(&d);
}
