/*
 * netgroup.c - netgroups of the name service as groups of hosts: the host
 * names of their (host, user, domain) triples. (netgroup(5))
 *
 * They cannot be listed. The source is there if /etc/netgroup is, or if
 * /etc/nsswitch.conf names something besides files and nis for them. The C
 * library keeps one place in them a process: look-ups are for one thread.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "lines.h"
#include "sources.h"
#include "table.h"

static int
netgroup_map(void *self, const char *group, char **out,
    struct fanout_error *err)
{
	char *host, *user, *domain;
	struct fo_table *t;
	const char *text;
	int rc = 0;

	(void)self;
	*out = NULL;
	if ((t = fo_table_new()) == NULL)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	if (setnetgrent(group) == 1)
		while (rc == 0 && getnetgrent(&host, &user, &domain) == 1)
			if (host != NULL && *host != '\0')
				rc = fo_table_add(t, "h", 1, host,
				    strlen(host));
	endnetgrent();
	if (rc == 0 && (text = fo_table_get(t, "h")) != NULL &&
	    (*out = strdup(text)) == NULL)
		rc = FANOUT_ENOMEM;
	fo_table_free(t);
	return rc == 0 ? 0 : fo_error(err, rc, "out of memory");
}

static int
netgroup_list(void *self, char **out, struct fanout_error *err)
{
	(void)self;
	(void)err;
	*out = NULL;
	return 0;
}

static const struct fo_source_ops netgroup_ops = {
	.map = netgroup_map, .list = netgroup_list
};

/* Does nsswitch.conf name a service that may have some? */
static bool
configured(void)
{
	struct fo_lines l;
	char *s, *word;
	bool found = false;

	if (fo_lines_open(&l, "/etc/nsswitch.conf", NULL) != 0)
		return false;
	while (!found && fo_lines_next(&l, NULL) == 1) {
		s = fo_lines_trim(&l);
		if (strncmp(s, "netgroup:", 9) != 0)
			continue;
		s += 9;
		while ((word = strsep(&s, " \t")) != NULL)
			found |= *word != '\0' && strcmp(word, "files") != 0 &&
			    strcmp(word, "nis") != 0;
	}
	fo_lines_close(&l);
	return found;
}

int
fo_source_netgroup(struct fanout_groups *g, struct fanout_error *err)
{
	if (access("/etc/netgroup", R_OK) == -1 && !configured())
		return 0;
	return fo_groups_add_source(g, "netgroup", &netgroup_ops, NULL, err);
}
