#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "summary.h"

static bool
has_key(const struct cli_place *p, const void *key)
{
	return p->state == CLI_OVER && cli_cause_key(p) == *(const int *)key;
}

static int
by_value(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

/* The different causes of failure, sorted. Returns their number. */
static size_t
causes(const struct cli_roster *r, int *keys)
{
	size_t i, n = 0, unique = 0;

	for (i = 0; i < r->count; i++)
		if (r->places[i].state == CLI_OVER &&
		    r->places[i].cls != FANOUT_C_OK &&
		    r->places[i].cls != FANOUT_C_SKIPPED)
			keys[n++] = cli_cause_key(&r->places[i]);
	qsort(keys, n, sizeof(*keys), by_value);
	for (i = 0; i < n; i++)
		if (unique == 0 || keys[unique - 1] != keys[i])
			keys[unique++] = keys[i];
	return unique;
}

static void
add_cause(FILE *fp, const struct cli_roster *r, int key)
{
	const struct cli_place p = { .cls = (unsigned char)(key >> 16),
	    .code = (short)key };
	char cause[64], *names;

	cli_cause(&p, cause, sizeof(cause));
	names = cli_roster_fold(r, has_key, &key);
	fprintf(fp, "%s: %s", cause, names != NULL ? names : "(out of memory)");
	free(names);
}

static bool
is_skipped(const struct cli_place *p, const void *arg)
{
	(void)arg;
	return p->state == CLI_OVER && p->cls == FANOUT_C_SKIPPED;
}

static void
add_skipped(FILE *fp, const struct cli_roster *r, bool after)
{
	char *names = cli_roster_fold(r, is_skipped, NULL);

	fprintf(fp, "%s%zu of %zu skipped: %s", after ? "; " : "", r->skipped,
	    r->count, names != NULL ? names : "(out of memory)");
	free(names);
}

char *
cli_summary(const struct cli_roster *r)
{
	char *text = NULL;
	size_t size, n, i;
	int *keys;
	FILE *fp;

	if (r->failed + r->skipped == 0)
		return NULL;
	if ((keys = reallocarray(NULL, r->failed + 1, sizeof(*keys))) == NULL)
		return NULL;
	n = causes(r, keys);
	if ((fp = open_memstream(&text, &size)) != NULL) {
		if (n > 0)
			fprintf(fp, "%zu of %zu failed: ", r->failed,
			    r->count);
		for (i = 0; i < n; i++) {
			if (i > 0)
				fputs("; ", fp);
			add_cause(fp, r, keys[i]);
		}
		if (r->skipped > 0)
			add_skipped(fp, r, n > 0);
		if (fclose(fp) != 0) {
			free(text);
			text = NULL;
		}
	}
	free(keys);
	return text;
}

static int
largest_status(const struct cli_roster *r)
{
	const struct cli_place *p;
	int status, largest = 0;
	size_t i;

	for (i = 0; i < r->count; i++) {
		p = &r->places[i];
		switch (p->cls) {
		case FANOUT_C_OK:
		case FANOUT_C_SKIPPED:
			status = 0;
			break;
		case FANOUT_C_EXIT:
			status = p->code;
			break;
		case FANOUT_C_SIGNAL:
			status = 128 + p->code;
			break;
		default:
			status = 254;
			break;
		}
		if (status > largest)
			largest = status;
	}
	return largest;
}

int
cli_status(const struct cli_roster *r, bool largest, bool interrupted)
{
	bool failed = false, unreached = false;
	size_t i;

	if (interrupted)
		return CLI_EXIT_INTERRUPTED;
	if (largest)
		return largest_status(r);
	for (i = 0; i < r->count; i++) {
		if (r->places[i].cls == FANOUT_C_OK ||
		    r->places[i].cls == FANOUT_C_SKIPPED)
			continue;
		if (cli_unreached(&r->places[i]))
			unreached = true;
		else
			failed = true;
	}
	return failed && unreached ? CLI_EXIT_BOTH :
	    unreached ? CLI_EXIT_UNREACHED : failed ? CLI_EXIT_FAILED : 0;
}

/* Durations are shown by their whole seconds. */
struct span {
	int64_t	 now;
	int64_t	 seconds;
};

static int64_t
seconds(const struct cli_place *p, int64_t now)
{
	return (now - p->since) / 1000;
}

static bool
runs_so_long(const struct cli_place *p, const void *arg)
{
	const struct span *s = arg;

	return p->state == CLI_RUNS && seconds(p, s->now) == s->seconds;
}

static bool
waits(const struct cli_place *p, const void *arg)
{
	(void)arg;
	return p->state == CLI_WAITS;
}

/* The longest time below a limit that some host runs; -1: none. */
static int64_t
longest_below(const struct cli_roster *r, int64_t now, int64_t limit)
{
	int64_t s, longest = -1;
	size_t i;

	for (i = 0; i < r->count; i++) {
		if (r->places[i].state != CLI_RUNS)
			continue;
		s = seconds(&r->places[i], now);
		if (s < limit && s > longest)
			longest = s;
	}
	return longest;
}

char *
cli_who_runs(const struct cli_roster *r)
{
	struct span s = { .now = cli_now() };
	char *text = NULL, *names;
	size_t size;
	FILE *fp;

	if ((fp = open_memstream(&text, &size)) == NULL)
		return NULL;
	fprintf(fp, "%zu of %zu over, %zu running, %zu waiting\n", r->over,
	    r->count, r->running, r->count - r->running - r->over);
	s.seconds = longest_below(r, s.now, INT64_MAX);
	for (; s.seconds >= 0; s.seconds = longest_below(r, s.now, s.seconds)) {
		names = cli_roster_fold(r, runs_so_long, &s);
		fprintf(fp, "running for %lld s: %s\n", (long long)s.seconds,
		    names != NULL ? names : "(out of memory)");
		free(names);
	}
	if (r->over + r->running < r->count) {
		names = cli_roster_fold(r, waits, NULL);
		fprintf(fp, "waiting: %s\n", names != NULL ? names :
		    "(out of memory)");
		free(names);
	}
	if (fclose(fp) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
