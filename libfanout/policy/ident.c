#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "algs.h"
#include "ident.h"
#include "pattern.h"
#include "strlist.h"

struct file {
	char	*path;
	struct key *key;	/* NULL: why says */
	char	*why;		/* NULL: the file does not exist */
	bool	 cert;		/* there is a certificate for it */
};

struct agent {
	char	*sock;
	struct agent_id *ids;
	size_t	 n;
	char	*why;		/* NULL: it answered */
};

struct keyring {
	struct file *file;
	struct agent *agent;
	size_t	 nfile, nagent;
};

int
keyring_new(struct keyring **out)
{
	return (*out = calloc(1, sizeof(**out))) == NULL ? -1 : 0;
}

void
keyring_free(struct keyring *kr)
{
	size_t i;

	if (kr == NULL)
		return;
	for (i = 0; i < kr->nfile; i++) {
		free(kr->file[i].path);
		free(kr->file[i].why);
		key_free(kr->file[i].key);
	}
	for (i = 0; i < kr->nagent; i++) {
		free(kr->agent[i].sock);
		free(kr->agent[i].why);
		agent_ids_free(kr->agent[i].ids, kr->agent[i].n);
	}
	free(kr->file);
	free(kr->agent);
	free(kr);
}

/* ssh tries "KEY-cert.pub" before the key, and a certificate alone, too. */
static bool
has_cert(const char *path)
{
	char *cert;
	bool found;

	if (asprintf(&cert, "%s-cert.pub", path) == -1)
		return false;
	found = access(cert, R_OK) == 0;
	free(cert);
	return found;
}

/* The key of a file, read when it is asked for first. NULL: memory. */
static const struct file *
file_of(struct keyring *kr, const char *path)
{
	struct fanout_error e;
	struct file *v, *f;
	size_t i;

	for (i = 0; i < kr->nfile; i++)
		if (strcmp(kr->file[i].path, path) == 0)
			return &kr->file[i];
	if ((v = reallocarray(kr->file, kr->nfile + 1, sizeof(*v))) == NULL)
		return NULL;
	kr->file = v;
	f = &v[kr->nfile];
	memset(f, 0, sizeof(*f));
	if ((f->path = strdup(path)) == NULL)
		return NULL;
	kr->nfile++;
	f->cert = has_cert(path);
	if (key_load(&f->key, path, &e) != 0 && e.sys_errno != ENOENT &&
	    (f->why = strdup(e.text)) == NULL)
		return NULL;
	return f;
}

static const struct agent *
agent_of(struct keyring *kr, const char *sock)
{
	struct fanout_error e;
	struct agent *v, *a;
	size_t i;

	for (i = 0; i < kr->nagent; i++)
		if (strcmp(kr->agent[i].sock, sock) == 0)
			return &kr->agent[i];
	if ((v = reallocarray(kr->agent, kr->nagent + 1, sizeof(*v))) == NULL)
		return NULL;
	kr->agent = v;
	a = &v[kr->nagent];
	memset(a, 0, sizeof(*a));
	if ((a->sock = strdup(sock)) == NULL)
		return NULL;
	kr->nagent++;
	if (agent_list(sock, KEYRING_AGENT_MS, &a->ids, &a->n, &e) != 0 &&
	    (a->why = strdup(e.text)) == NULL)
		return NULL;
	return a;
}

/* ---- one host ---------------------------------------------------------- */

struct plan {
	struct ident_list *list;
	const struct hostconf *hc;
	const struct agent *agent;	/* NULL: none */
	const struct file **file;	/* one for each of hc->identities */
	bool	*used;
	size_t	 nfile;
	unsigned can;			/* IDENT_RSA_SHA2, ... */
};

/* Does the configuration let a key of this type sign? */
static bool
accepted(const char *list, const char *type)
{
	if (list == NULL)
		list = algs_default(ALGS_PUBKEY);
	if (strcmp(type, "ssh-rsa") != 0)
		return pattern_list(type, list, false) == 1;
	return pattern_list("rsa-sha2-256", list, false) == 1 ||
	    pattern_list("rsa-sha2-512", list, false) == 1 ||
	    pattern_list("ssh-rsa", list, false) == 1;
}

/* 1: cannot be used, and the list of the skipped says why. -1: memory. */
static int
skip_type(struct plan *p, const char *what, const char *type)
{
	const char *why;
	bool ssh_could = true;

	if (strcmp(type, "ssh-rsa") == 0 &&
	    !(p->can & IDENT_RSA_SHA2))
		why = "servers want rsa-sha2, which this SSH library cannot do";
	else if (strncmp(type, "sk-", 3) == 0 || strchr(type, '@') != NULL)
		why = "security keys and certificates need ssh itself";
	else if (!accepted(p->hc->pubkey_algorithms, type)) {
		why = "not in PubkeyAcceptedAlgorithms";
		ssh_could = false;
	} else
		return 0;
	p->list->ssh_could |= ssh_could;
	return strlist_addf(&p->list->skipped, "%s (%s): %s", what, type,
	    why) == -1 ? -1 : 1;
}

static struct ident *
add(struct plan *p, const void *blob, size_t len, const char *type,
    const char *what, const char *sock)
{
	struct ident *v, *id;

	v = reallocarray(p->list->v, p->list->n + 1, sizeof(*v));
	if (v == NULL)
		return NULL;
	p->list->v = v;
	id = &v[p->list->n++];
	memset(id, 0, sizeof(*id));
	id->kind = sock == NULL ? IDENT_FILE : IDENT_AGENT;
	id->blob_len = len;
	if ((id->blob = malloc(len)) == NULL ||
	    (id->type = strdup(type)) == NULL ||
	    (sock != NULL && (id->sock = strdup(sock)) == NULL))
		return NULL;
	memcpy(id->blob, blob, len);
	if (asprintf(&id->text, "%s %s%s", what, type,
	    sock == NULL ? "" : " (agent)") == -1)
		id->text = NULL;
	return id->text == NULL ? NULL : id;
}

static bool
same_key(const struct agent_id *id, const struct key *k)
{
	return k != NULL && id->blob_len == k->blob_len &&
	    memcmp(id->blob, k->blob, k->blob_len) == 0;
}

/* The configured identity that an agent's key is; nfile: none. */
static size_t
file_with(const struct plan *p, const struct agent_id *id)
{
	size_t i;

	for (i = 0; i < p->nfile; i++)
		if (same_key(id, p->file[i]->key))
			break;
	return i;
}

/* The agent's keys: configured ones first, or the others. */
static int
add_agent(struct plan *p, bool configured)
{
	const struct agent_id *id;
	const char *what;
	size_t i, f;
	int rc;

	for (i = 0; i < p->agent->n; i++) {
		id = &p->agent->ids[i];
		f = file_with(p, id);
		if (configured != (f < p->nfile) || (configured && p->used[f]))
			continue;
		what = configured ? p->file[f]->path : id->comment;
		if ((rc = skip_type(p, what, id->type)) == -1)
			return -1;
		if (rc == 0 && add(p, id->blob, id->blob_len, id->type, what,
		    p->agent->sock) == NULL)
			return -1;
		if (configured)
			p->used[f] = true;
	}
	return 0;
}

static bool
listed(const struct plan *p, const struct key *k)
{
	size_t i;

	for (i = 0; i < p->list->n; i++)
		if (p->list->v[i].blob_len == k->blob_len &&
		    memcmp(p->list->v[i].blob, k->blob, k->blob_len) == 0)
			return true;
	return false;
}

/* Why a key that was read cannot sign here; NULL: it can. */
static const char *
why_not(const struct plan *p, const struct key *k)
{
	switch (k->state) {
	case KEY_READY:
		return NULL;
	case KEY_ENCRYPTED:
		if (k->secret != NULL ||
		    ((p->can & IDENT_ASK) && !p->hc->batch))
			return NULL;
		return "is encrypted: add it to ssh-agent (its passphrase "
		    "cannot be asked for here)";
	case KEY_PUBLIC:
		return "only its public half is here and no agent has it";
	case KEY_FOREIGN:
		return "a kind of key that needs ssh itself";
	}
	return "unusable";
}

/* Certificates are told about, beside the keys that they are for. */
static int
skip_certs(struct plan *p)
{
	char *const *cert;
	size_t i;

	for (cert = p->hc->certificates; *cert != NULL; cert++) {
		p->list->ssh_could = true;
		if (strlist_addf(&p->list->skipped, "%s: certificates need "
		    "ssh itself", *cert) == -1)
			return -1;
	}
	for (i = 0; i < p->nfile; i++) {
		if (!p->file[i]->cert)
			continue;
		p->list->ssh_could = true;
		if (strlist_addf(&p->list->skipped, "%s-cert.pub: "
		    "certificates need ssh itself", p->file[i]->path) == -1)
			return -1;
	}
	return 0;
}

static int
add_file(struct plan *p, const struct file *f)
{
	const char *why = f->why;
	struct key *k = f->key;
	struct ident *id;
	int rc;

	if (k == NULL && why == NULL) {
		if (!p->hc->identities_set)
			return 0;	/* few have all the default keys */
		return strlist_addf(&p->list->skipped, "%s: no such file",
		    f->path);
	}
	if (k == NULL)
		return strlist_add(&p->list->skipped, why);
	if (listed(p, k))
		return 0;
	if ((rc = skip_type(p, f->path, k->type)) != 0)
		return rc == -1 ? -1 : 0;
	if ((why = why_not(p, k)) != NULL)
		return strlist_addf(&p->list->skipped, "%s: %s", f->path, why);
	if ((id = add(p, k->blob, k->blob_len, k->type, f->path, NULL)) == NULL)
		return -1;
	id->key = key_ref(k);
	return 0;
}

static int
read_files(struct plan *p, struct keyring *kr)
{
	size_t i;

	/* All are read before one is pointed at: the keyring may move. */
	for (i = 0; i < p->nfile; i++)
		if (file_of(kr, p->hc->identities[i]) == NULL)
			return -1;
	for (i = 0; i < p->nfile; i++)
		p->file[i] = file_of(kr, p->hc->identities[i]);
	return 0;
}

static int
fill(struct plan *p, struct keyring *kr)
{
	size_t i;

	if (read_files(p, kr) == -1)
		return -1;
	if (p->hc->identity_agent != NULL) {
		p->agent = agent_of(kr, p->hc->identity_agent);
		if (p->agent == NULL)
			return -1;
		if (p->agent->why != NULL &&
		    strlist_add(&p->list->skipped, p->agent->why) == -1)
			return -1;
		if (add_agent(p, true) == -1 ||
		    (!p->hc->identities_only && add_agent(p, false) == -1))
			return -1;
	}
	for (i = 0; i < p->nfile; i++)
		if (!p->used[i] && add_file(p, p->file[i]) == -1)
			return -1;
	return skip_certs(p);
}

int
ident_plan(struct ident_list *list, const struct hostconf *hc,
    struct keyring *kr, unsigned can)
{
	struct plan p = { .list = list, .hc = hc, .can = can };
	int rc = -1;

	memset(list, 0, sizeof(*list));
	if (!hc->pubkey)
		return 0;
	p.nfile = strlist_len(hc->identities);
	p.file = calloc(p.nfile + 1, sizeof(*p.file));
	p.used = calloc(p.nfile + 1, sizeof(*p.used));
	if (p.file != NULL && p.used != NULL)
		rc = fill(&p, kr);
	free(p.file);
	free(p.used);
	if (rc == -1)
		ident_list_clear(list);
	else
		list->nskipped = strlist_len(list->skipped);
	return rc;
}

void
ident_list_clear(struct ident_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		key_free(list->v[i].key);
		free(list->v[i].sock);
		free(list->v[i].blob);
		free(list->v[i].type);
		free(list->v[i].text);
	}
	free(list->v);
	strlist_free(list->skipped);
	memset(list, 0, sizeof(*list));
}
