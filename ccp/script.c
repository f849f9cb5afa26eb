/*
 * script.c - the phases that are commands on the host: SUM and COMMIT.
 *
 * They go through the login shell of the account, whatever that is: all of
 * them stands between single quotes for /bin/sh, without single quotes,
 * exclamation marks or newlines within. Names of files come by the standard
 * input only. The first line that they say shows that commands can be run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy.h"

#define EITHER_SUM(args)						\
	"if command -v sha256sum >/dev/null 2>&1; then " args("sha256sum") \
	"; elif command -v shasum >/dev/null 2>&1; then "		\
	args("shasum -a 256") "; else echo nosum; exit 0; fi; "

/* ---- what they read ---- */

struct list {
	char	*bytes;
	size_t	 len, size;
};

static int
add(struct list *l, const char *s, char end)
{
	size_t n = strlen(s) + 1, size = l->size;
	char *p;

	if (l->len + n > size) {
		while (l->len + n > size)
			size = size == 0 ? 256 : size * 2;
		if ((p = realloc(l->bytes, size)) == NULL)
			return -1;
		l->bytes = p;
		l->size = size;
	}
	memcpy(l->bytes + l->len, s, n - 1);
	l->bytes[l->len + n - 1] = end;
	l->len += n;
	return 0;
}

/* A path that no command takes for an option, nor cd for something else. */
static char *
plain(char *path)
{
	char *better;

	if (path == NULL || *path == '/')
		return path;
	if (asprintf(&better, "./%s", path) == -1)
		better = NULL;
	free(path);
	return better;
}

static int
add_path(struct list *l, char *path, char end)
{
	int rc;

	if ((path = plain(path)) == NULL)
		return -1;
	rc = add(l, path, end);
	free(path);
	return rc;
}

static void
give(struct host *h, struct list *l)
{
	free(h->input);
	h->input = l->bytes;
	h->input_len = l->len;
	h->input_off = 0;
}

/* ---- SUM ---- */

#define SUM_ALL(tool) "exec xargs -0 " tool " --"

#define HAS_XARGS "command -v xargs >/dev/null 2>&1 || " \
	"{ echo nosum; exit 0; }; "

/* Several times as fast, on most machines, but it says names as they are. */
#define SUM_FAST "if command -v openssl >/dev/null 2>&1; then " \
	"exec xargs -0 openssl dgst -sha256 -r; fi; "

/* find(1)'s words for the owner that chown(1) would give. */
static int
make_owned(const char *owner, char **out)
{
	size_t user = strcspn(owner, ":");
	const char *group = owner + user + (owner[user] == ':');

	if (user == 0)
		return asprintf(out, "-group %s", group);
	if (owner[user] == '\0')
		return asprintf(out, "-user %s", owner);
	if (*group != '\0')
		return asprintf(out, "-user %.*s -group %s", (int)user, owner,
		    group);
	return asprintf(out, "-user %.*s -group $(id -g %.*s)", (int)user,
	    owner, (int)user, owner);
}

/* Digests of files that are of the wanted owner: the others are sent. */
#define SUM_OWNED(tool) "exec xargs -0 sh -c \"find \\\"\\$@\\\" " \
	"-maxdepth 0 $O -exec " tool " -- {} +\" sh"

static char *
sum_owned(const char *owner)
{
	char *owned, *text;

	if (make_owned(owner, &owned) == -1)
		return NULL;
	if (asprintf(&text, "exec /bin/sh -c 'echo " SCRIPT_HELLO "; "
	    HAS_XARGS "O=\"%s\"; " EITHER_SUM(SUM_OWNED) "'", owned) == -1)
		text = NULL;
	free(owned);
	return text;
}

char *
script_sum(struct host *h)
{
	struct list l = { NULL, 0, 0 };
	uint32_t i;
	bool plain;

	for (i = 0; i < h->load->source.count; i++)
		if ((h->todo[i] & E_CHECK) &&
		    add_path(&l, place_target(h, i), '\0') == -1) {
			free(l.bytes);
			return NULL;
		}
	plain = memchr(l.bytes, '\n', l.len) == NULL &&
	    memchr(l.bytes, '\\', l.len) == NULL;
	give(h, &l);
	if (h->copy->opts.owner != NULL)
		return sum_owned(h->copy->opts.owner);
	return strdup(plain ? "exec /bin/sh -c 'echo " SCRIPT_HELLO "; "
	    HAS_XARGS SUM_FAST EITHER_SUM(SUM_ALL) "'" : "exec /bin/sh -c 'echo "
	    SCRIPT_HELLO "; " HAS_XARGS EITHER_SUM(SUM_ALL) "'");
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "DIGEST  NAME", or "\DIGEST  NAME" with bytes of the name escaped. */
bool
script_digest(char *line, unsigned char *sum, char **name)
{
	bool escaped = *line == '\\';
	char *from, *to;
	int high, low, i;

	line += escaped;
	for (i = 0; i < SHA256_LEN; i++) {
		if ((high = hex_value(line[2 * i])) == -1 ||
		    (low = hex_value(line[2 * i + 1])) == -1)
			return false;
		sum[i] = (unsigned char)(high << 4 | low);
	}
	line += 2 * SHA256_LEN;
	if (line[0] != ' ' || (line[1] != ' ' && line[1] != '*'))
		return false;
	*name = from = to = line + 2;
	for (; escaped && *from != '\0'; from++)
		*to++ = *from == '\\' && from[1] != '\0' ? (++from, *from ==
		    'n' ? '\n' : *from == 'r' ? '\r' : *from) : *from;
	if (escaped)
		*to = '\0';
	return true;
}

/* The entry whose digest a line tells: they come in order, some may lack. */
static bool
matches(struct host *h, uint32_t i, const char *name)
{
	char *path = plain(place_target(h, i));
	bool same = path != NULL && strcmp(path, name) == 0;

	free(path);
	return same;
}

void
script_keep_sum(struct host *h, uint32_t i, const unsigned char *sum)
{
	if (!h->copy->opts.check)
		return;
	if (h->sums == NULL && (h->sums = calloc(h->load->source.count,
	    sizeof(*h->sums))) == NULL) {
		host_nomem(h);
		return;
	}
	h->sums[i] = (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 |
	    (uint32_t)sum[2] << 8 | sum[3];
}

static void
compare(struct host *h, uint32_t i, const unsigned char *sum)
{
	struct source *src = &h->load->source;
	uint32_t file = src->entries[i].kind == ENTRY_HARD ?
	    src->entries[i].first : i;

	script_keep_sum(h, i, sum);
	if (source_sum(src, file) == -1) {
		host_fail(h, FANOUT_C_LOCAL, "%s: cannot be read, or has "
		    "changed while it was copied", src->entries[file].name);
		return;
	}
	if (memcmp(sum, src->entries[file].sum, SHA256_LEN) == 0)
		h->todo[i] &= (unsigned char)~E_CHECK;
}

/* SFTP knows owners by numbers only. */
static void
by_sftp(struct host *h, const char *why)
{
	h->by_sftp = true;
	if (h->copy->opts.owner != NULL)
		host_fail(h, FANOUT_C_REMOTE, "--owner is set by commands "
		    "there, and %s", why);
}

/* Where the commands of a host cannot be used, files are read back. */
bool
script_answered(struct host *h, char **rest)
{
	char *line = *rest != NULL ? strsep(rest, "\n") : NULL;

	if (line != NULL && strcmp(line, SCRIPT_HELLO) == 0 &&
	    (*rest == NULL || strncmp(*rest, "nosum\n", 6) != 0))
		return true;
	by_sftp(h, "it runs none, or has none for digests");
	return false;
}

/* To be looked at only, and there was nothing to see. */
static bool
was_unread(const struct host *h, uint32_t i)
{
	const struct copy_opts *o = &h->copy->opts;

	return o->check && o->owner == NULL &&
	    (h->sums == NULL || h->sums[i] == 0);
}

void
script_fail_unread(struct host *h, uint32_t i)
{
	char *path = place_target(h, i);

	host_fail(h, FANOUT_C_REMOTE, "%s: cannot be read there, and so not "
	    "compared", path != NULL ? path : "?");
	free(path);
}

void
script_summed(struct host *h)
{
	const struct source *src = &h->load->source;
	unsigned char sum[SHA256_LEN];
	char *rest = h->answer, *line, *name;
	uint32_t i = 0, at;

	if (!script_answered(h, &rest))
		return;
	while (!h->failed && (line = strsep(&rest, "\n")) != NULL) {
		if (!script_digest(line, sum, &name))
			continue;
		for (at = i; at < src->count; at++)
			if ((h->todo[at] & E_CHECK) && matches(h, at, name))
				break;
		if (at == src->count)
			continue;
		compare(h, at, sum);
		i = at + 1;
	}
	/* What differs, or was not told, is sent. */
	for (i = 0; i < src->count; i++)
		if ((h->todo[i] & E_CHECK) && was_unread(h, i))
			script_fail_unread(h, i);
		else if (h->todo[i] & E_CHECK)
			h->todo[i] = (unsigned char)((h->todo[i] & ~E_CHECK) |
			    E_SEND);
	look_join_links(h);
}

/* ---- COMMIT ---- */

#define CHECK_SUMS(tool) "S() { " tool " -c " SUMS_NAME " >/dev/null 2>&1; }"

/*
 * Reads the directories that have temporary folders. All digests are compared
 * before anything is renamed. T is the folder's name, K those of runs that
 * live. mv(1) within a directory is rename(2).
 */
static const char commit[] =
    "exec /bin/sh -c 'echo " SCRIPT_HELLO "; T=%s; K=\"%s\"; "
    EITHER_SUM(CHECK_SUMS)
    "N=$(printf \"\\nx\"); IFS=${N%%x}; set -f; L=$(cat); "
    "C() { for d in $L; do rm -rf \"$d/$T\"; done; }; "
    "for d in $L; do (cd \"$d/$T\" && if [ -s " SUMS_NAME " ]; then S; fi) || "
	"{ echo \"bad $d\"; C; exit 0; }; done; "
    "for d in $L; do (cd \"$d/$T\" && rm -f " SUMS_NAME "%s%s%s) || "
	"{ echo failed; C; exit 0; }; done; "
    "set +f; for d in $L; do (cd \"$d/$T\" && find . -mindepth 1 -maxdepth 1 "
	"-exec sh -c \"exec mv -f -- \\\"\\$@\\\" ..\" sh {} +; "
	"cd .. && rmdir \"$T\") || { echo failed; C; exit 0; }; "
	"for s in \"$d\"/%s*; do [ -d \"$s\" ] || continue; "
	    "n=${s##*/}; case \"$K\" in *\" ${n%%%%_*} \"*) ;; "
	    "*) rm -rf \"$s\";; esac; done; "
	"find \"$d/.\" -maxdepth 1 -name \"" SOURCE_RESERVED "*\" -mtime +1 "
	    "-exec rm -rf {} + 2>/dev/null; "
    "done; echo done'";

/* Beside the digests, before any rename; each begins with "&&". */
static int
make_chown(const struct copy_opts *o, char **out)
{
	if (o->owner == NULL)
		return (*out = strdup("")) != NULL ? 0 : -1;
	return asprintf(out, " && find . -mindepth 1 -exec chown -h -- %s {} +",
	    o->owner) == -1 ? -1 : 0;
}

static int
make_backup(const struct copy_opts *o, char **out)
{
	if (o->backup == NULL)
		return (*out = strdup("")) != NULL ? 0 : -1;
	return asprintf(out, " && find . -mindepth 1 -maxdepth 1 -exec sh -c "
	    "\"for f; do if [ -f \\\"../\\$f\\\" ] && "
	    "! cmp -s \\\"./\\$f\\\" \\\"../\\$f\\\"; then "
	    "ln -f -- \\\"../\\$f\\\" \\\"../\\$f%s\\\" 2>/dev/null || "
	    "cp -p -- \\\"../\\$f\\\" \\\"../\\$f%s\\\" || exit 1; fi; done\" "
	    "sh {} +", o->backup, o->backup) == -1 ? -1 : 0;
}

static int
add_dir(struct host *h, struct list *l, uint32_t dir)
{
	unsigned flags = dir == NO_PARENT ? h->base_flags : h->todo[dir];
	char *path;

	if (!(flags & E_TEMP))
		return 0;
	if ((path = place_dir(h, dir)) == NULL)
		return -1;
	/* The list has one a line. */
	if (strchr(path, '\n') != NULL)
		by_sftp(h, "a directory has a newline in its name");
	return add_path(l, path, '\n');
}

char *
script_commit(struct host *h)
{
	const struct copy *c = h->copy;
	struct list l = { NULL, 0, 0 };
	char *text = NULL, *own = NULL, *back = NULL, name[TEMP_NAME_SIZE];
	int rc = add_dir(h, &l, NO_PARENT);
	uint32_t i;

	for (i = 0; rc == 0 && i < h->load->source.count; i++)
		if (h->load->source.entries[i].kind == ENTRY_DIR)
			rc = add_dir(h, &l, i);
	if (rc == 0 && make_chown(&c->opts, &own) == 0 &&
	    make_backup(&c->opts, &back) == 0 &&
	    asprintf(&text, commit, place_temp_name(h, name), c->alive, own,
	    c->sync_each ? "" : " && { sync -f . 2>/dev/null || sync; }", back,
	    c->mine) == -1)
		text = NULL;
	free(own);
	free(back);
	give(h, &l);
	return text;
}

void
script_committed(struct host *h)
{
	const struct source *src = &h->load->source;
	char *rest = h->answer, *line = NULL;
	uint32_t i;

	if (!script_answered(h, &rest))
		return;
	while (rest != NULL && *rest != '\0')
		line = strsep(&rest, "\n");
	if (line != NULL && (strcmp(line, "done") == 0 ||
	    strcmp(line, "failed") == 0 || strncmp(line, "bad ", 4) == 0))
		fellow_release(h);
	if (line == NULL || strcmp(line, "done") != 0) {
		if (line != NULL && strncmp(line, "bad ", 4) == 0)
			host_fail(h, FANOUT_C_REMOTE, "%s: what arrived is not "
			    "what was sent%s%s", line + 4,
			    *h->words != '\0' ? ": " : "", h->words);
		else
			host_fail(h, FANOUT_C_REMOTE, "replacing: %s",
			    *h->words != '\0' ? h->words : "no answer");
		return;
	}
	for (i = 0; i < src->count; i++)
		h->changed += src->entries[i].kind != ENTRY_DIR &&
		    (h->todo[i] & E_SEND);
}
