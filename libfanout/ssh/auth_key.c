/*
 * auth_key.c - login by public key: one after the other until one is accepted.
 * Keys were read once for the run; libssh2 asks us to sign.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "sess.h"

/*
 * The algorithm of the signature stands in what is to be signed (RFC 4252
 * section 7): session id, type, user, service, method, true, algorithm, key.
 */
static int
algorithm_of(const void *data, size_t len, char *name, size_t size)
{
	const unsigned char *p;
	struct fo_rd r;
	size_t n;

	fo_rd_init(&r, data, len);
	(void)fo_rd_str(&r, &n);
	(void)fo_rd_u8(&r);
	(void)fo_rd_str(&r, &n);
	(void)fo_rd_str(&r, &n);
	(void)fo_rd_str(&r, &n);
	(void)fo_rd_u8(&r);
	p = fo_rd_str(&r, &n);
	if (r.bad || n >= size)
		return -1;
	memcpy(name, p, n);
	name[n] = '\0';
	return 0;
}

static unsigned
agent_flags(const char *algorithm)
{
	if (strcmp(algorithm, "rsa-sha2-256") == 0)
		return AGENT_RSA_SHA2_256;
	if (strcmp(algorithm, "rsa-sha2-512") == 0)
		return AGENT_RSA_SHA2_512;
	return 0;
}

static void
call_end(struct sess *s)
{
	fanout_io_watch(s->io, SESS_WATCH_AGENT, -1, 0);
	agent_call_free(s->agent);
	s->agent = NULL;
}

static int
cannot_sign(struct sess *s, const char *text)
{
	(void)strlcpy(s->sign_text, text, sizeof(s->sign_text));
	call_end(s);
	return -1;
}

/* Called again and again by libssh2 until the agent has answered. */
static int
sign_by_agent(struct sess *s, const struct ident *id, const char *algorithm,
    const void *data, size_t len, unsigned char **sig, size_t *siglen)
{
	struct fanout_error e;
	const unsigned char *p;
	const char *used;
	int rc;

	if (s->agent == NULL && agent_sign_start(&s->agent, id->sock, id->blob,
	    id->blob_len, data, len, agent_flags(algorithm), &e) != 0)
		return cannot_sign(s, e.text);
	if ((rc = agent_call_step(s->agent)) == 0)
		return LIBSSH2_ERROR_EAGAIN;
	if (rc == -1)
		return cannot_sign(s, agent_call_text(s->agent));
	p = agent_call_signature(s->agent, siglen, &used);
	if ((*sig = malloc(*siglen)) == NULL)
		return cannot_sign(s, "out of memory");
	memcpy(*sig, p, *siglen);
	call_end(s);
	return 0;
}

static int
check_passphrase(void *arg, const char *answer)
{
	struct fanout_error e;
	int rc = key_unlock(arg, answer, &e);

	return rc < 0 ? -1 : rc;
}

/* An encrypted key that this server would take: its passphrase is asked for
 * once, whoever wants it, and its stretching is no worker's work. */
static int
unlock(struct sess *s, struct key *k)
{
	struct fanout_ask ask = {
		.kind = FANOUT_ASK_PASSPHRASE, .attempt = 1, .path = k->path
	};
	const char *text;
	char prompt[256];

	(void)snprintf(prompt, sizeof(prompt), "Enter passphrase for key "
	    "'%s': ", k->path);
	ask.prompt = prompt;
	if (!s->auth.asking) {
		if (fanout_io_ask_once(s->io, &ask, k->path, check_passphrase,
		    k) == -1)
			return -1;
		s->auth.asking = true;
	}
	switch (auth_answer(s, &text)) {
	case 0:
		return LIBSSH2_ERROR_EAGAIN;
	case 1:
		return 0;
	}
	(void)snprintf(s->sign_text, sizeof(s->sign_text),
	    "passphrase of %s: %s", k->path, text);
	return -1;
}

/* What it puts into *sig libssh2 frees through memory_free. */
static int
sign(LIBSSH2_SESSION *ssh, unsigned char **sig, size_t *siglen,
    const unsigned char *data, size_t len, void **abstract)
{
	struct sess *s = *abstract;
	const struct ident *id = &s->plan->idents.v[s->ident];
	char algorithm[64];
	int rc;

	(void)ssh;
	if (algorithm_of(data, len, algorithm, sizeof(algorithm)) == -1)
		return -1;
	if (id->kind == IDENT_AGENT)
		return sign_by_agent(s, id, algorithm, data, len, sig, siglen);
	/* Who has asked also takes the answer, or would go on waiting. */
	if ((id->key->secret == NULL || s->auth.asking) &&
	    (rc = unlock(s, id->key)) != 0)
		return rc;
	return key_sign(id->key, algorithm, data, len, sig, siglen);
}

/* libssh2 calls a key refused, too, when the answer never came. */
static bool
is_refused(const struct sess *s, int rc)
{
	return !s->hung_up && (rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED ||
	    rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED);
}

enum sess_res
auth_key(struct sess *s)
{
	const struct ident *id = &s->plan->idents.v[s->ident];
	struct auth *a = &s->auth;
	void *abstract = s;
	int rc;

	if (a->tries[AUTH_KEY] <= s->ident)
		a->tries[AUTH_KEY] = (unsigned)s->ident + 1;
	rc = libssh2_userauth_publickey(s->ssh, s->plan->conf.user, id->blob,
	    id->blob_len, sign, &abstract);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return sess_again(s);
	auth_forget(s);
	if (rc == 0)
		return auth_accepted(s, id->text);
	if (!is_refused(s, rc))
		return auth_error(s, rc);
	if (a->partial)
		a->used |= 1ULL << (s->ident & 63);
	else if (fanout_io_logs(s->io, 1))
		fanout_io_log(s->io, 1, "key refused: %s", id->text);
	s->ident++;
	return auth_refused(s);
}

