#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "error.h"

#define DEPTH 16	/* of files that include each other */

struct pair {
	size_t	 host;		/* in the set */
	const char *text;	/* NAME=VALUE, shared by the hosts of a line */
};

struct cli_columns {
	struct fanout_groups *groups;
	struct fanout_hosts *hosts;	/* that something is said of */
	struct pair *pairs;	/* as they were read; sorted when asked for */
	size_t	 npairs, cap;
	char	**texts;
	size_t	 ntexts;
	unsigned depth;
};

int
cli_columns_new(struct cli_columns **out, struct fanout_error *e)
{
	struct cli_columns *c;
	int rc;

	if ((*out = c = calloc(1, sizeof(*c))) == NULL)
		return cli_nomem(e);
	if (fanout_groups_new(&c->groups) != 0 ||
	    fanout_hosts_new(&c->hosts) != 0)
		rc = cli_nomem(e);
	else if ((rc = fanout_groups_system(c->groups, e)) == 0)
		return 0;
	cli_columns_free(c);
	*out = NULL;
	return rc;
}

void
cli_columns_free(struct cli_columns *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < c->ntexts; i++)
		free(c->texts[i]);
	free(c->texts);
	free(c->pairs);
	fanout_hosts_free(c->hosts);
	fanout_groups_free(c->groups);
	free(c);
}

/* How many bytes of a word are its name; 0: it is no NAME=VALUE. */
static size_t
name_len(const char *word)
{
	size_t n = 0;

	while (isalnum((unsigned char)word[n]) || word[n] == '_' ||
	    word[n] == '-' || word[n] == '.')
		n++;
	return word[n] == '=' ? n : 0;
}

/* The next word of a comment, cut out of it; quotes hold blanks together.
 * NULL: there is none. */
static char *
next_word(char **rest)
{
	char *from = *rest + strspn(*rest, " \t\r\n"), *word = from, *to = from;
	bool quoted = false;

	if (*from == '\0')
		return NULL;
	for (; *from != '\0' && (quoted || strchr(" \t\r\n", *from) == NULL);
	    from++) {
		if (*from == '"')
			quoted = !quoted;
		else
			*to++ = *from;
	}
	*rest = *from != '\0' ? from + 1 : from;
	*to = '\0';
	return word;
}

static const char *
keep(struct cli_columns *c, const char *text)
{
	char **list;

	if ((list = reallocarray(c->texts, c->ntexts + 1,
	    sizeof(*list))) == NULL)
		return NULL;
	c->texts = list;
	if ((list[c->ntexts] = strdup(text)) == NULL)
		return NULL;
	return list[c->ntexts++];
}

static int
add_pair(struct cli_columns *c, size_t host, const char *text)
{
	struct pair *list;
	size_t cap;

	if (c->npairs == c->cap) {
		cap = c->cap == 0 ? 64 : c->cap * 2;
		if ((list = reallocarray(c->pairs, cap,
		    sizeof(*list))) == NULL)
			return -1;
		c->pairs = list;
		c->cap = cap;
	}
	c->pairs[c->npairs++] = (struct pair){ host, text };
	return 0;
}

/* A word that was said of all hosts of a line. */
static int
say(struct cli_columns *c, const struct fanout_hosts *line, const char *word)
{
	const char *text = keep(c, word), *name;
	size_t i, at;

	if (text == NULL)
		return -1;
	for (i = 0; i < fanout_hosts_count(line); i++) {
		name = fanout_hosts_at(line, i);
		if ((at = fanout_hosts_find(c->hosts, name)) ==
		    FANOUT_NOHOST) {
			at = fanout_hosts_count(c->hosts);
			if (fanout_hosts_add(c->hosts, name, NULL) != 0)
				return -1;
		}
		if (add_pair(c, at, text) == -1)
			return -1;
	}
	return 0;
}

static bool
is_closed(const char *text)
{
	bool closed = true;

	for (; *text != '\0'; text++)
		closed ^= *text == '"';
	return closed;
}

static int
take_comment(struct cli_columns *c, const char *expr, char *comment,
    struct fanout_error *e)
{
	struct fanout_error why = { 0 };
	struct fanout_hosts *line;
	bool closed = is_closed(comment);
	char *word = next_word(&comment);
	int rc = 0;

	if (word == NULL || name_len(word) == 0 || *expr == '\0')
		return 0;
	if (!closed)
		return cli_error(e, FANOUT_EPARSE, "a \" that is not closed");
	if (fanout_hosts_new(&line) != 0)
		return cli_nomem(e);
	fanout_hosts_use_groups(line, c->groups);
	if ((rc = fanout_hosts_add(line, expr, &why)) != 0)
		rc = cli_error(e, rc, "%s", why.text);
	for (; rc == 0 && word != NULL; word = next_word(&comment)) {
		if (name_len(word) == 0)
			rc = cli_error(e, FANOUT_EPARSE, "\"%.40s\" is no "
			    "NAME=VALUE, as the words before it", word);
		else if (say(c, line, word) == -1)
			rc = cli_nomem(e);
	}
	fanout_hosts_free(line);
	return rc;
}

/* As host files have it: absolute, ./ or ../, or beside the one that names it. */
static int
include(struct cli_columns *c, const char *from, char *name,
    struct fanout_error *e)
{
	const char *slash = strrchr(from, '/');
	int dir = 0, rc;
	char *path;

	if (*name != '/' && strncmp(name, "./", 2) != 0 &&
	    strncmp(name, "../", 3) != 0 && slash != NULL)
		dir = (int)(slash - from) + 1;
	if (asprintf(&path, "%.*s%s", dir, from, name) == -1)
		return cli_nomem(e);
	rc = cli_columns_read(c, path, e);
	free(path);
	return rc;
}

/* A second word that is NAME=VALUE: somebody forgot the #. */
static int
check_bare(char *line, struct fanout_error *e)
{
	char *host = next_word(&line), *word;

	if (host == NULL || (word = next_word(&line)) == NULL ||
	    name_len(word) == 0)
		return 0;
	return cli_error(e, FANOUT_EPARSE, "\"%.40s\" stands behind a #: "
	    "%.80s # %.40s", word, host, word);
}

static int
take_line(struct cli_columns *c, const char *path, char *line,
    struct fanout_error *e)
{
	char *comment, *end, *name, *rest = line + 8;

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "#include", 8) == 0 &&
	    (line[8] == ' ' || line[8] == '\t') &&
	    (name = next_word(&rest)) != NULL && next_word(&rest) == NULL)
		return include(c, path, name, e);
	if ((comment = strchr(line, '#')) == NULL)
		return check_bare(line, e);
	*comment++ = '\0';
	line += strspn(line, " \t");
	for (end = line + strlen(line); end > line &&
	    (end[-1] == ' ' || end[-1] == '\t'); end--)
		end[-1] = '\0';
	return take_comment(c, line, comment, e);
}

static int
by_host(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return x->host < y->host ? -1 : x->host > y->host;
}

/* Later ones stay behind earlier ones: mergesort(3) of libbsd is stable. */
static int
sort_pairs(struct cli_columns *c, struct fanout_error *e)
{
	if (c->npairs > 1 && mergesort(c->pairs, c->npairs, sizeof(*c->pairs),
	    by_host) == -1)
		return cli_nomem(e);
	return 0;
}

int
cli_columns_read(struct cli_columns *c, const char *path,
    struct fanout_error *e)
{
	struct fanout_error why = { 0 };
	unsigned number = 0;
	char *line = NULL;
	size_t size = 0;
	FILE *fp;
	int rc = 0;

	/* Beyond that the reader of the hosts has complained. */
	if (c->depth == DEPTH)
		return 0;
	if ((fp = fopen(path, "re")) == NULL)
		return cli_error(e, FANOUT_ESYS, "%s: %s", path,
		    strerror(errno));
	c->depth++;
	while (rc == 0 && getline(&line, &size, fp) != -1) {
		number++;
		if ((rc = take_line(c, path, line, &why)) == 0)
			continue;
		if (strncmp(line, "#include", 8) == 0)
			*e = why;	/* it names the other file */
		else
			cli_error(e, rc, "%s:%u: %s", path, number, why.text);
	}
	c->depth--;
	free(line);
	fclose(fp);
	return rc != 0 || c->depth > 0 ? rc : sort_pairs(c, e);
}

static const char *
find(const struct cli_columns *c, size_t host, const char *name, size_t len)
{
	const char *found = NULL, *text;
	size_t lo = 0, hi = c->npairs, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (c->pairs[mid].host < host)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < c->npairs && c->pairs[lo].host == host; lo++) {
		text = c->pairs[lo].text;
		if (strncmp(text, name, len) == 0 && text[len] == '=')
			found = text + len + 1;
	}
	return found;
}

const char *
cli_columns_get(const struct cli_columns *c, const char *host,
    const char *name, size_t len)
{
	struct fanout_hostspec spec;
	const char *value = NULL;
	char alone[1024];
	size_t at = fanout_hosts_find(c->hosts, host);

	if (at != FANOUT_NOHOST)
		value = find(c, at, name, len);
	if (value != NULL || fanout_host_split(host, &spec) != 0 ||
	    spec.name_len >= sizeof(alone))
		return value;
	memcpy(alone, spec.name, spec.name_len);
	alone[spec.name_len] = '\0';
	at = fanout_hosts_find(c->hosts, alone);
	return at != FANOUT_NOHOST ? find(c, at, name, len) : NULL;
}
