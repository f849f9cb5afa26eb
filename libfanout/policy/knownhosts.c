#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "knownhosts.h"
#include "knownhosts_line.h"
#include "pattern.h"
#include "strlist.h"

/* One line. The blob and the names lie in the text of the file. */
struct entry {
	enum kh_mark mark;
	uint32_t path;
	unsigned line;
	const unsigned char *blob;
	size_t	 blob_len;
	const char *names;	/* only used for patterns */
	size_t	 names_len;
};

/* A plain name of a line; those of one bucket form a list. */
struct node {
	const char *name;
	uint32_t len, entry, next;
};
#define NO_NODE UINT32_MAX

struct hashed {
	struct kh_hash h;
	uint32_t entry;
};

struct knownhosts {
	char	**paths, **texts, **notes;	/* strlist */
	struct entry *entry;
	struct node *node;
	uint32_t *pattern;	/* entries whose names have * ? or ! */
	struct hashed *hashed;
	size_t	 nentry, nnode, npattern, nhashed;
	size_t	 entry_cap, node_cap, pattern_cap, hashed_cap;
	uint32_t *bucket;
	size_t	 mask;
};

#define FILE_MAX ((off_t)256 * 1024 * 1024)

/* Room for one more in a growing array. */
static int
room(void *arrayp, size_t n, size_t *cap, size_t size)
{
	void *p, **array = arrayp;
	size_t want = *cap == 0 ? 64 : *cap * 2;

	if (n < *cap)
		return 0;
	if (want > UINT32_MAX || (p = reallocarray(*array, want, size)) == NULL)
		return -1;
	*array = p;
	*cap = want;
	return 0;
}

static uint32_t
hash(const char *s, size_t len)
{
	uint32_t h = 2166136261U;

	while (len-- > 0)
		h = (h ^ (unsigned char)*s++) * 16777619U;
	return h;
}

/* ---- loading ----------------------------------------------------------- */

static char *
read_all(int fd, size_t size, size_t *len)
{
	char *text;
	ssize_t n;

	if ((text = malloc(size + 1)) == NULL)
		return NULL;
	for (*len = 0; *len < size; *len += (size_t)n) {
		n = read(fd, text + *len, size - *len);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1) {
			free(text);
			return NULL;
		} else if (n == 0)
			break;
	}
	text[*len] = '\0';
	return text;
}

/* *text NULL: there is no such file. */
static int
slurp(const char *path, char **text, size_t *len, struct fanout_error *e)
{
	struct stat st;
	int fd, rc = 0;

	*text = NULL;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return fo_error_sys(e, "cannot read %s", path);
	}
	if (fstat(fd, &st) == -1)
		rc = fo_error_sys(e, "cannot read %s", path);
	else if (S_ISREG(st.st_mode) && st.st_size > FILE_MAX)
		rc = fo_error(e, FANOUT_ELIMIT, "%s is over 256 MiB", path);
	else if (S_ISREG(st.st_mode) &&
	    (*text = read_all(fd, (size_t)st.st_size, len)) == NULL)
		rc = fo_error_sys(e, "cannot read %s", path);
	/* Others, as /dev/null, hold no keys. */
	close(fd);
	return rc;
}

static int
note(struct knownhosts *kh, const char *path, unsigned line, const char *why)
{
	return strlist_addf(&kh->notes, "%s:%u: %s, line ignored", path, line,
	    why);
}

static int
add_name(struct knownhosts *kh, const char *name, size_t len)
{
	struct node *n;

	if (len == 0)
		return 0;
	if (room(&kh->node, kh->nnode, &kh->node_cap, sizeof(*kh->node)) == -1)
		return -1;
	n = &kh->node[kh->nnode++];
	n->name = name;
	n->len = (uint32_t)len;
	n->entry = (uint32_t)kh->nentry;
	return 0;
}

static int
add_names(struct knownhosts *kh, char *names, size_t len)
{
	char *end = names + len, *p, *comma;

	for (p = names; p < end; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	for (p = names; p < end; p = comma + 1) {
		if ((comma = memchr(p, ',', (size_t)(end - p))) == NULL)
			comma = end;
		if (add_name(kh, p, (size_t)(comma - p)) == -1)
			return -1;
	}
	return 0;
}

static bool
has_pattern(const struct kh_line *l)
{
	return memchr(l->names, '*', l->names_len) != NULL ||
	    memchr(l->names, '?', l->names_len) != NULL ||
	    memchr(l->names, '!', l->names_len) != NULL;
}

/* Put the entry that comes next where look-ups will find it. -2: bad hash. */
static int
index_names(struct knownhosts *kh, const struct kh_line *l)
{
	struct hashed *h;

	if (kh_is_hashed(l)) {
		if (room(&kh->hashed, kh->nhashed, &kh->hashed_cap,
		    sizeof(*kh->hashed)) == -1)
			return -1;
		h = &kh->hashed[kh->nhashed];
		if (kh_hash_parse(&h->h, l->names, l->names_len) == -1)
			return -2;
		h->entry = (uint32_t)kh->nentry;
		kh->nhashed++;
		return 0;
	}
	if (!has_pattern(l))	/* the text is ours to change */
		return add_names(kh, (char *)(uintptr_t)l->names,
		    l->names_len);
	if (room(&kh->pattern, kh->npattern, &kh->pattern_cap,
	    sizeof(*kh->pattern)) == -1)
		return -1;
	kh->pattern[kh->npattern++] = (uint32_t)kh->nentry;
	return 0;
}

static int
add_line(struct knownhosts *kh, const char *path, size_t path_index,
    unsigned number, const char *line, size_t len)
{
	struct kh_line l;
	struct entry *en;
	const char *why;
	ssize_t n;
	int rc;

	if ((rc = kh_line_parse(&l, line, len, &why)) == 0)
		return 0;
	if (rc == -1)
		return note(kh, path, number, why);
	if (room(&kh->entry, kh->nentry, &kh->entry_cap,
	    sizeof(*kh->entry)) == -1)
		return -1;
	en = &kh->entry[kh->nentry];
	n = kh_line_decode(&l, (unsigned char *)(uintptr_t)l.key);
	if (n == -1)
		return note(kh, path, number, "malformed key");
	if ((rc = index_names(kh, &l)) == -2)
		return note(kh, path, number, "malformed hashed name");
	if (rc == -1)
		return -1;
	en->mark = l.mark;
	en->path = (uint32_t)path_index;
	en->line = number;
	en->blob = (const unsigned char *)l.key;
	en->blob_len = (size_t)n;
	en->names = l.names;
	en->names_len = l.names_len;
	kh->nentry++;
	return 0;
}

static int
load_file(struct knownhosts *kh, const char *path, struct fanout_error *e)
{
	size_t len, i = strlist_len(kh->paths);
	unsigned number = 0;
	char *text, *p, *end, *nl;
	int rc;

	if ((rc = slurp(path, &text, &len, e)) != 0 || text == NULL)
		return rc;
	if (strlist_take(&kh->texts, text) == -1 ||
	    strlist_add(&kh->paths, path) == -1)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	end = text + len;
	for (p = text; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		if (add_line(kh, path, i, ++number, p, (size_t)(nl - p)) == -1)
			return fo_error(e, FANOUT_ENOMEM, "out of memory");
	}
	return 0;
}

/* The buckets are made last, when the number of names is known. */
static int
build(struct knownhosts *kh)
{
	size_t size, i, b;

	for (size = 64; size < kh->nnode * 2; size *= 2)
		continue;
	if ((kh->bucket = reallocarray(NULL, size, sizeof(*kh->bucket))) == NULL)
		return -1;
	for (i = 0; i < size; i++)
		kh->bucket[i] = NO_NODE;
	kh->mask = size - 1;
	/* Backwards, so that the lists are in the order of the files. */
	for (i = kh->nnode; i-- > 0;) {
		b = hash(kh->node[i].name, kh->node[i].len) & kh->mask;
		kh->node[i].next = kh->bucket[b];
		kh->bucket[b] = (uint32_t)i;
	}
	return 0;
}

int
knownhosts_load(struct knownhosts **out, const char *const *paths,
    struct fanout_error *e)
{
	struct knownhosts *kh;
	size_t i;
	int rc = 0;

	*out = NULL;
	if ((kh = calloc(1, sizeof(*kh))) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	for (i = 0; paths[i] != NULL && rc == 0; i++)
		rc = load_file(kh, paths[i], e);
	if (rc == 0 && build(kh) == -1)
		rc = fo_error(e, FANOUT_ENOMEM, "out of memory");
	if (rc != 0) {
		knownhosts_free(kh);
		return rc;
	}
	*out = kh;
	return 0;
}

void
knownhosts_free(struct knownhosts *kh)
{
	if (kh == NULL)
		return;
	strlist_free(kh->paths);
	strlist_free(kh->texts);
	strlist_free(kh->notes);
	free(kh->entry);
	free(kh->node);
	free(kh->pattern);
	free(kh->hashed);
	free(kh->bucket);
	free(kh);
}

size_t
knownhosts_notes(const struct knownhosts *kh)
{
	return strlist_len(kh->notes);
}

const char *
knownhosts_note(const struct knownhosts *kh, size_t i)
{
	return kh->notes[i];
}

/* ---- looking up -------------------------------------------------------- */

typedef void (*entry_fn)(const struct entry *, void *);

/* Call fn for each line that names the host. */
static void
each_entry(const struct knownhosts *kh, const char *name, entry_fn fn,
    void *arg)
{
	unsigned char md[SHA_DIGEST_LENGTH];
	const struct entry *en;
	struct kh_query q;
	size_t len = strlen(name), i;
	uint32_t at;

	for (at = kh->bucket[hash(name, len) & kh->mask]; at != NO_NODE;
	    at = kh->node[at].next)
		if (kh->node[at].len == len &&
		    memcmp(kh->node[at].name, name, len) == 0)
			fn(&kh->entry[kh->node[at].entry], arg);
	for (i = 0; i < kh->npattern; i++) {
		en = &kh->entry[kh->pattern[i]];
		if (pattern_list_n(name, en->names, en->names_len, true) == 1)
			fn(en, arg);
	}
	kh_query_init(&q, name);
	for (i = 0; i < kh->nhashed; i++) {
		kh_hash_name(&kh->hashed[i].h, &q, md);
		if (memcmp(md, kh->hashed[i].h.want, sizeof(md)) == 0)
			fn(&kh->entry[kh->hashed[i].entry], arg);
	}
}

struct check {
	const unsigned char *blob;
	size_t	 len;
	char	 type[64];
	const struct entry *same, *other, *revoked;
};

static void
check_entry(const struct entry *en, void *arg)
{
	struct check *c = arg;
	bool equal = en->blob_len == c->len &&
	    memcmp(en->blob, c->blob, c->len) == 0;
	char type[64];

	if (en->mark == KH_REVOKE && equal)
		c->revoked = en;
	if (en->mark != KH_PLAIN)
		return;
	if (equal) {
		if (c->same == NULL)
			c->same = en;
		return;
	}
	/* Name the line that a reader would compare with. */
	(void)blob_type(en->blob, en->blob_len, type, sizeof(type));
	if (c->other == NULL || strcmp(type, c->type) == 0)
		c->other = en;
}

static enum kh_verdict
verdict(const struct check *c, const struct entry **en)
{
	if ((*en = c->revoked) != NULL)
		return KH_REVOKED;
	if ((*en = c->same) != NULL)
		return KH_OK;
	return (*en = c->other) != NULL ? KH_CHANGED : KH_UNKNOWN;
}

enum kh_verdict
knownhosts_check(const struct knownhosts *kh, const char *host, unsigned port,
    const void *blob, size_t len, struct kh_where *where)
{
	struct check c = { .blob = blob, .len = len };
	char name[KH_NAME_MAX];
	const struct entry *en;
	enum kh_verdict v;

	if (where != NULL)
		memset(where, 0, sizeof(*where));
	(void)blob_type(blob, len, c.type, sizeof(c.type));
	if (kh_name(name, host, port) == -1)
		return KH_UNKNOWN;
	each_entry(kh, name, check_entry, &c);
	if ((v = verdict(&c, &en)) == KH_UNKNOWN && port != 0 && port != 22 &&
	    kh_name(name, host, 0) == 0) {
		each_entry(kh, name, check_entry, &c);
		c.other = NULL;
		v = verdict(&c, &en);
	}
	if (where != NULL && en != NULL) {
		where->path = kh->paths[en->path];
		where->line = en->line;
		where->blob = en->blob;
		where->blob_len = en->blob_len;
	}
	return v;
}

struct each {
	const struct knownhosts *kh;
	void	(*fn)(const struct kh_where *, const char *, void *);
	void	*arg;
};

static void
tell_entry(const struct entry *en, void *arg)
{
	const struct each *e = arg;
	struct kh_where where = {
		.path = e->kh->paths[en->path], .line = en->line,
		.blob = en->blob, .blob_len = en->blob_len
	};

	e->fn(&where, en->mark == KH_REVOKE ? "@revoked" :
	    en->mark == KH_CA ? "@cert-authority" : "", e->arg);
}

void
knownhosts_each(const struct knownhosts *kh, const char *host, unsigned port,
    void (*fn)(const struct kh_where *, const char *, void *), void *arg)
{
	struct each e = { kh, fn, arg };
	char name[KH_NAME_MAX];

	if (kh_name(name, host, port) == 0)
		each_entry(kh, name, tell_entry, &e);
}

/* OpenSSH's order of preference. */
static const char *const type_order[] = {
	"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521", "sk-ssh-ed25519@openssh.com",
	"sk-ecdsa-sha2-nistp256@openssh.com", "ssh-rsa", "ssh-dss",
};
#define NTYPES (sizeof(type_order) / sizeof(type_order[0]))

static void
type_entry(const struct entry *en, void *arg)
{
	unsigned *seen = arg;
	char type[64];
	size_t i;

	if (en->mark != KH_PLAIN ||
	    blob_type(en->blob, en->blob_len, type, sizeof(type)) == -1)
		return;
	for (i = 0; i < NTYPES; i++)
		if (strcmp(type, type_order[i]) == 0)
			*seen |= 1U << i;
}

size_t
knownhosts_types(const struct knownhosts *kh, const char *host, unsigned port,
    char *buf, size_t size)
{
	char name[KH_NAME_MAX];
	unsigned seen = 0;
	size_t i, need = 0;

	if (size > 0)
		buf[0] = '\0';
	if (kh_name(name, host, port) == -1)
		return 0;
	each_entry(kh, name, type_entry, &seen);
	for (i = 0; i < NTYPES; i++) {
		if ((seen & 1U << i) == 0)
			continue;
		if (need > 0 && size > 0)
			(void)strlcat(buf, ",", size);
		if (size > 0)
			(void)strlcat(buf, type_order[i], size);
		need += strlen(type_order[i]) + (need > 0);
	}
	return need;
}

static void
ca_entry(const struct entry *en, void *arg)
{
	if (en->mark == KH_CA)
		*(bool *)arg = true;
}

bool
knownhosts_has_ca(const struct knownhosts *kh, const char *host, unsigned port)
{
	char name[KH_NAME_MAX];
	bool ca = false;

	if (kh_name(name, host, port) == 0)
		each_entry(kh, name, ca_entry, &ca);
	return ca;
}
