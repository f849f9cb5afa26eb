/*
 * revoke.c - keys that hosts are to let in no more: out of all files that sshd
 * looks at, and proven to be.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attempt.h"
#include "cli/visible.h"
#include "dialog.h"
#include "edit.h"
#include "keyline.h"
#include "modes.h"
#include "script.h"

#define REVOKE_MAX 1000		/* keys of one file */

struct revoke {
	struct setup *s;
	char	**print;	/* fingerprints; NULL: by comment */
	size_t	 count;
	const char *comment;
	struct fanout_hosts *named;	/* by an expression in it; or NULL */
	char	*private;	/* to try it by; NULL: it is not here */
	bool	 proving;	/* only looks whether it is gone */
	size_t	*gone;		/* one a host: lines that went, or are still
				 * there */
};

/* ---- which keys ---------------------------------------------------------- */

static int
add_print(struct revoke *r, const char *text)
{
	char **print;

	if (r->count == REVOKE_MAX) {
		warnx("--revoke: more than %d keys", REVOKE_MAX);
		return -1;
	}
	print = reallocarray(r->print, r->count + 1, sizeof(*print));
	if (print != NULL)
		r->print = print;
	if (print == NULL || (print[r->count] = strdup(text)) == NULL) {
		warnx("out of memory");
		return -1;
	}
	r->count++;
	return 0;
}

static int
add_key(struct revoke *r, const char *line, size_t len)
{
	char print[KEYLINE_PRINT_SIZE];
	struct keyline k;

	if (!keyline_parse(&k, line, len))
		return 0;
	keyline_fingerprint(&k, print);
	return add_print(r, print);
}

/* Public keys, one a line. */
static int
read_keys(struct revoke *r, const char *path)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	FILE *f;
	int rc = 0;

	if ((f = fopen(path, "re")) == NULL) {
		warn("--revoke: %s", path);
		return -1;
	}
	while (rc == 0 && (n = getline(&line, &size, f)) != -1)
		rc = add_key(r, line, (size_t)n);
	free(line);
	fclose(f);
	if (rc == 0 && r->count == 0) {
		warnx("--revoke: %s: there is no public key in it", path);
		rc = -1;
	}
	return rc;
}

/* FILE or FILE.pub: both halves, if they are there. */
static int
take_file(struct revoke *r, const char *path)
{
	size_t n = strlen(path);
	char *public = NULL;
	int rc = -1;

	if (n > 4 && strcmp(path + n - 4, ".pub") == 0) {
		public = strdup(path);
		r->private = strndup(path, n - 4);
	} else if (asprintf(&public, "%s.pub", path) == -1)
		public = NULL;
	else if (access(public, F_OK) == 0)
		r->private = strdup(path);
	else {
		free(public);
		public = strdup(path);
	}
	if (public == NULL)
		warnx("out of memory");
	else
		rc = read_keys(r, public);
	free(public);
	if (r->private != NULL && (access(r->private, R_OK) == -1 ||
	    r->count != 1)) {
		free(r->private);
		r->private = NULL;
	}
	return rc;
}

/* "node[1-9]" and "@web" are many hosts; other words are as they stand, as ","
 * and such may be in any comment. */
static int
find_hosts(struct revoke *r, const char *what)
{
	struct fanout_error e;

	if (strchr(what, '[') == NULL && *what != '@')
		return 0;
	if (fanout_hosts_new(&r->named) != 0) {
		warnx("out of memory");
		return -1;
	}
	if (r->s->c->target.groups != NULL)
		fanout_hosts_use_groups(r->named, r->s->c->target.groups);
	if (fanout_hosts_add(r->named, what, &e) != 0)
		warnx("--revoke %s: taken as a comment: %s", what, e.text);
	return 0;
}

static int
find_keys(struct revoke *r, const char *what)
{
	struct keyline k;

	if (strncmp(what, "SHA256:", 7) == 0) {
		if (strlen(what) == KEYLINE_PRINT_SIZE - 1)
			return add_print(r, what);
		warnx("--revoke %s: a fingerprint is SHA256: and %d letters",
		    what, KEYLINE_PRINT_SIZE - 8);
		return -1;
	}
	if (keyline_parse(&k, what, strlen(what)))
		return add_key(r, what, strlen(what));
	if (strchr(what, '/') != NULL || access(what, F_OK) == 0)
		return take_file(r, what);
	r->comment = what;
	if (*what != '\0')
		return find_hosts(r, what);
	warnx("--revoke: which key?");
	return -1;
}

/* It is the comment, or the host in it: with its domain or without. */
static bool
comment_is(const struct keyline *k, const char *what)
{
	size_t n = strlen(what), at;

	if (k->comment_len == n && memcmp(k->comment, what, n) == 0)
		return true;
	for (at = k->comment_len; at > 0 && k->comment[at - 1] != '@'; at--)
		;
	return at > 0 && k->comment_len - at >= n &&
	    memcmp(k->comment + at, what, n) == 0 &&
	    (k->comment_len - at == n || (k->comment[at + n] == '.' &&
	    strchr(what, '.') == NULL));
}

/* The same, of many. */
static bool
comment_names(const struct keyline *k, const struct fanout_hosts *set)
{
	char text[300], *host;

	if (set == NULL || k->comment_len >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)k->comment_len, k->comment);
	if (fanout_hosts_find(set, text) != FANOUT_NOHOST)
		return true;
	if ((host = strrchr(text, '@')) == NULL)
		return false;
	if (fanout_hosts_find(set, ++host) != FANOUT_NOHOST)
		return true;
	host[strcspn(host, ".")] = '\0';
	return fanout_hosts_find(set, host) != FANOUT_NOHOST;
}

static bool
is_meant(const struct revoke *r, const struct keyline *k, const char *print)
{
	size_t i;

	if (r->comment != NULL)
		return comment_is(k, r->comment) ||
		    comment_names(k, r->named);
	for (i = 0; i < r->count; i++)
		if (strcmp(r->print[i], print) == 0)
			return true;
	return false;
}

static bool
is_ours(const struct revoke *r, const struct keyline *k)
{
	const char *word = r->s->key.word;
	size_t n = (size_t)(k->blob + k->blob_len - k->type);

	return word != NULL && strlen(word) == n &&
	    memcmp(word, k->type, n) == 0;
}

/* ---- one host ------------------------------------------------------------ */

static void
tell_key(struct revoke *r, size_t host, const struct keyline *k,
    const char *print, struct cli_sink *out)
{
	char shown[100 * CLI_VISIBLE_MAX + 1], text[600];

	shown[cli_visible(shown, k->comment, k->comment_len < 100 ?
	    k->comment_len : 100)] = '\0';
	snprintf(text, sizeof(text), "%s %s%s%s", r->s->c->dry_run ?
	    "would go:" : "goes:", print, *shown != '\0' ? " " : "", shown);
	setup_tell(r->s, out, "key", fanout_hosts_at(r->s->hosts, host), text);
}

/* False: it is not to be done, and the host is refused. */
static bool
strike(struct revoke *r, size_t host, struct edit *e, struct cli_sink *out)
{
	char print[KEYLINE_PRINT_SIZE];
	const char *line;
	struct keyline k;
	size_t len;

	while (edit_next(e, &line, &len)) {
		if (!keyline_parse(&k, line, len))
			continue;
		keyline_fingerprint(&k, print);
		if (!is_meant(r, &k, print))
			continue;
		if (is_ours(r, &k)) {
			setup_refuse(&r->s->host[host], NULL, "%s is the key "
			    "that lets us in: --rotate replaces it", print);
			return false;
		}
		r->gone[host]++;
		if (r->proving)
			continue;
		tell_key(r, host, &k, print, out);
		edit_drop(e);
	}
	return true;
}

static void
on_turn(void *ctx, size_t host, const struct answer *said, FILE *reply,
    struct cli_sink *out)
{
	struct revoke *r = ctx;
	struct answer a = *said;
	struct record file;
	struct edit e;
	bool go_on = true;

	r->gone[host] = 0;
	while (go_on && answer_next(&a, &file)) {
		if (!record_is(&file, "file"))
			continue;
		edit_begin(&e, &file);
		go_on = strike(r, host, &e, out);
		if (e.failed) {
			setup_refuse(&r->s->host[host], NULL, "out of memory");
			go_on = false;
		}
		if (go_on && r->s->c->dry_run)
			edit_show(&e, r->s, host, out);
		else if (go_on && edit_changes(&e))
			edit_send(&e, reply);
		edit_clear(&e);
	}
	if (go_on)
		fputs("commit\n", reply);
}

/* ---- all ----------------------------------------------------------------- */

static int
look(struct revoke *r, bool proving)
{
	const struct script_wish wish = { .dry_run = r->s->c->dry_run ||
	    proving };
	struct dialog d = { .setup = r->s, .script = script_account(&wish),
	    .want = proving ? setup_is_marked : setup_is_trusted,
	    .turn = on_turn, .ctx = r };

	r->proving = proving;
	return dialog_run(&d);
}

static int
try_key(struct revoke *r, enum attempt **verdict)
{
	struct attempts a = { .setup = r->s, .key = r->private };
	int status;

	*verdict = NULL;
	if (r->private == NULL)
		return 0;
	if ((status = attempts_run(&a, setup_is_marked)) == 0) {
		*verdict = a.verdict;
		a.verdict = NULL;
	}
	attempts_clear(&a);
	return status;
}

static void
conclude(struct revoke *r, size_t i, bool was_there, enum attempt verdict,
    struct cli_sink *out)
{
	struct host *h = &r->s->host[i];
	const char *what = !was_there ? "not there" : "gone";
	char text[80];

	if (h->state != TRUSTED)
		return;
	if (r->gone[i] > 0)
		setup_refuse(h, NULL, "it is there again: somebody put it "
		    "back, or two files are one");
	else if (verdict == ATTEMPT_LET_IN)
		setup_refuse(h, NULL, "it is in no file that was looked at, "
		    "and lets in all the same (AuthorizedKeysCommand, "
		    "TrustedUserCAKeys, another account's file)");
	else {
		snprintf(text, sizeof(text), "%s%s", what, verdict ==
		    ATTEMPT_REFUSED ? ", and refused" : "");
		setup_tell(r->s, out, "revoked",
		    fanout_hosts_at(r->s->hosts, i), text);
	}
}

/* Whoever mistypes a name would think that it is done; the key itself cannot be
 * mistyped, and gone is what it was to be. A retry is about those that are left
 * of a run that may have found it. */
static void
tell_if_nowhere(const struct revoke *r)
{
	size_t i, reached = 0;

	for (i = 0; i < r->s->count; i++) {
		if (r->gone[i] > 0)
			return;
		reached += r->s->host[i].state == TRUSTED;
	}
	if (reached == 0)
		return;
	r->s->bad = r->comment != NULL &&
	    r->s->c->again.report.retry == NULL;
	if (r->comment == NULL)
		warnx("--revoke %s: no host that was reached has such a key",
		    r->s->c->revoke);
	else
		warnx("--revoke %s: no host that was reached has a key with "
		    "this comment, or of USER@HOST with %s; --audit tells "
		    "which keys there are", r->comment, r->named != NULL ?
		    "one of these hosts" : "this host");
}

/* What each had is known; is it gone now, and is the key refused? */
static int
prove(struct revoke *r)
{
	bool *was = calloc(r->s->count, sizeof(*was));
	enum attempt *verdict = NULL;
	struct cli_sink out;
	size_t i;
	int status = CLI_EXIT_USAGE;

	if (was == NULL) {
		warnx("out of memory");
		return status;
	}
	for (i = 0; i < r->s->count; i++) {
		was[i] = r->gone[i] > 0;
		r->gone[i] = 0;
		r->s->host[i].marked = r->s->host[i].state == TRUSTED;
	}
	if ((status = look(r, true)) == 0 &&
	    (status = try_key(r, &verdict)) == 0 &&
	    (status = setup_open_sink(r->s, &out)) == 0) {
		for (i = 0; i < r->s->count; i++)
			conclude(r, i, was[i], verdict != NULL ? verdict[i] :
			    ATTEMPT_NONE, &out);
		cli_sink_close(&out);
	}
	free(verdict);
	free(was);
	return status;
}

int
setup_revoke(struct setup *s)
{
	struct revoke r = { .s = s };
	int status = CLI_EXIT_USAGE;
	size_t i;

	if (find_keys(&r, s->c->revoke) == -1)
		goto out;
	if ((r.gone = calloc(s->count, sizeof(*r.gone))) == NULL) {
		warnx("out of memory");
		goto out;
	}
	if ((status = setup_log_in(s)) != 0 || (status = look(&r, false)) != 0)
		goto out;
	tell_if_nowhere(&r);
	if (!s->c->dry_run)
		status = prove(&r);
out:
	for (i = 0; i < r.count; i++)
		free(r.print[i]);
	free(r.print);
	free(r.private);
	free(r.gone);
	fanout_hosts_free(r.named);
	return status;
}
