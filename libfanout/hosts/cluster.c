/*
 * cluster.c - the members of a Pacemaker or Corosync cluster as groups:
 *
 *	members	those that are up, as "crm_node -l" has it; if that does not
 *		answer (the cluster is down here), all configured ones
 *	lost	those that crm_node knows, but not as members
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

static bool
in_path(const char *program)
{
	const char *path = getenv("PATH");
	char buf[4096];
	size_t len;

	for (; path != NULL && *path != '\0'; path += len) {
		len = strcspn(path, ":");
		if (len + strlen(program) + 2 <= sizeof(buf)) {
			memcpy(buf, path, len);
			buf[len] = '/';
			strlcpy(buf + len + 1, program, sizeof(buf) - len - 1);
			if (access(buf, X_OK) == 0)
				return true;
		}
		len += path[len] == ':';
	}
	return false;
}

int
fo_source_cluster(struct fanout_groups *g, struct fanout_error *err)
{
	struct cluster *c;
	const char *conf = getenv("COROSYNC_MAIN_CONFIG_FILE");

	if (conf == NULL || *conf == '\0')
		conf = COROSYNC_CONF;
	if (!in_path("crm_node") && access(conf, R_OK) == -1)
		return 0;
	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->conf = strdup(conf)) == NULL) {
		free(c);
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	}
	c->ms = fo_groups_ms(g);
	return fo_groups_add_source(g, "cluster", &cluster_ops, c, err);
}
