/*
 * cluster.c - the members of a Pacemaker or Corosync cluster as groups:
 *
 *	members	those that are up, as "crm_node -l" has it, else
 *		corosync-cmapctl(8); if neither answers (the cluster is down
 *		here), all configured ones
 *	lost	those that they know, but not as members
 *	all	both
 *
 * The configured ones are the nodes of corosync.conf: by their name, else by
 * their ring0_addr. (crm_node(8), corosync.conf(5))
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "lines.h"
#include "program.h"
#include "sources.h"
#include "table.h"
#include "upcall.h"

#define COROSYNC_CONF "/etc/corosync/corosync.conf"

struct cluster {
	struct fo_table *t;	/* NULL: not asked yet */
	char	*conf;		/* path of corosync.conf */
	int	 ms;
};

/* "ID NAME STATE" lines. */
static int
read_crm_node(struct fo_table *t, char *text)
{
	char *line, *word[3], *p;
	const char *group;
	size_t n;

	while ((line = strsep(&text, "\n")) != NULL) {
		for (n = 0; n < 3 && (p = strsep(&line, " \t")) != NULL;)
			if (*p != '\0')
				word[n++] = p;
		if (n < 3)
			continue;
		group = strcmp(word[2], "member") == 0 ? "members" : "lost";
		if (fo_table_add(t, group, strlen(group), word[1],
		    strlen(word[1])) != 0 ||
		    fo_table_add(t, "all", 3, word[1], strlen(word[1])) != 0)
			return FANOUT_ENOMEM;
	}
	return 0;
}

/* The value of "KEY (TYPE) = VALUE" if the key ends so; else NULL. */
static char *
cmap_value(char *line, const char *end)
{
	size_t key = strcspn(line, " "), len = strlen(end);
	char *value = strstr(line, " = ");

	return value != NULL && key >= len &&
	    strncmp(line + key - len, end, len) == 0 ? value + 3 : NULL;
}

#define CMAP_NODES 256

/* nodelist.node.N.nodeid and .name, else .ring0_addr; and
 * runtime.members.ID.status, which says "joined" of those that are up. */
struct cmap {
	struct {
		char	*id, *name, *addr;
	} node[CMAP_NODES];
	char	*up[CMAP_NODES];	/* their IDs */
	size_t	 nup;
};

static void
read_cmap_line(struct cmap *c, char *line)
{
	static const char nodes[] = "nodelist.node.", members[] =
	    "runtime.members.";
	unsigned long n;
	char *value, *end;

	if (strncmp(line, nodes, sizeof(nodes) - 1) == 0) {
		n = strtoul(line + sizeof(nodes) - 1, NULL, 10);
		if (n >= CMAP_NODES)
			return;
		if ((value = cmap_value(line, ".nodeid")) != NULL)
			c->node[n].id = value;
		else if ((value = cmap_value(line, ".name")) != NULL)
			c->node[n].name = value;
		else if ((value = cmap_value(line, ".ring0_addr")) != NULL)
			c->node[n].addr = value;
	} else if (strncmp(line, members, sizeof(members) - 1) == 0 &&
	    (value = cmap_value(line, ".status")) != NULL &&
	    strcmp(value, "joined") == 0 && c->nup < CMAP_NODES) {
		c->up[c->nup] = line + sizeof(members) - 1;
		if ((end = strchr(c->up[c->nup], '.')) != NULL)
			*end = '\0';
		c->nup++;
	}
}

static bool
is_up(const struct cmap *c, const char *id)
{
	size_t i;

	for (i = 0; i < c->nup; i++)
		if (id != NULL && strcmp(c->up[i], id) == 0)
			return true;
	return false;
}

static int
read_cmap(struct fo_table *t, char *text)
{
	struct cmap c = { .nup = 0 };
	const char *host, *group;
	char *line;
	size_t i;

	while ((line = strsep(&text, "\n")) != NULL)
		read_cmap_line(&c, line);
	for (i = 0; i < CMAP_NODES; i++) {
		host = c.node[i].name != NULL ? c.node[i].name :
		    c.node[i].addr;
		if (host == NULL)
			continue;
		group = is_up(&c, c.node[i].id) ? "members" : "lost";
		if (fo_table_add(t, group, strlen(group), host,
		    strlen(host)) != 0 ||
		    fo_table_add(t, "all", 3, host, strlen(host)) != 0)
			return FANOUT_ENOMEM;
	}
	return 0;
}

/* One node of the nodelist, at its '}'. */
static int
end_node(struct fo_table *t, char **name, char **addr)
{
	const char *host = *name != NULL ? *name : *addr;
	int rc = 0;

	if (host != NULL && (fo_table_add(t, "members", 7, host,
	    strlen(host)) != 0 || fo_table_add(t, "all", 3, host,
	    strlen(host)) != 0))
		rc = FANOUT_ENOMEM;
	free(*name);
	free(*addr);
	*name = *addr = NULL;
	return rc;
}

/* "key: value" of a node, or an empty string. */
static int
keep(char **slot, const char *s, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(s, key, len) != 0)
		return 0;
	s += len + strspn(s + len, " \t");
	if (*s++ != ':')
		return 0;
	free(*slot);
	return (*slot = strdup(s + strspn(s, " \t"))) == NULL ?
	    FANOUT_ENOMEM : 0;
}

static int
read_conf(struct fo_table *t, const char *path, struct fanout_error *err)
{
	struct fo_lines l;
	char *s, *name = NULL, *addr = NULL;
	bool node = false;
	int rc;

	if ((rc = fo_lines_open(&l, path, err)) != 0)
		return rc;
	while ((rc = fo_lines_next(&l, err)) == 1) {
		s = fo_lines_trim(&l);
		if (strncmp(s, "node", 4) == 0 &&
		    s[4 + strspn(s + 4, " \t")] == '{')
			node = true;
		else if (node && *s == '}') {
			node = false;
			rc = end_node(t, &name, &addr);
		} else if (node && (rc = keep(&name, s, "name")) == 0)
			rc = keep(&addr, s, "ring0_addr");
		if (rc < 0) {
			(void)fo_error(err, rc, "out of memory");
			break;
		}
	}
	free(name);
	free(addr);
	fo_lines_close(&l);
	return rc;
}

static int
ask(struct cluster *c, struct fanout_error *err)
{
	char cmd[] = "crm_node", opt[] = "-l", *argv[] = { cmd, opt, NULL };
	char cmap[] = "corosync-cmapctl", *argv2[] = { cmap, NULL };
	char *text;
	int rc = 0;

	if (c->t != NULL)
		return 0;
	if ((c->t = fo_table_new()) == NULL)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	if (fo_upcall(argv, NULL, c->ms, &text, NULL) == 0) {
		if ((rc = read_crm_node(c->t, text)) != 0)
			(void)fo_error(err, rc, "out of memory");
		free(text);
	}
	if (rc == 0 && fo_table_get(c->t, "members") == NULL &&
	    fo_upcall(argv2, NULL, c->ms, &text, NULL) == 0) {
		if ((rc = read_cmap(c->t, text)) != 0)
			(void)fo_error(err, rc, "out of memory");
		free(text);
	}
	if (rc == 0 && fo_table_get(c->t, "members") == NULL &&
	    access(c->conf, R_OK) == 0)
		rc = read_conf(c->t, c->conf, err);
	if (rc != 0) {
		fo_table_free(c->t);
		c->t = NULL;
	}
	return rc;
}

static int
cluster_map(void *self, const char *group, char **out,
    struct fanout_error *err)
{
	struct cluster *c = self;
	int rc;

	*out = NULL;
	if (strcmp(group, "members") != 0 && strcmp(group, "lost") != 0 &&
	    strcmp(group, "all") != 0)
		return 0;	/* without asking anybody */
	if ((rc = ask(c, err)) != 0)
		return rc;
	return fo_table_ops.map(c->t, group, out, err);
}

static int
cluster_list(void *self, char **out, struct fanout_error *err)
{
	struct cluster *c = self;
	int rc;

	*out = NULL;
	return (rc = ask(c, err)) != 0 ? rc :
	    fo_table_ops.list(c->t, out, err);
}

static int
cluster_all(void *self, char **out, struct fanout_error *err)
{
	return cluster_map(self, "all", out, err);
}

static void
cluster_free(void *self)
{
	struct cluster *c = self;

	fo_table_free(c->t);
	free(c->conf);
	free(c);
}

static const struct fo_source_ops cluster_ops = {
	.map = cluster_map, .list = cluster_list, .all = cluster_all,
	.free = cluster_free
};

int
fo_source_cluster(struct fanout_groups *g, struct fanout_error *err)
{
	struct cluster *c;
	const char *conf = getenv("COROSYNC_MAIN_CONFIG_FILE");

	if (conf == NULL || *conf == '\0')
		conf = COROSYNC_CONF;
	if (!fo_in_path("crm_node") && !fo_in_path("corosync-cmapctl") &&
	    access(conf, R_OK) == -1)
		return 0;
	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->conf = strdup(conf)) == NULL) {
		free(c);
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	}
	c->ms = fo_groups_ms(g);
	return fo_groups_add_source(g, "cluster", &cluster_ops, c, err);
}
