#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "look.h"

#define AT(member) offsetof(struct cli_look, member)

const struct cli_option cli_look_options[] = {
	{ 'b', "gather", NULL, "at the end, hosts that said the same as one",
	    CLI_FLAG, AT(gather), 0, 0, NULL },
	{ 'B', "gather-all", NULL, "so, with standard error in it",
	    CLI_FLAG, AT(merge), 0, 0, NULL },
	{ 'L', "ordered", NULL, "host after host; with -b one line after the other",
	    CLI_FLAG, AT(ordered), 0, 0, NULL },
	{ 0, "live", NULL, "with -b, -B or -L: also each line as it comes",
	    CLI_FLAG, AT(live), 0, 0, NULL },
	{ 0, "similar", NULL, "as -b, whatever numbers, times and addresses are",
	    CLI_FLAG, AT(similar), 0, 0, NULL },
	{ 0, "outliers", NULL, "as -b, without those that most hosts agree with",
	    CLI_FLAG, AT(outliers), 0, 0, NULL },
	{ 0, "diff", NULL, "as -b, how each differs from the largest group",
	    CLI_FLAG, AT(diff), 0, 0, NULL },
	{ 0, "golden", "HOST", "as --diff, from the group of this host",
	    CLI_TEXT, AT(golden), 0, 0, NULL },
	{ 0, "header", "STYLE", "clush (default), plain: no counts, dshbak",
	    CLI_TEXT, AT(style), 0, 0, NULL },
	{ 0, "outdir", "DIR", "also a file of its output for each host",
	    CLI_TEXT, AT(outdir), 0, 0, NULL },
	{ 0, "errdir", "DIR", "also one of its standard error",
	    CLI_TEXT, AT(errdir), 0, 0, NULL },
	{ 0, "json", NULL, "print events as JSON, one a line",
	    CLI_FLAG, AT(json), 0, 0, NULL },
	{ 'N', "no-label", NULL, "print lines without the host's name",
	    CLI_FLAG, AT(no_labels), 0, 0, NULL },
	{ 0, "color", "WHEN", "auto (default), always, never",
	    CLI_TEXT, AT(color), 0, 0, NULL },
	{ 0, "no-progress", NULL, "no line that says how far it is",
	    CLI_FLAG, AT(no_progress), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

/* Which of a list a word is; -1: none. */
static int
which(const char *word, const char *const *list)
{
	int i;

	for (i = 0; list[i] != NULL; i++)
		if (strcmp(list[i], word) == 0)
			return i;
	return -1;
}

static int
check_words(struct cli_look *l, struct fanout_error *e)
{
	static const char *const styles[] = { "clush", "plain", "dshbak",
	    NULL };
	static const char *const whens[] = { "auto", "always", "never", NULL };
	int i = 0;

	if (l->style != NULL && (i = which(l->style, styles)) == -1)
		return cli_error(e, FANOUT_EINVAL, "--header %.40s: it is one "
		    "of clush, plain and dshbak", l->style);
	l->header = (enum cli_header)i;
	if (l->color != NULL && which(l->color, whens) == -1)
		return cli_error(e, FANOUT_EINVAL, "--color %.40s: it is one "
		    "of auto, always and never", l->color);
	return 0;
}

int
cli_look_check(struct cli_look *l, const struct fanout_hosts *hosts,
    struct fanout_error *e)
{
	int rc;

	if ((rc = check_words(l, e)) != 0)
		return rc;
	l->diff = l->diff || l->golden != NULL;
	l->gather = l->gather || l->similar || l->outliers || l->diff ||
	    (l->merge && !l->ordered);
	if (l->json && cli_look_collects(l))
		return cli_error(e, FANOUT_EINVAL, "--json prints events as "
		    "they come: it has no groups and no order");
	if (l->live && !cli_look_collects(l))
		return cli_error(e, FANOUT_EINVAL, "--live: lines are shown "
		    "as they come without -b, -B or -L, too");
	if (l->outliers && l->diff)
		return cli_error(e, FANOUT_EINVAL, "--diff shows nothing but "
		    "outliers; leave out --outliers");
	if (l->ordered && l->diff)
		return cli_error(e, FANOUT_EINVAL, "-L and --diff exclude "
		    "each other");
	l->golden_host = FANOUT_NOHOST;
	if (l->golden == NULL)
		return 0;
	l->golden_host = fanout_hosts_find(hosts, l->golden);
	if (l->golden_host == FANOUT_NOHOST)
		return cli_error(e, FANOUT_EINVAL, "--golden %.100s: it is "
		    "not one of the hosts", l->golden);
	return 0;
}

bool
cli_look_collects(const struct cli_look *l)
{
	return l->gather || l->merge || l->ordered;
}

bool
cli_look_live_out(const struct cli_look *l)
{
	return !l->silent && (l->live || !cli_look_collects(l));
}

bool
cli_look_live_err(const struct cli_look *l)
{
	return !l->silent && (l->live || !l->merge);
}

bool
cli_look_color(const struct cli_look *l, bool tty)
{
	const char *no = getenv("NO_COLOR"), *cli = getenv("CLICOLOR");
	const char *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");

	if (l->color != NULL && strcmp(l->color, "auto") != 0)
		return strcmp(l->color, "always") == 0;
	if (no != NULL && *no != '\0')
		return false;
	if (force != NULL && *force != '\0' && strcmp(force, "0") != 0)
		return true;
	if (cli != NULL && strcmp(cli, "0") == 0)
		return false;
	return tty && term != NULL && strcmp(term, "dumb") != 0;
}
