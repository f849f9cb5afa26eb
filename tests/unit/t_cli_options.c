/* The option parser: what it takes, what it refuses, and where it stops. */
#include <stddef.h>

#include "cli/error.h"
#include "cli/options.h"
#include "test.h"

struct values {
	bool	 flag;
	int	 count, ms;
	unsigned number;
	const char *text;
	char	 called[64];
};

static int
called(void *into, const char *value, struct fanout_error *e)
{
	struct values *v = into;

	if (strcmp(value, "bad") == 0)
		return cli_error(e, FANOUT_EPARSE, "bad it is");
	strlcat(v->called, value, sizeof(v->called));
	return 0;
}

#define AT(m) offsetof(struct values, m)
static const struct cli_option options[] = {
	{ 'n', "flag", NULL, "a flag", CLI_FLAG, AT(flag), 0, 0, NULL },
	{ 'v', NULL, NULL, "a count", CLI_COUNT, AT(count), 0, 0, NULL },
	{ 'f', "number", "N", "a number", CLI_NUMBER, AT(number), 1, 99, NULL },
	{ 't', "time", "SEC", "a time", CLI_SECONDS, AT(ms), 0, 0, NULL },
	{ 0, "text", "T", "a text", CLI_TEXT, AT(text), 0, 0, NULL },
	{ 'w', "call", "X", "a call", CLI_CALL, 0, 0, 0, called },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

struct parse_case {
	const char *words[8];
	int	 rc, rest;
	const char *text;	/* of the error; NULL: none */
	struct values want;
};

static const struct parse_case cases[] = {
	{ { "t" }, 0, 1, NULL, { 0 } },
	{ { "t", "cmd", "-n" }, 0, 1, NULL, { 0 } },
	{ { "t", "-n", "cmd", "-n" }, 0, 2, NULL, { .flag = true } },
	{ { "t", "-n", "--", "-n" }, 0, 3, NULL, { .flag = true } },
	{ { "t", "-", "x" }, 0, 1, NULL, { 0 } },
	{ { "t", "-vvn" }, 0, 2, NULL, { .flag = true, .count = 2 } },
	{ { "t", "-nf7", "x" }, 0, 2, NULL, { .flag = true, .number = 7 } },
	{ { "t", "-f", "7" }, 0, 3, NULL, { .number = 7 } },
	{ { "t", "--number=7" }, 0, 2, NULL, { .number = 7 } },
	{ { "t", "--number", "7" }, 0, 3, NULL, { .number = 7 } },
	{ { "t", "--text=" }, 0, 2, NULL, { .text = "" } },
	{ { "t", "--text", "-n" }, 0, 3, NULL, { .text = "-n" } },
	{ { "t", "-wa", "-w", "b", "--call=c" }, 0, 5, NULL,
	    { .called = "abc" } },
	{ { "t", "-t", "2" }, 0, 3, NULL, { .ms = 2000 } },
	{ { "t", "-t.25" }, 0, 2, NULL, { .ms = 250 } },
	{ { "t", "-t", "0.0001" }, 0, 3, NULL, { .ms = 1 } },
	{ { "t", "-x" }, FANOUT_EINVAL, 0, "unknown option -x", { 0 } },
	{ { "t", "--flagg" }, FANOUT_EINVAL, 0, "unknown option --flagg; did you mean --flag?",
	    { 0 } },
	{ { "t", "--fla" }, FANOUT_EINVAL, 0, "unknown option --fla; did you mean --flag?", { 0 } },
	{ { "t", "--flag=1" }, FANOUT_EINVAL, 0, "--flag takes no value",
	    { 0 } },
	{ { "t", "-f" }, FANOUT_EINVAL, 0, "-f needs a value: N", { 0 } },
	{ { "t", "--text" }, FANOUT_EINVAL, 0, "--text needs a value: T",
	    { 0 } },
	{ { "t", "-f", "0" }, FANOUT_EINVAL, 0,
	    "-f: 0 is too small (a number from 1 to 99)", { 0 } },
	{ { "t", "--number=100" }, FANOUT_EINVAL, 0,
	    "--number: 100 is too large (a number from 1 to 99)", { 0 } },
	{ { "t", "-f", "7x" }, FANOUT_EINVAL, 0,
	    "-f: 7x is invalid (a number from 1 to 99)", { 0 } },
	{ { "t", "-t", "-1" }, FANOUT_EINVAL, 0,
	    "-t: -1 is no time in seconds, such as 10 or 0.5", { 0 } },
	{ { "t", "-t", "nan" }, FANOUT_EINVAL, 0,
	    "-t: nan is no time in seconds, such as 10 or 0.5", { 0 } },
	{ { "t", "-t", "1e9" }, FANOUT_EINVAL, 0,
	    "-t: 1e9 is no time in seconds, such as 10 or 0.5", { 0 } },
	{ { "t", "-t", "" }, FANOUT_EINVAL, 0,
	    "-t:  is no time in seconds, such as 10 or 0.5", { 0 } },
	{ { "t", "-w", "bad" }, FANOUT_EPARSE, 0, "-w: bad it is", { 0 } },
	{ { "t", "--call=bad" }, FANOUT_EPARSE, 0, "--call: bad it is", { 0 } },
};

static void
one_case(const struct parse_case *c)
{
	struct values v = { 0 };
	const struct cli_group groups[] = {
		{ "All:", options, &v }, { NULL, NULL, NULL }
	};
	struct fanout_error e = { 0 };
	char *argv[9], line[256] = "";
	int argc, rest = -1, rc;

	for (argc = 0; argc < 8 && c->words[argc] != NULL; argc++) {
		argv[argc] = (char *)(uintptr_t)c->words[argc];
		strlcat(line, " ", sizeof(line));
		strlcat(line, c->words[argc], sizeof(line));
	}
	argv[argc] = NULL;
	rc = cli_parse(groups, argc, argv, &rest, &e);
	is_int(rc, c->rc, "result of%s", line);
	if (c->rc != 0) {
		is_str(e.text, c->text, "text of%s", line);
		is_int(e.code, c->rc, "code of%s", line);
		return;
	}
	is_int(rest, c->rest, "rest of%s", line);
	is_int(v.flag, c->want.flag, "flag of%s", line);
	is_int(v.count, c->want.count, "count of%s", line);
	is_int(v.number, c->want.number, "number of%s", line);
	is_int(v.ms, c->want.ms, "time of%s", line);
	is_str(v.text, c->want.text, "text of%s", line);
	is_str(v.called, c->want.called, "calls of%s", line);
}

static void
usage_shows_all(void)
{
	struct values v = { 0 };
	const struct cli_group groups[] = {
		{ "All:", options, &v }, { NULL, NULL, NULL }
	};
	char *text = NULL;
	size_t size;
	FILE *fp = open_memstream(&text, &size);

	cli_usage(fp, "t [OPTION]...", groups);
	fclose(fp);
	ok(strncmp(text, "usage: t [OPTION]...\n", 21) == 0, "usage begins");
	ok(strstr(text, "\n  -n, --flag    ") != NULL, "letter and name");
	ok(strstr(text, "\n  -v    ") != NULL, "letter alone");
	ok(strstr(text, "\n      --text T    ") != NULL, "name alone");
	ok(strstr(text, "  a time\n") != NULL, "help");
	free(text);
}

/* What the user may have meant. */
static void
slips(void)
{
	static const struct {
		const char *word, *text;
	} all[] = {
		{ "--flga", "unknown option --flga; did you mean --flag?" },
		{ "--fla", "unknown option --fla; did you mean --flag?" },
		{ "--texts=1", "unknown option --texts; did you mean --text?" },
		{ "--quite-else", "unknown option --quite-else" },
		{ "--x", "unknown option --x" },
	};
	struct values v = { 0 };
	const struct cli_group groups[] = {
		{ "All:", options, &v }, { NULL, NULL, NULL }
	};
	char *argv[] = { (char *)(uintptr_t)"t", NULL, NULL };
	struct fanout_error e;
	size_t i;
	int rest;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		argv[1] = (char *)(uintptr_t)all[i].word;
		is_int(cli_parse(groups, 2, argv, &rest, &e), FANOUT_EINVAL,
		    "%s", all[i].word);
		is_str(e.text, all[i].text, "what may be meant");
	}
}

static int
note(void *ctx, const struct cli_group *g, const struct cli_option *o,
    const char *value)
{
	char *text = ctx;

	(void)g;
	snprintf(text + strlen(text), 200 - strlen(text), "%s=%s;", o->name !=
	    NULL ? o->name : "?", value != NULL ? value : "");
	return 0;
}

static void
noted(void)
{
	static const char *const words[] = { "t", "-n", "--text=a b", "-v",
	    "--", "--flag" };
	struct values v = { 0 };
	const struct cli_group groups[] = {
		{ "All:", options, &v }, { NULL, NULL, NULL }
	};
	struct fanout_error e;
	char *argv[7] = { NULL }, text[200] = "";
	int i, rest;

	for (i = 0; i < 6; i++)
		argv[i] = (char *)(uintptr_t)words[i];
	is_int(cli_parse_noting(groups, 6, argv, &rest, note, text, &e), 0,
	    "parsed");
	is_str(text, "flag=;text=a b;?=;", "what was set is told, in order");
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		one_case(&cases[i]);
	usage_shows_all();
	slips();
	noted();
	return test_end();
}
