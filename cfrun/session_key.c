#include <sys/socket.h>

#include <netdb.h>
#include <string.h>

#include "advice.h"
#include "session_int.h"

static void
peer_address(int fd, char *out, size_t size)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	out[0] = '\0';
	if (getpeername(fd, (struct sockaddr *)&ss, &len) == 0)
		(void)getnameinfo((struct sockaddr *)&ss, len, out,
		    (socklen_t)size, NULL, 0, NI_NUMERICHOST);
}

struct accepting {
	const struct session *s;
	const EVP_PKEY *key;
	int	 error;
};

static void
accept_key(void *arg)
{
	struct accepting *a = arg;

	a->error = trust_accept(a->s->shared->trust, a->s->site->pin, a->key);
}

static void
keep(struct session *s, const EVP_PKEY *key, const char *digest, bool is_new)
{
	struct accepting a = { s, key, 0 };

	fanout_io_critical(s->io, accept_key, &a);
	if (a.error != 0)
		fanout_io_log(s->io, is_new ? 0 : 1, "its key %s cannot be "
		    "kept in %s: %s", digest,
		    trust_registry(s->shared->trust), strerror(a.error));
	else
		fanout_io_log(s->io, is_new ? 0 : 1, "from now on %s is its "
		    "key", digest);
}

/* Nobody has it yet, or another host: who decides? */
static enum go
is_new(struct session *s, const EVP_PKEY *key, const struct trust_answer *a)
{
	const struct cfengine_config *c = &s->shared->config;
	struct fanout_ask ask = { .kind = FANOUT_ASK_HOSTKEY, .attempt = 1,
	    .echo = true, .prompt = "Is this its key? ",
	    .instruction = "", .user = "", .key_type = "RSA",
	    .fingerprint = a->digest,
	    .path = trust_registry(s->shared->trust) };

	if (c->trust_new) {
		keep(s, key, a->digest, true);
		return GO;
	}
	if (c->ask && fanout_io_can_ask(s->io, FANOUT_ASK_HOSTKEY) &&
	    fanout_io_ask(s->io, &ask) == 0) {
		s->state = CONFIRM;
		s->answer = *a;
		return GO;
	}
	if (a->verdict == TRUST_OTHERS)
		fanout_io_fail(s->io, FANOUT_C_HOSTKEY_CHANGED, 0, 0,
		    ADVICE_OTHERS, a->digest, a->other);
	else
		fanout_io_fail(s->io, FANOUT_C_HOSTKEY_UNKNOWN, 0, 0,
		    ADVICE_UNKNOWN, a->digest);
	return END;
}

static enum go
judge(struct session *s, const EVP_PKEY *key, const struct trust_answer *a)
{
	switch (a->verdict) {
	case TRUST_YES:
		return GO;
	case TRUST_NEW_HOST:
		keep(s, key, a->digest, false);
		return GO;
	case TRUST_CHANGED:
		fanout_io_fail(s->io, FANOUT_C_HOSTKEY_CHANGED, 0, 0,
		    ADVICE_CHANGED, a->digest, a->expected,
		    trust_registry(s->shared->trust));
		return END;
	case TRUST_OTHERS:
	case TRUST_UNKNOWN:
		return is_new(s, key, a);
	case TRUST_ERROR:
		break;
	}
	return session_fail(s, FANOUT_C_ALGORITHM, "its key is no RSA key");
}

enum go
session_check_key(struct session *s)
{
	struct trust_answer answer;
	char address[64];
	X509 *x = SSL_get1_peer_certificate(s->ssl);
	EVP_PKEY *key = x == NULL ? NULL : X509_get0_pubkey(x);
	enum go go;

	fanout_io_stage(s->io, FANOUT_S_HOSTKEY);
	if (key == NULL) {
		X509_free(x);
		return session_fail(s, FANOUT_C_ALGORITHM, "it shows no key");
	}
	peer_address(s->fd, address, sizeof(address));
	trust_check(s->shared->trust, s->site->pin, address, key, &answer);
	go = judge(s, key, &answer);
	X509_free(x);
	return go;
}

/* The user is being asked. */
enum go
session_confirm(struct session *s)
{
	const char *text;
	bool yes;
	X509 *x;

	switch (fanout_io_answer(s->io, &text)) {
	case 0:
		s->events = 0;
		return WAIT;
	case -1:
		fanout_io_fail(s->io, FANOUT_C_HOSTKEY_UNKNOWN, 0, 0,
		    "its key %s: %s", s->answer.digest, text);
		fanout_io_forget(s->io);
		return END;
	}
	yes = strcmp(text, "yes") == 0;
	fanout_io_forget(s->io);
	if (!yes) {
		fanout_io_fail(s->io, FANOUT_C_HOSTKEY_UNKNOWN, 0, 0,
		    "its key %s was not accepted", s->answer.digest);
		return END;
	}
	s->state = GREETING;
	if ((x = SSL_get1_peer_certificate(s->ssl)) != NULL)
		keep(s, X509_get0_pubkey(x), s->answer.digest, true);
	X509_free(x);
	return GO;
}
