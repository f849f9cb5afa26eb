/* What differs from host to host: cli/expand.h, and cli/columns.h under it. */
#include <err.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/expand.h"
#define TMPDIR_NAME "fanout-expand"
#include "tmpdir.h"

#define EVIL "a'b$(echo x)`id`\\ &|;<>*?[x]#~!{}"

static struct fanout_hosts *hosts;
static struct cli_target target;
static struct fanout_opts opts;
static struct cli_expand x;
static char table[256];

static const char lines[] =
    "# a comment\n"
    "web[1-2] # rack=r1 role=web\n"
    "web2 # rack=r2\n"
    "ann@web3:2222 # rack=r3 \"owner=Ann Smith\" empty=\n"
    "web3 # rack=other\n"
    "db1 # just words here, no rack=columns\n"
    "db1 # \"evil=" EVIL "\" after=x\n";

static void
write_table(const char *text)
{
	FILE *fp = fopen(table, "w");

	if (fp == NULL || fputs(text, fp) == EOF || fclose(fp) != 0)
		err(1, "%s", table);
}

static char *
expand(size_t host, const char *text, bool in_shell, struct fanout_error *e)
{
	char *out;

	memset(e, 0, sizeof(*e));
	return cli_expand(&x, host, text, in_shell, &out, e) == 0 ? out : NULL;
}

static const struct {
	size_t	 host;
	const char *text, *want;	/* NULL: an error, that says */
	const char *says;
} cases[] = {
	{ 0, "plain", "plain", NULL },
	{ 0, "%h %n of %N, 100%%", "web1 0 of 4, 100%", NULL },
	{ 2, "%h|%u|%p", "web3|ann|2222", NULL },
	{ 2, "%i", NULL, "no address of" },
	{ 0, "%{rack}/%{role}", "r1/web", NULL },
	{ 1, "%{rack}/%{role}", "r2/web", NULL },
	{ 2, "%{rack} %{owner}", "r3 Ann Smith", NULL },
	{ 0, "%{owner}", NULL, "web1" },
	{ 3, "%{rack}", NULL, "rack" },
	{ 0, "%x", NULL, "%x is nothing that --expand knows" },
	{ 0, "50%", NULL, "a % at the end" },
	{ 0, "%{rack", NULL, "wants a name and a }" },
	{ 0, "%{}", NULL, "wants a name and a }" },
	{ 0, "\\%h", "\\web1", NULL },
	{ 0, "", "", NULL }
};

static void
texts(void)
{
	struct fanout_error e;
	char *got;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		got = expand(cases[i].host, cases[i].text, false, &e);
		if (cases[i].want != NULL)
			is_str(got, cases[i].want, "%s", cases[i].text);
		else
			ok(got == NULL && strstr(e.text, cases[i].says) !=
			    NULL, "%s: %s", cases[i].text, e.text);
		free(got);
	}
}

/* What sh makes of a command. */
static char *
run(const char *command)
{
	static char out[4096];
	char path[300];
	size_t n;
	FILE *fp;

	(void)strlcpy(path, in_dir("script"), sizeof(path));
	if ((fp = fopen(path, "w")) == NULL || fputs(command, fp) == EOF ||
	    fclose(fp) != 0)
		err(1, "%s", path);
	snprintf(out, sizeof(out), "sh %s", path);
	if ((fp = popen(out, "r")) == NULL)
		err(1, "sh");
	n = fread(out, 1, sizeof(out) - 1, fp);
	out[n] = '\0';
	pclose(fp);
	return out;
}

/* In a command a value is data, whatever quotes it stands in. */
static void
commands(void)
{
	static const struct { const char *text, *want; } good[] = {
		{ "printf %%s %{evil}", EVIL },
		{ "printf %%s \"%{evil}\"", EVIL },
		{ "printf %%s '%{evil}'", EVIL },
		{ "printf %%s 'it'\\''s %{evil}'", "it's " EVIL },
		{ "printf %%s a%{evil}b%{after}", "a" EVIL "bx" },
		{ "V=%{evil}; printf %%s \"$(printf %%s \"$V\")\"", EVIL },
		{ "printf '%%s' \"$(echo %h)\"", "db1" },
		{ "echo \"#%{evil}\"", "#" EVIL "\n" }
	}, bad[] = {
		{ "echo $(echo %{evil})", "stands behind a" },
		{ "echo `echo %{evil}`", "stands behind a" },
		{ "echo \"${X:-%{evil}}\"", "stands behind a" },
		{ "cat <<E\n%{evil}\nE", "stands behind a" },
		{ "echo x # %{evil}", "stands behind a" },
		{ "echo \\%{evil}", "stands behind a" }
	};
	struct fanout_error e;
	char *got;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		got = expand(3, good[i].text, true, &e);
		ok(got != NULL, "%s: %s", good[i].text, e.text);
		if (got != NULL)
			is_str(run(got), good[i].want, "%s", good[i].text);
		free(got);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		got = expand(3, bad[i].text, true, &e);
		ok(got == NULL && strstr(e.text, bad[i].want) != NULL,
		    "%s: %s", bad[i].text, got != NULL ? got : e.text);
		free(got);
	}
}

static void
columns(void)
{
	static const struct { const char *line, *says; } bad[] = {
		{ "a # x=\"never closed\n", ":1: a \" that is not closed" },
		{ "\na # x=1 alone\n", ":2: \"alone\" is no NAME=VALUE" },
		{ "a[1-2 # x=1\n", ":1: " }
	};
	struct cli_columns *c;
	struct fanout_error e;
	size_t i;

	if (cli_columns_new(&c, &e) != 0)
		errx(1, "%s", e.text);
	is_int(cli_columns_read(c, table, &e), 0, "a host file");
	is_str(cli_columns_get(c, "web2", "rack", 4), "r2", "the last counts");
	is_str(cli_columns_get(c, "web2", "role", 4), "web", "lines add up");
	is_str(cli_columns_get(c, "ann@web3:2222", "rack", 4), "r3",
	    "user and port are more than the name");
	is_str(cli_columns_get(c, "bob@web3", "rack", 4), "other",
	    "a name alone is for every user");
	is_str(cli_columns_get(c, "ann@web3:2222", "empty", 5), "",
	    "an empty value");
	ok(cli_columns_get(c, "db1", "rack", 4) == NULL, "words are no columns");
	ok(cli_columns_get(c, "web1", "ra", 2) == NULL, "no part of a name");
	ok(cli_columns_get(c, "nobody", "rack", 4) == NULL, "nobody");
	ok(cli_columns_read(c, "/no/such/file", &e) != 0 &&
	    strstr(e.text, "/no/such/file") != NULL, "no file: %s", e.text);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_table(bad[i].line);
		ok(cli_columns_read(c, table, &e) != 0 &&
		    strstr(e.text, bad[i].says) != NULL, "%s: %s",
		    bad[i].line, e.text);
	}
	cli_columns_free(c);
}

int
main(void)
{
	struct fanout_error e;

	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	(void)strlcpy(table, in_dir("hosts"), sizeof(table));
	write_table(lines);
	FANOUT_OPTS_INIT(&opts);
	opts.transport = "ssh2";
	opts.ssh_config = "none";
	x.on = true;
	x.files[x.nfiles++] = table;
	if (fanout_hosts_new(&hosts) != 0 || fanout_hosts_add(hosts,
	    "web[1-2],ann@web3:2222,db1", &e) != 0)
		errx(1, "hosts");
	cli_expand_open(&x, &target, hosts, &opts);
	ok(!cli_expand_needed(&x, "none"), "nothing to expand");
	ok(cli_expand_needed(&x, "some %h"), "something");
	texts();
	commands();
	columns();
	cli_expand_close(&x);
	x.on = false;
	ok(!cli_expand_needed(&x, "some %h"), "not without --expand");
	fanout_hosts_free(hosts);
	(void)shell("rm -rf %s", dir);
	return test_end();
}
