/*
 * transport.c - what all sessions share, and where each host is.
 */
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "session.h"

static void
cfengine_close_all(void *shared)
{
	struct shared *sh = shared;

	SSL_CTX_free(sh->ctx);
	trust_close(sh->trust);
	free(sh);
}

/* Only its key counts, on either side; the rest is what cf-agent puts in. */
static X509 *
certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = x == NULL ? NULL : X509_get_subject_name(x);

	if (name != NULL && X509_set_version(x, 2) == 1 &&
	    ASN1_INTEGER_set(X509_get_serialNumber(x), 0) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -24 * 3600L) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(x), 3650L * 24 * 3600) != NULL &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"a", -1, -1, 0) == 1 &&
	    X509_set_issuer_name(x, name) == 1 &&
	    X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha384()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

/* Certificates sign themselves: the session judges the key. */
static int
any_certificate(int good, X509_STORE_CTX *ctx)
{
	(void)good;
	(void)ctx;
	return 1;
}

static SSL_CTX *
context(EVP_PKEY *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	X509 *x = certificate(key);
	bool good;

	/* Keys of 1024 bits are not refused: whoever trusts one may use it. */
	if (ctx != NULL)
		SSL_CTX_set_security_level(ctx, 1);
	good = ctx != NULL && x != NULL &&
	    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_use_certificate(ctx, x) == 1 &&
	    SSL_CTX_use_PrivateKey(ctx, key) == 1;
	X509_free(x);
	if (!good) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, any_certificate);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	    SSL_MODE_RELEASE_BUFFERS);
	return ctx;
}

static int
cfengine_open(void **out, void *config, const struct fanout_opts *o,
    struct fanout_error *e)
{
	const struct cfengine_config *c = config;
	struct shared *sh;
	int rc;

	(void)o;
	*out = NULL;
	if ((sh = calloc(1, sizeof(*sh))) == NULL)
		return cli_nomem(e);
	sh->config = *c;
	rc = trust_open(&sh->trust, c->workdir, c->registry, c->user, e);
	if (rc == 0 && trust_digest(trust_own_key(sh->trust), false,
	    sh->own_digest, sizeof(sh->own_digest)) == -1)
		(void)trust_digest(trust_own_key(sh->trust), true,
		    sh->own_digest, sizeof(sh->own_digest));
	if (rc == 0 && (sh->ctx = context(trust_own_key(sh->trust))) == NULL)
		rc = cli_error(e, FANOUT_ECONFIG, "cannot use the key "
		    "localhost.priv for TLS: %s",
		    ERR_reason_error_string(ERR_peek_last_error()));
	if (rc != 0) {
		cfengine_close_all(sh);
		return rc;
	}
	*out = sh;
	return 0;
}

static int
no_memory(struct fanout_result *why)
{
	why->cls = FANOUT_C_LOCAL;
	(void)strlcpy(why->text, "out of memory", sizeof(why->text));
	return -1;
}

static int
cfengine_plan(void *shared, const char *host, struct fanout_plan *plan,
    struct fanout_result *why)
{
	struct shared *sh = shared;
	struct fanout_hostspec spec;
	struct site *site;
	size_t size;

	if (fanout_host_split(host, &spec) != 0) {
		why->cls = FANOUT_C_LOCAL;
		(void)strlcpy(why->text, "no name of a host",
		    sizeof(why->text));
		return -1;
	}
	plan->port = spec.port != 0 ? spec.port : sh->config.port;
	if (sh->config.source != NULL &&
	    (plan->source = strdup(sh->config.source)) == NULL)
		return no_memory(why);
	size = spec.name_len + 8 + spec.user_len + 1;
	if ((plan->address = strndup(spec.name, spec.name_len)) == NULL ||
	    (site = calloc(1, sizeof(*site) + size)) == NULL)
		return no_memory(why);
	plan->priv = site;
	(void)snprintf(site->pin, size, plan->port == SESSION_PORT ? "%s" :
	    "%s:%u", plan->address, plan->port);
	if (spec.user == NULL)
		return 0;
	if ((site->user = strndup(spec.user, spec.user_len)) == NULL)
		return no_memory(why);
	return 0;
}

static void
cfengine_plan_free(void *shared, struct fanout_plan *plan)
{
	struct site *site = plan->priv;

	(void)shared;
	if (site != NULL)
		free(site->user);
	free(site);
	plan->priv = NULL;
}

static void *
cfengine_new(void *shared, struct fanout_io *io, const char *host,
    const struct fanout_plan *plan, int fd)
{
	(void)host;
	return session_new(shared, io, plan->priv, fd);
}

static void
cfengine_start(void *peer, const struct fanout_task *task)
{
	session_start(peer, task);
}

static enum fanout_verdict
cfengine_step(void *peer)
{
	return session_step(peer);
}

static void
cfengine_cancel(void *peer)
{
	session_cancel(peer);
}

static void
cfengine_close(void *peer)
{
	session_close(peer);
}

static void
cfengine_free(void *peer)
{
	session_free(peer);
}

static char *
cfengine_explain(void *shared, const char *host)
{
	struct shared *sh = shared;
	struct fanout_plan plan = { .connect_ms = -1 };
	struct fanout_result why = { .text = "" };
	struct site *site;
	const char *digest;
	char *text = NULL;

	if (cfengine_plan(shared, host, &plan, &why) != 0) {
		text = strdup(why.text);
	} else {
		site = plan.priv;
		digest = trust_recorded(sh->trust, site->pin);
		if (asprintf(&text, "cf-serverd of %s, port %u; we are %s with "
		    "the key %s\nits key has to be %s (%s)", plan.address,
		    plan.port, site->user != NULL ? site->user :
		    sh->config.user, sh->own_digest, digest != NULL ? digest :
		    "one of ppkeys that is nobody else's",
		    trust_registry(sh->trust)) == -1)
			text = NULL;
	}
	cfengine_plan_free(shared, &plan);
	free(plan.address);
	free(plan.source);
	return text;
}

const struct fanout_transport cfengine_transport = {
	.size = sizeof(struct fanout_transport),
	.name = "cfengine",
	.descriptors = 1,
	.open = cfengine_open,
	.close_all = cfengine_close_all,
	.plan = cfengine_plan,
	.plan_free = cfengine_plan_free,
	.peer_new = cfengine_new,
	.start = cfengine_start,
	.step = cfengine_step,
	.cancel = cfengine_cancel,
	.close = cfengine_close,
	.free = cfengine_free,
	.explain = cfengine_explain
};
