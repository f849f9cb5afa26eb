/* Parts of cexec: the hosts of an interactive session, what the tab key finds,
 * and what is sent for a command that is more than that. */
#include <sys/stat.h>

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../cexec/complete.h"
#include "../../cexec/working.h"
#include "../../cexec/wrap.h"
#define TMPDIR_NAME "fanout-cexec"
#include "tmpdir.h"

/* ---- hosts of a session -------------------------------------------------- */

static struct working w;

static const char *
folded(const struct fanout_hosts *hosts)
{
	static char *text;

	free(text);
	text = NULL;
	(void)fanout_hosts_fold(hosts, &text);
	return text;
}

static const char *
to_run_on(void)
{
	static char text[256];
	struct fanout_hosts *hosts;
	struct fanout_error e;

	if (working_hosts(&w, &hosts, &e) != 0)
		return NULL;
	(void)strlcpy(text, folded(hosts), sizeof(text));
	fanout_hosts_free(hosts);
	return text;
}

static bool
all_lost(const struct cli_place *p, const void *arg)
{
	(void)arg;
	return p->cls == FANOUT_C_REFUSED;
}

/* Those with a 3 in their name cannot be reached. */
static char *
lose(void)
{
	struct fanout_hosts *hosts;
	struct cli_roster r;
	struct fanout_error e;
	char *names;
	size_t i;

	if (working_hosts(&w, &hosts, &e) != 0 ||
	    cli_roster_init(&r, hosts) == -1)
		errx(1, "roster");
	for (i = 0; i < r.count; i++) {
		r.places[i].state = CLI_OVER;
		if (strchr(fanout_hosts_at(hosts, i), '3') != NULL) {
			r.places[i].cls = FANOUT_C_REFUSED;
			r.failed++;
		}
	}
	names = working_leave_out(&w, &r, all_lost, NULL);
	cli_roster_clear(&r);
	fanout_hosts_free(hosts);
	return names;
}

static void
working(void)
{
	static const struct {
		char how;
		const char *expr, *all, *run, *says;
	} steps[] = {
		{ '-', "n2", "n[1,3-5]", "n[1,4-5]", NULL },
		{ '-', "n3", "n[1,4-5]", "n[1,4-5]", NULL },
		{ '+', "n[2-3]", "n[1-5]", "n[1-5]", NULL },
		{ '-', "x", NULL, NULL, "none of these" },
		{ '+', "n[", NULL, NULL, "not closed" },
		{ '+', "", NULL, NULL, "" },
		{ '@', "ann@n7:22,n3", "ann@n7:22,n3", "ann@n7:22,n3", NULL },
		{ '-', "n7", "n3", "n3", NULL },
		{ '@', "n[1-2]", "n[1-2]", "n[1-2]", NULL }
	};
	struct fanout_hosts *hosts;
	struct fanout_error e;
	char before[256], *names;
	size_t i;
	int rc;

	if (fanout_hosts_new(&hosts) != 0 ||
	    fanout_hosts_add(hosts, "n[1-5]", &e) != 0 ||
	    working_open(&w, hosts, &e) != 0)
		errx(1, "hosts");
	fanout_hosts_free(hosts);
	is_str(names = lose(), "n3", "who is left out");
	free(names);
	ok(lose() == NULL, "nobody more");
	is_str(to_run_on(), "n[1-2,4-5]", "who is left");
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		(void)strlcpy(before, folded(w.all), sizeof(before));
		memset(&e, 0, sizeof(e));
		rc = working_change(&w, steps[i].how, steps[i].expr, &e);
		if (steps[i].says != NULL) {
			ok(rc != 0 && strstr(e.text, steps[i].says) != NULL,
			    "%c%s: %s", steps[i].how, steps[i].expr, e.text);
			is_str(folded(w.all), before, "all is as it was");
			continue;
		}
		is_int(rc, 0, "%c%s", steps[i].how, steps[i].expr);
		is_str(folded(w.all), steps[i].all, "%c%s", steps[i].how,
		    steps[i].expr);
		is_str(to_run_on(), steps[i].run, "%c%s, to run on",
		    steps[i].how, steps[i].expr);
	}
	working_close(&w);
}

/* ---- what the tab key finds ---------------------------------------------- */

static const char *
completed(const char *line)
{
	static char text[512];
	size_t start = 0, i;
	char **words = complete(&w, line, strlen(line), &start);

	snprintf(text, sizeof(text), "%zu:", start);
	for (i = 0; words != NULL && words[i] != NULL; i++) {
		(void)strlcat(text, " ", sizeof(text));
		(void)strlcat(text, words[i], sizeof(text));
		free(words[i]);
	}
	free(words);
	return text;
}

static void
completing(void)
{
	static const char *const cases[][2] = {
		{ "@web", "1: web-1 web-2" },
		{ "+db1,we", "5: web-1 web-2" },
		{ "-web-", "1: web-1 web-2" },
		{ "@x", "1:" },
		{ "", "0: alpha alpine" },
		{ "alp", "0: alpha alpine" },
		{ "!alpi", "1: alpine" },
		{ "echo alp", "5:" },
		{ "plain", "0:" }
	};
	struct fanout_hosts *hosts;
	struct fanout_error e;
	char line[300], want[300];
	size_t i;

	if (fanout_hosts_new(&hosts) != 0 ||
	    fanout_hosts_add(hosts, "web-[1-2],db1", &e) != 0 ||
	    working_open(&w, hosts, &e) != 0)
		errx(1, "hosts");
	fanout_hosts_free(hosts);
	(void)shell("cd %s && mkdir bin bin/folder && : >bin/alpha && "
	    ": >bin/alpine && : >bin/plain && chmod 755 bin/al*", dir);
	setenv("PATH", in_dir("bin"), 1);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_str(completed(cases[i][0]), cases[i][1], "\"%s\"",
		    cases[i][0]);
	snprintf(line, sizeof(line), "cat %s/bin/f", dir);
	snprintf(want, sizeof(want), "4: %s/bin/folder/", dir);
	is_str(completed(line), want, "a path");
	working_close(&w);
	setenv("PATH", "/usr/bin:/bin", 1);
}

/* ---- what is sent --------------------------------------------------------- */

/* By a shell that is no relative of sh where there is one, its input given. */
static const char *
sent(const char *line, const char *input)
{
	static char out[4096];
	char command[512];
	size_t n;
	FILE *fp;

	if ((fp = fopen(in_dir("line"), "w")) == NULL ||
	    fputs(line, fp) == EOF || fclose(fp) != 0 ||
	    (fp = fopen(in_dir("input"), "w")) == NULL ||
	    fputs(input, fp) == EOF || fclose(fp) != 0)
		err(1, "%s", dir);
	snprintf(command, sizeof(command), "cd / && $(command -v tcsh || echo "
	    "sh) -c \"$(cat %s/line)\" <%s/input 2>%s/err", dir, dir, dir);
	if ((fp = popen(command, "r")) == NULL)
		err(1, "sh");
	n = fread(out, 1, sizeof(out) - 1, fp);
	out[n] = '\0';
	pclose(fp);
	return out;
}

static void
sending(void)
{
	static const char script[] = "#!/bin/sh\necho \"$1|$#\"\ncat\n";
	const struct cli_form form = { .directory = NULL };
	struct wrap wrap = { .form = &form, .how = BECOME_NOBODY,
	    .user = "root", .grace_ms = 1000 };
	struct fanout_error e;
	char *line = NULL, input[200];

	wrap_init(&wrap);
	ok(!wrap_used(&wrap), "a command is no more than that");
	is_int(wrap_command(&wrap, "echo 'a  b'", &line, &e), 0, "a command");
	is_str(line, "echo 'a  b'", "it is sent as it was given");
	free(line);

	wrap.script = "try.sh";
	wrap.first = "#!/bin/sh";
	wrap.size = strlen(script);
	wrap.input = true;
	ok(wrap_used(&wrap), "a script is more");
	is_int(wrap_command(&wrap, "'it'\\''s !$x' two", &line, &e), 0,
	    "a script");
	snprintf(input, sizeof(input), "%sthe rest\n", script);
	is_str(sent(line, input), "it's !$x|2\nthe rest\n",
	    "it comes by standard input, and the rest is its own");
	free(line);
	is_int(shell("ls /tmp/.cexec-%s* >/dev/null 2>&1", wrap.nonce) != 0, 1,
	    "nothing stays behind");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	working();
	completing();
	sending();
	(void)shell("rm -rf %s", dir);
	return test_end();
}
