/*
 * shared.c - from a host's name to its plan: configuration, known hosts,
 * identities, algorithms.
 */
#include <arpa/inet.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms.h"
#include "base/err.h"
#include "policy/hostkey.h"
#include "shared.h"
#include "ssh2.h"

/* The known hosts of one combination of files. */
struct known {
	struct known	*next;
	char		**paths;	/* as asked for, NULL at the end */
	struct knownhosts *index;
};

struct shared {
	struct sshconf	*conf;
	struct sshconf	*jump_conf;	/* of jump hosts: without options, as
					 * ssh does it; NULL: not needed yet */
	char		*conf_path;	/* fanout_opts.ssh_config */
	struct keyring	*keys;
	struct known	*known;
	struct algorithms algorithms;
	bool		 conf_told;	/* its notes */
	bool		 env_told;	/* that SendEnv is left out */
	int		 connect_ms;	/* of the options */
	unsigned	 can;		/* IDENT_RSA_SHA2, ... */
};

int
shared_open(void **out, void *config, const struct fanout_opts *o,
    struct fanout_error *e)
{
	struct shared *sh;
	int rc;

	(void)config;
	if ((sh = calloc(1, sizeof(*sh))) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	sh->connect_ms = o->connect_ms;
	if (o->ssh_config != NULL &&
	    (sh->conf_path = strdup(o->ssh_config)) == NULL) {
		shared_close(sh);
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	}
	if ((rc = sshconf_load(&sh->conf, o->ssh_config, o->ssh_options,
	    e)) == 0 && (keyring_new(&sh->keys) != 0 ||
	    algorithms_init(&sh->algorithms) == -1))
		rc = fo_error(e, FANOUT_ENOMEM, "out of memory");
	if (rc != 0) {
		shared_close(sh);
		return rc;
	}
	sh->can = (sh->algorithms.rsa_sha2 ? IDENT_RSA_SHA2 : 0) |
	    (o->can_answer & FANOUT_CAN_ANSWER(FANOUT_ASK_PASSPHRASE) ?
	    IDENT_ASK : 0);
	*out = sh;
	return 0;
}

static void
known_free(struct known *k)
{
	char **p;

	for (p = k->paths; p != NULL && *p != NULL; p++)
		free(*p);
	free(k->paths);
	knownhosts_free(k->index);
	free(k);
}

void
shared_close(void *shared)
{
	struct shared *sh = shared;
	struct known *k;

	while ((k = sh->known) != NULL) {
		sh->known = k->next;
		known_free(k);
	}
	algorithms_clear(&sh->algorithms);
	keyring_free(sh->keys);
	sshconf_free(sh->conf);
	sshconf_free(sh->jump_conf);
	free(sh->conf_path);
	free(sh);
}

static size_t
count(char *const *list)
{
	size_t n = 0;

	while (list[n] != NULL)
		n++;
	return n;
}

/* Do paths hold exactly a's strings and then b's? */
static bool
same_paths(char *const *paths, char *const *a, char *const *b)
{
	for (; *a != NULL; a++, paths++)
		if (*paths == NULL || strcmp(*paths, *a) != 0)
			return false;
	for (; *b != NULL; b++, paths++)
		if (*paths == NULL || strcmp(*paths, *b) != 0)
			return false;
	return *paths == NULL;
}

static struct known *
known_load(char *const *a, char *const *b, struct fanout_error *e)
{
	size_t i, na = count(a), nb = count(b);
	struct known *k;

	if ((k = calloc(1, sizeof(*k))) == NULL)
		goto nomem;
	if ((k->paths = calloc(na + nb + 1, sizeof(*k->paths))) == NULL)
		goto nomem;
	for (i = 0; i < na + nb; i++)
		if ((k->paths[i] = strdup(i < na ? a[i] : b[i - na])) == NULL)
			goto nomem;
	if (knownhosts_load(&k->index, (const char *const *)k->paths, e) != 0) {
		known_free(k);
		return NULL;
	}
	return k;
nomem:
	fo_error(e, FANOUT_ENOMEM, "out of memory");
	if (k != NULL)
		known_free(k);
	return NULL;
}

/* The index of the files that hold for a host, loaded when first needed. */
static const struct knownhosts *
find_known(struct shared *sh, const struct hostconf *c,
    struct fanout_plan *plan, struct fanout_error *e)
{
	struct known *k;
	size_t i;

	for (k = sh->known; k != NULL; k = k->next)
		if (same_paths(k->paths, c->known_hosts,
		    c->global_known_hosts))
			return k->index;
	k = known_load(c->known_hosts, c->global_known_hosts, e);
	if (k == NULL)
		return NULL;
	k->next = sh->known;
	sh->known = k;
	for (i = 0; i < knownhosts_notes(k->index); i++)
		fanout_plan_log(plan, 0, "%s", knownhosts_note(k->index, i));
	return k->index;
}

static void
tell_conf(struct shared *sh, struct fanout_plan *plan)
{
	size_t i;

	if (sh->conf_told)
		return;
	sh->conf_told = true;
	for (i = 0; i < sshconf_notes(sh->conf); i++)
		fanout_plan_log(plan, 1, "%s", sshconf_note(sh->conf, i));
}

static bool
is_number(const char *address)
{
	unsigned char buf[16];

	return inet_pton(AF_INET, address, buf) == 1 ||
	    inet_pton(AF_INET6, address, buf) == 1;
}

/* What this transport cannot do must not be left out in silence. */
static int
refuse_foreign(const struct hostconf *c, struct fanout_result *why)
{
	const char *what = NULL;

	if (c->proxy_command != NULL)
		what = "ProxyCommand";
	else if (c->forward_agent)
		what = "ForwardAgent";
	else if (c->bind_address != NULL && !is_number(c->bind_address))
		what = "BindAddress with a name";
	else
		what = c->needs_ssh;
	if (what == NULL)
		return 0;
	fo_fail(why, FANOUT_C_LOCAL, 0, SSH2_CANNOT, "%s is set for this host, "
	    "and transport ssh2 cannot use it", what);
	return -1;
}

static int
pick(const struct shared *sh, int kind, const char *wanted, const char *what,
    char **out, struct fanout_result *why)
{
	bool none;

	if ((*out = algorithms_pick(&sh->algorithms, kind, wanted,
	    &none)) != NULL)
		return 0;
	if (none)
		fo_fail(why, FANOUT_C_ALGORITHM, 0, 0, "none of the %s in %s "
		    "is known to this libssh2", wanted, what);
	else
		fo_fail(why, FANOUT_C_LOCAL, ENOMEM, 0, "out of memory");
	return -1;
}

static int
plan_algorithms(struct shared *sh, struct hostplan *hp,
    struct fanout_result *why)
{
	const struct hostconf *c = &hp->conf;
	char list[HOSTKEY_LIST_MAX], text[192];

	if (hostkey_list(c, hp->known, (const char *const *)
	    sh->algorithms.supported[ALGO_HOSTKEY], list, text,
	    sizeof(text)) == -1) {
		fo_fail(why, FANOUT_C_ALGORITHM, 0, 0, "%s", text);
		return -1;
	}
	if ((hp->hostkeys = strdup(list)) == NULL) {
		fo_fail(why, FANOUT_C_LOCAL, ENOMEM, 0, "out of memory");
		return -1;
	}
	if (pick(sh, ALGO_KEX, c->kex, "KexAlgorithms", &hp->kex, why) == -1 ||
	    pick(sh, ALGO_CIPHER, c->ciphers, "Ciphers", &hp->ciphers,
	    why) == -1)
		return -1;
	return pick(sh, ALGO_MAC, c->macs, "MACs", &hp->macs, why);
}

/* ConnectTimeout is whole seconds: where it says what the caller's own time
 * comes to when rounded, the caller meant that. */
static int
connect_ms(const struct shared *sh, const struct hostconf *c)
{
	return c->connect_ms == (sh->connect_ms + 999) / 1000 * 1000 ?
	    sh->connect_ms : c->connect_ms;
}

/*
 * A jump host, which is named "a,user@b": b, reached through a. Alone, "b" is
 * reached as its own configuration says.
 */
static int
resolve_jump(struct shared *sh, const char *chain, struct hostconf *c,
    struct fanout_result *why)
{
	const char *last = strrchr(chain, ',');
	struct fanout_error e;

	if (sh->jump_conf == NULL && sshconf_load(&sh->jump_conf,
	    sh->conf_path, NULL, &e) != 0) {
		fo_fail(why, FANOUT_C_LOCAL, e.sys_errno, 0, "%s", e.text);
		return -1;
	}
	if (sshconf_resolve(sh->jump_conf, last != NULL ? last + 1 : chain, c,
	    why) == -1)
		return -1;
	if (last == NULL)
		return 0;
	free(c->proxy_jump);
	free(c->proxy_command);
	c->proxy_command = NULL;
	c->proxy_jump = strndup(chain, (size_t)(last - chain));
	if (c->proxy_jump != NULL)
		return 0;
	fo_fail(why, FANOUT_C_LOCAL, ENOMEM, 0, "out of memory");
	return -1;
}

static int
resolve(struct shared *sh, const char *host, const struct fanout_plan *plan,
    struct hostconf *c, struct fanout_result *why, char ***lines)
{
	if (plan->carries)
		return resolve_jump(sh, host, c, why);
	return sshconf_explain(sh->conf, host, c, why, lines);
}

static int
make_plan(struct shared *sh, const char *host, struct fanout_plan *plan,
    struct hostplan *hp, struct fanout_result *why, char ***lines)
{
	struct hostconf *c = &hp->conf;
	struct fanout_error e = { .code = 0 };

	if (resolve(sh, host, plan, c, why, lines) == -1 ||
	    refuse_foreign(c, why) == -1)
		return -1;
	if ((hp->known = find_known(sh, c, plan, &e)) == NULL) {
		fo_fail(why, FANOUT_C_LOCAL, e.sys_errno, 0, "%s", e.text);
		return -1;
	}
	if (plan_algorithms(sh, hp, why) == -1)
		return -1;
	if ((plan->address = strdup(c->hostname)) == NULL ||
	    (c->proxy_jump != NULL &&
	    (plan->via = strdup(c->proxy_jump)) == NULL) ||
	    ident_plan(&hp->idents, c, sh->keys, sh->can) == -1) {
		fo_fail(why, FANOUT_C_LOCAL, ENOMEM, 0, "out of memory");
		return -1;
	}
	if (c->bind_address != NULL &&
	    (plan->source = strdup(c->bind_address)) == NULL) {
		fo_fail(why, FANOUT_C_LOCAL, ENOMEM, 0, "out of memory");
		return -1;
	}
	if (c->send_env[0] != NULL && !sh->env_told) {
		sh->env_told = true;
		fanout_plan_log(plan, 1, "SendEnv is left out: variables of "
		    "this side do not go to the hosts (SetEnv does)");
	}
	plan->port = c->port;
	plan->family = c->family;
	plan->connect_ms = connect_ms(sh, c);
	plan->attempts = c->attempts;
	return 0;
}

int
shared_plan(void *shared, const char *host, struct fanout_plan *plan,
    struct fanout_result *why)
{
	return shared_plan_told(shared, host, plan, why, NULL);
}

int
shared_plan_told(void *shared, const char *host, struct fanout_plan *plan,
    struct fanout_result *why, char ***lines)
{
	struct hostplan *hp;

	tell_conf(shared, plan);
	if ((hp = calloc(1, sizeof(*hp))) == NULL) {
		fo_fail(why, FANOUT_C_LOCAL, ENOMEM, 0, "out of memory");
		return -1;
	}
	plan->priv = hp;
	return make_plan(shared, host, plan, hp, why, lines);
}

void
shared_plan_free(void *shared, struct fanout_plan *plan)
{
	struct hostplan *hp = plan->priv;

	(void)shared;
	if (hp == NULL)
		return;
	hostconf_clear(&hp->conf);
	ident_list_clear(&hp->idents);
	free(hp->hostkeys);
	free(hp->kex);
	free(hp->ciphers);
	free(hp->macs);
	free(hp);
}
