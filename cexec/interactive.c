#include <sys/wait.h>

#include <ctype.h>
#include <err.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/signals.h"
#include "cli/summary.h"
#include "complete.h"
#include "interactive.h"
#include "lineedit.h"
#include "working.h"

struct talk {
	struct cexec	*c;
	struct fanout_opts opts;
	struct fanout	*engine;	/* NULL: not yet, or given up */
	struct working	 hosts;
	struct lineedit	*edit;
	int		 status;	/* of the last command */
	bool		 refused;	/* keys were, or host keys were not right */
	bool		 ended;
};

bool
interactive_can(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

int
interactive_check(const struct cexec *c, struct fanout_error *e)
{
	if (c->lock.name != NULL)
		return cli_error(e, FANOUT_EINVAL, "--lock is held for one "
		    "command, and none is given");
	if (c->send.detach)
		return cli_error(e, FANOUT_EINVAL, "--detach is for one "
		    "command, and none is given");
	return 0;
}

/* ---- what is said of hosts ------------------------------------------------ */

static void
say_hosts(const char *what, const struct fanout_hosts *hosts)
{
	size_t n = fanout_hosts_count(hosts);
	char *names = NULL;

	(void)fanout_hosts_fold(hosts, &names);
	printf("%s%zu host%s%s%s\n", what, n, n == 1 ? "" : "s",
	    n > 0 ? ": " : "", names != NULL ? names : "");
	free(names);
}

static void
show_state(const struct talk *t)
{
	struct fanout_stats stats = { 0 };

	say_hosts("commands run on ", t->hosts.all);
	if (fanout_hosts_count(t->hosts.out) > 0)
		say_hosts("but not, as they could not be reached, on ",
		    t->hosts.out);
	if (t->engine != NULL)
		fanout_stats(t->engine, &stats);
	printf("%zu sessions are open; output is shown %s\n", stats.sessions,
	    t->c->look.gather ? "in groups (=)" : "as it comes (= groups it)");
	puts("@EXPR sets the hosts, +EXPR adds and -EXPR takes out some, = "
	    "groups output or not,\n!COMMAND runs here, ? shows this, ^D ends; "
	    "a blank in front makes a command of anything");
}

/* ---- commands ------------------------------------------------------------- */

/* With another user's password, what looks like a refused login may be that
 * password. */
static bool
is_lost(const struct cli_place *p, const void *arg)
{
	const struct talk *t = arg;

	return p->state == CLI_OVER && cli_unreached(p) &&
	    (p->cls != FANOUT_C_AUTH || t->c->send.how == BECOME_NOBODY);
}

/* Might it go better with keys, known hosts and a configuration that were
 * changed meanwhile? */
static bool
is_refused(const struct cli_place *p)
{
	return p->state == CLI_OVER && (p->cls == FANOUT_C_AUTH ||
	    p->cls == FANOUT_C_HOSTKEY_UNKNOWN ||
	    p->cls == FANOUT_C_HOSTKEY_CHANGED);
}

static void
over(void *ctx, const struct cli_roster *roster)
{
	struct talk *t = ctx;
	char *names = working_leave_out(&t->hosts, roster, is_lost, t);
	size_t i;

	for (i = 0; names != NULL && i < roster->count; i++)
		t->refused |= is_refused(&roster->places[i]);
	if (names != NULL)
		warnx("left out from now on: %s (+%s takes %s in again)",
		    names, names, strpbrk(names, "[,") ? "them" : "it");
	free(names);
}

static void
run_there(struct talk *t, const char *command)
{
	struct cexec *c = t->c;
	struct fanout_hosts *hosts;
	struct fanout_error e;

	if (working_hosts(&t->hosts, &hosts, &e) != 0) {
		warnx("%s", e.text);
		return;
	}
	if (fanout_hosts_count(hosts) == 0)
		warnx("there is no host to run it on: @EXPR names some");
	else if ((c->command = strdup(command)) == NULL)
		warnx("out of memory");
	else {
		cli_signals_forget();
		t->status = cexec_run_on(c, &t->opts, hosts);
		/* A terminal that went away, or somebody who wants us to end. */
		t->ended = cli_signals_stopped_by() != 0 &&
		    cli_signals_stopped_by() != SIGINT;
		send_reset(&c->send);
		cli_expand_close(&c->expand);
		free(c->command);
		c->command = NULL;
	}
	fanout_hosts_free(hosts);
}

static bool
is_blank(const char *s)
{
	return s[strspn(s, " \t")] == '\0';
}

static void
run_here(const char *command)
{
	int rc;

	if (is_blank(command)) {
		warnx("!COMMAND runs a command here, by sh");
		return;
	}
	if ((rc = system(command)) == -1)
		warn("sh");
	else if (WIFEXITED(rc) && WEXITSTATUS(rc) != 0)
		warnx("exit status %d", WEXITSTATUS(rc));
	else if (WIFSIGNALED(rc))
		warnx("ended by signal %d", WTERMSIG(rc));
}

/* Where a command was written behind the hosts; 0: nowhere. */
static size_t
command_behind(const char *expr, const struct fanout_error *e)
{
	size_t n = e->offset;

	if (e->code != FANOUT_EPARSE || n == 0 || n >= strlen(expr) ||
	    !isblank((unsigned char)expr[n - 1]) ||
	    strchr(",!&^", expr[n]) != NULL)
		return 0;
	while (n > 0 && isblank((unsigned char)expr[n - 1]))
		n--;
	return n > 0 && strchr(",!&^", expr[n - 1]) == NULL ? n : 0;
}

/* An engine has read its keys and files once: those that were refused with
 * these are tried with what is there now. */
static void
read_anew(struct talk *t)
{
	if (!t->refused || t->engine == NULL)
		return;
	puts("keys, known hosts and configuration are read anew, and all hosts "
	    "logged in to");
	fflush(stdout);
	fanout_free(t->engine);
	t->engine = NULL;
	t->refused = false;
}

static void
change_hosts(struct talk *t, const char *line)
{
	size_t n, out = fanout_hosts_count(t->hosts.out);
	const char *expr = line + 1 + strspn(line + 1, " ");
	struct fanout_error e = { 0 };
	char *caret;

	if (working_change(&t->hosts, *line, expr, &e) == 0) {
		if (*line != '-' && fanout_hosts_count(t->hosts.out) < out)
			read_anew(t);
		say_hosts("", t->hosts.all);
		return;
	}
	if ((n = command_behind(expr, &e)) > 0) {
		warnx("a command goes on a line of its own: first \"%c%.*s\", "
		    "then \"%s\"; nothing was done", *line, (int)n, expr,
		    expr + e.offset);
		return;
	}
	warnx("%s", e.text);
	if ((caret = fanout_error_caret(&e, expr)) != NULL)
		fputs(caret, stderr);
	free(caret);
}

/* "exit" and "exit 3" end us, as they would a shell. */
static bool
wants_end(struct talk *t, const char *line)
{
	char *end;
	long n;

	if (strncmp(line, "exit", 4) != 0 && strncmp(line, "quit", 4) != 0)
		return false;
	if (is_blank(line + 4))
		return t->ended = true;
	if (*line != 'e' || !isblank((unsigned char)line[4]))
		return false;
	n = strtol(line + 4, &end, 10);
	if (end == line + 4 || !is_blank(end))
		return false;
	t->status = (int)(n & 0xff);
	return t->ended = true;
}

/* A slip must not become a command on all hosts. */
static void
one_character(struct talk *t, const char *line)
{
	struct cli_look *look = &t->c->look;

	if (!is_blank(line + 1)) {
		warnx("%c stands on a line of its own; a blank in front makes "
		    "a command of this", *line);
	} else if (*line == '?') {
		show_state(t);
	} else {
		look->gather = !look->gather;
		puts(look->gather ? "output in groups" :
		    "output as it comes");
	}
}

static void
obey(struct talk *t, const char *line)
{
	if (is_blank(line))
		return;
	if (isblank((unsigned char)*line))
		run_there(t, line + strspn(line, " \t"));
	else if (strchr("@+-", *line) != NULL)
		change_hosts(t, line);
	else if (*line == '!')
		run_here(line + 1);
	else if (strchr("?=", *line) != NULL)
		one_character(t, line);
	else if (!wants_end(t, line))
		run_there(t, line);
	fflush(stdout);
}

/* ---- the session ---------------------------------------------------------- */

static void
make_prompt(const struct talk *t, char *text, size_t size)
{
	size_t all = fanout_hosts_count(t->hosts.all);
	size_t out = fanout_hosts_count(t->hosts.out);

	if (out == 0)
		snprintf(text, size, "cexec %zu> ", all);
	else
		snprintf(text, size, "cexec %zu of %zu> ", all - out, all);
}

static void
talk(struct talk *t)
{
	const char *line;
	char prompt[64];

	show_state(t);
	while (!t->ended) {
		make_prompt(t, prompt, sizeof(prompt));
		if ((line = lineedit_read(t->edit, prompt)) == NULL) {
			putchar('\n');
			return;
		}
		obey(t, line);
	}
}

/* Beside the reports; without that folder there is none. */
static const char *
history_path(char *path, size_t size)
{
	char *slash;

	if (cli_report_dir(path, size, true) == -1 ||
	    (slash = strrchr(path, '/')) == NULL)
		return NULL;
	(void)strlcpy(slash, "/history", size - (size_t)(slash - path));
	return path;
}

int
interactive(struct cexec *c, const struct fanout_hosts *hosts)
{
	struct talk t = { .c = c };
	struct fanout_error e;
	char path[PATH_MAX];
	int status;

	if ((status = cexec_opts(c, &t.opts)) != 0)
		return status;
	t.opts.keep_sessions = true;
	c->engine = &t.engine;
	c->over = over;
	c->over_ctx = &t;
	t.edit = lineedit_new(history_path(path, sizeof(path)), complete,
	    &t.hosts);
	if (t.edit == NULL || working_open(&t.hosts, hosts, &e) != 0) {
		warnx("out of memory");
		t.status = CLI_EXIT_USAGE;
	} else
		talk(&t);
	lineedit_free(t.edit);
	working_close(&t.hosts);
	fanout_free(t.engine);
	return t.status;
}
