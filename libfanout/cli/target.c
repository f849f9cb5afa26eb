#include <err.h>
#include <stddef.h>
#include <stdlib.h>

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

	if ((rc = fanout_selection_add(t->selection, what, text, &why)) == 0)
		return 0;
	*e = why;
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
	{ 'x', "exclude", "EXPR", "but not these",
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
	{ 0, "list", NULL, "print the hosts, one a line; run nothing",
	    CLI_FLAG, AT(list), 0, 0, NULL },
	{ 0, "fold", NULL, "print them folded; run nothing",
	    CLI_FLAG, AT(fold), 0, 0, NULL },
	{ 0, "count", NULL, "print how many they are; run nothing",
	    CLI_FLAG, AT(count), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

int
cli_target_init(struct cli_target *t, struct fanout_error *e)
{
	*t = (struct cli_target){ .selection = NULL };
	if (fanout_selection_new(&t->selection) != 0)
		return cli_nomem(e);
	return 0;
}

void
cli_target_clear(struct cli_target *t)
{
	fanout_selection_free(t->selection);
	t->selection = NULL;
}

int
cli_target_hosts(struct cli_target *t, struct fanout_hosts **hosts,
    struct fanout_error *e)
{
	int rc;

	if (t->pick > 0)
		fanout_selection_pick(t->selection, t->pick, NULL);
	if ((rc = fanout_selection_finish(hosts, t->selection, e)) != 0)
		return rc;
	if (fanout_hosts_count(*hosts) > 0)
		return 0;
	fanout_hosts_free(*hosts);
	*hosts = NULL;
	return cli_error(e, FANOUT_EINVAL,
	    "no host is left of those that were named");
}

bool
cli_target_shows(const struct cli_target *t)
{
	return t->list || t->fold || t->count;
}

int
cli_target_show(const struct cli_target *t, const struct fanout_hosts *hosts)
{
	size_t i, n = fanout_hosts_count(hosts);
	char *folded;

	for (i = 0; t->list && i < n; i++)
		puts(fanout_hosts_at(hosts, i));
	if (t->fold) {
		if (fanout_hosts_fold(hosts, &folded) != 0) {
			warnx("out of memory");
			return 2;
		}
		puts(folded);
		free(folded);
	}
	if (t->count)
		printf("%zu\n", n);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		warn("standard output");
		return 2;
	}
	return 0;
}
