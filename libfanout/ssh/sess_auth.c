/*
 * sess_auth.c - state AUTH: one public key after the other until one is
 * accepted. Keys were read once for the run; libssh2 asks us to sign.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "sess.h"
#include "ssh2.h"

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
agent_end(struct sess *s)
{
	fanout_io_watch(s->io, SESS_WATCH_AGENT, -1, 0);
	agent_call_free(s->agent);
	s->agent = NULL;
}

static int
agent_failed(struct sess *s, const char *text)
{
	(void)strlcpy(s->agent_text, text, sizeof(s->agent_text));
	agent_end(s);
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
		return agent_failed(s, e.text);
	if ((rc = agent_call_step(s->agent)) == 0)
		return LIBSSH2_ERROR_EAGAIN;
	if (rc == -1)
		return agent_failed(s, agent_call_text(s->agent));
	p = agent_call_signature(s->agent, siglen, &used);
	if ((*sig = malloc(*siglen)) == NULL)
		return agent_failed(s, "out of memory");
	memcpy(*sig, p, *siglen);
	agent_end(s);
	return 0;
}

/* What it puts into *sig libssh2 frees through memory_free. */
static int
sign(LIBSSH2_SESSION *ssh, unsigned char **sig, size_t *siglen,
    const unsigned char *data, size_t len, void **abstract)
{
	struct sess *s = *abstract;
	const struct ident *id = &s->plan->idents.v[s->ident];
	char algorithm[64];

	(void)ssh;
	if (algorithm_of(data, len, algorithm, sizeof(algorithm)) == -1)
		return -1;
	if (id->kind == IDENT_AGENT)
		return sign_by_agent(s, id, algorithm, data, len, sig, siglen);
	return key_sign(id->key, algorithm, data, len, sig, siglen);
}

static enum sess_res
refused(struct sess *s)
{
	const struct ident_list *l = &s->plan->idents;
	const char *skipped = l->nskipped > 0 ? l->skipped[0] : NULL;
	const char *user = s->plan->conf.user;

	if (s->agent_text[0] != '\0')
		return sess_fail(s, FANOUT_C_AUTH, "no key was accepted for "
		    "user %s; agent: %s", user, s->agent_text);
	if (l->n == 0)
		return sess_fail(s, FANOUT_C_AUTH, "there is no usable key%s%s",
		    skipped != NULL ? ": " : " (--identity, ssh-agent, "
		    "~/.ssh/id_ed25519)", skipped != NULL ? skipped : "");
	return sess_fail(s, FANOUT_C_AUTH, "user %s is refused; keys tried: "
	    "%u (%s)%s%s", user, s->tried, l->v[l->n - 1].text,
	    skipped != NULL ? "; not tried: " : "",
	    skipped != NULL ? skipped : "");
}

/* Keys that libssh2 cannot use may be what this host wants: ssh can. */
static enum sess_res
no_key_left(struct sess *s)
{
	enum sess_res res = refused(s);

	if (s->plan->idents.ssh_could)
		fanout_io_result(s->io)->lib_err = SSH2_CANNOT;
	return res;
}

/* libssh2 calls a key refused, too, when the answer never came. */
static enum sess_res
auth_error(struct sess *s, int rc)
{
	bool refused_key = rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED ||
	    rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;

	if (refused_key && !s->hung_up) {
		if (fanout_io_logs(s->io, 1))
			fanout_io_log(s->io, 1, "key refused: %s",
			    s->plan->idents.v[s->ident].text);
		s->ident++;
		return RES_NEXT;
	}
	/* "Too many authentication failures", "User not allowed", ... */
	if (s->farewell[0] == '\0')
		return sess_error(s, rc, "login");
	fanout_io_fail(s->io, FANOUT_C_AUTH, 0, rc, "the server hung up after "
	    "%u key%s: %s (--identity names the right one)", s->tried,
	    s->tried == 1 ? "" : "s", s->farewell);
	return RES_FAIL;
}

enum sess_res
sess_auth(struct sess *s)
{
	const struct ident_list *l = &s->plan->idents;
	const char *user = s->plan->conf.user;
	void *abstract = s;
	int rc;

	if (s->tried == 0)
		fanout_io_stage(s->io, FANOUT_S_AUTH);
	if (s->ident >= l->n)
		return no_key_left(s);
	if (s->tried <= s->ident)
		s->tried = (unsigned)s->ident + 1;
	rc = libssh2_userauth_publickey(s->ssh, user, l->v[s->ident].blob,
	    l->v[s->ident].blob_len, sign, &abstract);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return sess_again(s);
	if (rc != 0)
		return auth_error(s, rc);
	if (fanout_io_logs(s->io, 1))
		fanout_io_log(s->io, 1, "logged in as %s with %s", user,
		    l->v[s->ident].text);
	return sess_goto(s, SESS_READY);
}
