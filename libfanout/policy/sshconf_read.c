#include <sys/stat.h>

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "pattern.h"
#include "sshconf_int.h"
#include "strlist.h"

#define DEPTH_MAX 16		/* as OpenSSH */
#define FILES_MAX 4096		/* a file that includes itself twice */
#define SYSTEM_DIR "/etc/ssh"

struct conf_file *
conf_file_new(const char *path, bool user)
{
	struct conf_file *f = calloc(1, sizeof(*f));

	if (f == NULL || (f->path = strdup(path)) == NULL) {
		free(f);
		return NULL;
	}
	f->user = user;
	return f;
}

static void
directive_clear(struct directive *d)
{
	size_t i;

	strlist_free(d->argv);
	free(d->raw);
	for (i = 0; i < d->ncond; i++)
		free(d->cond[i].arg);
	free(d->cond);
	for (i = 0; i < d->ninclude; i++)
		conf_file_free(d->include[i]);
	free(d->include);
}

void
conf_file_free(struct conf_file *f)
{
	size_t i;

	if (f == NULL)
		return;
	for (i = 0; i < f->n; i++)
		directive_clear(&f->v[i]);
	free(f->v);
	free(f->path);
	free(f);
}

/* The next directive, zeroed but for where it stands. It counts at once, so
 * that whatever it holds is freed with the file. */
static struct directive *
directive_new(struct conf_file *f, unsigned line)
{
	struct directive *v;
	size_t cap;

	if (f->n == f->cap) {
		cap = f->cap == 0 ? 16 : f->cap * 2;
		if ((v = reallocarray(f->v, cap, sizeof(*v))) == NULL)
			return NULL;
		f->v = v;
		f->cap = cap;
	}
	v = &f->v[f->n++];
	memset(v, 0, sizeof(*v));
	v->file = f;
	v->line = line;
	return v;
}

static int
no_memory(struct fanout_error *e)
{
	return fo_error(e, FANOUT_ENOMEM, "out of memory");
}

static int
bad(const struct conf_file *f, unsigned line, const char *keyword,
    const char *why, struct fanout_error *e)
{
	if (line == 0)
		return fo_error(e, FANOUT_EINVAL, "option %s: %s", keyword,
		    why);
	return fo_error_at(e, FANOUT_ECONFIG, 0, line, "%s:%u: %s: %s",
	    f->path, line, keyword, why);
}

/* ---- Match ------------------------------------------------------------- */

static const struct {
	const char *name;
	enum cond_kind kind;
	bool	 arg;
} criteria[] = {
	{ "canonical", COND_CANONICAL, false },
	{ "final", COND_FINAL, false },
	{ "host", COND_HOST, true },
	{ "originalhost", COND_ORIGINALHOST, true },
	{ "user", COND_USER, true },
	{ "localuser", COND_LOCALUSER, true },
	{ "exec", COND_EXEC, true },
	{ "tagged", COND_TAGGED, true },
	{ "localnetwork", COND_SSH, true },
	{ "command", COND_SSH, true },
	{ "sessiontype", COND_SSH, true },
	{ "version", COND_SSH, true },
};
#define NCRITERIA (sizeof(criteria) / sizeof(criteria[0]))

static struct cond *
cond_new(struct directive *d)
{
	struct cond *v;

	v = reallocarray(d->cond, d->ncond + 1, sizeof(*v));
	if (v == NULL)
		return NULL;
	d->cond = v;
	v += d->ncond++;
	memset(v, 0, sizeof(*v));
	return v;
}

/* "all" comes last, and after one other at most. */
static const char *
parse_all(struct directive *d, char **rest, bool negate)
{
	struct cond *c;
	char *more = words_delim(rest);

	if (d->ncond > 1 || (more != NULL && *more != '\0' && *more != '#'))
		return "\"all\" cannot be combined with other criteria";
	if ((c = cond_new(d)) == NULL)
		return "out of memory";
	c->kind = COND_ALL;
	c->negate = negate;
	*rest = NULL;
	return NULL;
}

static const char *
parse_criterion(struct directive *d, const char *name, char **rest)
{
	bool negate = *name == '!';
	struct cond *c;
	char *arg;
	size_t i;

	if (strcasecmp(name + negate, "all") == 0)
		return parse_all(d, rest, negate);
	for (i = 0; i < NCRITERIA; i++)
		if (strcasecmp(criteria[i].name, name + negate) == 0)
			break;
	if (i == NCRITERIA)
		return "unknown criterion";
	if ((c = cond_new(d)) == NULL)
		return "out of memory";
	c->kind = criteria[i].kind;
	c->negate = negate;
	if (!criteria[i].arg)
		return NULL;
	arg = words_delim(rest);
	if (arg == NULL || *arg == '\0' || *arg == '#')
		return "a criterion lacks its argument";
	return (c->arg = strdup(arg)) == NULL ? "out of memory" : NULL;
}

int
conf_match_parse(struct directive *d, char *rest, const char **why)
{
	char *name;

	*why = NULL;
	while (*why == NULL && (name = words_delim(&rest)) != NULL &&
	    *name != '\0' && *name != '#')
		*why = parse_criterion(d, name, &rest);
	if (*why == NULL && d->ncond == 0)
		*why = "no criterion";
	return *why == NULL ? 0 : -1;
}

/* ---- Include ----------------------------------------------------------- */

static int
include_file(struct sshconf *c, struct directive *d, const char *path,
    unsigned depth, struct fanout_error *e)
{
	struct conf_file *f, **v;
	int rc;

	if ((rc = conf_read(c, path, d->file->user, true, depth + 1, &f, e)))
		return rc;
	if (f == NULL && errno == ENOENT)
		return 0;
	if (f == NULL)
		return fo_error_sys(e, "%s:%u: cannot read %s", d->file->path,
		    d->line, path);
	v = reallocarray(d->include, d->ninclude + 1, sizeof(*v));
	if (v == NULL) {
		conf_file_free(f);
		return no_memory(e);
	}
	d->include = v;
	v[d->ninclude++] = f;
	return 0;
}

/* Where a path of Include is looked for. NULL: memory or *why. */
static char *
include_pattern(const struct sshconf *c, bool user, const char *arg,
    char *why, size_t size)
{
	char *s;
	int n;

	why[0] = '\0';
	if (*arg == '~' && !user) {
		(void)strlcpy(why, "\"~\" is for files of a user", size);
		return NULL;
	}
	if (*arg == '~')
		return tilde_expand(c, arg, why, size);
	if (*arg == '/')
		return strdup(arg);
	n = user ? asprintf(&s, "%s/.ssh/%s", c->home, arg) :
	    asprintf(&s, SYSTEM_DIR "/%s", arg);
	return n == -1 ? NULL : s;
}

static int
include_word(struct sshconf *c, struct directive *d, const char *arg,
    unsigned depth, struct fanout_error *e)
{
	char *pattern, why[128];
	glob_t g = { 0 };
	size_t i;
	int rc;

	if (*arg == '\0')
		return bad(d->file, d->line, "include", "empty argument", e);
	pattern = include_pattern(c, d->file->user, arg, why, sizeof(why));
	if (pattern == NULL)
		return why[0] == '\0' ? no_memory(e) :
		    bad(d->file, d->line, "include", why, e);
	rc = glob(pattern, 0, NULL, &g);
	free(pattern);
	if (rc == GLOB_NOMATCH)
		return 0;
	if (rc != 0)
		return bad(d->file, d->line, "include", "cannot be searched",
		    e);
	for (i = 0; i < g.gl_pathc && rc == 0; i++)
		rc = include_file(c, d, g.gl_pathv[i], depth, e);
	globfree(&g);
	return rc;
}

static int
include(struct sshconf *c, struct directive *d, unsigned depth,
    struct fanout_error *e)
{
	size_t i, n = strlist_len(d->argv);
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++)
		rc = include_word(c, d, d->argv[i], depth, e);
	return rc;
}

/* ---- lines ------------------------------------------------------------- */

static int
ignore(struct sshconf *c, const struct conf_file *f, unsigned line,
    const char *name, const char *what, struct fanout_error *e)
{
	int rc;

	if (c->ignore_unknown != NULL &&
	    pattern_list(name, c->ignore_unknown, true) == 1)
		return 0;
	if (line == 0)
		rc = strlist_addf(&c->notes, "option %s: %s", name, what);
	else
		rc = strlist_addf(&c->notes, "%s:%u: keyword %s %s", f->path,
		    line, name, what);
	return rc == -1 ? no_memory(e) : 0;
}

/* A command, or a chain of jump hosts: the line is taken as it is. */
static char *
raw_value(const struct keyword *kw, const char *rest)
{
	char *s, *end;

	if (kw->type == KT_RAW || kw->type == KT_JUMP)
		rest += strspn(rest, " \t\r\n=");
	if ((s = strdup(rest)) == NULL || kw->type != KT_JUMP)
		return s;
	s[strcspn(s, "#")] = '\0';
	for (end = s + strlen(s); end > s && (end[-1] == ' ' ||
	    end[-1] == '\t'); )
		*--end = '\0';
	return s;
}

static int
block(struct sshconf *c, struct directive *d, char *rest, unsigned depth,
    struct fanout_error *e)
{
	const char *why;
	size_t i;

	switch (d->kw->slot) {
	case K_MATCH:
		if (conf_match_parse(d, rest, &why) == -1)
			return bad(d->file, d->line, "match", why, e);
		return 0;
	case K_INCLUDE:
		return include(c, d, depth, e);
	default:
		for (i = 0; d->argv != NULL && d->argv[i] != NULL; i++)
			if (*d->argv[i] == '\0')
				return bad(d->file, d->line, "host",
				    "empty argument", e);
		return 0;
	}
}

static int
add_directive(struct sshconf *c, struct conf_file *f, unsigned line,
    const struct keyword *kw, char **argv, char *rest, unsigned depth,
    struct fanout_error *e)
{
	struct directive *d = directive_new(f, line);
	const char *why;

	if (d == NULL) {
		strlist_free(argv);
		return no_memory(e);
	}
	d->kw = kw;
	d->argv = argv;
	if ((d->raw = raw_value(kw, rest)) == NULL)
		return no_memory(e);
	if ((why = keyword_check(kw, argv, d->raw)) != NULL)
		return bad(f, line, kw->name, why, e);
	if (kw->slot == K_IGNOREUNKNOWN && c->ignore_unknown == NULL &&
	    (c->ignore_unknown = strdup(argv[0])) == NULL)
		return no_memory(e);
	if (kw->type == KT_BLOCK)
		return block(c, d, rest, depth, e);
	return 0;
}

static int
read_line(struct sshconf *c, struct conf_file *f, unsigned line, char *text,
    unsigned depth, struct fanout_error *e)
{
	const struct keyword *kw;
	char *name, *rest, **argv;
	int rc;

	if (!words_keyword(text, &name, &rest))
		return 0;
	if (*rest == '\0')
		return bad(f, line, name, "no argument", e);
	if ((rc = words_split(rest, &argv)) == -2)
		return no_memory(e);
	if (rc == -1)
		return bad(f, line, name, "a quote is not closed", e);
	kw = keyword_find(name);
	if (kw == NULL || kw->type == KT_IGNORED || kw->type == KT_NOTED) {
		strlist_free(argv);
		/* In a file it may be for a newer ssh; on a command line it
		 * is a slip of the finger. */
		if (kw == NULL && line == 0)
			return bad(f, line, name, "no such keyword", e);
		if (kw == NULL)
			return ignore(c, f, line, name, "ignored: unknown", e);
		return kw->type == KT_IGNORED ? 0 :
		    ignore(c, f, line, name, "ignored: not done here", e);
	}
	if (kw->type == KT_BLOCK && line == 0) {
		strlist_free(argv);
		return bad(f, line, name, "only for files", e);
	}
	return add_directive(c, f, line, kw, argv, rest, depth, e);
}

static int
read_lines(struct sshconf *c, struct conf_file *f, FILE *fp, unsigned depth,
    struct fanout_error *e)
{
	char *line = NULL;
	size_t size = 0;
	unsigned number = 0;
	int rc = 0;

	while (rc == 0 && getline(&line, &size, fp) != -1)
		rc = read_line(c, f, ++number, line, depth, e);
	free(line);
	if (rc == 0 && ferror(fp))
		rc = fo_error_sys(e, "cannot read %s", f->path);
	return rc;
}

/* What others may write must not say whom we trust. */
static int
check_file(FILE *fp, const char *path, struct fanout_error *e)
{
	struct stat st;

	if (fstat(fileno(fp), &st) == -1)
		return fo_error_sys(e, "cannot read %s", path);
	if ((st.st_uid != 0 && st.st_uid != getuid()) ||
	    (st.st_mode & 022) != 0)
		return fo_error(e, FANOUT_ECONFIG, "%s: others may write to "
		    "it: change its owner or mode", path);
	return 0;
}

int
conf_read(struct sshconf *c, const char *path, bool user, bool check_owner,
    unsigned depth, struct conf_file **out, struct fanout_error *e)
{
	struct conf_file *f;
	FILE *fp;
	int rc = 0;

	*out = NULL;
	if (depth > DEPTH_MAX || ++c->total > FILES_MAX)
		return fo_error(e, FANOUT_ELIMIT, "%s: Include is nested too "
		    "deep or names too many files", path);
	if ((fp = fopen(path, "re")) == NULL)
		return 0;
	if ((f = conf_file_new(path, user)) == NULL) {
		fclose(fp);
		return no_memory(e);
	}
	if (check_owner)
		rc = check_file(fp, path, e);
	if (rc == 0)
		rc = read_lines(c, f, fp, depth, e);
	fclose(fp);
	if (rc != 0)
		conf_file_free(f);
	else
		*out = f;
	return rc;
}

int
conf_option(struct sshconf *c, const char *option, struct fanout_error *e)
{
	char *copy = strdup(option);
	int rc;

	if (copy == NULL)
		return no_memory(e);
	rc = read_line(c, c->options, 0, copy, 0, e);
	free(copy);
	return rc;
}
