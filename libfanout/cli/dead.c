#include <err.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dead.h"
#include "error.h"
#include "summary.h"

#define AT(member) offsetof(struct cli_dead, member)

const struct cli_option cli_dead_options[] = {
	{ 0, "mark-dead", "EXPR", "runs skip these hosts from now on",
	    CLI_TEXT, AT(mark), 0, 0, NULL },
	{ 0, "reason", "TEXT", "why; shown when they are skipped",
	    CLI_TEXT, AT(reason), 0, 0, NULL },
	{ 0, "until", "DATE", "2026-12-24 or 2026-12-24T18:00, local time",
	    CLI_TEXT, AT(until), 0, 0, NULL },
	{ 0, "mark-alive", "EXPR", "no more",
	    CLI_TEXT, AT(alive), 0, 0, NULL },
	{ 0, "list-dead", NULL, "print those that are marked",
	    CLI_FLAG, AT(list), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

bool
cli_dead_acts(const struct cli_dead *d)
{
	return d->mark != NULL || d->alive != NULL || d->list;
}

/* Seconds since 1970, 0 for no date, -1 for one that makes no sense. */
static int64_t
parse_date(const char *text)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M", "%Y-%m-%d" };
	const char *end;
	struct tm tm;
	size_t i;

	if (text == NULL)
		return 0;
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		memset(&tm, 0, sizeof(tm));
		tm.tm_isdst = -1;
		end = strptime(text, formats[i], &tm);
		if (end != NULL && *end == '\0')
			return (int64_t)mktime(&tm);
	}
	return -1;
}

static int
parse_hosts(const char *expr, struct fanout_hosts **hosts,
    struct fanout_error *e)
{
	struct fanout_error why;
	int rc;

	if (fanout_hosts_new(hosts) != 0)
		return cli_nomem(e);
	if ((rc = fanout_hosts_add(*hosts, expr, &why)) == 0)
		return 0;
	fanout_hosts_free(*hosts);
	*hosts = NULL;
	return cli_error(e, rc, "\"%.80s\", character %zu: %s", expr,
	    why.offset + 1, why.text);
}

static int
change(const struct cli_dead *d, const char *path, struct fanout_error *e)
{
	const char *expr = d->mark != NULL ? d->mark : d->alive;
	int64_t until = parse_date(d->until);
	struct fanout_hosts *hosts;
	int rc;

	if (until == -1 || (until != 0 && until <= (int64_t)time(NULL)))
		return cli_error(e, FANOUT_EINVAL, "--until %.40s: %s",
		    d->until, until == -1 ? "not a date such as 2026-12-24 or "
		    "2026-12-24T18:00" : "has passed already");
	if ((rc = parse_hosts(expr, &hosts, e)) != 0)
		return rc;
	rc = d->mark != NULL ?
	    fanout_marks_add(path, hosts, d->reason, until, e) :
	    fanout_marks_remove(path, hosts, e);
	fanout_hosts_free(hosts);
	return rc;
}

static int
put_mark(const struct fanout_hosts *hosts, const char *why, int64_t until,
    void *arg)
{
	time_t t = (time_t)until;
	char date[32] = "", *folded;
	struct tm tm;

	(void)arg;
	if (fanout_hosts_fold(hosts, &folded) != 0)
		return FANOUT_ENOMEM;
	if (until != 0 && localtime_r(&t, &tm) != NULL)
		strftime(date, sizeof(date), " until %Y-%m-%dT%H:%M", &tm);
	printf("%s%s: %s\n", folded, date, why);
	free(folded);
	return 0;
}

static int
list(struct fanout_error *e)
{
	struct fanout_marks *marks;
	int rc;

	if ((rc = fanout_marks_load(&marks, NULL, e)) != 0)
		return rc;
	if (fanout_marks_each(marks, put_mark, NULL) != 0)
		rc = cli_nomem(e);
	fanout_marks_free(marks);
	return rc;
}

int
cli_dead_act(const struct cli_dead *d)
{
	struct fanout_error e = { 0 };
	char path[4096];
	int rc = 0;

	if (d->mark != NULL && d->alive != NULL)
		rc = cli_error(&e, FANOUT_EINVAL,
		    "--mark-dead and --mark-alive: one at a time");
	else if (d->mark != NULL || d->alive != NULL) {
		if (fanout_marks_path(path, sizeof(path)) != 0)
			rc = cli_error(&e, FANOUT_EINVAL,
			    "HOME is not set: there is no place for marks");
		else
			rc = change(d, path, &e);
	}
	if (rc == 0 && d->list)
		rc = list(&e);
	if (rc != 0)
		warnx("%s", e.text);
	return rc == 0 ? 0 : CLI_EXIT_USAGE;
}

int
cli_dead_find(const struct cli_dead *d, const struct fanout_hosts *hosts,
    struct fanout_marks **marks, const char ***skip, struct fanout_error *e)
{
	size_t i, n = fanout_hosts_count(hosts), dead = 0;
	int rc;

	*marks = NULL;
	*skip = NULL;
	if (d->include)
		return 0;
	if ((rc = fanout_marks_load(marks, NULL, e)) != 0)
		return rc;
	if ((*skip = calloc(n, sizeof(**skip))) == NULL)
		return cli_nomem(e);
	for (i = 0; i < n; i++) {
		(*skip)[i] = fanout_marks_why(*marks,
		    fanout_hosts_at(hosts, i));
		dead += (*skip)[i] != NULL;
	}
	if (dead == 0) {
		free(*skip);
		*skip = NULL;
	}
	return 0;
}

void
cli_dead_free(struct fanout_marks *marks, const char **skip)
{
	free(skip);
	fanout_marks_free(marks);
}
