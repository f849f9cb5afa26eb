#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "history.h"
#include "summary.h"
#include "tool.h"
#include "visible.h"

#define COMMAND_MAX 200		/* bytes of it that are announced */

static int
complain(const struct fanout_error *e)
{
	warnx("%s", e->text);
	return CLI_EXIT_USAGE;
}

/* ---- a run that is tried again ------------------------------------------- */

int
cli_again_note(void *ctx, const struct cli_group *g,
    const struct cli_option *o, const char *value)
{
	static const struct cli_option columns = { 0, "columns", "FILE", "",
	    CLI_TEXT, 0, 0, 0, NULL };
	struct cli_again *a = ctx;

	/* A host file names the hosts no longer, but its comments count. */
	if (a->columns && g->options == cli_target_options &&
	    o->name != NULL && strcmp(o->name, "hostfile") == 0 &&
	    strcmp(value, "-") != 0)
		return cli_words_note(&a->kept, &columns, value);
	if (g->options == cli_target_options ||
	    g->options == cli_show_options || g->options == cli_dead_options ||
	    g->options == cli_report_options ||
	    (g->options == cli_ask_options && o->kind != CLI_FLAG) ||
	    (o->name != NULL && strcmp(o->name, "become-password-fd") == 0))
		return 0;
	if (g->options == cli_plan_options && strcmp(o->name, "canary") == 0 &&
	    value[strspn(value, "0123456789")] != '\0')
		return 0;
	return cli_words_note(&a->kept, o, value);
}

void
cli_again_clear(struct cli_again *a)
{
	cli_words_clear(&a->kept);
	cli_saved_free(a->saved);
	fanout_hosts_free(a->hosts);
	a->saved = NULL;
	a->hosts = NULL;
}

struct cli_record
cli_again_record(const struct cli_again *a, const char *command)
{
	return (struct cli_record){ .opts = &a->report, .command = command,
	    .words = &a->kept,
	    .retry_of = a->saved != NULL ? a->saved->id : NULL };
}

static int
parse_saved(const struct cli_tool *t, const struct cli_words *w,
    struct fanout_error *e)
{
	struct fanout_error why;
	char **argv;
	size_t i;
	int rc;

	if ((argv = calloc(w->count + 2, sizeof(*argv))) == NULL)
		return cli_nomem(e);
	for (i = 0; i < w->count; i++)
		argv[i + 1] = w->word[i];
	rc = t->parse(t->self, (int)w->count + 1, argv, &why);
	free(argv);
	return rc == 0 ? 0 : cli_error(e, rc, "as it was saved: %s", why.text);
}

/*
 * Of options that are given again the last one counts, but of -o the first one:
 * what is given now goes before what was saved, also for the next retry.
 */
static int
parse_on_top(const struct cli_tool *t, int argc, char **argv,
    struct fanout_error *e)
{
	static const char o[] = "--option=";
	struct cli_words *w = &t->again->kept;
	size_t older = t->connect->ngiven, i = w->count, to = 0;
	char *word;
	int rc;

	if ((rc = t->parse(t->self, argc, argv, e)) != 0)
		return rc;
	cli_connect_newer_first(t->connect, older);
	for (; i < w->count; i++) {
		if (strncmp(w->word[i], o, sizeof(o) - 1) != 0)
			continue;
		word = w->word[i];
		memmove(w->word + to + 1, w->word + to,
		    (i - to) * sizeof(*w->word));
		w->word[to++] = word;
	}
	return 0;
}

int
cli_again_load(const struct cli_tool *t, int argc, char **argv, const char *id,
    struct fanout_error *e)
{
	struct cli_saved *saved;
	int rc;

	if (t->target->named)
		return cli_error(e, FANOUT_EINVAL, "--retry names the hosts "
		    "itself; -x and -X may leave out some of them");
	if ((rc = cli_saved_load(&saved, id, 0, e)) != 0)
		return rc;
	t->clear(t->self);
	if ((rc = t->begin(t->self, argv, e)) != 0) {
		cli_saved_free(saved);
		return rc;
	}
	t->again->saved = saved;
	if ((rc = parse_saved(t, &saved->words, e)) != 0 ||
	    (rc = parse_on_top(t, argc, argv, e)) != 0)
		return rc;
	return cli_saved_pick(saved, t->again->report.retry, &t->again->hosts,
	    e);
}

int
cli_again_select(const struct cli_again *a, struct cli_target *target,
    struct fanout_error *e)
{
	size_t i, n = fanout_hosts_count(a->hosts);
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++)
		rc = fanout_selection_add(target->selection,
		    FANOUT_SELECT_HOSTS, fanout_hosts_at(a->hosts, i), e);
	return rc;
}

bool
cli_again_none(const struct cli_again *a)
{
	if (a->saved == NULL || fanout_hosts_count(a->hosts) > 0)
		return false;
	warnx("run %s: no host of it is %s", a->saved->id, a->report.retry);
	return true;
}

/* A command in one line that drives no terminal; free(3). NULL: no memory. */
static char *
one_line(const char *command)
{
	size_t n = strlen(command);
	char *line, *p;

	if ((line = malloc(n * CLI_VISIBLE_MAX + 1)) == NULL)
		return NULL;
	line[cli_visible(line, command, n)] = '\0';
	for (p = line; (p = strchr(p, '\n')) != NULL;)
		*p = ' ';
	return line;
}

void
cli_again_announce(const struct cli_again *a, const struct fanout_hosts *hosts,
    const char *command)
{
	char *names = NULL, *line = NULL;

	fanout_hosts_fold(hosts, &names);
	if (names != NULL &&
	    (line = one_line(command != NULL ? command : "")) != NULL)
		warnx("again, as in run %s: %s: %s (%zu of %zu)%s%.*s%s",
		    a->saved->id, a->report.retry, names,
		    fanout_hosts_count(hosts), a->saved->roster.count,
		    command != NULL ? ": " : "", COMMAND_MAX, line,
		    strlen(line) > COMMAND_MAX ? "..." : "");
	free(line);
	free(names);
}

/* ---- what is asked for ---------------------------------------------------- */

int
cli_tool_show(const struct cli_tool *t, const struct fanout_hosts *hosts,
    char *const *words)
{
	struct fanout_opts opts;
	struct fanout_error e;
	int status;

	/* To explain them it takes an engine, that does nothing else. */
	FANOUT_OPTS_INIT(&opts);
	if (t->target->explain) {
		if (cli_connect_apply(t->connect, &opts, &e) != 0)
			return complain(&e);
		if (t->way != NULL)
			t->way(t->self, &opts);
		if (fanout_new(&t->target->way, &opts, &e) != 0)
			return complain(&e);
	}
	status = cli_target_show(t->target, hosts, words);
	fanout_free(t->target->way);
	t->target->way = NULL;
	return status;
}

/* Also those of the run that is tried again. */
static int
find_hosts(const struct cli_tool *t, struct fanout_hosts **hosts,
    struct fanout_error *e)
{
	int rc = 0;

	if (t->again->saved != NULL)
		rc = cli_again_select(t->again, t->target, e);
	return rc != 0 ? rc : cli_target_hosts(t->target, hosts, e);
}

int
cli_tool_run(const struct cli_tool *t, char *const *words, const char *command)
{
	const struct cli_again *a = t->again;
	struct fanout_hosts *hosts;
	struct fanout_error e;
	int status;

	if (cli_history_acts(&a->report)) {
		t->look->verbose = t->connect->verbose;
		return cli_history_act(&a->report, t->look, words);
	}
	if (cli_dead_acts(&t->target->dead))
		return cli_dead_act(&t->target->dead);
	if (cli_again_none(a))
		return 0;
	if (find_hosts(t, &hosts, &e) != 0)
		return complain(&e);
	if (cli_target_shows(t->target))
		status = cli_tool_show(t, hosts,
		    a->saved != NULL && *words != NULL ? words + 1 : words);
	else {
		if (a->saved != NULL)
			cli_again_announce(a, hosts, command);
		status = t->run(t->self, hosts);
	}
	fanout_hosts_free(hosts);
	return status;
}
