/*
 * rotate.c - our key is replaced on all hosts: the new one in, proven, and only
 * then the old one out. Hosts that cannot be reached are remembered (pairs.h),
 * and the next run goes on with them.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attempt.h"
#include "cli/error.h"
#include "dialog.h"
#include "edit.h"
#include "keyline.h"
#include "modes.h"
#include "pairs.h"
#include "script.h"

struct rotate {
	struct setup *s;
	struct pairs pairs;
	const char *from, *to;	/* private keys: the old, the new one */
	char	*old_word, *old_line, *new_word, *new_line;
	bool	 taking_out;	/* the old one */
	bool	*done;		/* one a host: the old one is out, and refused */
};

/* ---- on the host --------------------------------------------------------- */

static bool
is_key(const struct keyline *k, const char *word)
{
	size_t n = (size_t)(k->blob + k->blob_len - k->type);

	return word != NULL && strlen(word) == n &&
	    memcmp(k->type, word, n) == 0;
}

/* Beside each old one, with what that may do; where there is none, as usual. */
static void
add_new(struct rotate *r, struct edit *e, bool first)
{
	const char *line, *options = NULL;
	size_t len, n = 0;
	struct keyline k;
	char *new;
	bool old = false;

	edit_rewind(e);
	while (edit_next(e, &line, &len)) {
		if (!keyline_parse(&k, line, len))
			continue;
		if (is_key(&k, r->new_word))
			return;
		if (is_key(&k, r->old_word)) {
			old = true;
			options = k.options;
			n = k.options_len;
		}
	}
	if (!old && !first)
		return;
	if (asprintf(&new, "%.*s%s%s", (int)n, options != NULL ? options : "",
	    n > 0 ? " " : old ? "" : r->s->key.prefix, r->new_line) == -1) {
		e->failed = true;
		return;
	}
	edit_add(e, new);
	free(new);
}

static void
drop_old(struct rotate *r, struct edit *e)
{
	const char *line;
	struct keyline k;
	size_t len;

	edit_rewind(e);
	while (edit_next(e, &line, &len))
		if (keyline_parse(&k, line, len) && is_key(&k, r->old_word))
			edit_drop(e);
}

static void
on_turn(void *ctx, size_t host, const struct answer *said, FILE *reply,
    struct cli_sink *out)
{
	struct rotate *r = ctx;
	struct answer a = *said;
	struct record file;
	struct edit e;

	while (answer_next(&a, &file)) {
		if (!record_is(&file, "file"))
			continue;
		edit_begin(&e, &file);
		if (!r->taking_out)
			add_new(r, &e, file.number == 0);
		if (r->taking_out || r->s->c->dry_run)
			drop_old(r, &e);
		if (r->s->c->dry_run)
			edit_show(&e, r->s, host, out);
		else if (edit_changes(&e))
			edit_send(&e, reply);
		if (e.failed)
			setup_refuse(&r->s->host[host], NULL, "out of memory");
		edit_clear(&e);
	}
	if (r->s->host[host].state != OVER)
		fputs("commit\n", reply);
}

static int
change(struct rotate *r, bool take_out)
{
	const struct script_wish wish = { .dry_run = r->s->c->dry_run };
	struct dialog d = { .setup = r->s, .script = script_account(&wish),
	    .want = setup_is_trusted, .turn = on_turn, .ctx = r };

	r->taking_out = take_out;
	return dialog_run(&d);
}

/* ---- proofs -------------------------------------------------------------- */

static int
prove_new(struct rotate *r)
{
	struct attempts a = { .setup = r->s, .key = r->to };
	struct host *h;
	size_t i;
	int status;

	if ((status = attempts_run(&a, setup_is_trusted)) == 0)
		for (i = 0; i < r->s->count; i++) {
			h = &r->s->host[i];
			if (h->state != TRUSTED ||
			    a.verdict[i] == ATTEMPT_LET_IN)
				continue;
			setup_give_up(h, &a.result[i]);
			if (a.verdict[i] == ATTEMPT_REFUSED) {
				setup_refuse(h, NULL, "the new key is "
				    "installed, and refused all the same: "
				    "csshsetup --verify --key %s tells more",
				    r->to);
				h->result.cls = FANOUT_C_AUTH;
			}
		}
	attempts_clear(&a);
	return status;
}

static int
prove_old(struct rotate *r)
{
	struct attempts a = { .setup = r->s, .key = r->from };
	struct cli_sink out;
	struct host *h;
	size_t i;
	int status;

	if ((status = attempts_run(&a, setup_is_trusted)) != 0 ||
	    (status = setup_open_sink(r->s, &out)) != 0) {
		attempts_clear(&a);
		return status;
	}
	for (i = 0; i < r->s->count; i++) {
		h = &r->s->host[i];
		if (h->state != TRUSTED)
			continue;
		r->done[i] = a.verdict[i] == ATTEMPT_REFUSED;
		if (r->done[i])
			setup_tell(r->s, &out, "rotated", fanout_hosts_at(
			    r->s->hosts, i), "the new key is let in, the old "
			    "one refused");
		else if (a.verdict[i] == ATTEMPT_LET_IN)
			setup_refuse(h, NULL, "the old key is taken out, and "
			    "let in all the same (AuthorizedKeysCommand, "
			    "another account's file)");
		else
			setup_give_up(h, &a.result[i]);
	}
	cli_sink_close(&out);
	attempts_clear(&a);
	return 0;
}

/* ---- here ---------------------------------------------------------------- */

static int
complain(const struct fanout_error *e)
{
	warnx("%s", e->text);
	return CLI_EXIT_USAGE;
}

/* One whose public half is missing was not made to the end, and nowhere put. */
static int
make_new(const struct rotate *r, struct fanout_error *e)
{
	char *public;
	bool whole;

	if (r->pairs.going_on)
		return 0;
	if (asprintf(&public, "%s.pub", r->to) == -1)
		return cli_nomem(e);
	whole = access(r->to, F_OK) == 0 && access(public, F_OK) == 0;
	free(public);
	if (whole)
		return 0;
	(void)unlink(r->to);
	return key_make(r->s->c, r->to, e);
}

static int
find_pairs(struct rotate *r, struct fanout_error *e)
{
	int rc;

	if ((rc = pairs_init(&r->pairs, r->s->key.path, e)) != 0)
		return rc;
	if (r->pairs.going_on && access(r->pairs.new, F_OK) == 0)
		return cli_error(e, FANOUT_ECONFIG, "a run was ended while "
		    "%s and %s changed places: ssh-keygen -lf tells which is "
		    "which", r->pairs.key, r->pairs.new);
	r->from = r->pairs.going_on ? r->pairs.old : r->pairs.key;
	r->to = r->pairs.going_on ? r->pairs.key : r->pairs.new;
	if (r->s->c->dry_run && access(r->to, F_OK) == -1) {
		r->new_word = strdup("");
		r->new_line = strdup(KEY_TO_COME);
		return r->new_word == NULL || r->new_line == NULL ?
		    cli_nomem(e) : pairs_read(r->from, &r->old_word,
		    &r->old_line, e);
	}
	if ((rc = make_new(r, e)) != 0)
		return rc;
	if ((rc = pairs_read(r->from, &r->old_word, &r->old_line, e)) != 0)
		return rc;
	return pairs_read(r->to, &r->new_word, &r->new_line, e);
}

/* Did one that was reached fail? Then the old key stays everywhere. */
static bool
blocked(const struct rotate *r)
{
	const struct fanout_result *f;
	size_t i;

	for (i = 0; i < r->s->count; i++) {
		f = &r->s->host[i].result;
		if (r->s->host[i].state == OVER && f->stage > FANOUT_S_CONNECT)
			return true;
	}
	return false;
}

/* Those that may still have the old key: of this run, and of those before. */
static int
remember(struct rotate *r)
{
	const char *key = r->s->c->key != NULL ? r->s->c->key :
	    r->s->key.configured ? r->s->key.path : "";
	struct fanout_hosts *left;
	struct fanout_error e;
	size_t i;
	int rc;

	if (fanout_hosts_new(&left) != 0) {
		warnx("out of memory");
		return CLI_EXIT_USAGE;
	}
	rc = pairs_load(&r->pairs, left, &e);
	for (i = 0; i < r->s->count && rc == 0; i++)
		rc = r->done[i] ? fanout_hosts_remove(left,
		    fanout_hosts_at(r->s->hosts, i), &e) :
		    fanout_hosts_add(left, fanout_hosts_at(r->s->hosts, i), &e);
	if (rc == 0)
		rc = pairs_save(&r->pairs, left, &e);
	i = fanout_hosts_count(left);
	fanout_hosts_free(left);
	if (rc != 0)
		return complain(&e);
	if (i > 0)
		warnx("%zu host%s may still have the old key: csshsetup "
		    "--rotate%s%s goes on with %s", i, i == 1 ? "" : "s",
		    *key != '\0' ? " --key " : "", key,
		    i == 1 ? "it" : "them");
	else
		warnx("the old key is kept as %s, in case a host that was not "
		    "named has it", r->pairs.old);
	return 0;
}

/* From here on the new one is the key. What is not over yet is noted first. */
static int
take_over(struct rotate *r)
{
	struct fanout_error e;

	if (r->pairs.going_on)
		return 0;
	if (pairs_save(&r->pairs, r->s->hosts, &e) != 0)
		return complain(&e);
	r->pairs.going_on = true;
	if (pairs_switch(&r->pairs, &e) != 0)
		return complain(&e);
	secrets_move(&r->s->secrets, r->pairs.key, r->pairs.old);
	secrets_move(&r->s->secrets, r->pairs.new, r->pairs.key);
	r->from = r->pairs.old;
	r->to = r->pairs.key;
	free(r->s->also);	/* the identity is the new one now */
	r->s->also = NULL;
	return 0;
}

static int
replace(struct rotate *r)
{
	int status;

	if ((status = change(r, false)) != 0 || r->s->c->dry_run)
		return status;
	if ((status = prove_new(r)) != 0)
		return status;
	if (blocked(r)) {
		warnx("the old key stays everywhere until all hosts that can "
		    "be reached let in the new one, %s", r->to);
		return 0;
	}
	if ((status = take_over(r)) != 0 || (status = change(r, true)) != 0 ||
	    (status = prove_old(r)) != 0)
		return status;
	return remember(r);
}

/* Either of the two may be the only one that lets us in. */
static int
log_in(struct rotate *r)
{
	struct setup *s = r->s;

	free(s->identity);
	if (asprintf(&s->identity, "IdentityFile=\"%s\"", r->from) == -1)
		s->identity = NULL;
	else if (asprintf(&s->also, "IdentityFile=\"%s\"", r->to) == -1)
		s->also = NULL;
	if (s->also != NULL)
		return setup_log_in(s);
	warnx("out of memory");
	return CLI_EXIT_USAGE;
}

int
setup_rotate(struct setup *s)
{
	struct rotate r = { .s = s };
	struct fanout_error e;
	int status = CLI_EXIT_USAGE;

	if ((r.done = calloc(s->count, sizeof(*r.done))) == NULL)
		warnx("out of memory");
	else if (find_pairs(&r, &e) != 0)
		warnx("%s", e.text);
	else if ((status = log_in(&r)) == 0)
		status = replace(&r);
	pairs_clear(&r.pairs);
	free(r.old_word);
	free(r.old_line);
	free(r.new_word);
	free(r.new_line);
	free(r.done);
	return status;
}
