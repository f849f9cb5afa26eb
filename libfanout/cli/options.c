#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "options.h"

#define HELP_COLUMN 30

/* A place in argv: which word, and where in a word of several letters. */
struct cursor {
	char	**argv;
	int	 argc;
	int	 word;
	const char *letter;	/* next one of a cluster such as -nv; or NULL */
	cli_note note;		/* NULL: nobody is told */
	void	*ctx;
};

struct found {
	const struct cli_option *option;
	const struct cli_group *group;
};

static struct found
find_letter(const struct cli_group *g, char letter)
{
	const struct cli_option *o;

	for (; g->title != NULL; g++)
		for (o = g->options; o->help != NULL; o++)
			if (o->letter != 0 && o->letter == letter)
				return (struct found){ o, g };
	return (struct found){ NULL, NULL };
}

static struct found
find_name(const struct cli_group *g, const char *name, size_t len)
{
	const struct cli_option *o;

	for (; g->title != NULL; g++)
		for (o = g->options; o->help != NULL; o++)
			if (o->name != NULL && strlen(o->name) == len &&
			    memcmp(o->name, name, len) == 0)
				return (struct found){ o, g };
	return (struct found){ NULL, NULL };
}

static int
set_number(const struct cli_option *o, unsigned *out, const char *value,
    struct fanout_error *e)
{
	const char *why;
	long long n = strtonum(value, o->min, o->max, &why);

	if (why != NULL)
		return cli_error(e, FANOUT_EINVAL,
		    "%s is %s (a number from %u to %u)", value, why, o->min,
		    o->max);
	*out = (unsigned)n;
	return 0;
}

static int
set_seconds(int *out, const char *value, struct fanout_error *e)
{
	char *end;
	double ms;

	ms = strtod(value, &end) * 1000;
	if (end == value || *end != '\0' || !(ms >= 0 && ms < INT_MAX) ||
	    strpbrk(value, "xX+-") != NULL)
		return cli_error(e, FANOUT_EINVAL,
		    "%s is no time in seconds, such as 10 or 0.5", value);
	/* Zero means no limit, so what is more than zero stays so. */
	*out = (int)ms;
	if (*out < ms)
		++*out;
	return 0;
}

static int
set(struct found f, const char *value, struct fanout_error *e)
{
	const struct cli_option *o = f.option;
	char *at = (char *)f.group->into + o->offset;

	switch (o->kind) {
	case CLI_FLAG:
		*(bool *)at = true;
		return 0;
	case CLI_COUNT:
		++*(int *)(void *)at;
		return 0;
	case CLI_NUMBER:
		return set_number(o, (unsigned *)(void *)at, value, e);
	case CLI_SECONDS:
		return set_seconds((int *)(void *)at, value, e);
	case CLI_TEXT:
		*(const char **)(void *)at = value;
		return 0;
	case CLI_CALL:
		return o->call(f.group->into, value, e);
	}
	return 0;
}

/* Sets the option and, when that fails, says which one it was. */
static int
apply(const struct cursor *c, struct found f, const char *shown, size_t len,
    const char *value, struct fanout_error *e)
{
	struct fanout_error why = { 0 };
	int rc;

	if ((rc = set(f, value, &why)) == 0)
		return c->note == NULL || c->note(c->ctx, f.group, f.option,
		    value) == 0 ? 0 : cli_nomem(e);
	cli_error(e, rc, "%.*s: %s", (int)len, shown, why.text);
	e->sys_errno = why.sys_errno;
	e->offset = why.offset;
	return rc;
}

/* How many letters must be changed, left out, put in or swapped with the next
 * to make b of a; 9 for long ones. */
static size_t
distance(const char *a, size_t la, const char *b)
{
	size_t d[3][32], lb = strlen(b), i, k, best;
	size_t *before = d[0], *last = d[1], *now = d[2], *spare;

	if (la >= 32 || lb >= 32)
		return 9;
	for (k = 0; k <= lb; k++)
		last[k] = k;
	for (i = 1; i <= la; i++) {
		now[0] = i;
		for (k = 1; k <= lb; k++) {
			best = last[k - 1] + (a[i - 1] != b[k - 1]);
			if (last[k] + 1 < best)
				best = last[k] + 1;
			if (now[k - 1] + 1 < best)
				best = now[k - 1] + 1;
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
			    a[i - 2] == b[k - 1] && before[k - 2] + 1 < best)
				best = before[k - 2] + 1;
			now[k] = best;
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[lb];
}

/* What the user may have meant: a name that begins so, or is nearly it. */
static const char *
nearest(const struct cli_group *g, const char *name, size_t len)
{
	size_t most = len < 5 ? 1 : 2, least = most + 1, d;
	const struct cli_option *o;
	const char *best = NULL;

	for (; g->title != NULL; g++)
		for (o = g->options; o->help != NULL; o++) {
			if (o->name == NULL)
				continue;
			d = len >= 3 && strncmp(o->name, name, len) == 0 ? 1 :
			    distance(name, len, o->name);
			if (d < least) {
				least = d;
				best = o->name;
			}
		}
	return best;
}

static int
unknown(const struct cli_group *groups, const char *word, size_t len,
    struct fanout_error *e)
{
	const char *best = nearest(groups, word + 2, len - 2);

	if (best == NULL)
		return cli_error(e, FANOUT_EINVAL, "unknown option %.*s",
		    (int)len, word);
	return cli_error(e, FANOUT_EINVAL, "unknown option %.*s; did you mean "
	    "--%s?", (int)len, word, best);
}

static int
parse_long(const struct cli_group *groups, struct cursor *c,
    struct fanout_error *e)
{
	const char *word = c->argv[c->word++], *value = NULL;
	size_t len = strcspn(word, "=");
	struct found f;

	f = find_name(groups, word + 2, len - 2);
	if (f.option == NULL)
		return unknown(groups, word, len, e);
	if (f.option->arg == NULL) {
		if (word[len] == '=')
			return cli_error(e, FANOUT_EINVAL,
			    "%.*s takes no value", (int)len, word);
	} else if (word[len] == '=') {
		value = word + len + 1;
	} else if (f.option->arg[0] == '[') {
		value = NULL;
	} else if (c->word < c->argc) {
		value = c->argv[c->word++];
	} else
		return cli_error(e, FANOUT_EINVAL, "%s needs a value: %s",
		    word, f.option->arg);
	return apply(c, f, word, len, value, e);
}

static int
parse_letter(const struct cli_group *groups, struct cursor *c,
    struct fanout_error *e)
{
	char shown[3] = { '-', *c->letter++, '\0' };
	const char *value = NULL;
	struct found f = find_letter(groups, shown[1]);

	if (f.option == NULL)
		return cli_error(e, FANOUT_EINVAL, "unknown option %s", shown);
	if (f.option->arg != NULL) {
		if (*c->letter != '\0')
			value = c->letter;
		else if (c->word < c->argc)
			value = c->argv[c->word++];
		else
			return cli_error(e, FANOUT_EINVAL,
			    "%s needs a value: %s", shown, f.option->arg);
		c->letter = NULL;
	}
	return apply(c, f, shown, 2, value, e);
}

int
cli_parse_noting(const struct cli_group *groups, int argc, char **argv,
    int *rest, cli_note note, void *ctx, struct fanout_error *e)
{
	struct cursor c = { argv, argc, 1, NULL, note, ctx };
	const char *word;
	int rc = 0;

	while (rc == 0) {
		if (c.letter != NULL && *c.letter != '\0') {
			rc = parse_letter(groups, &c, e);
			continue;
		}
		if (c.word >= argc)
			break;
		word = argv[c.word];
		if (word[0] != '-' || word[1] == '\0')
			break;
		if (strcmp(word, "--") == 0) {
			c.word++;
			break;
		}
		if (word[1] == '-') {
			rc = parse_long(groups, &c, e);
		} else {
			c.letter = word + 1;
			c.word++;
		}
	}
	*rest = c.word;
	return rc;
}

int
cli_parse(const struct cli_group *groups, int argc, char **argv, int *rest,
    struct fanout_error *e)
{
	return cli_parse_noting(groups, argc, argv, rest, NULL, NULL, e);
}

static void
show_option(FILE *fp, const struct cli_option *o)
{
	char left[80];
	int n;

	n = snprintf(left, sizeof(left), "  %c%c%s%s%s%s",
	    o->letter != 0 ? '-' : ' ', o->letter != 0 ? o->letter : ' ',
	    o->name == NULL ? "" : o->letter != 0 ? ", --" : "  --",
	    o->name == NULL ? "" : o->name, o->arg != NULL && o->arg[0] != '[' ? " " : "",
	    o->arg != NULL ? o->arg : "");
	if (n < HELP_COLUMN - 1)
		fprintf(fp, "%-*s%s\n", HELP_COLUMN, left, o->help);
	else
		fprintf(fp, "%s\n%*s%s\n", left, HELP_COLUMN, "", o->help);
}

void
cli_usage(FILE *fp, const char *synopsis, const struct cli_group *g)
{
	const struct cli_option *o;

	fprintf(fp, "usage: %s\n", synopsis);
	for (; g->title != NULL; g++) {
		fprintf(fp, "\n%s\n", g->title);
		for (o = g->options; o->help != NULL; o++)
			show_option(fp, o);
	}
}
