/*
 * show.c - the hosts of a command line, printed in the ways one asks for.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "summary.h"
#include "target.h"

static int
put_folded(const struct fanout_hosts *hosts)
{
	char *folded;

	if (fanout_hosts_fold(hosts, &folded) != 0)
		return FANOUT_ENOMEM;
	puts(folded);
	free(folded);
	return 0;
}

static int
put_parts(const struct fanout_hosts *hosts, unsigned parts)
{
	struct fanout_hosts *part;
	unsigned i;
	int rc = 0;

	for (i = 0; i < parts && rc == 0; i++) {
		if ((rc = fanout_hosts_share(&part, hosts, parts, i)) != 0)
			break;
		if (fanout_hosts_count(part) > 0)
			rc = put_folded(part);
		fanout_hosts_free(part);
	}
	return rc;
}

static int
put_groups(const struct cli_target *t, const struct fanout_hosts *hosts)
{
	struct fanout_error e;
	char *text;
	int rc;

	if ((rc = fanout_hosts_regroup(hosts, t->groups, NULL, &text,
	    &e)) != 0) {
		warnx("%s", e.text);
		return rc;
	}
	puts(text);
	free(text);
	return 0;
}

static void
put_lines(const char *host, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")) != NULL)
		if (*line != '\0')
			printf("%s: %s\n", host, line);
}

/* What named it, and how it would be reached if it is selected. */
static int
explain(const struct cli_target *t, const struct fanout_hosts *hosts,
    const char *host)
{
	char *text;

	if (fanout_selection_explain(t->selection, host, &text) != 0)
		return FANOUT_ENOMEM;
	if (*text == '\0')
		printf("%s: nothing names it\n", host);
	put_lines(host, text);
	free(text);
	if (t->way == NULL || fanout_hosts_find(hosts, host) == FANOUT_NOHOST)
		return 0;
	if (fanout_explain(t->way, host, &text, NULL) != 0)
		return FANOUT_ENOMEM;
	put_lines(host, text);
	free(text);
	return 0;
}

static int
explain_all(const struct cli_target *t, const struct fanout_hosts *hosts,
    char *const *words)
{
	size_t i;
	int rc = 0;

	for (i = 0; words[i] != NULL && rc == 0; i++)
		rc = explain(t, hosts, words[i]);
	if (i > 0)
		return rc;
	for (i = 0; i < fanout_hosts_count(hosts) && rc == 0; i++)
		rc = explain(t, hosts, fanout_hosts_at(hosts, i));
	return rc;
}

int
cli_target_show(const struct cli_target *t, const struct fanout_hosts *hosts,
    char *const *words)
{
	size_t i, n = fanout_hosts_count(hosts);
	int rc = 0;

	for (i = 0; t->list && i < n; i++)
		puts(fanout_hosts_at(hosts, i));
	if (t->fold)
		rc = put_folded(hosts);
	if (rc == 0 && t->regroup)
		rc = put_groups(t, hosts);
	if (rc == 0 && t->split > 0)
		rc = put_parts(hosts, t->split);
	if (rc == 0 && t->explain)
		rc = explain_all(t, hosts, words);
	if (rc == 0 && t->count)
		printf("%zu\n", n);
	if (rc == FANOUT_ENOMEM)
		warnx("out of memory");
	if (fflush(stdout) == EOF || ferror(stdout)) {
		warn("standard output");
		return CLI_EXIT_USAGE;
	}
	return rc == 0 ? 0 : CLI_EXIT_USAGE;
}
