#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "target.h"

#define AT(member) offsetof(struct cli_target, member)

static int
add(void *into, enum fanout_select what, const char *text,
    struct fanout_error *e)
{
	struct cli_target *t = into;
	struct fanout_error why = { 0 };
	int rc;

	const char *file = what == FANOUT_SELECT_FILE ? text :
	    what == FANOUT_SELECT_HOSTS && *text == '^' ? text + 1 : NULL;

	if (file != NULL && strcmp(file, "-") != 0 &&
	    t->nfiles < CLI_TARGET_FILES)
		t->files[t->nfiles++] = file;
	if (what != FANOUT_SELECT_NOT_HOSTS && what != FANOUT_SELECT_NOT_GROUP)
		t->named = true;
	if ((rc = fanout_selection_add(t->selection, what, text, &why)) == 0)
		return 0;
	*e = why;
	if (why.line == 0)
		t->caret = fanout_error_caret(&why, text);
	/* Where in a long expression; a file's line is in the text already. */
	if (rc == FANOUT_EPARSE && why.line == 0)
		cli_error(e, rc, "\"%.80s\", character %zu: %s", text,
		    why.offset + 1, why.text);
	return rc;
}

static int
add_hosts(void *into, const char *text, struct fanout_error *e)
{
	return add(into, FANOUT_SELECT_HOSTS, text, e);
}

static int
add_not_hosts(void *into, const char *text, struct fanout_error *e)
{
	return add(into, FANOUT_SELECT_NOT_HOSTS, text, e);
}

static int
add_group(void *into, const char *text, struct fanout_error *e)
{
	return add(into, FANOUT_SELECT_GROUP, text, e);
}

static int
add_not_group(void *into, const char *text, struct fanout_error *e)
{
	return add(into, FANOUT_SELECT_NOT_GROUP, text, e);
}

static int
add_all(void *into, const char *text, struct fanout_error *e)
{
	(void)text;
	return add(into, FANOUT_SELECT_ALL, "", e);
}

static int
add_file(void *into, const char *path, struct fanout_error *e)
{
	return add(into, FANOUT_SELECT_FILE, path, e);
}

const struct cli_option cli_target_options[] = {
	{ 'w', "hosts", "EXPR", "these hosts: node[1-8,12],@group,host:2222",
	    CLI_CALL, 0, 0, 0, add_hosts },
	{ 'x', "exclude-hosts", "EXPR", "but not these",
	    CLI_CALL, 0, 0, 0, add_not_hosts },
	{ 'g', "group", "GROUP", "the hosts of this group",
	    CLI_CALL, 0, 0, 0, add_group },
	{ 'X', "exclude-group", "GROUP", "but not those of this group",
	    CLI_CALL, 0, 0, 0, add_not_group },
	{ 'a', "all", NULL, "all hosts that the groups know",
	    CLI_CALL, 0, 0, 0, add_all },
	{ 0, "hostfile", "FILE", "the hosts of a file, one EXPR a line",
	    CLI_CALL, 0, 0, 0, add_file },
	{ 0, "pick", "N", "only so many of them, at random",
	    CLI_NUMBER, AT(pick), 1, FANOUT_HOSTS_MAX, NULL },
	{ 0, "seed", "N", "pick the same ones each time",
	    CLI_NUMBER, AT(seed), 1, UINT_MAX, NULL },
	{ 0, "slice", "RANGES", "only these of them, counted from 0: 0-9/2,20",
	    CLI_TEXT, AT(slice), 0, 0, NULL },
	{ 0, "include-dead", NULL, "also those that are marked dead",
	    CLI_FLAG, AT(dead.include), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

const struct cli_option cli_show_options[] = {
	{ 0, "list", NULL, "print the hosts, one a line",
	    CLI_FLAG, AT(list), 0, 0, NULL },
	{ 0, "fold", NULL, "print them folded",
	    CLI_FLAG, AT(fold), 0, 0, NULL },
	{ 0, "count", NULL, "print how many they are",
	    CLI_FLAG, AT(count), 0, 0, NULL },
	{ 0, "regroup", NULL, "print them by their @groups",
	    CLI_FLAG, AT(regroup), 0, 0, NULL },
	{ 0, "split", "N", "print them folded, in N even parts",
	    CLI_NUMBER, AT(split), 1, FANOUT_HOSTS_MAX, NULL },
	{ 0, "explain", NULL, "print what named each, or left it out",
	    CLI_FLAG, AT(explain), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

static bool
has_word(char **argv, const char *word)
{
	for (; *argv != NULL; argv++)
		if (strcmp(*argv, word) == 0)
			return true;
	return false;
}

int
cli_target_init(struct cli_target *t, char **argv, struct fanout_error *e)
{
	*t = (struct cli_target){ .selection = NULL };
	if (fanout_selection_new(&t->selection) != 0 ||
	    (has_word(argv, "--explain") &&
	    fanout_selection_trace(t->selection) != 0))
		return cli_nomem(e);
	if (!has_word(argv, "--regroup"))
		return 0;
	if (fanout_groups_new(&t->groups) != 0)
		return cli_nomem(e);
	fanout_selection_use_groups(t->selection, t->groups);
	return fanout_groups_system(t->groups, e);
}

void
cli_target_clear(struct cli_target *t)
{
	fanout_selection_free(t->selection);
	fanout_groups_free(t->groups);
	free(t->caret);
	*t = (struct cli_target){ .selection = NULL };
}

static int
slice(struct fanout_hosts **hosts, const char *ranges, struct fanout_error *e)
{
	struct fanout_hosts *part;
	struct fanout_error why = { 0 };
	int rc;

	if ((rc = fanout_hosts_slice(&part, *hosts, ranges, &why)) != 0)
		return cli_error(e, rc, "--slice \"%.80s\", character %zu: %s",
		    ranges, why.offset + 1, why.text);
	fanout_hosts_free(*hosts);
	*hosts = part;
	return 0;
}

int
cli_target_hosts(struct cli_target *t, struct fanout_hosts **hosts,
    struct fanout_error *e)
{
	uint64_t seed = t->seed;
	int rc;

	if (t->pick > 0)
		fanout_selection_pick(t->selection, t->pick,
		    seed != 0 ? &seed : NULL);
	if ((rc = fanout_selection_finish(hosts, t->selection, e)) != 0)
		return rc;
	if (t->slice != NULL && (rc = slice(hosts, t->slice, e)) != 0) {
		fanout_hosts_free(*hosts);
		*hosts = NULL;
		return rc;
	}
	if (fanout_hosts_count(*hosts) > 0 || t->explain)
		return 0;
	fanout_hosts_free(*hosts);
	*hosts = NULL;
	return cli_error(e, FANOUT_EINVAL,
	    "no host is left of those that were named");
}

bool
cli_target_shows(const struct cli_target *t)
{
	return t->list || t->fold || t->count || t->regroup || t->explain ||
	    t->split > 0;
}
