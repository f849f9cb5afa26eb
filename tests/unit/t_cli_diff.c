/* Unified diffs, against the real diff -u on random texts, and at the bound. */
#include <unistd.h>

#include "cli/diff.h"
#define TMPDIR_NAME "t_cli_diff"
#include "tmpdir.h"

static void
put(void *ctx, char kind, const char *text, size_t len)
{
	FILE *fp = ctx;

	if (kind != '@')
		fputc(kind, fp);
	fprintf(fp, "%.*s\n", (int)len, text);
}

static char *
diff_of(const char *a, const char *b)
{
	struct cli_text ta, tb;
	char *text = NULL;
	size_t size;
	FILE *fp = open_memstream(&text, &size);

	if (cli_text_init(&ta, strdup(a), strlen(a)) != 0 ||
	    cli_text_init(&tb, strdup(b), strlen(b)) != 0 ||
	    cli_diff(&ta, &tb, put, fp) != 0)
		abort();
	fclose(fp);
	cli_text_clear(&ta);
	cli_text_clear(&tb);
	return text;
}

static const struct {
	const char *name, *a, *b, *want;
} cases[] = {
	{ "the same", "a\nb\n", "a\nb\n", "" },
	{ "both empty", "", "", "" },
	{ "all new", "", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n" },
	{ "all gone", "a\n", "", "@@ -1 +0,0 @@\n-a\n" },
	{ "one changed", "a\nb\nc\n", "a\nx\nc\n",
	    "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n" },
	{ "one in front", "b\n", "a\nb\n", "@@ -1 +1,2 @@\n+a\n b\n" },
	{ "one behind", "a\n", "a\nb\n", "@@ -1 +1,2 @@\n a\n+b\n" },
	{ "context of three", "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
	    "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
	    "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n" },
	{ "empty lines", "\n\n", "\n", "@@ -1,2 +1 @@\n \n-\n" },
};

static void
table(void)
{
	char *got;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		got = diff_of(cases[i].a, cases[i].b);
		is_str(got, cases[i].want, "%s", cases[i].name);
		free(got);
	}
}

/* What diff says must turn a into b, and have as few changes as diff -d. */
static unsigned seed = 1;

static unsigned
some(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return seed / 65536 % n;
}

static void
random_text(char *s, unsigned lines, unsigned kinds)
{
	for (; lines > 0; lines--) {
		*s++ = (char)('a' + some(kinds));
		*s++ = '\n';
	}
	*s = '\0';
}

static void
save(const char *name, const char *text)
{
	FILE *fp = fopen(in_dir(name), "w");

	fputs(text, fp);
	fclose(fp);
}

static unsigned
changes(const char *path)
{
	FILE *fp = fopen(path, "r");
	unsigned n = 0;
	char line[80];

	while (fgets(line, sizeof(line), fp) != NULL)
		n += (*line == '+' || *line == '-') &&
		    strncmp(line, "---", 3) != 0 && strncmp(line, "+++", 3) != 0;
	fclose(fp);
	return n;
}

static void
against_diff(void)
{
	char a[200], b[200], *got, *whole;
	int i, wrong = 0, longer = 0;

	for (i = 0; i < 200; i++) {
		random_text(a, some(30), 1 + some(6));
		random_text(b, some(30), 1 + some(6));
		if (strcmp(a, b) == 0)
			continue;
		got = diff_of(a, b);
		if (asprintf(&whole, "--- a\n+++ b\n%s", got) == -1)
			abort();
		save("a", a);
		save("b", b);
		save("got", whole);
		free(whole);
		free(got);
		if (shell("cd %s && cp a c && patch -s c <got >/dev/null && "
		    "cmp -s b c", dir) != 0)
			wrong++;
		shell("cd %s && diff -du a b >theirs", dir);
		longer += changes(in_dir("got")) > changes(in_dir("theirs"));
	}
	is_int(wrong, 0, "patch makes b of a");
	is_int(longer, 0, "never more changes than diff -d");
}

/* Very different texts: in bounded time, and still right. */
static void
bound(void)
{
	size_t n = 20000, i, gone = 0, came = 0, both = 0;
	char *a = malloc(n * 8 + 64), *b = malloc(n * 8 + 64), *pa = a, *pb = b;
	char *got, *p;

	pa += (size_t)snprintf(pa, 16, "first\n");
	pb += (size_t)snprintf(pb, 16, "first\n");
	for (i = 0; i < n; i++) {
		pa += (size_t)snprintf(pa, 16, "a%zu\n", i);
		pb += (size_t)snprintf(pb, 16, "b%zu\n", i);
	}
	got = diff_of(a, b);
	for (p = got; p != NULL && *p != '\0'; p = strchr(p, '\n') + 1) {
		gone += *p == '-';
		came += *p == '+';
		both += *p == ' ';
	}
	ok(gone == n && came == n && both == 1, "all different: %zu %zu %zu",
	    gone, came, both);
	free(got);
	free(a);
	free(b);
}

int
main(void)
{
	table();
	if (mkdtemp(dir) == NULL)
		return 1;
	if (shell("patch --version >/dev/null 2>&1") == 0)
		against_diff();
	else
		skip(2, "patch is not installed");
	shell("rm -rf %s", dir);
	bound();
	return test_end();
}
