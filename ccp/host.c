/*
 * host.c - each host's way through the phases of a copy.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/roster.h"
#include "become.h"
#include "copy.h"
#include "extra.h"
#include "get.h"
#include "plain.h"
#include "xattr.h"
#include "submit.h"
#include "tell.h"

#define PENDING_MAX (128 * 1024)	/* bytes waiting here for the engine */
#define ANSWER_MAX (64 * 1024 * 1024)	/* of a command: digests */

static enum go at_start(struct host *);
static enum go at_leave(struct host *);

static enum go (*const states[AT_NSTATES])(struct host *) = {
	[AT_START] = at_start,
	[AT_DEST] = at_dest,
	[AT_MAKE_DEST] = at_make_dest,
	[AT_LOOK] = at_look,
	[AT_LIST] = at_list,
	[AT_CHECK] = at_check,
	[AT_FETCH] = at_fetch,
	[AT_MAKE_DIRS] = at_make_dirs,
	[AT_MAKE_TEMPS] = at_make_temps,
	[AT_TAKEN] = at_taken,
	[AT_SEND] = at_send,
	[AT_SUMS] = at_sums,
	[AT_VERIFY] = at_verify,
	[AT_RENAME] = at_rename,
	[AT_FIX] = at_fix,
	[AT_DELETE] = at_delete,
	[AT_DIRS] = at_dirs,
	[AT_GET] = at_get,
	[AT_CLEAN] = at_clean,
	[AT_LEAVE] = at_leave
};

/* ---- failures ---- */

void
host_fail(struct host *h, enum fanout_class cls, const char *fmt, ...)
{
	va_list ap;

	if (h->failed)
		return;
	h->failed = true;
	h->result.cls = cls;
	h->result.stage = FANOUT_S_RUN;
	va_start(ap, fmt);
	vsnprintf(h->result.text, sizeof(h->result.text), fmt, ap);
	va_end(ap);
}

void
host_nomem(struct host *h)
{
	host_fail(h, FANOUT_C_LOCAL, "out of memory");
}

/* The server's "Failure" says nothing; where something is written it mostly
 * means one of two things, which are asked rather than said. */
void
host_refused(struct host *h, const char *doing, const char *path,
    const struct sftp_answer *a)
{
	bool bare = a->kind == SFTP_STATUS && a->code == SFTP_FAILURE &&
	    (*a->text == '\0' || strcmp(a->text, "Failure") == 0);
	bool writes = strncmp(doing, "reading", 7) != 0 &&
	    strncmp(doing, "looking", 7) != 0;

	if (a->kind != SFTP_STATUS)
		host_fail(h, FANOUT_C_REMOTE, "%s %s: an answer that does not "
		    "fit", doing, path);
	else
		host_fail(h, FANOUT_C_REMOTE, "%s %s: %s%s", doing, path,
		    a->code == SFTP_FAILURE && !bare ? a->text :
		    sftp_strerror(a->code), bare && writes ? ", and its server "
		    "tells no reason (is the disk full, or read-only?)" : "");
}

/* ---- an SFTP session ---- */

bool
host_may_ask(const struct host *h)
{
	size_t len;

	(void)sftp_pending(h->sftp, &len);
	return len < PENDING_MAX && sftp_under_way(h->sftp) < SFTP_DEPTH - 8;
}

bool
host_settled(const struct host *h)
{
	return sftp_under_way(h->sftp) == 0;
}

enum go
host_goto(struct host *h, enum sftp_state next)
{
	h->state = next;
	h->cursor = 0;
	h->pass = 0;
	return GO_ON;
}

static enum go
at_start(struct host *h)
{
	return sftp_is_up(h->sftp) ? host_goto(h, h->begin) : GO_WAIT;
}

/* Its input ends: so does the server. */
static enum go
at_leave(struct host *h)
{
	if (h->cursor++ == 0)
		h->leaving = true;
	return GO_WAIT;
}

void
host_flush(struct host *h)
{
	const void *data;
	size_t len;
	ssize_t n;

	if (h->waits_become)
		return;
	while ((data = sftp_pending(h->sftp, &len)) != NULL && len > 0) {
		n = fanout_write(h->copy->engine, h->job, h->job_host, data,
		    len);
		if (n < 0)
			return;		/* its DONE is on the way */
		sftp_sent(h->sftp, (size_t)n);
		if ((size_t)n < len)
			return;
	}
	if (h->leaving && !h->left) {
		h->left = true;
		(void)fanout_write_end(h->copy->engine, h->job, h->job_host);
	}
}

static void
pump(struct host *h)
{
	enum go go = GO_ON;

	while (go == GO_ON && !h->left) {
		if (h->failed && h->state < AT_GET &&
		    sftp_is_up(h->sftp)) {
			rereads_give_up(h);
			(void)host_goto(h, AT_CLEAN);
		}
		go = states[h->state](h);
	}
	host_flush(h);
}

void
host_pump(struct host *h)
{
	if (h->sftp != NULL)
		pump(h);
}

static bool
is_sftp(const struct host *h)
{
	return h->phase == PHASE_LOOK || h->phase == PHASE_SEND ||
	    h->phase == PHASE_FINISH || h->phase == PHASE_CLEAN;
}

/* ---- from phase to phase ---- */

static bool
any(const struct host *h, unsigned flags, bool dirs_too)
{
	const struct source *src = &h->load->source;
	uint32_t i;

	for (i = 0; i < src->count; i++)
		if ((h->todo[i] & flags) &&
		    (dirs_too || src->entries[i].kind != ENTRY_DIR))
			return true;
	return false;
}

uint32_t
host_to_send(const struct host *h)
{
	const struct source *src = &h->load->source;
	uint32_t i, n = 0;

	for (i = 0; i < src->count; i++)
		n += src->entries[i].kind != ENTRY_DIR &&
		    (h->todo[i] & E_SEND);
	return n;
}

/* What it wanted to change and finds right now, its fellow has changed. */
static void
count_fellows(struct host *h)
{
	uint32_t now = host_to_send(h);

	if (h->wanted > now)
		h->changed += h->wanted - now;
	h->wanted = 0;
}

/* Once a host: so many bytes are on their way in the end. */
static void
count_bytes(struct host *h)
{
	struct copy *c = h->copy;
	uint32_t i;

	if (h->decided)
		return;
	h->decided = true;
	c->undecided--;
	for (i = 0; h->todo != NULL && i < h->load->source.count; i++)
		if (h->load->source.entries[i].kind == ENTRY_FILE &&
		    (h->todo[i] & E_SEND))
			h->to_send += (uint64_t)
			    h->load->source.entries[i].size;
	c->to_send += h->to_send;
}

/* What is to be done is known: the state that does it, or AT_LEAVE. */
static enum sftp_state
decided(struct host *h)
{
	tell_note(h);
	count_bytes(h);
	if (h->wanted > 0)
		count_fellows(h);
	/* Directories that it made before it waited have no times yet. */
	if (!any(h, E_SEND | E_FIX | E_MADE, true) && extra_count(h) == 0 &&
	    !h->load->source.has_xattrs)
		return AT_LEAVE;
	if (h->copy->opts.diff)
		return AT_FETCH;
	if (h->copy->opts.dry_run)
		return AT_LEAVE;
	h->wants_before = h->copy->opts.before != NULL && !h->ran_before;
	return h->wants_before ? AT_LEAVE : AT_MAKE_DIRS;
}

enum go
host_checked(struct host *h)
{
	return host_goto(h, decided(h));
}

enum go
host_listed(struct host *h)
{
	if (any(h, E_CHECK, false))
		return host_goto(h, h->by_sftp ? AT_CHECK : AT_LEAVE);
	return host_goto(h, decided(h));
}

bool
host_is_users(const struct host *h)
{
	return h->phase == PHASE_BEFORE || h->phase == PHASE_AFTER;
}

/* Its outcome is the host's, if it is not good. */
static void
users_over(struct host *h, const struct fanout_result *r)
{
	uint64_t in = h->result.in_bytes, out = h->result.out_bytes;
	char text[sizeof(r->text)];

	if (r->cls == FANOUT_C_OK)
		return;
	h->failed = true;
	h->result = *r;
	h->result.in_bytes = in;
	h->result.out_bytes = out;
	snprintf(text, sizeof(text), "%s: %.200s", h->phase == PHASE_BEFORE ?
	    "--exec-before, nothing was changed" :
	    "--exec-after, the files are there", r->text);
	strlcpy(h->result.text, text, sizeof(h->result.text));
}

static void
over(struct host *h)
{
	struct copy *c = h->copy;

	if (!h->failed) {
		h->result.stage = FANOUT_S_CLOSE;
		snprintf(h->result.text, sizeof(h->result.text), "%u %s",
		    h->changed, c->opts.dry_run ? "would change" : "changed");
	}
	h->phase = PHASE_OVER;
	h->job = 0;
	/* What it did not send nobody will. */
	count_bytes(h);
	c->to_send -= h->to_send > h->sent ? h->to_send - h->sent : 0;
	fellow_over(h);
	free(h->todo);
	free(h->kept);
	free(h->input);
	free(h->answer);
	extra_free(h);
	h->todo = NULL;
	h->kept = NULL;
	h->input = h->answer = NULL;
	c->over(c->arg, h);
}

/* All is there. */
static void
well(struct host *h)
{
	if (h->copy->opts.after != NULL && (h->changed > 0 ||
	    h->owes_after) && !h->copy->opts.dry_run && h->phase != PHASE_AFTER)
		submit_users(h, PHASE_AFTER, h->copy->opts.after);
	else
		over(h);
}

static void
begin_sending(struct host *h, enum sftp_state next)
{
	if (h->plain)
		plain_place(h, PLACE_FIRST);
	else
		submit_sftp(h, PHASE_SEND, next);
}

static void
after_sum(struct host *h)
{
	enum sftp_state next;

	if (h->by_sftp)
		submit_sftp(h, PHASE_LOOK, AT_CHECK);
	else if ((next = decided(h)), h->wants_before)
		submit_users(h, PHASE_BEFORE, h->copy->opts.before);
	else if (next != AT_LEAVE)
		begin_sending(h, next);
	else
		well(h);
}

static void
commit(struct host *h)
{
	char *script = script_commit(h);

	if (h->by_sftp) {
		free(script);
		submit_sftp(h, PHASE_SEND, AT_VERIFY);
	} else
		submit_script(h, PHASE_COMMIT, script);
}

/* What is done by SFTP, behind all else. */
static bool
needs_finish(const struct host *h)
{
	if (h->plain)
		return plain_needs(h, PLACE_LAST);
	return h->copy->opts.preserve || extra_count(h) > 0;
}

static void
finish(struct host *h)
{
	if (!needs_finish(h))
		well(h);
	else if (h->plain)
		plain_place(h, PLACE_LAST);
	else
		submit_sftp(h, PHASE_FINISH, AT_DELETE);
}

static void
after_all(struct host *h)
{
	bool temps = any(h, E_TEMP, true) || (h->base_flags & E_TEMP);

	if (h->plain && plain_needs(h, PLACE_LINKS))
		plain_place(h, PLACE_LINKS);
	else if (!h->has_xattrs && h->load->source.has_xattrs)
		submit_script(h, PHASE_XATTRS, script_xattrs(h));
	else if (!h->by_sftp && temps)
		commit(h);
	else if (!h->by_sftp)
		finish(h);
	else
		well(h);
}

static void
after_send(struct host *h)
{
	if (h->copy->opts.dry_run)
		well(h);
	else if (h->by_archive && !h->by_sftp && !h->no_archive)
		submit_archive(h);
	else if (!h->by_sftp && large_next(h))
		submit_large(h);
	else
		after_all(h);
}

static void
after_archive(struct host *h)
{
	h->by_archive = false;
	if (h->by_sftp || h->no_archive)
		submit_sftp(h, PHASE_SEND, AT_SEND);
	else
		after_send(h);
}

static void
after_large(struct host *h)
{
	/* What it could not do is sent as the rest was. */
	if (h->by_sftp)
		submit_sftp(h, PHASE_SEND, AT_SEND);
	else
		after_send(h);
}

static void
after_probe(struct host *h)
{
	if (any(h, E_CHECK, false))
		submit_script(h, PHASE_SUM, script_sum(h));
	else
		after_sum(h);
}

static void
next_phase(struct host *h)
{
	switch (h->phase) {
	case PHASE_LOOK:
		if (any(h, E_CHECK, false))
			submit_script(h, PHASE_SUM, script_sum(h));
		else if (h->wants_before)
			submit_users(h, PHASE_BEFORE, h->copy->opts.before);
		else
			after_send(h);
		break;
	case PHASE_BEFORE:
		begin_sending(h, AT_MAKE_DIRS);
		break;
	case PHASE_SUM:
		after_sum(h);
		break;
	case PHASE_SEND:
		after_send(h);
		break;
	case PHASE_ARCHIVE:
		if (!h->bulk_failed)
			after_archive(h);
		else
			submit_archive(h);
		break;
	case PHASE_LARGE:
		after_large(h);
		break;
	case PHASE_XATTRS:
		h->has_xattrs = true;
		after_all(h);
		break;
	case PHASE_COMMIT:
		if (h->by_sftp)
			submit_sftp(h, PHASE_SEND, AT_VERIFY);
		else
			finish(h);
		break;
	case PHASE_PROBE:
		if (!plain_probes_on(h))
			after_probe(h);
		break;
	case PHASE_PLACE:
		if (h->placing == PLACE_FIRST || h->placing == PLACE_LINKS)
			after_send(h);
		else
			well(h);
		break;
	default:
		well(h);
	}
}

/* ---- events ---- */

void
host_end_session(struct host *h)
{
	uploads_free(h);
	rereads_free(h);
	get_free(h);
	sftp_free(h->sftp);
	h->sftp = NULL;
}

/* Its own failure says more than that of the session it ended with. */
static void
sftp_over(struct host *h, const struct fanout_result *r)
{
	bool ended = r->cls == FANOUT_C_OK || r->cls == FANOUT_C_EXIT;

	if (!h->failed && !ended) {
		h->failed = true;
		h->result = *r;
	} else if (!h->left)
		host_fail(h, FANOUT_C_REMOTE, "the SFTP server ended before "
		    "its time%s%s", *h->words != '\0' ? ": " : "", h->words);
	host_end_session(h);
}

/* The other way there may be closed to it: it has no password, say. */
static bool
retry_large(struct host *h, const struct fanout_result *r)
{
	h->bulk_failed = false;
	if ((h->phase != PHASE_LARGE && h->phase != PHASE_ARCHIVE) ||
	    h->no_bulk || h->failed ||
	    r->cls == FANOUT_C_OK || r->stage >= FANOUT_S_RUN ||
	    r->cls == FANOUT_C_CANCELED)
		return false;
	h->no_bulk = h->bulk_failed = true;
	return true;
}

static void
script_over(struct host *h, const struct fanout_result *r)
{
	if (h->phase == PHASE_LARGE) {
		h->sent += r->in_bytes;
		h->copy->sent += r->in_bytes;
		large_close(h);
	}
	if (h->failed || retry_large(h, r))
		return;
	if (r->cls != FANOUT_C_OK && r->cls != FANOUT_C_EXIT &&
	    r->cls != FANOUT_C_REMOTE) {
		h->failed = true;
		h->result = *r;
		return;
	}
	if (h->phase == PHASE_PROBE || h->phase == PHASE_PLACE)
		plain_over(h);
	else if (h->phase == PHASE_SUM)
		script_summed(h);
	else if (h->phase == PHASE_XATTRS)
		script_xattrs_over(h);
	else if (h->phase == PHASE_ARCHIVE)
		script_archived(h);
	else if (h->phase == PHASE_LARGE)
		script_large_over(h);
	else
		script_committed(h);
	if (h->plain && h->by_sftp)
		plain_misses(h);
}

/* Temporary files are there still, and the host can be reached. */
static bool
needs_cleaning(const struct host *h)
{
	if (h->plain && h->phase == PHASE_PLACE)
		return h->failed && h->placing != PLACE_CLEAN &&
		    plain_needs(h, PLACE_CLEAN);
	return h->failed && (h->phase == PHASE_LARGE ||
	    h->phase == PHASE_ARCHIVE || h->phase == PHASE_XATTRS ||
	    h->phase == PHASE_COMMIT) && (h->result.cls == FANOUT_C_REMOTE ||
	    h->result.cls == FANOUT_C_LOCAL);
}

static void
on_done(struct host *h, const struct fanout_result *r)
{
	h->job = 0;
	h->result.queue_ms += r->queue_ms;
	h->result.login_ms += r->login_ms;
	h->result.run_ms += r->run_ms;
	h->result.in_bytes += r->in_bytes;
	h->result.out_bytes += r->out_bytes;
	if (h->waits_become && (r->cls == FANOUT_C_OK ||
	    r->cls == FANOUT_C_EXIT))
		become_ended(h);
	if (plain_takes_over(h, r)) {
		if (h->job == 0)
			over(h);
		return;
	}
	if (is_sftp(h))
		sftp_over(h, r);
	else if (host_is_users(h))
		users_over(h, r);
	else
		script_over(h, r);
	if (needs_cleaning(h) && h->plain)
		plain_place(h, PLACE_CLEAN);
	else if (needs_cleaning(h))
		submit_sftp(h, PHASE_CLEAN, AT_CLEAN);
	else if (h->failed)
		over(h);
	else
		next_phase(h);
	if (h->failed && h->phase != PHASE_OVER && h->job == 0)
		over(h);
}

static void
keep_answer(struct host *h, const void *data, size_t len)
{
	char *p;

	if (h->answer_len + len + 1 > ANSWER_MAX) {
		host_fail(h, FANOUT_C_REMOTE, "it says more than it was "
		    "asked");
		fanout_cancel(h->copy->engine, h->job);
		return;
	}
	if ((p = realloc(h->answer, h->answer_len + len + 1)) == NULL) {
		host_nomem(h);
		return;
	}
	h->answer = p;
	memcpy(p + h->answer_len, data, len);
	h->answer_len += len;
	p[h->answer_len] = '\0';
}

static void
on_out(struct host *h, const void *data, size_t len)
{
	if (host_is_users(h))
		return;		/* it is shown */

	if (!is_sftp(h)) {
		keep_answer(h, data, len);
		return;
	}
	if (sftp_input(h->sftp, data, len) == -1) {
		host_fail(h, FANOUT_C_REMOTE, "%s", sftp_error(h->sftp));
		fanout_cancel(h->copy->engine, h->job);
		h->left = true;
		return;
	}
	pump(h);
}

void
host_words(struct host *h, const char *data, size_t len)
{
	size_t at = strlen(h->words);

	for (; len > 0 && !h->words_end && at < sizeof(h->words) - 1;
	    data++, len--)
		if (*data == '\n')
			h->words_end = true;
		else
			h->words[at++] = *data < ' ' || *data > '~' ? '?' :
			    *data;
	h->words[at] = '\0';
}

static void
on_room(struct host *h)
{
	if (h->waits_become)
		return;
	if (is_sftp(h))
		pump(h);
	else if (h->phase != PHASE_LARGE && h->phase != PHASE_ARCHIVE)
		job_feed(h);
}

/* What is said before sudo has run the command is sudo's. */
static void
on_err(struct host *h, const char *data, size_t len)
{
	h->hidden = 0;
	if (h->waits_become) {
		h->hidden = become_hears(h, data, len);
		if (h->waits_become)
			return;
		/* Files come by themselves, the user's commands have none. */
		if (h->phase == PHASE_LARGE || h->phase == PHASE_ARCHIVE ||
		    host_is_users(h))
			(void)fanout_write_end(h->copy->engine, h->job,
			    h->job_host);
		else
			on_room(h);
	}
	host_words(h, data + h->hidden, len - h->hidden);
}

static struct host *
host_of(struct copy *c, const struct fanout_event *ev)
{
	size_t at = (size_t)(ev->job - c->first_job);
	const struct copy_job *j;

	if (ev->job < c->first_job || at >= c->jobs_size)
		return NULL;
	j = &c->jobs[at];
	return &c->at[j->all ? ev->host : j->map != NULL ? j->map[ev->host] :
	    j->host];
}

/* Of 10,000 hosts, most wait: they need no memory yet. */
static void
on_start(struct host *h)
{
	if (h->phase == PHASE_LOOK && h->todo == NULL &&
	    ((h->todo = calloc(h->load->source.count + 1, 1)) == NULL ||
	    (h->sftp = sftp_new(h)) == NULL)) {
		host_nomem(h);
		fanout_cancel(h->copy->engine, h->job);
		h->left = true;
	} else
		on_room(h);
}

struct host *
copy_event(struct copy *c, const struct fanout_event *ev)
{
	struct host *h = host_of(c, ev);

	if (h == NULL || h->job != ev->job)
		return h;
	if (h->holds)
		c->moved = cli_now();
	switch (ev->kind) {
	case FANOUT_EV_START:
		on_start(h);
		break;
	case FANOUT_EV_ROOM:
		on_room(h);
		break;
	case FANOUT_EV_OUT:
		on_out(h, ev->data, ev->len);
		break;
	case FANOUT_EV_ERR:
		on_err(h, ev->data, ev->len);
		break;
	case FANOUT_EV_DONE:
		on_done(h, ev->result);
		break;
	default:
		break;
	}
	return h;
}
