/*
 * ansible.c - the groups of an Ansible inventory: ANSIBLE_INVENTORY (files,
 * with commas between), else /etc/ansible/hosts; INI or YAML. (Ansible's user
 * guide, "How to build your inventory")
 *
 *	web1 ansible_host=10.0.0.1 ansible_port=2222 ansible_user=admin
 *	[web]
 *	web[01:10:2].example
 *	[all_web:children]
 *	web
 *
 * A host with an ansible_host is that address. Variables of groups are not
 * read, nor are inventories that are programs.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ansible.h"
#include "base/err.h"
#include "sources.h"
#include "table.h"

#define INVENTORY "/etc/ansible/hosts"
#define PATTERN_MAX (16 * 1024 * 1024)	/* bytes of names by letters */

struct ansible {
	struct fo_table *t;	/* NULL: not read yet */
	char	*files;		/* with commas between */
};

/* ---- what readers find -------------------------------------------------- */

void
ansible_init(struct inventory *v)
{
	memset(v, 0, sizeof(*v));
}

void
ansible_clear(struct inventory *v)
{
	size_t i;

	for (i = 0; i < v->nhosts; i++) {
		free(v->hosts[i].name);
		free(v->hosts[i].addr);
		free(v->hosts[i].user);
		free(v->hosts[i].port);
	}
	for (i = 0; i < v->nmembers; i++) {
		free(v->members[i].group);
		free(v->members[i].name);
	}
	free(v->hosts);
	free(v->members);
	ansible_init(v);
}

int
ansible_member(struct inventory *v, const char *group, const char *name,
    bool child)
{
	struct inventory_member *m;

	m = reallocarray(v->members, v->nmembers + 1, sizeof(*m));
	if (m == NULL)
		return -1;
	v->members = m;
	m += v->nmembers;
	m->child = child;
	m->name = name != NULL ? strdup(name) : NULL;
	if ((m->group = strdup(group)) == NULL ||
	    (name != NULL && m->name == NULL)) {
		free(m->group);
		free(m->name);
		return -1;
	}
	v->nmembers++;
	return 0;
}

static struct inventory_host *
host_of(struct inventory *v, const char *name, bool make)
{
	struct inventory_host *h;
	size_t i;

	for (i = 0; i < v->nhosts; i++)
		if (strcmp(v->hosts[i].name, name) == 0)
			return &v->hosts[i];
	if (!make || (h = reallocarray(v->hosts, v->nhosts + 1,
	    sizeof(*h))) == NULL)
		return NULL;
	v->hosts = h;
	h += v->nhosts;
	memset(h, 0, sizeof(*h));
	if ((h->name = strdup(name)) == NULL)
		return NULL;
	v->nhosts++;
	return h;
}

int
ansible_variable(struct inventory *v, const char *host, const char *key,
    const char *value)
{
	struct inventory_host *h;
	char **slot;

	if (strcmp(key, "ansible_host") != 0 &&
	    strcmp(key, "ansible_port") != 0 &&
	    strcmp(key, "ansible_user") != 0)
		return 0;
	if ((h = host_of(v, host, true)) == NULL)
		return -1;
	slot = key[8] == 'h' ? &h->addr : key[8] == 'p' ? &h->port : &h->user;
	free(*slot);
	return (*slot = strdup(value)) != NULL ? 0 : -1;
}

/* ---- as expressions ------------------------------------------------------ */

/* "[01:10:2]" is [01-10/2]; "[a:f]" becomes six names. */
static int
put_pattern(FILE *f, const char *before, const char *s)
{
	const char *open = strchr(s, '[');
	char *head, c;
	size_t n;
	int rc = 0;

	if (ftell(f) > PATTERN_MAX)
		return -1;
	if (open == NULL || strchr(open, ']') == NULL)
		return fprintf(f, "%s%s ", before, s) < 0 ? -1 : 0;
	if (open[1] >= '0' && open[1] <= '9') {
		n = strcspn(open, "]");
		if (asprintf(&head, "%s%.*s%.*s]", before, (int)(open - s), s,
		    (int)n, open) == -1)
			return -1;
		/* The first colon of the two stands for "to". */
		if ((open = strchr(head + strlen(before), ':')) != NULL) {
			head[open - head] = '-';
			if ((open = strchr(open, ':')) != NULL)
				head[open - head] = '/';
		}
		rc = put_pattern(f, head, strchr(s, ']') + 1);
		free(head);
		return rc;
	}
	for (c = open[1]; rc == 0 && open[2] == ':' && c <= open[3]; c++) {
		if (asprintf(&head, "%s%.*s%c", before, (int)(open - s), s,
		    c) == -1)
			return -1;
		rc = put_pattern(f, head, strchr(s, ']') + 1);
		free(head);
	}
	return rc;
}

static int
put_host(FILE *f, struct inventory *v, const char *name)
{
	const struct inventory_host *h = host_of(v, name, false);
	const char *addr;
	bool v6;

	if (h == NULL)
		return put_pattern(f, "", name);
	addr = h->addr != NULL ? h->addr : name;
	v6 = strchr(addr, ':') != NULL && h->port != NULL;
	return fprintf(f, "%s%s%s%s%s%s%s ", h->user != NULL ? h->user : "",
	    h->user != NULL ? "@" : "", v6 ? "[" : "", addr, v6 ? "]" : "",
	    h->port != NULL ? ":" : "", h->port != NULL ? h->port : "") < 0 ?
	    -1 : 0;
}

/* A member as text of its group; those of all are in "all", too. */
static int
add_member(struct fo_table *t, struct inventory *v,
    const struct inventory_member *m)
{
	char *text = NULL;
	size_t size;
	FILE *f;
	int rc = 0;

	if ((f = open_memstream(&text, &size)) == NULL)
		return -1;
	if (m->child)
		rc = fprintf(f, "@ansible:%s", m->name) < 0 ? -1 : 0;
	else if (m->name != NULL)
		rc = put_host(f, v, m->name);
	if (fclose(f) != 0 || rc == -1 ||
	    fo_table_add(t, m->group, strlen(m->group), text,
	    strlen(text)) != 0 || (!m->child && strcmp(m->group, "all") != 0 &&
	    fo_table_add(t, "all", 3, text, strlen(text)) != 0))
		rc = -1;
	free(text);
	return rc;
}

/* ---- the source ----------------------------------------------------------- */

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 0111) != 0;
}

static bool
is_yaml(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot != NULL && (strcmp(dot, ".yml") == 0 ||
	    strcmp(dot, ".yaml") == 0);
}

static int
read_files(struct ansible *a, struct inventory *v, struct fanout_error *err)
{
	char *rest = strdup(a->files), *all = rest, *path;
	int rc = 0;

	if (rest == NULL)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	while (rc == 0 && (path = strsep(&rest, ",")) != NULL)
		if (*path != '\0' && !is_program(path))
			rc = is_yaml(path) ? ansible_read_yaml(v, path, err) :
			    ansible_read_ini(v, path, err);
	free(all);
	return rc;
}

static int
ask(struct ansible *a, struct fanout_error *err)
{
	struct inventory v;
	size_t i;
	int rc;

	if (a->t != NULL)
		return 0;
	ansible_init(&v);
	if ((rc = read_files(a, &v, err)) == 0 &&
	    (a->t = fo_table_new()) == NULL)
		rc = fo_error(err, FANOUT_ENOMEM, "out of memory");
	for (i = 0; rc == 0 && i < v.nmembers; i++)
		if (add_member(a->t, &v, &v.members[i]) == -1)
			rc = fo_error(err, FANOUT_ENOMEM, "out of memory");
	ansible_clear(&v);
	if (rc != 0) {
		fo_table_free(a->t);
		a->t = NULL;
	}
	return rc;
}

static int
ansible_map(void *self, const char *group, char **out,
    struct fanout_error *err)
{
	struct ansible *a = self;
	int rc;

	*out = NULL;
	return (rc = ask(a, err)) != 0 ? rc :
	    fo_table_ops.map(a->t, group, out, err);
}

static int
ansible_list(void *self, char **out, struct fanout_error *err)
{
	struct ansible *a = self;
	int rc;

	*out = NULL;
	return (rc = ask(a, err)) != 0 ? rc :
	    fo_table_ops.list(a->t, out, err);
}

static int
ansible_all(void *self, char **out, struct fanout_error *err)
{
	return ansible_map(self, "all", out, err);
}

static void
ansible_free(void *self)
{
	struct ansible *a = self;

	fo_table_free(a->t);
	free(a->files);
	free(a);
}

static const struct fo_source_ops ansible_ops = {
	.map = ansible_map, .list = ansible_list, .all = ansible_all,
	.free = ansible_free
};

int
fo_source_ansible(struct fanout_groups *g, struct fanout_error *err)
{
	const char *files = getenv("ANSIBLE_INVENTORY");
	struct ansible *a;
	struct stat st;

	if (files == NULL || *files == '\0') {
		files = INVENTORY;
		if (stat(files, &st) == -1 || !S_ISREG(st.st_mode))
			return 0;
	}
	if (fo_groups_has_source(g, "ansible", 7))
		return 0;
	if ((a = calloc(1, sizeof(*a))) == NULL ||
	    (a->files = strdup(files)) == NULL) {
		free(a);
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	}
	return fo_groups_add_source(g, "ansible", &ansible_ops, a, err);
}
