/*
 * sess_auth.c - state AUTH: which methods are tried, in which order, and what
 * is said when none is left.
 *
 * As ssh does it: in the order of PreferredAuthentications, what the server
 * still takes, all over again when it accepted one and wants another. Keys are
 * tried without asking the server first what it takes, which saves a round
 * trip; its list comes with its first "no" (auth_saw).
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/visible.h"
#include "base/wire.h"
#include "sess.h"
#include "ssh2.h"

#define MSG_USERAUTH_FAILURE 51
#define ORDER "publickey,keyboard-interactive,password"	/* of ours; ssh's */
#define SECRETS (AUTH_BIT(AUTH_PROMPTS) | AUTH_BIT(AUTH_PASSWORD))

static const char *const names[AUTH_METHODS] = {
	[AUTH_KEY] = "publickey",
	[AUTH_PROMPTS] = "keyboard-interactive",
	[AUTH_PASSWORD] = "password"
};

static enum auth_method
method_of(const char *name, size_t len)
{
	enum auth_method m;

	for (m = AUTH_KEY; m < AUTH_METHODS; m++)
		if (strlen(names[m]) == len &&
		    memcmp(names[m], name, len) == 0)
			return m;
	return AUTH_NONE;
}

/* ---- what the server says ---------------------------------------------- */

static void
take_list(struct auth *a, const char *list, size_t len)
{
	size_t at, n;

	a->have_list = true;
	a->listed = 0;
	(void)fo_vis_line(a->server, sizeof(a->server), list, len);
	for (at = 0; at < len; at += n + 1) {
		for (n = 0; at + n < len && list[at + n] != ','; n++)
			;
		a->listed |= AUTH_BIT(method_of(list + at, n));
	}
}

/* byte type, string list, boolean partial success (RFC 4252 5.1) */
void
auth_saw(struct sess *s, const unsigned char *msg, size_t max)
{
	const unsigned char *list;
	struct fo_rd r;
	size_t len, i;
	bool partial;

	if (max < 6 || msg[0] != MSG_USERAUTH_FAILURE)
		return;
	fo_rd_init(&r, msg + 1, max - 1);
	list = fo_rd_str(&r, &len);
	partial = fo_rd_u8(&r) != 0;
	if (r.bad)
		return;
	for (i = 0; i < len; i++)
		if (list[i] <= ' ' || list[i] > '~')
			return;		/* it was something else */
	take_list(&s->auth, (const char *)list, len);
	s->auth.partial = partial;
}

static enum sess_res
ask_list(struct sess *s)
{
	const char *user = s->plan->conf.user;
	char *list;
	int rc;

	list = libssh2_userauth_list(s->ssh, user, (unsigned)strlen(user));
	if (list != NULL) {
		take_list(&s->auth, list, strlen(list));
		s->auth.partial = false;
		s->auth.method = AUTH_NONE;
		return RES_NEXT;
	}
	if (libssh2_userauth_authenticated(s->ssh))
		return auth_accepted(s, "nothing: the server asks for none");
	rc = libssh2_session_last_errno(s->ssh);
	return rc == LIBSSH2_ERROR_EAGAIN ? sess_again(s) : auth_error(s, rc);
}

/* ---- which is next ----------------------------------------------------- */

static bool
may_ask(const struct sess *s, enum fanout_ask_kind kind)
{
	return !s->plan->conf.batch && !s->key_changed &&
	    fanout_io_can_ask(s->io, kind);
}

static bool
allowed(struct sess *s, enum auth_method m)
{
	const struct hostconf *c = &s->plan->conf;
	const struct auth *a = &s->auth;

	if ((a->over & AUTH_BIT(m)) ||
	    (a->have_list && !(a->listed & AUTH_BIT(m))))
		return false;
	switch (m) {
	case AUTH_KEY:
		while (s->ident < 64 && (a->used & 1ULL << s->ident))
			s->ident++;
		return c->pubkey && s->ident < s->plan->idents.n;
	case AUTH_PROMPTS:
		return c->kbdint && may_ask(s, FANOUT_ASK_PROMPT);
	case AUTH_PASSWORD:
		return c->password && may_ask(s, FANOUT_ASK_PASSWORD);
	default:
		return false;
	}
}

static enum auth_method
next_method(struct sess *s)
{
	const char *p = s->plan->conf.preferred_auth;
	enum auth_method m;
	size_t n;

	for (p = p != NULL ? p : ORDER; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		m = method_of(p, n);
		if (m != AUTH_NONE && allowed(s, m))
			return m;
	}
	return AUTH_NONE;
}

/* ---- the end of it ----------------------------------------------------- */

struct words {
	char	 text[256];
	size_t	 len;
};

static void __attribute__((__format__(printf, 2, 3)))
say(struct words *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->text + w->len, sizeof(w->text) - w->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->len += (size_t)n < sizeof(w->text) - w->len ? (size_t)n :
		    sizeof(w->text) - w->len - 1;
}

static void
say_keys(struct words *w, const struct sess *s)
{
	const struct ident_list *l = &s->plan->idents;
	const char *skipped = l->nskipped > 0 ? l->skipped[0] : NULL;
	unsigned tried = s->auth.tries[AUTH_KEY];

	if (s->sign_text[0] != '\0')
		say(w, "; %s", s->sign_text);
	else if (tried > 0)
		say(w, "; keys tried: %u (%s)", tried, l->v[tried - 1].text);
	if (skipped != NULL)
		say(w, "; not tried: %s", skipped);
	else if (l->n == 0 && s->plan->conf.pubkey && s->auth.wrong == 0)
		say(w, "; there is no key (--identity, ssh-agent, "
		    "~/.ssh/id_ed25519)");
}

static void
say_secrets(struct words *w, const struct sess *s)
{
	const struct auth *a = &s->auth;
	bool takes = a->listed & SECRETS;

	if (takes && s->key_changed)
		say(w, "; no password is sent, as its host key changed");
	else if (a->why != NULL && a->wrong == 0)
		say(w, "; password %s", a->why);
	else if (takes && !may_ask(s, FANOUT_ASK_PASSWORD))
		say(w, "; it takes a password, too (--ask-password)");
	else if (a->have_list && a->listed == 0)
		say(w, "; the server takes only %s", a->server[0] != '\0' ?
		    a->server : "nothing");
}

/* Keys that libssh2 cannot use may be what this host wants: ssh can. */
static enum sess_res
none_left(struct sess *s)
{
	const struct auth *a = &s->auth;
	struct words w = { .len = 0 };
	enum sess_res res;

	say(&w, "user %s is refused", s->plan->conf.user);
	if (a->done[0] != '\0')
		say(&w, " (%s was accepted, but not enough)", a->done);
	if (a->tries[AUTH_PROMPTS] > 0)
		say(&w, "; wrong answer (keyboard-interactive)");
	if (a->tries[AUTH_PASSWORD] > 0)
		say(&w, "; wrong password");
	say_keys(&w, s);
	say_secrets(&w, s);
	res = sess_fail(s, FANOUT_C_AUTH, "%s", w.text);
	if (s->plan->idents.ssh_could &&
	    (!a->have_list || (a->listed & AUTH_BIT(AUTH_KEY))))
		fanout_io_result(s->io)->lib_err = SSH2_CANNOT;
	return res;
}

enum sess_res
auth_accepted(struct sess *s, const char *how)
{
	if (fanout_io_logs(s->io, 1))
		fanout_io_log(s->io, 1, "logged in as %s with %s",
		    s->plan->conf.user, how);
	return sess_goto(s, SESS_READY);
}

enum sess_res
auth_refused(struct sess *s)
{
	struct auth *a = &s->auth;
	enum auth_method m = a->method;

	if (a->partial) {
		if (a->done[0] != '\0')
			(void)strlcat(a->done, ",", sizeof(a->done));
		(void)strlcat(a->done, names[m], sizeof(a->done));
		fanout_io_log(s->io, 1, "%s accepted; the server wants more: "
		    "%s", names[m], a->server);
		a->partial = false;
		a->over = 0;
		s->ident = 0;
		a->method = AUTH_NONE;
	} else if (!allowed(s, m))
		a->method = AUTH_NONE;
	return RES_NEXT;
}

enum sess_res
auth_error(struct sess *s, int rc)
{
	unsigned keys = s->auth.tries[AUTH_KEY];

	/* "Too many authentication failures", "User not allowed", ... */
	if (s->farewell[0] == '\0')
		return sess_error(s, rc, "login");
	if (s->auth.method == AUTH_KEY)
		fanout_io_fail(s->io, FANOUT_C_AUTH, 0, rc, "the server hung up "
		    "after %u key%s: %s (--identity names the right one)",
		    keys, keys == 1 ? "" : "s", s->farewell);
	else
		fanout_io_fail(s->io, FANOUT_C_AUTH, 0, rc, "the server hung "
		    "up: %s", s->farewell);
	return RES_FAIL;
}

static enum sess_res
choose(struct sess *s)
{
	struct auth *a = &s->auth;

	a->method = next_method(s);
	if (a->method != AUTH_KEY && !a->have_list)
		a->method = AUTH_LIST;
	return a->method == AUTH_NONE ? none_left(s) : RES_NEXT;
}

enum sess_res
sess_auth(struct sess *s)
{
	fanout_io_stage(s->io, FANOUT_S_AUTH);
	if (s->auth.waiting && sess_peek(s) == -1)
		return sess_fail(s, FANOUT_C_AUTH, "the server hung up while "
		    "it waited for an answer");
	switch (s->auth.method) {
	case AUTH_LIST:
		return ask_list(s);
	case AUTH_KEY:
		return auth_key(s);
	case AUTH_PROMPTS:
		return auth_prompts(s);
	case AUTH_PASSWORD:
		return auth_password(s);
	default:
		return choose(s);
	}
}
