#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "algs.h"
#include "pattern.h"
#include "sshconf_int.h"
#include "strlist.h"

/* One host while its hostconf is being filled. */
struct fill {
	struct resolving *r;
	struct hostconf *hc;
	struct tokens t;
};

static const char *
word(const struct resolving *r, enum kw_slot slot)
{
	return r->val[slot] == NULL ? NULL : r->val[slot]->argv[0];
}

static bool
flag(const struct resolving *r, enum kw_slot slot, bool otherwise)
{
	const struct directive *d = r->val[slot];

	return d == NULL ? otherwise :
	    keyword_value(d->kw->type, d->argv[0]) != 0;
}

static int
number(const struct resolving *r, enum kw_slot slot, int otherwise)
{
	const char *s = word(r, slot);

	return s == NULL ? otherwise : keyword_number(s);
}

/* Seconds of the configuration as milliseconds. */
static int
ms(const struct resolving *r, enum kw_slot slot, int otherwise)
{
	const char *s = word(r, slot);
	int n;

	if (s == NULL)
		return otherwise;
	n = keyword_time(s);
	return n > INT_MAX / 1000 ? INT_MAX : n * 1000;
}

static int
no_memory(struct resolving *r)
{
	return resolving_fail(r, NULL, "out of memory");
}

static int
copy(struct resolving *r, char **dst, const char *s)
{
	if (s != NULL && (*dst = strdup(s)) == NULL)
		return no_memory(r);
	return 0;
}

/* "none" says that there is none. */
static const char *
unless_none(const char *s)
{
	return s == NULL || strcasecmp(s, "none") == 0 ? NULL : s;
}

/* ---- paths ------------------------------------------------------------- */

/* ~, then tokens and variables. NULL: why is set. */
static char *
path(struct fill *f, const struct directive *d, const char *s)
{
	char why[128], *home, *out = NULL;

	home = tilde_expand(f->r->c, s, why, sizeof(why));
	if (home != NULL)
		out = token_expand(&f->t, home, NULL, true, why, sizeof(why));
	free(home);
	if (out == NULL)
		(void)resolving_fail(f->r, d, "%s: %s", s,
		    why[0] == '\0' ? "out of memory" : why);
	return out;
}

static int
add_path(struct fill *f, const struct directive *d, const char *s,
    bool once, char ***list)
{
	char *p = path(f, d, s);

	if (p == NULL)
		return -1;
	if (once && strlist_has(*list, p)) {
		free(p);
		return 0;
	}
	return strlist_take(list, p) == -1 ? no_memory(f->r) : 0;
}

/* The words of a keyword, or the defaults (two names, one folder). */
static int
known_hosts(struct fill *f, enum kw_slot slot, const char *one,
    const char *two, char ***list)
{
	const struct directive *d = f->r->val[slot];
	size_t i;

	if (d == NULL)
		return add_path(f, NULL, one, false, list) == -1 ? -1 :
		    add_path(f, NULL, two, false, list);
	if (unless_none(d->argv[0]) == NULL)
		return 0;
	for (i = 0; d->argv[i] != NULL; i++)
		if (add_path(f, d, d->argv[i], false, list) == -1)
			return -1;
	return 0;
}

/* ssh's order, without DSA, which is out of use since OpenSSH 10. */
static int
default_identities(struct fill *f)
{
	static const char *const names[] = {
		"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ecdsa_sk",
		"~/.ssh/id_ed25519", "~/.ssh/id_ed25519_sk",
		"~/.ssh/id_xmss"
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (add_path(f, NULL, names[i], true,
		    &f->hc->identities) == -1)
			return -1;
	return 0;
}

static int
identities(struct fill *f)
{
	const struct directive *d;
	struct hostconf *hc = f->hc;
	bool cert;
	size_t i;

	for (i = 0; i < f->r->nmany; i++) {
		d = f->r->many[i];
		cert = d->kw->slot == K_CERTIFICATE;
		if (!cert)
			hc->identities_set = true;
		if (unless_none(d->argv[0]) != NULL && add_path(f, d,
		    d->argv[0], true, cert ? &hc->certificates : &hc->identities))
			return -1;
	}
	return hc->identities_set ? 0 : default_identities(f);
}

/* ---- agent ------------------------------------------------------------- */

/* "$NAME": the value of a variable; anything else is a path. */
static int
agent_path(struct fill *f, const struct directive *d, const char *s,
    char **out)
{
	char *p;

	if (strcmp(s, "SSH_AUTH_SOCK") == 0 || s[0] == '\0')
		return copy(f->r, out, getenv("SSH_AUTH_SOCK"));
	if (s[0] == '$' && s[1] != '{')
		return copy(f->r, out, getenv(s + 1));
	if ((p = path(f, d, s)) == NULL)
		return -1;
	*out = p;
	return 0;
}

static int
agent(struct fill *f)
{
	const struct directive *d = f->r->val[K_IDENTITYAGENT];
	const char *s = d == NULL ? "SSH_AUTH_SOCK" : d->argv[0];

	if (strcmp(s, "none") == 0)
		return 0;
	if (agent_path(f, d, s, &f->hc->identity_agent) == -1)
		return -1;
	if (f->hc->identity_agent != NULL && *f->hc->identity_agent == '\0') {
		free(f->hc->identity_agent);
		f->hc->identity_agent = NULL;
	}
	return 0;
}

static int
forward_agent(struct fill *f)
{
	const struct directive *d = f->r->val[K_FORWARDAGENT];
	int v;

	if (d == NULL)
		return 0;
	v = keyword_value(KT_FLAG, d->argv[0]);
	f->hc->forward_agent = v != 0;
	return v != -1 ? 0 : agent_path(f, d, d->argv[0],
	    &f->hc->forward_agent_sock);
}

/* ---- algorithms -------------------------------------------------------- */

static int
algorithms(struct fill *f, enum kw_slot slot, enum algs_kind kind, char **out)
{
	const struct directive *d = f->r->val[slot];
	bool bad;

	if (d == NULL)
		return 0;
	if ((*out = algs_apply(kind, d->argv[0], &bad)) != NULL)
		return 0;
	return resolving_fail(f->r, d, "%s: %s", d->kw->name,
	    bad ? "nothing is left of the list" : "out of memory");
}

static int
all_algorithms(struct fill *f)
{
	struct hostconf *hc = f->hc;
	const char *s = word(f->r, K_HOSTKEYALGS);

	hc->hostkey_reorder = s == NULL || *s == '+' || *s == '-';
	if (algorithms(f, K_HOSTKEYALGS, ALGS_HOSTKEY,
	    &hc->hostkey_algorithms) == -1 ||
	    algorithms(f, K_PUBKEYALGS, ALGS_PUBKEY,
	    &hc->pubkey_algorithms) == -1 ||
	    algorithms(f, K_KEX, ALGS_KEX, &hc->kex) == -1 ||
	    algorithms(f, K_CIPHERS, ALGS_CIPHERS, &hc->ciphers) == -1)
		return -1;
	return algorithms(f, K_MACS, ALGS_MACS, &hc->macs);
}

/* ---- the way there ----------------------------------------------------- */

/* The chain without the "ssh://" that its parts may carry. */
static int
jump(struct fill *f, const char *chain)
{
	char *out = malloc(strlen(chain) + 1);
	const char *p = chain;
	size_t n, len = 0;

	if (out == NULL)
		return no_memory(f->r);
	for (;; p += n + 1) {
		n = strcspn(p, ",");
		if (strncmp(p, "ssh://", 6) == 0) {
			p += 6;
			n = strcspn(p, ",");
		}
		memcpy(out + len, p, n);
		len += n;
		if (len > 0 && out[len - 1] == '/')
			len--;
		if (p[n] == '\0')
			break;
		out[len++] = ',';
	}
	out[len] = '\0';
	f->hc->proxy_jump = out;
	return 0;
}

/* A host that is reached through itself. */
static int
check_loop(struct fill *f)
{
	const char *last = strrchr(f->hc->proxy_jump, ',');
	struct fanout_hostspec s;
	struct hostconf *hc = f->hc;

	last = last == NULL ? hc->proxy_jump : last + 1;
	if (fanout_host_split(last, &s) != 0)
		return resolving_fail(f->r, f->r->val[K_PROXY],
		    "malformed jump host %s", last);
	if (s.name_len == strlen(hc->hostname) &&
	    memcmp(s.name, hc->hostname, s.name_len) == 0 &&
	    (s.port == 0 ? 22 : s.port) == hc->port && (s.user == NULL ||
	    (s.user_len == strlen(hc->user) &&
	    memcmp(s.user, hc->user, s.user_len) == 0)))
		return resolving_fail(f->r, f->r->val[K_PROXY],
		    "%s would be reached through itself", last);
	return 0;
}

static int
proxy(struct fill *f)
{
	const struct directive *d = f->r->val[K_PROXY];
	char why[128];

	if (d == NULL || unless_none(d->raw) == NULL)
		return 0;
	if (d->kw->type == KT_JUMP)
		return jump(f, d->raw) == -1 ? -1 : check_loop(f);
	f->hc->proxy_command = token_expand(&f->t, d->raw, NULL, false, why,
	    sizeof(why));
	if (f->hc->proxy_command == NULL)
		return resolving_fail(f->r, d, "ProxyCommand: %s",
		    why[0] == '\0' ? "out of memory" : why);
	return 0;
}

/* ---- all --------------------------------------------------------------- */

static void
flags(const struct resolving *r, struct hostconf *hc)
{
	const char *s;

	s = word(r, K_FAMILY);
	hc->family = s == NULL ? AF_UNSPEC : keyword_value(KT_FAMILY, s);
	s = word(r, K_STRICT);
	hc->strict = s == NULL ? STRICT_ASK : keyword_value(KT_STRICT, s);
	hc->connect_ms = ms(r, K_CONNECTTIMEOUT, -1);
	hc->attempts = number(r, K_ATTEMPTS, 1);
	hc->alive_ms = ms(r, K_ALIVEINTERVAL, 0);
	hc->alive_max = number(r, K_ALIVECOUNT, 3);
	hc->hash_known_hosts = flag(r, K_HASHKNOWN, false);
	hc->pubkey = flag(r, K_PUBKEY, true);
	hc->password = flag(r, K_PASSWORD, true);
	hc->kbdint = flag(r, K_KBDINT, true);
	hc->batch = flag(r, K_BATCH, false);
	hc->password_prompts = number(r, K_PROMPTS, 3);
	hc->identities_only = flag(r, K_IDENTITIESONLY, false);
	hc->compression = flag(r, K_COMPRESSION, false);
}

/* What only ssh does, unless it says no. */
static const char *
needs_ssh(const struct resolving *r)
{
	const struct directive *d;
	int slot;

	for (slot = K_SSH_FIRST; slot < K_SLOTS; slot++) {
		if ((d = r->val[slot]) == NULL)
			continue;
		if (d->kw->type == KT_FLAG || d->kw->type == KT_CANON ?
		    keyword_value(d->kw->type, d->argv[0]) != 0 :
		    unless_none(d->raw) != NULL)
			return d->kw->name;
	}
	return r->needs_ssh;
}

static int
set_env(struct fill *f)
{
	const struct directive *d = f->r->val[K_SETENV];
	size_t i, j, n;

	for (i = 0; d != NULL && d->argv[i] != NULL; i++) {
		n = strcspn(d->argv[i], "=") + 1;
		for (j = 0; j < i; j++)
			if (strncmp(d->argv[j], d->argv[i], n) == 0)
				break;
		if (j == i && strlist_add(&f->hc->set_env, d->argv[i]) == -1)
			return no_memory(f->r);
	}
	return 0;
}

static int
texts(struct fill *f)
{
	struct resolving *r = f->r;
	struct hostconf *hc = f->hc;

	if (copy(r, &hc->host, r->original) == -1 ||
	    copy(r, &hc->hostname, r->host) == -1 ||
	    copy(r, &hc->user, r->user != NULL ? r->user :
	    r->val[K_USER] != NULL ? word(r, K_USER) : r->c->user) == -1 ||
	    copy(r, &hc->hostkey_alias, word(r, K_HOSTKEYALIAS)) == -1 ||
	    copy(r, &hc->bind_address, word(r, K_BINDADDRESS)) == -1 ||
	    copy(r, &hc->preferred_auth, word(r, K_PREFERRED)) == -1)
		return -1;
	if (hc->hostkey_alias != NULL)
		ascii_lower(hc->hostkey_alias);
	hc->port = r->port != 0 ? r->port : r->val[K_PORT] != NULL ?
	    keyword_port(word(r, K_PORT)) : 22;
	if (r->send_env != NULL) {
		strlist_free(hc->send_env);
		hc->send_env = r->send_env;
		r->send_env = NULL;
	}
	return 0;
}

static int
empty_lists(struct fill *f)
{
	struct hostconf *hc = f->hc;

	if ((hc->known_hosts = strlist_new()) == NULL ||
	    (hc->global_known_hosts = strlist_new()) == NULL ||
	    (hc->identities = strlist_new()) == NULL ||
	    (hc->certificates = strlist_new()) == NULL ||
	    (hc->send_env = strlist_new()) == NULL ||
	    (hc->set_env = strlist_new()) == NULL)
		return no_memory(f->r);
	return 0;
}

static void
set_tokens(struct fill *f)
{
	struct hostconf *hc = f->hc;

	f->t = (struct tokens){
		.c = f->r->c, .host = hc->hostname, .original = hc->host,
		.user = hc->user, .port = hc->port,
		.alias = hc->hostkey_alias != NULL ? hc->hostkey_alias :
		    hc->host
	};
}

int
hostconf_fill(struct resolving *r, struct hostconf *hc)
{
	struct fill f = { .r = r, .hc = hc };

	flags(r, hc);
	hc->needs_ssh = needs_ssh(r);
	if (hc->attempts < 1)
		return resolving_fail(r, r->val[K_ATTEMPTS],
		    "ConnectionAttempts must be at least 1");
	if (empty_lists(&f) == -1 || texts(&f) == -1)
		return -1;
	set_tokens(&f);
	if (known_hosts(&f, K_USERKNOWN, "~/.ssh/known_hosts",
	    "~/.ssh/known_hosts2", &hc->known_hosts) == -1 ||
	    known_hosts(&f, K_GLOBALKNOWN, "/etc/ssh/ssh_known_hosts",
	    "/etc/ssh/ssh_known_hosts2", &hc->global_known_hosts) == -1 ||
	    identities(&f) == -1 || agent(&f) == -1 ||
	    forward_agent(&f) == -1 || all_algorithms(&f) == -1 ||
	    set_env(&f) == -1)
		return -1;
	return proxy(&f);
}

void
hostconf_clear(struct hostconf *hc)
{
	free(hc->host);
	free(hc->hostname);
	free(hc->user);
	free(hc->hostkey_alias);
	free(hc->identity_agent);
	free(hc->bind_address);
	strlist_free(hc->known_hosts);
	strlist_free(hc->global_known_hosts);
	free(hc->preferred_auth);
	strlist_free(hc->identities);
	strlist_free(hc->certificates);
	free(hc->hostkey_algorithms);
	free(hc->kex);
	free(hc->ciphers);
	free(hc->macs);
	free(hc->pubkey_algorithms);
	free(hc->proxy_jump);
	free(hc->proxy_command);
	free(hc->forward_agent_sock);
	strlist_free(hc->send_env);
	strlist_free(hc->set_env);
	memset(hc, 0, sizeof(*hc));
}

const char *
hostconf_key_name(const struct hostconf *hc, unsigned *port)
{
	*port = hc->hostkey_alias != NULL ? 0 : hc->port;
	return hc->hostkey_alias != NULL ? hc->hostkey_alias : hc->hostname;
}
