/*
 * install.c - hosts that are to trust our key: who does already; install it
 * elsewhere; prove it. Before them, where it is known which keys hosts should
 * have, one run that looks at these and goes no further.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "limit.h"
#include "script.h"
#include "setup.h"

#define SAID_MAX 2047		/* of a host's output that is looked at */
#define EACH_MAX 8		/* hosts that are asked for one by one, unasked */
#define SCRIPT_MS 120000		/* for the script, where -u says nothing */

/* ---- what becomes of a host --------------------------------------------- */

/* Looking at keys only: every one is refused here, in the end. */
static bool
on_look_ask(void *ctx, struct fanout *f, const struct fanout_event *ev)
{
	struct setup *s = ctx;
	struct host *h;
	char source[120];

	if (ev->ask->kind != FANOUT_ASK_HOSTKEY)
		return false;
	h = &s->host[s->map[ev->host]];
	h->seen = expected_check(&s->expected, ev->name, ev->ask->key_type,
	    ev->ask->fingerprint, source, sizeof(source)) != PRINT_WRONG;
	if (!h->seen)
		snprintf(h->result.text, sizeof(h->result.text), "its %.40s key "
		    "%.60s is not %.90s: nothing is sent to it",
		    ev->ask->key_type, ev->ask->fingerprint, source);
	(void)fanout_answer(f, ev->ask->id, NULL);
	return true;
}

static bool
on_look(void *ctx, struct fanout_event *ev, struct cli_sink *out)
{
	struct setup *s = ctx;
	struct host *h;
	char why[sizeof(h->result.text)];

	(void)out;
	if (ev->kind != FANOUT_EV_DONE)
		return false;
	h = &s->host[s->map[ev->host]];
	if (h->seen)
		return false;
	memcpy(why, h->result.text, sizeof(why));
	setup_give_up(h, ev->result);
	if (*why != '\0') {
		h->result.cls = FANOUT_C_HOSTKEY_CHANGED;
		memcpy(h->result.text, why, sizeof(why));
	}
	return false;
}

/* A key that is known to be right needs no question. */
static bool
on_probe_ask(void *ctx, struct fanout *f, const struct fanout_event *ev)
{
	struct setup *s = ctx;
	enum fingerprint_verdict v;
	char source[120];

	if (!expected_any(&s->expected) ||
	    ev->ask->kind != FANOUT_ASK_HOSTKEY)
		return false;
	v = expected_check(&s->expected, ev->name, ev->ask->key_type,
	    ev->ask->fingerprint, source, sizeof(source));
	if (v == PRINT_UNKNOWN && s->c->connect.accept_new)
		v = PRINT_RIGHT;
	if (v != PRINT_UNKNOWN)
		(void)fanout_answer(f, ev->ask->id, v == PRINT_RIGHT ? "yes" :
		    NULL);
	return v != PRINT_UNKNOWN;
}

/* Noise first is of no use: what does not fit is left out. */
static void
keep(struct host *h, const struct fanout_event *ev)
{
	size_t room = SAID_MAX - h->len;

	(void)setup_keep(h, ev->data, ev->len < room ? ev->len : room,
	    SAID_MAX);
}

/* The script came to its end: what does it say? */
static enum script_said
take_answer(struct host *h, const struct fanout_result *r)
{
	char why[sizeof(h->result.text)];
	enum script_said said = script_read(h->said != NULL ? h->said : "",
	    why, sizeof(why));

	setup_forget(h);
	if (said == SAID_DONE || said == SAID_THERE) {
		h->state = INSTALLED;
		h->was_there = said == SAID_THERE;
		strlcpy(h->result.text, why, sizeof(h->result.text));
		return said;
	}
	if (said == SAID_NO)
		setup_refuse(h, r, "%s", why);
	else
		setup_refuse(h, r, "the login runs no commands of /bin/sh, "
		    "which installing a key takes%s%.150s", *why != '\0' ?
		    "; it says: " : "", why);
	return said;
}

/* With --key it is not enough that some key is let in: is this one there? With
 * --options it is told later, when what it may do was looked at (limit.c). */
static void
take_probe(struct setup *s, struct host *h, const char *name,
    const struct fanout_result *r, struct cli_sink *out)
{
	const char *what = "already trusted";

	if (!setup_exact(s))
		h->state = TRUSTED;
	else if (take_answer(h, r) == SAID_NOTHING && s->c->key == NULL) {
		h->state = TRUSTED;
		what = "already trusted; what the key may do cannot be seen: "
		    "the login runs no commands of /bin/sh";
	}
	if (h->state == INSTALLED)
		h->state = h->was_there ? TRUSTED : NEW;
	if (h->state == TRUSTED && !(h->was_there && limit_given(s->c)))
		setup_tell(s, out, "trust", name, what);
}

static bool
on_probe(void *ctx, struct fanout_event *ev, struct cli_sink *out)
{
	struct setup *s = ctx;
	struct host *h;

	if (ev->kind != FANOUT_EV_DONE && ev->kind != FANOUT_EV_OUT)
		return false;
	h = &s->host[s->map[ev->host]];
	if (ev->kind == FANOUT_EV_OUT)
		keep(h, ev);
	else if (setup_answered(ev->result))
		take_probe(s, h, ev->name, ev->result, out);
	else if (ev->result->cls == FANOUT_C_AUTH)
		h->result = *ev->result;	/* if no password is to be had */
	else
		setup_give_up(h, ev->result);
	return false;
}

/* A file of so many lines gets one more. */
static void
tell_change(const struct setup *s, size_t job_host, const struct host *h,
    struct cli_sink *out)
{
	size_t host = s->map[job_host], lines = 0;
	const char *path = h->result.text;
	char *end;

	setup_tell(s, out, "trust", fanout_hosts_at(s->hosts, host),
	    h->was_there ? "the key is there, and refused all the same" :
	    "the key would be installed");
	if (h->was_there)
		return;
	lines = strtoul(path, &end, 10);
	edit_show_more(s, host, end + (*end == ' '), lines, s->key.line, out);
}

static bool
on_install(void *ctx, struct fanout_event *ev, struct cli_sink *out)
{
	struct setup *s = ctx;
	struct host *h;

	if (ev->kind != FANOUT_EV_DONE && ev->kind != FANOUT_EV_OUT)
		return false;
	h = &s->host[s->map[ev->host]];
	if (ev->kind == FANOUT_EV_OUT) {
		keep(h, ev);
		return false;
	}
	h->marked = ev->result->cls == FANOUT_C_AUTH;
	h->by_password = true;
	h->own_password = s->each;
	if (setup_answered(ev->result))
		(void)take_answer(h, ev->result);
	else
		setup_give_up(h, ev->result);
	if (s->c->dry_run && h->state == INSTALLED)
		tell_change(s, ev->host, h, out);
	return false;
}

/* ---- runs ---------------------------------------------------------------- */

/* As if no key were known, so that each is shown to us; and not one login is
 * tried. */
static int
look(struct setup *s)
{
	static const char *const own[] = { "UserKnownHostsFile=/dev/null",
	    "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=ask",
	    "BatchMode=no", NULL };
	const struct cli_extra extra = { .event = on_look, .ask = on_look_ask, .ctx = s };
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct cli_run run = { .cmd = &cmd, .extra = &extra };
	struct fanout_opts opts = s->opts;

	opts.can_answer = FANOUT_CAN_ANSWER(FANOUT_ASK_HOSTKEY);
	return expected_any(&s->expected) ? setup_part(s, setup_is_new, &run, own,
	    opts) : 0;
}

static int
input(const struct setup *s)
{
	int fd[2];
	bool sent;

	if (pipe(fd) == -1) {
		warn("pipe");
		return -1;
	}
	/* Far less than what a pipe holds. */
	sent = dprintf(fd[1], "%s\n%s\n", s->key.line, s->key.word) > 0;
	close(fd[1]);
	if (sent)
		return fd[0];
	warn("pipe");
	close(fd[0]);
	return -1;
}

/* A part that runs the script. */
static int
script_part(struct setup *s, struct fanout_cmd *cmd, const struct cli_run *run,
    const char *const *own, struct fanout_opts opts, bool dry_run)
{
	char *script;
	int status = CLI_EXIT_USAGE;

	if (opts.command_ms == 0)
		opts.command_ms = SCRIPT_MS;
	if ((script = script_install(dry_run)) == NULL) {
		warnx("out of memory");
		return CLI_EXIT_USAGE;
	}
	cmd->command = script;
	if ((cmd->stdin_fd = input(s)) != -1) {
		status = setup_part(s, setup_is_new, run, own, opts);
		close(cmd->stdin_fd);
	}
	free(script);
	return status;
}

/* Host keys are asked about here, and passphrases; no passwords. */
static int
probe(struct setup *s)
{
	const struct cli_extra extra = { .event = on_probe,
	    .ask = on_probe_ask, .ctx = s };
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct cli_ask ask = CLI_ASK_INIT;
	struct cli_run run = { .cmd = &cmd, .ask = &ask, .extra = &extra };
	struct fanout_opts opts = s->opts;
	struct fanout_error e;
	const char *own[6] = { setup_keys_only[0], setup_keys_only[1] };
	size_t n = 2;

	opts.can_answer = 0;
	if (cli_ask_open(&ask, &opts, &e) != 0) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	if (expected_any(&s->expected)) {
		opts.can_answer |= FANOUT_CAN_ANSWER(FANOUT_ASK_HOSTKEY);
		own[n++] = "StrictHostKeyChecking=ask";
		own[n++] = "BatchMode=no";
	}
	if (!setup_exact(s))
		return setup_part(s, setup_is_new, &run, own, opts);
	own[n] = s->identity;
	return script_part(s, &cmd, &run, own, opts, true);
}

/* Keys that were refused are not tried again: each costs one of the attempts
 * that the server allows. With --key other keys may be let in. */
static int
install(struct setup *s, struct cli_ask *ask)
{
	const char *const own[] = { "BatchMode=no", setup_exact(s) ? NULL :
	    "PubkeyAuthentication=no", NULL };
	const struct cli_extra extra = { .event = on_install, .ctx = s };
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	const struct cli_run run = { .cmd = &cmd, .extra = &extra, .ask = ask };

	s->each = ask->each;
	return script_part(s, &cmd, &run, own, s->opts, s->c->dry_run);
}

/* ---- passwords ----------------------------------------------------------- */

/* Without a word about it, one password is asked for all. */
static bool
may_ask(struct setup *s, bool *unasked)
{
	struct cli_ask *a = &s->c->connect.ask;

	*unasked = false;
	if (!a->once && !a->each && a->password_fd == 0) {
		if (a->terminal.fd == -1)
			return false;
		a->once = *unasked = true;
	}
	s->opts.can_answer |= FANOUT_CAN_ANSWER(FANOUT_ASK_PASSWORD) |
	    FANOUT_CAN_ANSWER(FANOUT_ASK_PROMPT);
	return true;
}

/* Those whose password was wrong, folded; how many. They are tried again. */
static size_t
revive(struct setup *s, char **names)
{
	struct fanout_hosts *set;
	size_t i, n;

	*names = NULL;
	if (fanout_hosts_new(&set) != 0)
		return 0;
	for (i = 0; i < s->count; i++) {
		if (!s->host[i].marked || s->host[i].state != OVER)
			continue;
		s->host[i].marked = false;
		s->host[i].state = NEW;
		(void)fanout_hosts_add(set, fanout_hosts_at(s->hosts, i), NULL);
	}
	n = fanout_hosts_count(set);
	if (n > 0)
		(void)fanout_hosts_fold(set, names);
	fanout_hosts_free(set);
	return n;
}

static size_t
count_new(const struct setup *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->count; i++)
		n += s->host[i].state == NEW;
	return n;
}

/* Where all refuse it, it was mistyped; a few may have one of their own. */
static int
ask_again(struct setup *s, size_t before)
{
	struct cli_ask ask;
	struct fanout_error e;
	char *names;
	size_t n, round;
	int status = 0;

	for (round = 0; round < 2 && status == 0 && s->typed; round++) {
		if ((n = revive(s, &names)) == 0)
			break;
		warnx("the password is refused by %s", names != NULL ? names :
		    "some hosts");
		free(names);
		ask = (struct cli_ask)CLI_ASK_INIT;
		ask.each = n < before && n <= EACH_MAX;
		ask.once = !ask.each;
		if (cli_ask_open(&ask, &s->opts, &e) != 0) {
			warnx("%s", e.text);
			return CLI_EXIT_USAGE;
		}
		s->typed = ask.once;	/* each was asked often enough */
		before = n;
		status = install(s, &ask);
	}
	return status;
}

int
setup_install(struct setup *s)
{
	bool unasked;
	size_t n;
	int status;

	if ((status = look(s)) == 0 && (status = probe(s)) == 0 &&
	    (may_ask(s, &unasked) || setup_exact(s))) {
		n = count_new(s);
		status = install(s, &s->c->connect.ask);
		if (status == 0 && unasked)
			status = ask_again(s, n);
	}
	if (status == 0 && limit_given(s->c))
		status = setup_limit(s);
	return status != 0 || s->c->dry_run ? status : setup_prove(s);
}
