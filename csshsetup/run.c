/*
 * run.c - three runs of the engine, each over those hosts that are left: who
 * trusts us already; install the key elsewhere; prove it. Before them, where
 * fingerprints are given, one that looks at host keys and goes no further.
 *
 * Each has an engine of its own, so that nothing that one learned or kept
 * (passwords, sessions) can make another look well.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/drive.h"
#include "cli/error.h"
#include "cli/history.h"
#include "cli/summary.h"
#include "cli/view.h"
#include "csshsetup.h"
#include "fingerprints.h"

#define SAID_MAX 2048		/* of a host's output that is looked at */
#define SCRIPT_MS 60000		/* for the script, where -u says nothing */

enum state { NEW, TRUSTED, INSTALLED, OVER };

struct host {
	enum state state;
	struct fanout_result result;	/* OVER */
	char	*said;			/* by the script; SAID_MAX; or NULL */
	size_t	 len;
	bool	 was_there;		/* the key, in the file */
	bool	 seen;			/* its host key, and it is not wrong */
};

struct setup {
	struct csshsetup *c;
	const struct fanout_hosts *hosts;
	struct fanout_opts opts;	/* of all runs */
	struct setup_key key;
	char		*identity;	/* the ssh option that names it */
	struct fingerprints *prints;	/* NULL: none were given */
	struct host	*host;
	const char	**dead;		/* why skipped; may be NULL */
	bool		 interrupted;	/* what is left is only told */

	/* of the run under way */
	size_t		*map;		/* its hosts among all */
	const char	**skip;
	const struct fanout_result **ahead;
};

/* ---- what becomes of a host --------------------------------------------- */

static void
tell_json(struct cli_sink *out, const char *name, const char *what)
{
	static const char begin[] = "{\"event\":\"trust\",\"host\":",
	    text[] = ",\"text\":";

	cli_sink_put(out, begin, sizeof(begin) - 1);
	cli_json_string(out, name);
	cli_sink_put(out, text, sizeof(text) - 1);
	cli_json_string(out, what);
	cli_sink_put(out, "}\n", 2);
}

static void
tell(struct setup *s, struct cli_sink *out, const char *name, const char *what)
{
	if (s->c->look.json) {
		tell_json(out, name, what);
		return;
	}
	cli_sink_put(out, name, strlen(name));
	cli_sink_put(out, ": ", 2);
	cli_sink_put(out, what, strlen(what));
	cli_sink_put(out, "\n", 1);
}

static void
give_up(struct host *h, const struct fanout_result *r)
{
	h->state = OVER;
	h->result = *r;
}

/* Looking at keys only: every one is refused here, in the end. */
static bool
on_look_ask(void *ctx, struct fanout *f, const struct fanout_event *ev)
{
	struct setup *s = ctx;
	struct host *h;

	if (ev->ask->kind != FANOUT_ASK_HOSTKEY)
		return false;
	h = &s->host[s->map[ev->host]];
	h->seen = fingerprints_check(s->prints, ev->name,
	    ev->ask->fingerprint) != PRINT_WRONG;
	if (!h->seen)
		snprintf(h->result.text, sizeof(h->result.text), "its %.40s key "
		    "%.80s is not the one in %.80s: nothing is sent to it",
		    ev->ask->key_type, ev->ask->fingerprint,
		    s->c->fingerprints);
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
	give_up(h, ev->result);
	if (*why != '\0') {
		h->result.cls = FANOUT_C_HOSTKEY_CHANGED;
		memcpy(h->result.text, why, sizeof(why));
	}
	return false;
}

/* A key that is in the file needs no question. */
static bool
on_probe_ask(void *ctx, struct fanout *f, const struct fanout_event *ev)
{
	struct setup *s = ctx;
	enum fingerprint_verdict v;

	if (s->prints == NULL || ev->ask->kind != FANOUT_ASK_HOSTKEY)
		return false;
	v = fingerprints_check(s->prints, ev->name, ev->ask->fingerprint);
	if (v == PRINT_UNKNOWN && s->c->connect.accept_new)
		v = PRINT_RIGHT;
	if (v != PRINT_UNKNOWN)
		(void)fanout_answer(f, ev->ask->id, v == PRINT_RIGHT ? "yes" :
		    NULL);
	return v != PRINT_UNKNOWN;
}

static void
keep(struct host *h, const struct fanout_event *ev)
{
	size_t n = ev->len;

	if (h->said == NULL && (h->said = malloc(SAID_MAX)) == NULL)
		return;
	if (n > SAID_MAX - 1 - h->len)
		n = SAID_MAX - 1 - h->len;
	memcpy(h->said + h->len, ev->data, n);
	h->len += n;
	h->said[h->len] = '\0';
}

/* The script came to its end: what does it say? */
static void
take_answer(struct host *h, const struct fanout_result *r)
{
	char why[sizeof(h->result.text)];
	enum script_said said = script_read(h->said != NULL ? h->said : "",
	    why, sizeof(why));

	free(h->said);
	h->said = NULL;
	h->len = 0;
	if (said == SAID_DONE || said == SAID_THERE) {
		h->state = INSTALLED;
		h->was_there = said == SAID_THERE;
		return;
	}
	give_up(h, r);
	h->result.cls = FANOUT_C_REMOTE;
	if (said == SAID_NO)
		strlcpy(h->result.text, why, sizeof(h->result.text));
	else
		snprintf(h->result.text, sizeof(h->result.text), "the login "
		    "runs no commands of /bin/sh, which installing a key takes"
		    "%s%.150s", *why != '\0' ? "; it says: " : "", why);
}

static bool
has_answer(const struct fanout_result *r)
{
	return r->cls == FANOUT_C_OK || r->cls == FANOUT_C_EXIT;
}

/* With --key it is not enough that some key is let in: is this one there? */
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
	else if (has_answer(ev->result)) {
		if (s->c->key == NULL)
			h->state = TRUSTED;
		else
			take_answer(h, ev->result);
		if (h->state == INSTALLED)
			h->state = h->was_there ? TRUSTED : NEW;
		if (h->state == TRUSTED)
			tell(s, out, ev->name, "already trusted");
	} else if (ev->result->cls == FANOUT_C_AUTH)
		h->result = *ev->result;	/* if no password is to be had */
	else
		give_up(h, ev->result);
	return false;
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
	if (has_answer(ev->result))
		take_answer(h, ev->result);
	else
		give_up(h, ev->result);
	if (s->c->dry_run && h->state == INSTALLED)
		tell(s, out, ev->name, h->was_there ? "the key is there, and "
		    "refused all the same" : "the key would be installed");
	return false;
}

static bool
on_proof(void *ctx, struct fanout_event *ev, struct cli_sink *out)
{
	struct setup *s = ctx;
	struct host *h;

	if (ev->kind != FANOUT_EV_DONE)
		return true;
	h = &s->host[ev->host];
	if (h->state != INSTALLED || s->c->dry_run)
		return true;
	if (ev->result->cls == FANOUT_C_OK)
		tell(s, out, ev->name, "trusted now");
	else if (ev->result->cls == FANOUT_C_AUTH) {
		h->result = *ev->result;
		snprintf(h->result.text, sizeof(h->result.text), "the key %s, "
		    "but is refused all the same; sshd's log there says why "
		    "(modes of the home directory, PermitRootLogin, "
		    "PubkeyAuthentication, AuthorizedKeysFile)",
		    h->was_there ? "was installed before" : "is installed");
		ev->result = &h->result;
	}
	return true;
}

/* ---- runs --------------------------------------------------------------- */

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

/* Those hosts that wait for the next step, as a set; the map is theirs. */
static int
pick(struct setup *s, struct fanout_hosts **set, struct fanout_error *e)
{
	size_t i, n = 0, count = fanout_hosts_count(s->hosts);
	int rc;

	if ((rc = fanout_hosts_new(set)) != 0)
		return cli_nomem(e);
	for (i = 0; i < count && rc == 0; i++) {
		if (s->host[i].state != NEW ||
		    (s->dead != NULL && s->dead[i] != NULL))
			continue;
		s->map[n++] = i;
		rc = fanout_hosts_add(*set, fanout_hosts_at(s->hosts, i), e);
	}
	return rc;
}

/* A part of the run: shows nothing but what its events write. 0; or the exit
 * status of one that ends all. */
static int
part(struct setup *s, const struct cli_run *like, const char *const *own,
    struct fanout_opts opts)
{
	struct cli_run run = *like;
	struct fanout_hosts *set;
	struct fanout_error e;
	const char **all;
	int status = CLI_EXIT_USAGE;

	all = ssh_options(s, own);
	if (all == NULL || pick(s, &set, &e) != 0) {
		warnx("%s", all == NULL ? "out of memory" : e.text);
		free(all);
		return CLI_EXIT_USAGE;
	}
	opts.ssh_options = all;
	run.opts = &opts;
	run.hosts = set;
	run.look = s->c->look;
	run.part = true;
	status = fanout_hosts_count(set) > 0 ? cli_drive(&run) : 0;
	fanout_hosts_free(set);
	free(all);
	return status == CLI_EXIT_USAGE || status == CLI_EXIT_INTERRUPTED ?
	    status : 0;
}

static const char *const keys_only[] = { "PasswordAuthentication=no",
    "KbdInteractiveAuthentication=no", NULL };

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
	return s->prints != NULL ? part(s, &run, own, opts) : 0;
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
		status = part(s, run, own, opts);
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
	const char *own[6] = { keys_only[0], keys_only[1] };
	size_t n = 2;

	opts.can_answer = 0;
	if (cli_ask_open(&ask, &opts, &e) != 0) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	if (s->prints != NULL) {
		opts.can_answer |= FANOUT_CAN_ANSWER(FANOUT_ASK_HOSTKEY);
		own[n++] = "StrictHostKeyChecking=ask";
		own[n++] = "BatchMode=no";
	}
	if (s->c->key == NULL)
		return part(s, &run, own, opts);
	own[n] = s->identity;
	return script_part(s, &cmd, &run, own, opts, true);
}

/* Keys that were refused are not tried again: each costs one of the attempts
 * that the server allows. With --key other keys may be let in. */
static int
install(struct setup *s)
{
	const char *const own[] = { "BatchMode=no", s->c->key != NULL ? NULL :
	    "PubkeyAuthentication=no", NULL };
	const struct cli_extra extra = { .event = on_install, .ctx = s };
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	const struct cli_run run = { .cmd = &cmd, .extra = &extra,
	    .ask = &s->c->connect.ask };

	return script_part(s, &cmd, &run, own, s->opts, s->c->dry_run);
}

/* What the last run need not find out of a host; NULL: that it trusts us. */
static const struct fanout_result *
known(struct setup *s, struct host *h)
{
	static const struct fanout_result ok = { .cls = FANOUT_C_OK,
	    .stage = FANOUT_S_CLOSE, .status = -1 };

	if (h->state == TRUSTED || (s->c->dry_run && h->state == INSTALLED))
		return &ok;
	if (s->interrupted && h->state != OVER) {
		h->result = (struct fanout_result){ .cls = FANOUT_C_CANCELED,
		    .stage = h->state == INSTALLED ? FANOUT_S_CLOSE :
		    FANOUT_S_QUEUE, .status = -1 };
		strlcpy(h->result.text, h->state == INSTALLED ? "the key is "
		    "installed, which is not proven yet" : "interrupted",
		    sizeof(h->result.text));
	}
	return h->state != INSTALLED || s->interrupted ? &h->result : NULL;
}

/* What is known of the hosts already is told by the last run, with what it
 * finds out itself. */
static void
foretell(struct setup *s)
{
	size_t i, count = fanout_hosts_count(s->hosts);

	for (i = 0; i < count; i++) {
		s->skip[i] = s->dead != NULL ? s->dead[i] : NULL;
		if (s->skip[i] != NULL)
			continue;
		s->ahead[i] = known(s, &s->host[i]);
		if (s->ahead[i] != NULL)
			s->skip[i] = "known";
	}
}

static int
on_status(void *ctx, const struct cli_roster *r, int usual)
{
	const struct setup *s = ctx;

	(void)r;
	return s->interrupted ? CLI_EXIT_INTERRUPTED : usual;
}

static int
prove(struct setup *s)
{
	const struct cli_extra extra = { .event = on_proof, .status = on_status,
	    .ctx = s };
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct cli_ask ask = CLI_ASK_INIT;
	struct fanout_opts opts = s->opts;
	const struct cli_record record = cli_again_record(&s->c->again,
	    setup_command(s->c));
	struct cli_run run = { .opts = &opts, .hosts = s->hosts, .cmd = &cmd,
	    .ask = &ask, .ahead = s->ahead, .extra = &extra,
	    .look = s->c->look, .record = &record };
	const char *const own[] = { keys_only[0], keys_only[1], s->identity,
	    NULL };
	struct fanout_error e;
	int status = CLI_EXIT_USAGE;

	foretell(s);
	cmd.skip = s->skip;
	opts.can_answer = 0;
	opts.ssh_options = ssh_options(s, own);
	if (opts.ssh_options == NULL)
		warnx("out of memory");
	else if (cli_ask_open(&ask, &opts, &e) != 0)
		warnx("%s", e.text);
	else
		status = cli_drive(&run);
	free((void *)(uintptr_t)opts.ssh_options);
	return status;
}

/* Without a word about it, one password is asked for all. */
static bool
may_ask(struct setup *s)
{
	struct cli_ask *a = &s->c->connect.ask;

	if (!a->once && !a->each && a->password_fd == 0) {
		if (a->terminal.fd == -1)
			return false;
		a->once = true;
	}
	s->opts.can_answer |= FANOUT_CAN_ANSWER(FANOUT_ASK_PASSWORD) |
	    FANOUT_CAN_ANSWER(FANOUT_ASK_PROMPT);
	return true;
}

static int
go(struct setup *s)
{
	int status;

	if ((status = look(s)) == 0 && (status = probe(s)) == 0 &&
	    (may_ask(s) || s->c->key != NULL))
		status = install(s);
	s->interrupted = status == CLI_EXIT_INTERRUPTED;
	return status == 0 || s->interrupted ? prove(s) : status;
}

/* ---- begin and end ------------------------------------------------------ */

static int
open_setup(struct setup *s, struct fanout_error *e)
{
	size_t count = fanout_hosts_count(s->hosts);
	int rc;

	s->host = calloc(count, sizeof(*s->host));
	s->map = calloc(count, sizeof(*s->map));
	s->skip = calloc(count, sizeof(*s->skip));
	s->ahead = calloc(count, sizeof(*s->ahead));
	if (s->host == NULL || s->map == NULL || s->skip == NULL ||
	    s->ahead == NULL)
		return cli_nomem(e);
	s->c->look.verbose = s->c->connect.verbose;
	FANOUT_OPTS_INIT(&s->opts);
	if ((rc = cli_look_check(&s->c->look, s->hosts, e)) != 0 ||
	    (rc = cli_connect_apply(&s->c->connect, &s->opts, e)) != 0)
		return rc;
	if (s->c->fingerprints != NULL && (rc = fingerprints_load(&s->prints,
	    s->c->fingerprints, e)) != 0)
		return rc;
	if ((rc = key_find(&s->key, s->c, e)) != 0)
		return rc;
	if (asprintf(&s->identity, "IdentityFile=\"%s\"", s->key.path) == -1) {
		s->identity = NULL;
		return cli_nomem(e);
	}
	return 0;
}

static void
close_setup(struct setup *s)
{
	size_t i;

	for (i = 0; s->host != NULL && i < fanout_hosts_count(s->hosts); i++)
		free(s->host[i].said);
	free(s->host);
	free(s->map);
	free(s->skip);
	free(s->ahead);
	fingerprints_free(s->prints);
	free(s->identity);
	key_clear(&s->key);
}

int
setup_hosts(struct csshsetup *c, const struct fanout_hosts *hosts)
{
	struct setup s = { .c = c, .hosts = hosts };
	struct fanout_marks *marks = NULL;
	struct fanout_error e;
	int status = CLI_EXIT_USAGE;

	if (cli_dead_find(&c->target.dead, hosts, &marks, &s.dead, &e) != 0 ||
	    open_setup(&s, &e) != 0)
		warnx("%s", e.text);
	else
		status = go(&s);
	close_setup(&s);
	cli_dead_free(marks, s.dead);
	return status;
}

int
setup_run(struct csshsetup *c)
{
	static char *const none[] = { NULL };
	const struct cli_tool t = setup_tool(c);

	if (c->completion != NULL)
		return setup_completion(c->completion);
	return cli_tool_run(&t, cli_history_acts(&c->again.report) ? c->words :
	    none, setup_command(c));
}
