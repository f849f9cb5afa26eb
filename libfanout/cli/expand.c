#include <sys/socket.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "expand.h"
#include "form.h"

static int
add_file(void *into, const char *path, struct fanout_error *e)
{
	struct cli_expand *x = into;

	if (x->nfiles == CLI_TARGET_FILES)
		return cli_error(e, FANOUT_ELIMIT, "more than %d of them",
		    CLI_TARGET_FILES);
	x->files[x->nfiles++] = path;
	return 0;
}

const struct cli_option cli_expand_options[] = {
	{ 0, "expand", NULL, "replace %h %n %u %p %i %N %{COLUMN} %% for each host",
	    CLI_FLAG, offsetof(struct cli_expand, on), 0, 0, NULL },
	{ 0, "columns", "FILE", "a host file to take columns from",
	    CLI_CALL, 0, 0, 0, add_file },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

void
cli_expand_open(struct cli_expand *x, const struct cli_target *t,
    const struct fanout_hosts *hosts, const struct fanout_opts *o)
{
	x->hosts = hosts;
	x->target = t;
	x->opts = o;
}

void
cli_expand_close(struct cli_expand *x)
{
	cli_columns_free(x->columns);
	fanout_free(x->way);
	x->columns = NULL;
	x->way = NULL;
}

bool
cli_expand_needed(const struct cli_expand *x, const char *text)
{
	return x->on && strchr(text, '%') != NULL;
}

/* ---- values -------------------------------------------------------------- */

static int
read_columns(struct cli_expand *x, struct fanout_error *e)
{
	const struct cli_target *t = x->target;
	const char *usual = getenv("CFANOUT_HOSTS");
	size_t i;
	int rc;

	if (usual == NULL)
		usual = getenv("WCOLL");
	if ((rc = cli_columns_new(&x->columns, e)) != 0)
		return rc;
	for (i = 0; rc == 0 && i < t->nfiles; i++)
		rc = cli_columns_read(x->columns, t->files[i], e);
	if (rc == 0 && !t->named && x->nfiles == 0 && usual != NULL &&
	    *usual != '\0')
		rc = cli_columns_read(x->columns, usual, e);
	for (i = 0; rc == 0 && i < x->nfiles; i++)
		rc = cli_columns_read(x->columns, x->files[i], e);
	return rc;
}

static int
column(struct cli_expand *x, size_t host, const char *name, size_t len,
    char **out, struct fanout_error *e)
{
	const char *value;
	int rc;

	if (x->columns == NULL && (rc = read_columns(x, e)) != 0)
		return rc;
	value = cli_columns_get(x->columns, fanout_hosts_at(x->hosts, host),
	    name, len);
	if (value == NULL)
		return cli_error(e, FANOUT_EINVAL, "%%{%.*s}: no host file "
		    "says %.*s=... of %s", (int)len, name, (int)len, name,
		    fanout_hosts_at(x->hosts, host));
	*out = strdup(value);
	return *out != NULL ? 0 : cli_nomem(e);
}

struct way {
	char	 address[256], user[128];
	unsigned port;
};

/* What the name itself says, for transports that have no way to tell of. */
static void
guess(const char *host, struct way *w)
{
	const struct passwd *pw = getpwuid(getuid());
	struct fanout_hostspec s = { NULL, 0, "", 0, 0 };

	(void)fanout_host_split(host, &s);
	snprintf(w->address, sizeof(w->address), "%.*s", (int)s.name_len,
	    s.name);
	if (s.user != NULL)
		snprintf(w->user, sizeof(w->user), "%.*s", (int)s.user_len,
		    s.user);
	else
		strlcpy(w->user, pw != NULL ? pw->pw_name : "root",
		    sizeof(w->user));
	w->port = s.port != 0 ? s.port : 22;
}

/* As --explain tells it. */
static int
find_way(struct cli_expand *x, const char *host, struct way *w,
    struct fanout_error *e)
{
	char *text, *line, *rest;
	int rc;

	guess(host, w);
	if (x->way == NULL && (rc = fanout_new(&x->way, x->opts, e)) != 0)
		return rc;
	if ((rc = fanout_explain(x->way, host, &text, NULL)) != 0)
		return rc == FANOUT_ENOMEM ? cli_nomem(e) : 0;
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL)
		(void)sscanf(line, "connects to %255s port %u, logs in as "
		    "%127[^\n]", w->address, &w->port, w->user);
	free(text);
	return 0;
}

static int
resolve(const struct way *w, const char *host, char **out,
    struct fanout_error *e)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	char text[INET6_ADDRSTRLEN];
	int rc;

	if ((rc = getaddrinfo(w->address, NULL, &hints, &list)) != 0)
		return cli_error(e, FANOUT_EINVAL, "%%i: no address of %s: %s",
		    host, gai_strerror(rc));
	rc = getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof(text),
	    NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(list);
	*out = rc == 0 ? strdup(text) : NULL;
	return *out != NULL ? 0 : cli_nomem(e);
}

static int
by_way(struct cli_expand *x, size_t host, char what, char **out,
    struct fanout_error *e)
{
	const char *name = fanout_hosts_at(x->hosts, host);
	struct way w;
	int rc;

	if ((rc = find_way(x, name, &w, e)) != 0)
		return rc;
	if (what == 'i')
		return resolve(&w, name, out, e);
	if (what == 'u')
		*out = strdup(w.user);
	else if (asprintf(out, "%u", w.port) == -1)
		*out = NULL;
	return *out != NULL ? 0 : cli_nomem(e);
}

/* Of the letter behind a %; free(3). */
static int
value(struct cli_expand *x, size_t host, char what, char **out,
    struct fanout_error *e)
{
	struct fanout_hostspec s;
	int n = 0;

	*out = NULL;
	switch (what) {
	case '%':
		n = asprintf(out, "%%");
		break;
	case 'h':
		if (fanout_host_split(fanout_hosts_at(x->hosts, host),
		    &s) != 0)
			return cli_nomem(e);
		n = asprintf(out, "%.*s", (int)s.name_len, s.name);
		break;
	case 'n':
		n = asprintf(out, "%zu", host);
		break;
	case 'N':
		n = asprintf(out, "%zu", fanout_hosts_count(x->hosts));
		break;
	case 'u':
	case 'p':
	case 'i':
		return by_way(x, host, what, out, e);
	default:
		return cli_error(e, FANOUT_EINVAL, "%%%c is nothing that "
		    "--expand knows (a %% itself is %%%%)", what);
	}
	return n != -1 ? 0 : cli_nomem(e);
}

/* ---- texts --------------------------------------------------------------- */

enum quote { BARE, SINGLE, DOUBLE };

/* Where sh is after a character of the text. */
static enum quote
follow(enum quote q, char c)
{
	if (c == '\'' && q != DOUBLE)
		return q == BARE ? SINGLE : BARE;
	if (c == '"' && q != SINGLE)
		return q == BARE ? DOUBLE : BARE;
	return q;
}

/* Does sh begin something here in which quotes nest, or count for nothing? */
static bool
nests(enum quote q, char before, const char *s)
{
	if (q == SINGLE)
		return false;
	if (*s == '`' || (*s == '$' && s[1] != '\0' && strchr("({'", s[1])))
		return true;
	return q == BARE && ((s[0] == '<' && s[1] == '<') || (*s == '#' &&
	    (before == '\0' || strchr(" \t\n;&|(", before) != NULL)));
}

static bool
is_plain(const char *v)
{
	return *v != '\0' && v[strspn(v, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+@%/:=,-")] == '\0';
}

/* A value, as data in the quotes it stands in. */
static void
put_value(FILE *fp, const char *v, enum quote q)
{
	if (is_plain(v)) {
		fputs(v, fp);
	} else if (q == BARE) {
		cli_form_quote(fp, v);
	} else for (; *v != '\0'; v++) {
		if (q == SINGLE && *v == '\'')
			fputs("'\\''", fp);
		else if (q == DOUBLE && strchr("$`\"\\", *v) != NULL)
			fprintf(fp, "\\%c", *v);
		else
			putc(*v, fp);
	}
}

/* At a %; returns how many characters it takes, or an error. */
static int
one(struct cli_expand *x, size_t host, const char *s, char **out,
    struct fanout_error *e)
{
	const char *end;
	int rc;

	if (s[1] == '\0')
		return cli_error(e, FANOUT_EINVAL, "a %% at the end (a %% "
		    "itself is %%%%)");
	if (s[1] != '{') {
		rc = value(x, host, s[1], out, e);
		return rc != 0 ? rc : 2;
	}
	if ((end = strchr(s, '}')) == NULL || end == s + 2)
		return cli_error(e, FANOUT_EINVAL, "%.20s: %%{ wants a name "
		    "and a }", s);
	rc = column(x, host, s + 2, (size_t)(end - s - 2), out, e);
	return rc != 0 ? rc : (int)(end - s) + 1;
}

/* How far a text is. */
struct text {
	FILE	*fp;
	enum quote q;
	char	 before;	/* 0: the beginning, a value, a quoted one */
	bool	 nested;	/* quotes cannot be told any more */
};

/* A value of so many characters at s. */
static int
add_value(struct cli_expand *x, size_t host, const char *s, int n,
    const char *v, bool in_shell, struct text *t, struct fanout_error *e)
{
	bool bound = t->q != SINGLE && (t->before == '\\' || t->before == '$');

	t->before = '\0';
	if (!in_shell) {
		fputs(v, t->fp);
		return 0;
	}
	if ((t->nested || bound) && !is_plain(v))
		return cli_error(e, FANOUT_EINVAL, "%.*s of %s has what shells "
		    "take apart, and stands behind a $(, ${, `, <<, # or \\: "
		    "put it into a variable before that (V=%.*s; ... \"$V\")",
		    n, s, fanout_hosts_at(x->hosts, host), n, s);
	put_value(t->fp, v, t->q);
	return 0;
}

/* A character, or an escaped one; returns how many characters it takes. */
static int
add_char(struct text *t, const char *s)
{
	if (*s == '\\' && t->q != SINGLE && s[1] != '\0' && s[1] != '%') {
		fprintf(t->fp, "%.2s", s);
		t->before = '\0';
		return 2;
	}
	t->nested = t->nested || nests(t->q, t->before, s);
	t->q = follow(t->q, *s);
	t->before = *s;
	putc(*s, t->fp);
	return 1;
}

int
cli_expand(struct cli_expand *x, size_t host, const char *s, bool in_shell,
    char **out, struct fanout_error *e)
{
	struct text t = { NULL, BARE, '\0', false };
	size_t size;
	char *v;
	int n = 0, rc;

	*out = NULL;
	if ((t.fp = open_memstream(out, &size)) == NULL)
		return cli_nomem(e);
	for (; *s != '\0' && n >= 0; s += n > 0 ? n : 0) {
		if (*s != '%') {
			n = add_char(&t, s);
			continue;
		}
		v = NULL;
		n = one(x, host, s, &v, e);
		if (n > 0 && (rc = add_value(x, host, s, n, v, in_shell, &t,
		    e)) != 0)
			n = rc;
		free(v);
	}
	if (fclose(t.fp) != 0 && n >= 0)
		n = cli_nomem(e);
	if (n >= 0)
		return 0;
	free(*out);
	*out = NULL;
	return n;
}
