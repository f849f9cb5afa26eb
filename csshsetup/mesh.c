/*
 * mesh.c - all members trust each other, or all a hub, which trusts them.
 *
 * Each has a key pair of its own, made there; public keys and host keys come
 * here and go to the others. What is there already is not touched.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "dialog.h"
#include "edit.h"
#include "index.h"
#include "keyline.h"
#include "knownline.h"
#include "limit.h"
#include "member.h"
#include "modes.h"
#include "script.h"

/* More than so many comparisons of hashed names are not made to find keys of
 * old, which may stay. */
#define HASHED_MAX 200000

struct mesh {
	struct setup *s;
	struct member *all;
	size_t	 hub;		/* FANOUT_NOHOST: there is none */
	const char *prefix;	/* options of keys, with a blank; or "" */

	/* seen: what the host has whose turn it is */
	struct index words;	/* blobs of the members' own keys */
	struct index keys;	/* "TYPE BLOB" of hosts; seen: which names */
	struct index names;
	char	**changes;	/* one a host: what is to be told, once done */
};

/* Does this one take part in what that one knows and trusts? */
bool
mesh_concerns(size_t hub, size_t of, size_t other)
{
	return hub == FANOUT_NOHOST || of == hub || other == hub ||
	    of == other;
}

/* ---- authorized keys ----------------------------------------------------- */

/* What is there already may get other options. */
static void
note_keys(struct mesh *m, size_t host, struct edit *e)
{
	bool limits = limit_given(m->s->c), ours;
	struct entry *x;
	const char *line;
	struct keyline k;
	size_t len;

	edit_rewind(e);
	while (edit_next(e, &line, &len)) {
		if (!keyline_parse(&k, line, len))
			continue;
		ours = false;
		x = index_find(&m->words, k.blob, k.blob_len);
		for (; x != NULL; x = index_again(&m->words, x)) {
			x->seen = 1;
			ours = ours || (x->member != host &&
			    mesh_concerns(m->hub, host, x->member));
		}
		if (limits && ours && limit_line(e, m->s->c, &k) == -1)
			e->failed = true;
	}
}

/* That of this member, among those that are equal. */
static struct entry *
entry_of(const struct index *index, const char *text, size_t member)
{
	struct entry *x = index_find(index, text, strlen(text));

	while (x != NULL && x->member != member)
		x = index_again(index, x);
	return x;
}

static const char *
blob_of(const struct member *o)
{
	return strchr(o->word, ' ') + 1;
}

static void
add_keys(struct mesh *m, size_t host, struct edit *e)
{
	const struct member *o;
	const struct entry *x;
	char *line;
	size_t i;

	for (i = 0; i < m->s->count; i++) {
		o = &m->all[i];
		if (i == host || o->line == NULL ||
		    !mesh_concerns(m->hub, host, i))
			continue;
		if (o->word != NULL && ((x = entry_of(&m->words, blob_of(o),
		    i)) == NULL || x->seen))
			continue;
		if (asprintf(&line, "%s%s", m->prefix, o->line) == -1) {
			e->failed = true;
			return;
		}
		edit_add(e, line);
		free(line);
	}
}

/* ---- known hosts --------------------------------------------------------- */

/* Which of a member's names does the line have? */
static uint64_t
names_seen(const struct knownline *k, const char *names)
{
	uint64_t bits = 0;
	char name[600];
	unsigned i;
	size_t n;

	for (i = 0; *names != '\0' && i < 64; i++, names += n) {
		names += *names == ' ';
		n = strcspn(names, " ");
		snprintf(name, sizeof(name), "%.*s", (int)n, names);
		if (knownline_names(k, name))
			bits |= (uint64_t)1 << i;
	}
	return bits;
}

static void
note_known(struct mesh *m, const struct knownline *k)
{
	struct entry *x;
	size_t len;
	char key[16384];

	if (k->type_len + 1 + k->blob_len >= sizeof(key))
		return;
	len = (size_t)snprintf(key, sizeof(key), "%.*s %.*s",
	    (int)k->type_len, k->type, (int)k->blob_len, k->blob);
	x = index_find(&m->keys, key, len);
	for (; x != NULL; x = index_again(&m->keys, x))
		x->seen |= names_seen(k, m->all[x->member].names);
}

/* The names that were not seen, and the key. */
static void
add_known(struct edit *e, const struct member *o, const struct entry *x)
{
	const char *p = o->names;
	char *line = NULL;
	size_t len, n;
	bool first = true;
	unsigned i;
	FILE *f;

	if ((f = open_memstream(&line, &len)) == NULL) {
		e->failed = true;
		return;
	}
	for (i = 0; *p != '\0' && i < 64; i++, p += n) {
		p += *p == ' ';
		n = strcspn(p, " ");
		if ((x->seen >> i & 1) != 0)
			continue;
		fprintf(f, "%s%.*s", first ? "" : ",", (int)n, p);
		first = false;
	}
	fprintf(f, " %s", x->text);
	if (fclose(f) == EOF)
		e->failed = true;
	else if (!first)
		edit_add(e, line);
	free(line);
}

static void
add_known_member(struct mesh *m, size_t i, struct edit *e)
{
	const struct member *o = &m->all[i];
	const struct entry *x;
	size_t j;

	for (j = 0; o->told && j < o->nkeys; j++)
		if ((x = entry_of(&m->keys, o->keys[j], i)) != NULL)
			add_known(e, o, x);
}

/* A key that this member had before: of a kind of which it shows another one
 * now, to us, who know that one. */
static bool
is_old(const struct knownline *k, const struct member *o)
{
	bool same_type = false;
	size_t i;

	for (i = 0; i < o->nkeys; i++) {
		if (knownline_has_key(k, o->keys[i]))
			return false;
		same_type = same_type || knownline_same_type(k, o->keys[i]);
	}
	return same_type && knownline_only(k, o->names);
}

/* Does a member forbid this key to be one of its own? */
static const char *
is_revoked(const struct mesh *m, const struct knownline *k)
{
	size_t i, j;

	if (k->marker_len != 8 || memcmp(k->marker, "@revoked", 8) != 0)
		return NULL;
	for (i = 0; i < m->s->count; i++)
		for (j = 0; j < m->all[i].nkeys; j++)
			if (knownline_has_key(k, m->all[i].keys[j]))
				return fanout_hosts_at(m->s->hosts, i);
	return NULL;
}

/* By its first name; one that is hashed may be that of any. */
static bool
is_stale(const struct mesh *m, size_t host, const struct knownline *k,
    const struct edit *e)
{
	const char *comma = memchr(k->hosts, ',', k->hosts_len);
	const struct entry *x;
	size_t i;

	if (*k->hosts != '|') {
		x = index_find(&m->names, k->hosts, comma != NULL ?
		    (size_t)(comma - k->hosts) : k->hosts_len);
		for (; x != NULL; x = index_again(&m->names, x))
			if (mesh_concerns(m->hub, host, x->member) &&
			    is_old(k, &m->all[x->member]))
				return true;
		return false;
	}
	for (i = 0; e->lines * m->s->count < HASHED_MAX && i < m->s->count; i++)
		if (m->all[i].told && mesh_concerns(m->hub, host, i) &&
		    is_old(k, &m->all[i]))
			return true;
	return false;
}

/* NULL, or whose key it is that somebody has revoked there. */
static const char *
set_known(struct mesh *m, size_t host, struct edit *e)
{
	const char *line, *why;
	struct knownline k;
	size_t i, len;

	edit_rewind(e);
	while (edit_next(e, &line, &len)) {
		if (!knownline_parse(&k, line, len))
			continue;
		if ((why = is_revoked(m, &k)) != NULL)
			return why;
		if (k.marker_len > 0)
			continue;
		note_known(m, &k);
		if (is_stale(m, host, &k, e))
			edit_drop(e);
	}
	for (i = 0; i < m->s->count && !e->failed; i++)
		if (mesh_concerns(m->hub, host, i))
			add_known_member(m, i, e);
	return NULL;
}

/* ---- one host ------------------------------------------------------------ */

/* The files of keys come first, the known hosts last. */
#define FILES 4

static void
note_changes(const struct mesh *m, size_t host, const struct edit e[FILES],
    struct cli_sink *out)
{
	const struct edit *known = &e[FILES - 1];
	const char *would = m->s->c->dry_run ? " would be" : "";
	char text[200], old[40] = "", other[60] = "";
	size_t i, added = 0, changed = 0;
	bool any = false;

	for (i = 0; i < FILES; i++) {
		if (m->s->c->dry_run)
			edit_show(&e[i], m->s, host, out);
		any = any || edit_changes(&e[i]);
		if (&e[i] != known) {
			changed += e[i].dropped;
			added += e[i].added - e[i].dropped;
		}
	}
	if (known->dropped > 0)
		snprintf(old, sizeof(old), ", %zu old ones out",
		    known->dropped);
	if (changed > 0)
		snprintf(other, sizeof(other), ", the options of %zu key%s "
		    "changed", changed, changed == 1 ? "" : "s");
	if (!any)
		snprintf(text, sizeof(text), "knows and trusts all members");
	else
		snprintf(text, sizeof(text), "%zu key%s and %zu line%s of known "
		    "hosts%s added%s%s", added, added == 1 ? "" : "s",
		    known->added, known->added == 1 ? "" : "s", would, old,
		    other);
	free(m->changes[host]);
	m->changes[host] = strdup(text);
}

static void
on_over(void *ctx, size_t host, const struct answer *said, struct cli_sink *out)
{
	const struct mesh *m = ctx;

	(void)said;
	if (m->changes[host] != NULL)
		setup_tell(m->s, out, "member", fanout_hosts_at(m->s->hosts,
		    host), m->changes[host]);
}

static void
decide(struct mesh *m, size_t host, struct edit e[FILES], FILE *reply,
    struct cli_sink *out)
{
	struct host *h = &m->s->host[host];
	struct edit *known = &e[FILES - 1];
	const char *revoked;
	bool failed = false;
	size_t i;

	add_keys(m, host, &e[0]);
	revoked = set_known(m, host, known);
	for (i = 0; i < FILES; i++)
		failed = failed || e[i].failed;
	if (failed)
		setup_refuse(h, NULL, "out of memory");
	else if (revoked != NULL)
		setup_refuse(h, NULL, "its %.*s has a key of %.80s as "
		    "@revoked", (int)known->path_len, known->path, revoked);
	else {
		note_changes(m, host, e, out);
		for (i = 0; i < FILES && !m->s->c->dry_run; i++)
			if (edit_changes(&e[i]))
				edit_send(&e[i], reply);
		fputs("commit\n", reply);
	}
}

static void
nothing_seen(struct mesh *m)
{
	size_t i;

	for (i = 0; i < m->words.count; i++)
		m->words.list[i].seen = 0;
	for (i = 0; i < m->keys.count; i++)
		m->keys.list[i].seen = 0;
}

static void
on_turn(void *ctx, size_t host, const struct answer *said, FILE *reply,
    struct cli_sink *out)
{
	struct mesh *m = ctx;
	struct edit e[FILES];
	struct answer a = *said;
	struct record r;
	int i;

	for (i = 0; i < FILES; i++)
		e[i] = (struct edit){ .number = -1 };
	nothing_seen(m);
	while (answer_next(&a, &r)) {
		if (!record_is(&r, "file"))
			continue;
		i = r.number == 9 ? FILES - 1 : r.number;
		if (r.number == FILES - 1 || i >= FILES || e[i].number != -1)
			continue;
		edit_begin(&e[i], &r);
		if (r.number != 9)
			note_keys(m, host, &e[i]);
	}
	if (e[0].number == -1 || e[FILES - 1].number == -1)
		setup_refuse(&m->s->host[host], NULL, "it did not show its "
		    "files");
	else
		decide(m, host, e, reply, out);
	for (i = 0; i < FILES; i++)
		edit_clear(&e[i]);
}

/* ---- all ----------------------------------------------------------------- */

static int
distribute(struct mesh *m)
{
	const struct script_wish wish = { .dry_run = m->s->c->dry_run,
	    .known = true };
	const struct dialog d = { .setup = m->s, .turn = on_turn,
	    .over = on_over, .ctx = m };
	int status = CLI_EXIT_USAGE;
	size_t i;

	m->changes = calloc(m->s->count, sizeof(*m->changes));
	if (m->changes != NULL)
		status = members_talk(&d, &wish);
	else
		warnx("out of memory");
	for (i = 0; m->changes != NULL && i < m->s->count; i++)
		free(m->changes[i]);
	free(m->changes);
	return status;
}

static int
add_member(struct mesh *m, size_t i)
{
	const struct member *o = &m->all[i];
	const char *p = o->names != NULL ? o->names : "";
	size_t j, n;

	if (o->word != NULL && index_add(&m->words, blob_of(o),
	    strlen(blob_of(o)), i, 0) == -1)
		return -1;
	for (j = 0; j < o->nkeys && *p != '\0'; j++)
		if (index_add(&m->keys, o->keys[j], strlen(o->keys[j]), i,
		    j) == -1)
			return -1;
	for (; *p != '\0'; p += n) {
		p += *p == ' ';
		n = strcspn(p, " ");
		if (index_add(&m->names, p, n, i, 0) == -1)
			return -1;
	}
	return 0;
}

static int
make_index(struct mesh *m)
{
	size_t i;

	for (i = 0; i < m->s->count; i++)
		if (m->all[i].told && add_member(m, i) == -1) {
			warnx("out of memory");
			return CLI_EXIT_USAGE;
		}
	index_sort(&m->words);
	index_sort(&m->keys);
	index_sort(&m->names);
	return 0;
}

static int
trust_each_other(struct mesh *m)
{
	int status;

	if ((status = members_ask(m->s, m->all, true)) == 0 &&
	    (status = make_index(m)) == 0 && (status = distribute(m)) == 0 &&
	    !m->s->c->dry_run)
		status = setup_matrix(m->s, m->all, m->hub);
	return status;
}

int
mesh_hub(const struct setup *s, size_t *hub)
{
	*hub = FANOUT_NOHOST;
	if (s->c->hub == NULL)
		return 0;
	*hub = fanout_hosts_find(s->hosts, s->c->hub);
	if (*hub != FANOUT_NOHOST)
		return 0;
	warnx("--hub %s: that is none of the hosts", s->c->hub);
	return CLI_EXIT_USAGE;
}

int
setup_mesh(struct setup *s)
{
	struct mesh m = { .s = s, .prefix = s->key.prefix };
	int status;

	if ((status = mesh_hub(s, &m.hub)) != 0 ||
	    (status = setup_install(s)) != 0)
		return status;
	if ((m.all = members_new(s)) == NULL)
		return CLI_EXIT_USAGE;
	status = trust_each_other(&m);
	index_clear(&m.words);
	index_clear(&m.keys);
	index_clear(&m.names);
	members_free(s, m.all);
	return status;
}
