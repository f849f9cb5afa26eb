#include <dirent.h>
#include <err.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "history.h"
#include "saved.h"
#include "summary.h"
#include "visible.h"

#define AT(member) offsetof(struct cli_report_opts, member)

static int	set_keep(void *, const char *, struct fanout_error *);

const struct cli_option cli_report_options[] = {
	{ 0, "runs", NULL, "list the runs that were saved, the last one last",
	    CLI_FLAG, AT(runs), 0, 0, NULL },
	{ 0, "show", NULL, "show the last, or the one whose ID follows",
	    CLI_FLAG, AT(show), 0, 0, NULL },
	{ 0, "compare", NULL, "what became different between the last two, or IDs",
	    CLI_FLAG, AT(compare), 0, 0, NULL },
	{ 0, "report-loc", NULL, "print where the last, or that of an ID, is",
	    CLI_FLAG, AT(location), 0, 0, NULL },
	{ 0, "retry", "WHICH", "run it again on hosts that: failed, ... [ID]",
	    CLI_TEXT, AT(retry), 0, 0, NULL },
	{ 0, "report-output", NULL, "save what the hosts say, too",
	    CLI_FLAG, AT(output), 0, 0, NULL },
	{ 0, "no-report", NULL, "do not save this run",
	    CLI_FLAG, AT(none), 0, 0, NULL },
	{ 0, "keep", "N", "keep so many runs, or 30d: days (default 100)",
	    CLI_CALL, 0, 0, 0, set_keep },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

/* "100", "30d", "100,30d" */
static int
set_keep(void *into, const char *value, struct fanout_error *e)
{
	struct cli_report_opts *o = into;
	char *end;
	const char *p = value;
	unsigned long n;

	do {
		n = strtoul(p, &end, 10);
		if (end == p || *p < '0' || *p > '9' || n == 0 || n > 1000000)
			break;
		if (*end == 'd') {
			o->keep_days = (unsigned)n;
			end++;
		} else
			o->keep_runs = (unsigned)n;
		p = end + 1;
	} while (*end == ',');
	if (end != p - 1 || *end != '\0')
		return cli_error(e, FANOUT_EINVAL, "%.40s is neither a number "
		    "of runs, such as 100, nor of days, such as 30d", value);
	return 0;
}

int
cli_history_check(struct cli_report_opts *o, struct fanout_error *e)
{
	const char *keep = getenv("FANOUT_KEEP");
	struct fanout_error why;
	int rc;

	if (o->keep_runs == 0 && o->keep_days == 0 && keep != NULL &&
	    *keep != '\0' && (rc = set_keep(o, keep, &why)) != 0)
		return cli_error(e, rc, "FANOUT_KEEP: %s", why.text);
	if (o->runs + o->show + o->compare + o->location +
	    (o->retry != NULL) > 1)
		return cli_error(e, FANOUT_EINVAL, "--runs, --show, --compare, "
		    "--report-loc and --retry exclude each other");
	return 0;
}

bool
cli_history_acts(const struct cli_report_opts *o)
{
	return o->runs || o->show || o->compare || o->location;
}

/* ---- one run ------------------------------------------------------------ */

static const char *
local_time(double when, char *buf, size_t size)
{
	time_t t = (time_t)when;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		strlcpy(buf, "?", size);
	return buf;
}

/* A command as one line that drives no terminal. */
static void
put_command(const char *command, size_t most)
{
	char *shown, *p;
	size_t n = strlen(command);

	if ((shown = malloc(n * CLI_VISIBLE_MAX + 1)) == NULL)
		return;
	shown[cli_visible(shown, command, n)] = '\0';
	while ((p = strpbrk(shown, "\n\t")) != NULL)
		*p = ' ';
	if (strlen(shown) > most)
		printf("%.*s...\n", (int)most - 3, shown);
	else
		printf("%s\n", shown);
	free(shown);
}

/* It told what would be done, and did nothing. Of cexec --diff is a view. */
static bool
was_dry(const struct cli_saved *s)
{
	const char *word;
	size_t i;

	for (i = 0; i < s->words.count; i++) {
		word = s->words.word[i];
		if (strcmp(word, "--dry-run") == 0 || (strcmp(s->tool, "ccp") ==
		    0 && (strcmp(word, "--diff") == 0 ||
		    strcmp(word, "--check") == 0)))
			return true;
	}
	return false;
}

struct want {
	int	 key;		/* cause */
	int	 state;		/* enum cli_state */
};

static bool
has(const struct cli_place *p, const void *arg)
{
	const struct want *w = arg;

	return p->state == w->state &&
	    (p->state != CLI_OVER || cli_cause_key(p) == w->key);
}

static void
put_hosts(const struct cli_roster *r, struct want w)
{
	const struct cli_place p = { .cls = (unsigned char)(w.key >> 16),
	    .code = (short)w.key };
	char cause[64], *names;

	if (w.state == CLI_OVER)
		cli_cause(&p, cause, sizeof(cause));
	else
		strlcpy(cause, w.state == CLI_RUNS ? "unfinished" :
		    "not begun", sizeof(cause));
	names = cli_roster_fold(r, has, &w);
	printf("%s: %s\n", cause, names != NULL ? names : "(out of memory)");
	free(names);
}

static int
by_value(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

/* A line for each way in which hosts ended, or did not. */
static void
put_outcomes(const struct cli_saved *s)
{
	const struct cli_roster *r = &s->roster;
	size_t i, n = 0;
	int *keys;

	if ((keys = reallocarray(NULL, r->count, sizeof(*keys))) == NULL) {
		warnx("out of memory");
		return;
	}
	for (i = 0; i < r->count; i++)
		if (r->places[i].state == CLI_OVER)
			keys[n++] = cli_cause_key(&r->places[i]);
	qsort(keys, n, sizeof(*keys), by_value);
	for (i = 0; i < n; i++)
		if (i == 0 || keys[i] != keys[i - 1])
			put_hosts(r, (struct want){ keys[i], CLI_OVER });
	free(keys);
	if (r->running > 0)
		put_hosts(r, (struct want){ 0, CLI_RUNS });
	if (r->over + r->running < r->count)
		put_hosts(r, (struct want){ 0, CLI_WAITS });
}

static const char *
state_of(const struct cli_saved *s)
{
	return s->ended ? "" : s->running ? ", still running" :
	    ", which came to no end";
}

static void
put_saved(const struct cli_saved *s)
{
	char when[32];

	printf("run %s%s\ncommand: %s", s->id, state_of(s), was_dry(s) ?
	    "(dry run) " : "");
	put_command(s->command, 4096);
	printf("by %s with %s on %s, at %s", s->user != NULL ? s->user : "?",
	    s->tool, s->from != NULL ? s->from : "?",
	    local_time(s->time, when, sizeof(when)));
	if (s->ended)
		printf(", in %.1f s, exit status %d", s->ended_at - s->time,
		    s->exit);
	printf("\n");
	if (s->retry_of != NULL)
		printf("retry of %s\n", s->retry_of);
	printf("%zu host%s: %zu ok, %zu failed, %zu skipped", s->roster.count,
	    s->roster.count == 1 ? "" : "s", s->roster.over -
	    s->roster.failed - s->roster.skipped, s->roster.failed,
	    s->roster.skipped);
	if (s->roster.over < s->roster.count)
		printf(", %zu unfinished", s->roster.count - s->roster.over);
	printf("\n");
	put_outcomes(s);
}

static int
attend(void *ctx, struct cli_sink *s)
{
	(void)ctx;
	(void)s;
	return -1;
}

/* What the hosts said, once more, by the same views as then. */
static int
show_output(const struct cli_saved *s, struct cli_look *look)
{
	const struct cli_patience patience = { attend, NULL };
	struct cli_roster roster = { .count = 0 };
	struct cli_sink out = { .fd = 1 }, errs = { .fd = 2 };
	struct cli_views views = { .count = 0 };
	struct fanout_error e;
	int status = CLI_EXIT_USAGE;

	if (!s->outputs) {
		warnx("%s: there is no output in it: run it with "
		    "--report-output", s->id);
		return CLI_EXIT_USAGE;
	}
	if (cli_roster_init(&roster, s->hosts) == -1 ||
	    cli_sink_open(&out, STDOUT_FILENO, patience) == -1 ||
	    cli_sink_open(&errs, STDERR_FILENO, patience) == -1)
		warnx("out of memory");
	else if (cli_views_open(&views, look, &roster, &out, &errs) == 0) {
		out.color = cli_look_color(look, out.tty);
		errs.color = cli_look_color(look, errs.tty);
		if (cli_saved_replay(s, &roster, &views, &e) == 0) {
			cli_views_end(&views, &roster, s->exit);
			status = out.error != 0 ? CLI_EXIT_FAILED : 0;
		} else
			warnx("%s", e.text);
	}
	cli_views_free(&views);
	cli_sink_close(&out);
	cli_sink_close(&errs);
	cli_roster_clear(&roster);
	return status;
}

static int
show(struct cli_look *look, const char *id)
{
	struct cli_saved *s;
	struct fanout_error e;
	int status = 0;

	if (cli_saved_load(&s, id, 0, &e) != 0 ||
	    cli_look_check(look, s->hosts, &e) != 0) {
		warnx("%s", e.text);
		cli_saved_free(s);
		return CLI_EXIT_USAGE;
	}
	if (cli_look_collects(look) || look->json || look->outdir != NULL ||
	    look->errdir != NULL)
		status = show_output(s, look);
	else
		put_saved(s);
	cli_saved_free(s);
	return status;
}

/* ---- all runs ----------------------------------------------------------- */

static int
ours(const struct dirent *d)
{
	return cli_report_name(d->d_name, getprogname());
}

static void
put_line(const struct cli_saved *s)
{
	char when[32];

	printf("%s  %s  ", s->id, local_time(s->time, when, sizeof(when)));
	if (s->ended)
		printf("exit %-3d", s->exit);
	else
		printf("%s", s->running ? "running " : "no end  ");
	printf("  %zu/%zu ok  %s", s->roster.over - s->roster.failed -
	    s->roster.skipped, s->roster.count, was_dry(s) ? "(dry run) " : "");
	put_command(s->command, 60);
}

static int
list_runs(void)
{
	char dir[PATH_MAX], path[PATH_MAX + 256];
	struct dirent **list;
	struct cli_saved *s;
	struct fanout_error e;
	int n, i;

	if (cli_report_dir(dir, sizeof(dir), false) == -1 ||
	    (n = scandir(dir, &list, ours, alphasort)) == -1)
		return 0;
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		/* One that cannot be read may just have been removed. */
		if (cli_saved_open(&s, path, &e) == 0) {
			put_line(s);
			cli_saved_free(s);
		} else if (access(path, F_OK) == 0)
			warnx("%s", e.text);
		free(list[i]);
	}
	free(list);
	return 0;
}

/* ---- two runs ----------------------------------------------------------- */

/* What became of a host from one run to the other; -1: it was not in it. */
struct change {
	int	 before, after;
	bool	 words;		/* only what it said is different */
	size_t	 host;		/* index in the set of all */
};

static int
key_in(const struct cli_saved *s, size_t host)
{
	const struct cli_place *p;

	if (host == FANOUT_NOHOST)
		return -1;
	p = &s->roster.places[host];
	return p->state == CLI_OVER ? cli_cause_key(p) : -2;
}

static const char *
name_of(int key, char *buf, size_t size)
{
	const struct cli_place p = { .cls = (unsigned char)(key >> 16),
	    .code = (short)key };

	if (key < 0)
		strlcpy(buf, key == -1 ? "not there" : "unfinished", size);
	else
		cli_cause(&p, buf, size);
	return buf;
}

static int
by_change(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	if (x->before != y->before)
		return x->before < y->before ? -1 : 1;
	if (x->after != y->after)
		return x->after < y->after ? -1 : 1;
	return x->host < y->host ? -1 : x->host > y->host;
}

/* The changes from i on that are alike; returns where the next ones begin. */
static size_t
put_alike(const struct change *c, size_t i, size_t n,
    const struct fanout_hosts *all)
{
	struct fanout_hosts *set;
	char from[64], to[64], *names = NULL;
	size_t k;

	if (fanout_hosts_new(&set) != 0)
		return n;
	for (k = i; k < n && c[k].before == c[i].before &&
	    c[k].after == c[i].after; k++)
		fanout_hosts_add(set, fanout_hosts_at(all, c[k].host), NULL);
	fanout_hosts_fold(set, &names);
	if (c[i].words)
		printf("%s, but said something else: ",
		    name_of(c[i].after, to, sizeof(to)));
	else
		printf("%s -> %s: ", name_of(c[i].before, from, sizeof(from)),
		    name_of(c[i].after, to, sizeof(to)));
	printf("%s\n", names != NULL ? names : "(out of memory)");
	free(names);
	fanout_hosts_free(set);
	return k;
}

static bool
said_the_same(const struct cli_saved *a, size_t ia, const struct cli_saved *b,
    size_t ib)
{
	return a->sums[ia].out == b->sums[ib].out &&
	    a->sums[ia].err == b->sums[ib].err;
}

/* Those whose outcome changed, then those that only said something else. */
static bool
put_changes(const struct cli_saved *a, const struct cli_saved *b,
    const struct fanout_hosts *all, struct change *c, bool words)
{
	size_t i, n = 0, ia, ib, count = fanout_hosts_count(all);
	const char *name;
	int before, after;

	for (i = 0; i < count; i++) {
		name = fanout_hosts_at(all, i);
		ia = fanout_hosts_find(a->hosts, name);
		ib = fanout_hosts_find(b->hosts, name);
		before = key_in(a, ia);
		after = key_in(b, ib);
		if (words ? before == after && before >= 0 &&
		    !said_the_same(a, ia, b, ib) : before != after)
			c[n++] = (struct change){ before, after, words, i };
	}
	qsort(c, n, sizeof(*c), by_change);
	for (i = 0; i < n;)
		i = put_alike(c, i, n, all);
	return n > 0;
}

static int
compare_saved(const struct cli_saved *a, const struct cli_saved *b)
{
	struct fanout_hosts *all = NULL;
	struct change *c = NULL;
	int status = CLI_EXIT_USAGE;
	bool changed;

	if (strcmp(a->command, b->command) != 0)
		warnx("they ran different commands");
	if (fanout_hosts_copy(&all, a->hosts) == 0 &&
	    fanout_hosts_union(all, b->hosts) == 0)
		c = reallocarray(NULL, fanout_hosts_count(all), sizeof(*c));
	if (c != NULL) {
		changed = put_changes(a, b, all, c, false);
		changed |= put_changes(a, b, all, c, true);
		status = changed ? 1 : 0;
	} else
		warnx("out of memory");
	free(c);
	fanout_hosts_free(all);
	return status;
}

/* As diff(1): 0 the same, 1 not, 2 trouble. */
static int
compare(char *const *ids)
{
	struct cli_saved *a = NULL, *b = NULL;
	struct fanout_error e;
	int status = CLI_EXIT_USAGE;

	if (cli_saved_load(&a, ids[0], 1, &e) != 0 || cli_saved_load(&b,
	    ids[0] != NULL ? ids[1] : NULL, 0, &e) != 0)
		warnx("%s", e.text);
	else
		status = compare_saved(a, b);
	cli_saved_free(a);
	cli_saved_free(b);
	return status;
}

static int
put_location(const char *id)
{
	struct fanout_error e;
	char *path;

	if (cli_saved_find(&path, id, 0, &e) != 0) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	puts(path);
	free(path);
	return 0;
}

int
cli_history_act(const struct cli_report_opts *o, struct cli_look *look,
    char *const *words)
{
	size_t n = 0, most = o->runs ? 0 : o->compare ? 2 : 1;
	int status;

	while (words[n] != NULL)
		n++;
	if (n > most) {
		warnx("%s is one word too many", words[most]);
		return CLI_EXIT_USAGE;
	}
	status = o->runs ? list_runs() : o->show ? show(look, words[0]) :
	    o->compare ? compare(words) : put_location(words[0]);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		warn("standard output");
		return CLI_EXIT_USAGE;
	}
	return status;
}
