#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "cli/error.h"
#include "source.h"
#include "xattr.h"

/* Files with more than one name, by inode, while walking. */
struct seen {
	dev_t	 dev;
	ino_t	 ino;
	uint32_t index;
	bool	 used;
};

struct walk {
	struct source	*src;
	const struct source_opts *opts;
	struct seen	*seen;		/* hash table */
	size_t		 nseen, nslots;
	struct fanout_error *e;
};

static int
fail_file(struct walk *w, const char *path, const char *why)
{
	return cli_error(w->e, FANOUT_ECONFIG, "%s: %s", path, why);
}

/* ---- hard links ---- */

static struct seen *
slot(struct walk *w, dev_t dev, ino_t ino)
{
	size_t i = (size_t)(ino * 11400714819323198485u + dev) % w->nslots;

	while (w->seen[i].used &&
	    (w->seen[i].dev != dev || w->seen[i].ino != ino))
		i = (i + 1) % w->nslots;
	return &w->seen[i];
}

static int
grow_seen(struct walk *w)
{
	struct seen *old = w->seen;
	size_t i, n = w->nslots;

	if (w->nseen * 2 < n)
		return 0;
	w->nslots = n == 0 ? 64 : n * 2;
	if ((w->seen = calloc(w->nslots, sizeof(*w->seen))) == NULL) {
		w->seen = old;
		w->nslots = n;
		return -1;
	}
	for (i = 0; i < n; i++)
		if (old[i].used)
			*slot(w, old[i].dev, old[i].ino) = old[i];
	free(old);
	return 0;
}

/* A further name of a file that is there already becomes a link to it. */
static int
note_links(struct walk *w, struct entry *en)
{
	struct seen *s;

	if (grow_seen(w) == -1)
		return -1;
	s = slot(w, en->dev, en->ino);
	if (s->used) {
		en->kind = ENTRY_HARD;
		en->first = s->index;
		w->src->entries[s->index].linked = true;
		en->size = 0;
		return 0;
	}
	*s = (struct seen){ en->dev, en->ino,
	    (uint32_t)(en - w->src->entries), true };
	w->nseen++;
	return 0;
}

/* ---- entries ---- */

static struct entry *
new_entry(struct source *src)
{
	struct entry *entries;
	size_t size = src->size == 0 ? 16 : src->size * 2;

	if (src->count == src->size) {
		entries = reallocarray(src->entries, size, sizeof(*entries));
		if (entries == NULL)
			return NULL;
		src->entries = entries;
		src->size = size;
	}
	memset(&src->entries[src->count], 0, sizeof(*src->entries));
	return &src->entries[src->count];
}

static char *
read_link(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n == -1)
		return NULL;
	target[n] = '\0';
	return strdup(target);
}

/* The last part of a path; "." and "/" and "x/.." have none of their own. */
static char *
base_name(const char *path)
{
	char *real = NULL, *name;
	size_t len = strlen(path);
	const char *from;

	while (len > 1 && path[len - 1] == '/')
		len--;
	for (from = path + len; from > path && from[-1] != '/';)
		from--;
	len -= (size_t)(from - path);
	if (len == 0 || (len == 1 && *from == '.') ||
	    (len == 2 && strncmp(from, "..", 2) == 0)) {
		if ((real = realpath(path, NULL)) == NULL)
			return NULL;
		from = strrchr(real, '/') + 1;
		len = strlen(from);
	}
	name = strndup(from, len);
	free(real);
	return name;
}

static void
fill(struct entry *en, const struct stat *st)
{
	en->mode = st->st_mode & 07777;
	en->uid = st->st_uid;
	en->gid = st->st_gid;
	en->mtime = st->st_mtim;
	en->ctime = st->st_ctim;
	en->dev = st->st_dev;
	en->ino = st->st_ino;
	if (S_ISDIR(st->st_mode))
		en->kind = ENTRY_DIR;
	else if (S_ISLNK(st->st_mode))
		en->kind = ENTRY_LINK;
	else
		en->size = st->st_size;
}

static int
add(struct walk *w, const FTSENT *f)
{
	struct source *src = w->src;
	struct entry *en;
	bool root = f->fts_level == FTS_ROOTLEVEL;
	int rc = 0;

	if ((en = new_entry(src)) == NULL)
		return cli_nomem(w->e);
	fill(en, f->fts_statp);
	en->parent = root ? NO_PARENT : (uint32_t)f->fts_parent->fts_number;
	en->name = root ? base_name(f->fts_accpath) : strdup(f->fts_name);
	if (root)
		en->path = strdup(f->fts_path);
	if (en->kind == ENTRY_LINK)
		en->link = read_link(f->fts_accpath);
	if (en->name == NULL || (root && en->path == NULL) ||
	    (en->kind == ENTRY_LINK && en->link == NULL)) {
		free(en->name);
		free(en->path);
		free(en->link);
		return fail_file(w, f->fts_path, strerror(errno));
	}
	if (w->opts->xattrs && en->kind != ENTRY_LINK &&
	    xattr_read(f->fts_accpath, &en->xattrs) == -1)
		rc = fail_file(w, f->fts_path, strerror(errno));
	if (en->kind == ENTRY_FILE && f->fts_statp->st_nlink > 1 &&
	    w->opts->recursive && note_links(w, en) == -1)
		return cli_nomem(w->e);
	((FTSENT *)(uintptr_t)f)->fts_number = (long)src->count++;
	src->roots += root;
	src->bytes += (uint64_t)en->size;
	src->has_xattrs |= en->xattrs != NULL;
	return rc;
}

/* ---- walking ---- */

/* A pattern without a slash is for names, one with it for paths. */
bool
source_excludes(char *const *p, const char *name, const char *path)
{
	for (; p != NULL && *p != NULL; p++)
		if (fnmatch(*p, strchr(*p, '/') == NULL ? name : path, 0) == 0)
			return true;
	return false;
}

static int
visit(struct walk *w, FTS *fts, FTSENT *f)
{
	if (f->fts_info == FTS_DP)
		return 0;
	if (f->fts_info == FTS_NS || f->fts_info == FTS_ERR ||
	    f->fts_info == FTS_DNR)
		return fail_file(w, f->fts_path, strerror(f->fts_errno));
	if (f->fts_level != FTS_ROOTLEVEL && source_excludes(w->opts->exclude,
	    f->fts_name, f->fts_path)) {
		(void)fts_set(fts, f, FTS_SKIP);
		return 0;
	}
	if (f->fts_level != FTS_ROOTLEVEL && strncmp(f->fts_name,
	    SOURCE_RESERVED, sizeof(SOURCE_RESERVED) - 1) == 0)
		return fail_file(w, f->fts_path, "names that begin with "
		    SOURCE_RESERVED " are used for files on their way; "
		    "--exclude it");
	switch (f->fts_info) {
	case FTS_DC:
		return fail_file(w, f->fts_path, "a directory within itself");
	case FTS_D:
		if (!w->opts->recursive)
			return fail_file(w, f->fts_path,
			    "is a directory: -r copies it");
		break;
	case FTS_F:
	case FTS_SL:
		break;
	case FTS_SLNONE:
		if (w->opts->follow)
			return fail_file(w, f->fts_path,
			    "points to nothing");
		break;
	default:
		return fail_file(w, f->fts_path, "is neither a file, a "
		    "directory nor a symbolic link: --exclude it");
	}
	return add(w, f);
}

/* Files first: what is in a directory itself stands in one run. */
static int
by_name(const FTSENT **a, const FTSENT **b)
{
	bool dir_a = (*a)->fts_info == FTS_D, dir_b = (*b)->fts_info == FTS_D;

	if (dir_a != dir_b)
		return dir_a ? 1 : -1;
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* fts(3) with several roots sorts them: one walk for each keeps their order. */
static int
walk_root(struct walk *w, char *path)
{
	char *roots[] = { path, NULL };
	int rc = 0, flags = FTS_NOCHDIR;
	FTSENT *f;
	FTS *fts;

	/* A link that is named itself is followed, as cp(1) does without -r. */
	flags |= w->opts->follow ? FTS_LOGICAL : FTS_PHYSICAL |
	    (w->opts->recursive ? 0 : FTS_COMFOLLOW);
	if ((fts = fts_open(roots, flags, by_name)) == NULL)
		return fail_file(w, path, strerror(errno));
	while (rc == 0 && (errno = 0, f = fts_read(fts)) != NULL)
		rc = visit(w, fts, f);
	if (rc == 0 && errno != 0)
		rc = fail_file(w, path, strerror(errno));
	fts_close(fts);
	return rc;
}

/* Two that would become one. */
static int
check_roots(struct walk *w)
{
	const struct source *src = w->src;
	size_t i, j;

	for (i = 0; i < src->count; i++)
		for (j = 0; src->entries[i].parent == NO_PARENT && j < i; j++)
			if (src->entries[j].parent == NO_PARENT &&
			    strcmp(src->entries[i].name,
			    src->entries[j].name) == 0)
				return cli_error(w->e, FANOUT_EINVAL, "%s and "
				    "%s have the same name",
				    src->entries[j].path,
				    src->entries[i].path);
	return 0;
}

int
source_walk(struct source *src, char *const *paths,
    const struct source_opts *opts, struct fanout_error *e)
{
	struct walk w = { .src = src, .opts = opts, .e = e };
	int rc = 0;

	memset(src, 0, sizeof(*src));
	for (; rc == 0 && *paths != NULL; paths++)
		rc = **paths == '\0' ? cli_error(e, FANOUT_EINVAL,
		    "an empty file name") : walk_root(&w, *paths);
	if (rc == 0)
		rc = check_roots(&w);
	free(w.seen);
	if (rc != 0)
		source_free(src);
	return rc;
}

void
source_free(struct source *src)
{
	size_t i;

	for (i = 0; i < src->count; i++) {
		free(src->entries[i].name);
		free(src->entries[i].path);
		free(src->entries[i].link);
		free(src->entries[i].xattrs);
		EVP_MD_CTX_free(src->entries[i].digest);
		if (src->entries[i].readers > 0)
			close(src->entries[i].fd);
	}
	free(src->entries);
	memset(src, 0, sizeof(*src));
}

/* ---- paths ---- */

/* root: what stands for the root entry. */
static char *
join(const struct source *src, uint32_t i, const char *root)
{
	const struct entry *en;
	size_t len = 0, n;
	uint32_t at;
	char *path, *p;

	for (at = i; (en = &src->entries[at])->parent != NO_PARENT;
	    at = en->parent)
		len += strlen(en->name) + 1;
	n = strlen(root);
	while (len > 0 && n > 0 && root[n - 1] == '/')
		n--;
	if ((path = malloc(n + len + 1)) == NULL)
		return NULL;
	p = path + n + len;
	*p = '\0';
	for (at = i; (en = &src->entries[at])->parent != NO_PARENT;
	    at = en->parent) {
		len = strlen(en->name);
		p -= len;
		memcpy(p, en->name, len);
		*--p = '/';
	}
	memcpy(path, root, n);
	return path;
}

static const struct entry *
root_of(const struct source *src, uint32_t i)
{
	while (src->entries[i].parent != NO_PARENT)
		i = src->entries[i].parent;
	return &src->entries[i];
}

char *
source_path(const struct source *src, uint32_t i)
{
	return join(src, i, root_of(src, i)->path);
}

char *
source_rel(const struct source *src, uint32_t i, bool whole)
{
	return join(src, i, whole ? root_of(src, i)->name : "");
}

/* ---- bytes ---- */

static bool
same(const struct entry *en, const struct stat *st)
{
	return st->st_ino == en->ino && st->st_dev == en->dev &&
	    st->st_size == en->size &&
	    st->st_mtim.tv_sec == en->mtime.tv_sec &&
	    st->st_mtim.tv_nsec == en->mtime.tv_nsec &&
	    st->st_ctim.tv_sec == en->ctime.tv_sec &&
	    st->st_ctim.tv_nsec == en->ctime.tv_nsec;
}

static int
stale(struct entry *en)
{
	en->changed = true;
	errno = ESTALE;
	return -1;
}

int
source_open(struct source *src, uint32_t i)
{
	struct entry *en = &src->entries[i];
	struct stat st;
	char *path;

	if (en->changed)
		return stale(en);
	if (en->readers++ > 0)
		return 0;
	en->fd = -1;
	if ((path = source_path(src, i)) != NULL) {
		en->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
		    O_NONBLOCK);
		free(path);
	}
	if (en->fd != -1 && fstat(en->fd, &st) == 0 && same(en, &st))
		return 0;
	en->readers = 0;
	if (en->fd == -1)
		return -1;
	close(en->fd);
	return stale(en);
}

/* The digest goes on with whoever reads what it has not had yet. */
static void
feed_digest(struct entry *en, off_t off, const unsigned char *buf, size_t len)
{
	size_t known = off <= en->digested ? (size_t)(en->digested - off) : len;

	if (en->summed || known >= len)
		return;
	if (en->digest == NULL && ((en->digest = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(en->digest, EVP_sha256(), NULL) != 1))
		return;
	if (EVP_DigestUpdate(en->digest, buf + known, len - known) == 1)
		en->digested += (off_t)(len - known);
}

int
source_read(struct source *src, uint32_t i, off_t off, void *buf, size_t len)
{
	struct entry *en = &src->entries[i];
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(en->fd, (char *)buf + done, len - done,
		    off + (off_t)done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			return stale(en);
		if (n == -1)
			return -1;
		done += (size_t)n;
	}
	feed_digest(en, off, buf, len);
	return 0;
}

int
source_close(struct source *src, uint32_t i)
{
	struct entry *en = &src->entries[i];
	struct stat st;
	bool changed = fstat(en->fd, &st) == -1 || !same(en, &st);

	if (--en->readers == 0)
		close(en->fd);
	return changed || en->changed ? stale(en) : 0;
}

int
source_fd(const struct source *src, uint32_t i)
{
	return src->entries[i].fd;
}

int
source_sum_some(struct source *src, uint32_t i, size_t len)
{
	static unsigned char buf[256 * 1024];
	struct entry *en = &src->entries[i];
	off_t before = en->digested;
	size_t n;

	if (en->summed)
		return 0;
	for (; len > 0 && (before = en->digested) < en->size; len -= n) {
		n = en->size - before < (off_t)sizeof(buf) ?
		    (size_t)(en->size - before) : sizeof(buf);
		if (n > len)
			n = len;
		if (source_read(src, i, before, buf, n) == -1)
			return -1;
		if (en->digested == before) {
			errno = ENOMEM;
			return -1;
		}
	}
	return en->digested < en->size ? 1 : 0;
}

static int
finish_sum(struct entry *en)
{
	if (en->digest == NULL)		/* an empty file */
		en->summed = EVP_Digest("", 0, en->sum, NULL, EVP_sha256(),
		    NULL) == 1;
	else
		en->summed = EVP_DigestFinal_ex(en->digest, en->sum,
		    NULL) == 1;
	EVP_MD_CTX_free(en->digest);
	en->digest = NULL;
	return en->summed ? 0 : -1;
}

int
source_sum(struct source *src, uint32_t i)
{
	struct entry *en = &src->entries[i];
	int rc, saved;

	if (en->summed)
		return 0;
	if (en->digest != NULL && en->digested == en->size)
		return finish_sum(en);
	if (source_open(src, i) == -1)
		return -1;
	do {
		rc = source_sum_some(src, i, (size_t)1 << 30);
	} while (rc == 1);
	saved = errno;
	if (source_close(src, i) == -1 || rc == -1) {
		if (rc == -1)
			errno = saved;
		return -1;
	}
	return finish_sum(en);
}
