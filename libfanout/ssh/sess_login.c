/*
 * sess_login.c - states HANDSHAKE and HOSTKEY: algorithms, keys exchanged,
 * and whether it is the host we think it is.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "sess.h"
#include "ssh2.h"

/* Without a word, or with one of those that sshd has for too many at once. */
static bool
too_busy(const struct sess *s)
{
	static const char *const words[] = {
		"Exceeded MaxStartups", "Not allowed at this time"
	};
	size_t i;

	if (!s->hung_up)
		return false;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (memmem(s->early, s->early_len, words[i],
		    strlen(words[i])) != NULL)
			return true;
	return s->early_len == 0;
}

enum sess_res
sess_handshake(struct sess *s)
{
	const char *greeting;
	char *text = NULL;
	int len = 0, rc;

	rc = libssh2_session_handshake(s->ssh, s->fd);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return sess_again(s);
	if (rc == 0) {
		s->keyed = true;
		ahead_greeted(s);
		return sess_goto(s, SESS_HOSTKEY);
	}
	(void)libssh2_session_last_error(s->ssh, &text, &len, 0);
	greeting = libssh2_session_banner_get(s->ssh);
	if (greeting == NULL || strncmp(greeting, "SSH-", 4) != 0) {
		fanout_io_fail(s->io, FANOUT_C_LOST, 0, too_busy(s) ?
		    FANOUT_HUNG_UP : rc, "the connection "
		    "was closed without an SSH greeting (MaxStartups? another "
		    "service?)");
		return RES_FAIL;
	}
	switch (rc) {
	case LIBSSH2_ERROR_KEX_FAILURE:
	case LIBSSH2_ERROR_METHOD_NONE:
	case LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
		fanout_io_fail(s->io, FANOUT_C_ALGORITHM, 0, rc,
		    "no algorithm in common; we offer host keys %s, key "
		    "exchange %s", s->plan->hostkeys, s->plan->kex);
		break;
	default:
		fanout_io_fail(s->io, FANOUT_C_LOST, 0, rc,
		    "the connection was lost during the key exchange (%.*s)",
		    len, len > 0 ? text : "");
	}
	return RES_FAIL;
}

struct append {
	const struct hostplan *plan;
	const void	*blob;
	size_t		 len;
	struct fanout_error e;
	int		 rc;
};

/* In the engine's critical section: one writer of known_hosts at a time. */
static void
append_key(void *arg)
{
	struct append *a = arg;
	const struct hostconf *c = &a->plan->conf;
	unsigned port;
	const char *name = hostconf_key_name(c, &port);

	a->rc = knownhosts_append(c->known_hosts[0], name, port, a->blob,
	    a->len, c->hash_known_hosts, &a->e, NULL);
}

/* Is it the host's key? 1 yes, -1 no or nobody knows, 0 wait. */
static int
ask_user(struct sess *s, const char *type, const char *print)
{
	const struct hostconf *c = &s->plan->conf;
	struct fanout_ask ask = {
		.kind = FANOUT_ASK_HOSTKEY, .attempt = 1, .echo = true,
		.prompt = "Is this its key? ", .key_type = type,
		.fingerprint = print, .path = c->known_hosts[0]
	};
	const char *text;
	int rc;

	if (c->strict != STRICT_ASK || c->batch)
		return -1;
	if (!s->auth.asking) {
		if (fanout_io_ask(s->io, &ask) == -1)
			return -1;
		s->auth.asking = true;
	}
	if ((rc = auth_answer(s, &text)) == 0)
		return sess_peek(s) == -1 ? -1 : 0;
	if (rc == 1 && strcmp(text, "yes") != 0)
		rc = -1;
	auth_forget(s);
	return rc;
}

static enum sess_res
unknown_key(struct sess *s, const void *blob, size_t len, const char *type,
    const char *print)
{
	const struct hostconf *c = &s->plan->conf;
	struct append a = { .plan = s->plan, .blob = blob, .len = len };
	const char *name;
	enum sess_res res;
	unsigned port;
	int answer;

	name = hostconf_key_name(c, &port);
	if (knownhosts_has_ca(s->plan->known, name, port)) {
		res = sess_fail(s, FANOUT_C_HOSTKEY_UNKNOWN, "its host key is "
		    "to be certified (@cert-authority), and transport ssh2 "
		    "cannot check that");
		fanout_io_result(s->io)->lib_err = SSH2_CANNOT;
		return res;
	}
	if (c->strict == STRICT_YES || c->strict == STRICT_ASK) {
		if ((answer = ask_user(s, type, print)) == 0)
			return RES_WAIT;
		if (answer == -1)
			return sess_fail(s, FANOUT_C_HOSTKEY_UNKNOWN,
			    "its host key %s %s is not in known_hosts (check "
			    "it, then --accept-new records it)", type, print);
	}
	if (c->strict == STRICT_NO)
		fanout_io_log(s->io, 0, "host key %s %s is not known, and not "
		    "checked, as StrictHostKeyChecking is off", type, print);
	if (c->known_hosts[0] == NULL)
		return sess_goto(s, SESS_AUTH);		/* nowhere to record */
	fanout_io_critical(s->io, append_key, &a);
	if (a.rc != 0)
		return sess_fail(s, FANOUT_C_HOSTKEY_UNKNOWN,
		    "its host key %s could not be recorded: %s", print,
		    a.e.text);
	fanout_io_log(s->io, 1, "recorded host key %s %s in %s", type, print,
	    c->known_hosts[0]);
	return sess_goto(s, SESS_AUTH);
}

static enum sess_res
changed_key(struct sess *s, const char *type, const char *print,
    const struct kh_where *where)
{
	char old[FINGERPRINT_SIZE];

	if (fingerprint_sha256(where->blob, where->blob_len, old,
	    sizeof(old)) == -1)
		(void)snprintf(old, sizeof(old), "another key");
	if (s->plan->conf.strict != STRICT_NO)
		return sess_fail(s, FANOUT_C_HOSTKEY_CHANGED,
		    "HOST KEY CHANGED: %s %s, but %s:%u has %s", type, print,
		    where->path, where->line, old);
	fanout_io_log(s->io, 0, "host key changed: %s %s, but %s:%u has %s; "
	    "accepted, as StrictHostKeyChecking is off", type, print,
	    where->path, where->line, old);
	s->key_changed = true;
	return sess_goto(s, SESS_AUTH);
}

enum sess_res
sess_hostkey(struct sess *s)
{
	char print[FINGERPRINT_SIZE], type[64];
	struct kh_where where;
	const char *name, *blob;
	unsigned port;
	size_t len;
	int unused;

	fanout_io_stage(s->io, FANOUT_S_HOSTKEY);
	blob = libssh2_session_hostkey(s->ssh, &len, &unused);
	if (blob == NULL || blob_type(blob, len, type, sizeof(type)) == -1 ||
	    fingerprint_sha256(blob, len, print, sizeof(print)) == -1)
		return sess_fail(s, FANOUT_C_LOST, "the server's host key is "
		    "malformed");
	name = hostconf_key_name(&s->plan->conf, &port);
	switch (knownhosts_check(s->plan->known, name, port, blob, len,
	    &where)) {
	case KH_OK:
		return sess_goto(s, SESS_AUTH);
	case KH_UNKNOWN:
		return unknown_key(s, blob, len, type, print);
	case KH_REVOKED:
		return sess_fail(s, FANOUT_C_HOSTKEY_CHANGED, "its host key "
		    "%s %s is marked @revoked at %s:%u", type, print,
		    where.path, where.line);
	default:
		return changed_key(s, type, print, &where);
	}
}
