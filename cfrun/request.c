#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "frame.h"
#include "request.h"

#define PREFIX "cfrun_opt_"

/* Where the wrapper is on clients; where it is not, cf-agent does. */
#ifndef CFRUN_AGENT
#define CFRUN_AGENT "/usr/local/libexec/fanout/cfrun-agent"
#endif

enum carry {
	AS_CLASS,	/* PREFIX and name */
	AS_BUNDLE,	/* the same, as a bundle */
	DEFINES, BUNDLES,
	NOT_AT_ALL	/* it asks for what is so in any case */
};

/* The options of cf-agent that cf-serverd can carry. */
static const struct {
	char	 letter;
	const char *name;
	enum carry how;
} options[] = {
	{ 'I', "inform", AS_CLASS },
	{ 'v', "verbose", AS_CLASS },
	{ 'd', "debug", AS_CLASS },
	{ 'n', "dry-run", AS_BUNDLE },
	{ 'K', "no-lock", AS_CLASS },
	{ 'D', "define", DEFINES },
	{ 'b', "bundlesequence", BUNDLES },
	{ 0, "remote-bundles", BUNDLES },
	{ 'q', "no-splay", NOT_AT_ALL },	/* of CFEngine 2 */
};
#define NOPTIONS (sizeof(options) / sizeof(options[0]))

void
request_clear(struct request *r)
{
	free(r->classes);
	free(r->bundles);
	free(r->shell);
	*r = (struct request){ NULL, NULL, NULL, false };
}

/* Another item behind a separator; the text may be NULL before. */
static int
append(char **text, char between, const char *item)
{
	size_t old = *text == NULL ? 0 : strlen(*text), len = strlen(item);
	char *more;

	if ((more = realloc(*text, old + len + 2)) == NULL)
		return FANOUT_ENOMEM;
	if (old > 0)
		more[old++] = between;
	memcpy(more + old, item, len + 1);
	*text = more;
	return 0;
}

int
request_copy(struct request *to, const struct request *from)
{
	*to = (struct request){ NULL, NULL, NULL, from->inform };
	if ((from->classes != NULL &&
	    append(&to->classes, ',', from->classes) != 0) ||
	    (from->bundles != NULL &&
	    append(&to->bundles, ',', from->bundles) != 0) ||
	    (from->shell != NULL && append(&to->shell, ' ', from->shell) != 0)) {
		request_clear(to);
		return FANOUT_ENOMEM;
	}
	return 0;
}

static bool
are_names(const char *s)
{
	return *s != '\0' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:,")] == '\0';
}

/* Into single quotes, for a shell. */
static int
quote(char **text, const char *word)
{
	char *quoted, *p;
	int rc;

	if ((p = quoted = malloc(4 * strlen(word) + 3)) == NULL)
		return FANOUT_ENOMEM;
	for (*p++ = '\''; *word != '\0'; word++) {
		if (*word == '\'') {
			memcpy(p, "'\\''", 4);
			p += 4;
		} else
			*p++ = *word;
	}
	*p++ = '\'';
	*p = '\0';
	rc = append(text, ' ', quoted);
	free(quoted);
	return rc;
}

int
request_define(struct request *r, const char *classes, struct fanout_error *e)
{
	if (!are_names(classes))
		return cli_error(e, FANOUT_EINVAL, "\"%.80s\" are no names of "
		    "classes, separated by commas", classes);
	if (append(&r->classes, ',', classes) != 0 ||
	    quote(&r->shell, "-D") != 0 || quote(&r->shell, classes) != 0)
		return cli_nomem(e);
	return 0;
}

int
request_bundles(struct request *r, const char *bundles,
    struct fanout_error *e)
{
	if (!are_names(bundles))
		return cli_error(e, FANOUT_EINVAL, "\"%.80s\" are no names of "
		    "bundles, separated by commas", bundles);
	if (append(&r->bundles, ',', bundles) != 0 ||
	    quote(&r->shell, "--bundlesequence") != 0 ||
	    quote(&r->shell, bundles) != 0)
		return cli_nomem(e);
	return 0;
}

/* "dry-run" as cfrun_opt_dry_run. */
static int
reserved(char **list, const char *name)
{
	char text[64], *p;

	(void)snprintf(text, sizeof(text), PREFIX "%s", name);
	for (p = text; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
	return append(list, ',', text);
}

/* One word as an option; NOPTIONS: it is none of these. value: "--name=value"
 * or "-Dvalue"; NULL: there is none in the word. */
static size_t
find(const char *word, const char **value)
{
	size_t i, len;

	*value = NULL;
	if (word[0] != '-' || word[1] == '\0')
		return NOPTIONS;
	if (word[1] != '-') {
		for (i = 0; i < NOPTIONS; i++)
			if (options[i].letter == word[1])
				break;
		if (word[2] != '\0')
			*value = word + 2;
		return i;
	}
	len = strcspn(word + 2, "=");
	if (word[2 + len] == '=')
		*value = word + 2 + len + 1;
	for (i = 0; i < NOPTIONS; i++)
		if (strlen(options[i].name) == len &&
		    memcmp(options[i].name, word + 2, len) == 0)
			break;
	return i;
}

static int
cannot(const char *where, const char *word, struct fanout_error *e)
{
	return cli_error(e, FANOUT_EINVAL, "%s%.80s: cf-serverd cannot carry "
	    "this to the agent; --transport ssh can", where, word);
}

static int
flag(struct request *r, size_t i, struct fanout_error *e)
{
	char word[32];

	r->inform |= strcmp(options[i].name, "inform") == 0 ||
	    strcmp(options[i].name, "verbose") == 0;
	if (options[i].how == NOT_AT_ALL)
		return 0;
	(void)snprintf(word, sizeof(word), "--%s", options[i].name);
	if (reserved(options[i].how == AS_BUNDLE ? &r->bundles : &r->classes,
	    options[i].name) != 0 || quote(&r->shell, word) != 0)
		return cli_nomem(e);
	return 0;
}

/* "-Kn": letters that take no argument. */
static int
cluster(struct request *r, const char *word, const char *where,
    struct fanout_error *e)
{
	char one[3] = "-?";
	const char *value;
	size_t i;
	int rc = 0;

	for (word++; *word != '\0' && rc == 0; word++) {
		one[1] = *word;
		i = find(one, &value);
		if (i == NOPTIONS || options[i].how == DEFINES ||
		    options[i].how == BUNDLES)
			return cannot(where, one, e);
		rc = flag(r, i, e);
	}
	return rc;
}

static int
with_value(struct request *r, size_t i, const char *value, const char *where,
    struct fanout_error *e)
{
	struct fanout_error why = { 0 };
	int rc;

	if (value == NULL)
		return cli_error(e, FANOUT_EINVAL, "%s--%s needs an argument",
		    where, options[i].name);
	rc = options[i].how == DEFINES ? request_define(r, value, &why) :
	    request_bundles(r, value, &why);
	return rc == 0 ? 0 : cli_error(e, rc, "%s%s", where, why.text);
}

int
request_words(struct request *r, char *const *words, size_t n, bool native,
    const char *where, struct fanout_error *e)
{
	const char *value;
	size_t i, o;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		o = find(words[i], &value);
		if (o < NOPTIONS && (options[o].how == DEFINES ||
		    options[o].how == BUNDLES)) {
			if (value == NULL && i + 1 < n)
				value = words[++i];
			rc = with_value(r, o, value, where, e);
		} else if (o < NOPTIONS && value == NULL)
			rc = flag(r, o, e);
		else if (o < NOPTIONS && words[i][1] != '-')
			rc = cluster(r, words[i], where, e);
		else if (native)
			rc = cannot(where, words[i], e);
		else if (quote(&r->shell, words[i]) != 0)
			rc = cli_nomem(e);
	}
	return rc;
}

int
request_line(struct request *r, const char *line, bool native,
    const char *where, struct fanout_error *e)
{
	char *copy, *rest, *word, *words[64];
	size_t n = 0;
	int rc;

	if ((copy = rest = strdup(line)) == NULL)
		return cli_nomem(e);
	while ((word = strsep(&rest, " \t")) != NULL && n < 64)
		if (*word != '\0' && (n > 0 || strcmp(word, "--") != 0))
			words[n++] = word;
	rc = n == 64 ? cli_error(e, FANOUT_ELIMIT, "%smore than 63 options",
	    where) : request_words(r, words, n, native, where, e);
	free(copy);
	return rc;
}

int
request_text(const struct request *r, const char *select, char **out,
    struct fanout_error *e)
{
	size_t len;

	if (asprintf(out, "EXEC%s%s%s%s\n%s\n"
	    "if [ -x " CFRUN_AGENT " ]; then exec " CFRUN_AGENT " --ssh %s; "
	    "else PATH=$PATH:/usr/sbin:/var/cfengine/bin; export PATH; "
	    "exec cf-agent --no-lock %s; fi",
	    r->classes != NULL ? " -D " : "", r->classes != NULL ? r->classes :
	    "", r->bundles != NULL ? " -b " : "", r->bundles != NULL ?
	    r->bundles : "", select, r->shell != NULL ? r->shell : "",
	    r->shell != NULL ? r->shell : "") == -1) {
		*out = NULL;
		return cli_nomem(e);
	}
	len = strcspn(*out, "\n");
	if (len <= FRAME_SEND_MAX && strlen(select) <= FRAME_SEND_MAX)
		return 0;
	free(*out);
	*out = NULL;
	return cli_error(e, FANOUT_ELIMIT, "classes and bundles are longer "
	    "than the %d bytes cf-serverd takes", FRAME_SEND_MAX);
}
