/*
 * clustershell.c - the group sources of ClusterShell's groups.conf: programs
 * that answer the questions map, all, list and reverse. (groups.conf(5))
 *
 * Read are groups.conf of /etc/clustershell (or CLUSTERSHELL_CFGDIR), then
 * of ~/.local/etc/clustershell and of XDG_CONFIG_HOME/clustershell, later
 * ones over earlier ones, *.conf of the folders that confdir in [Main] names
 * and *.yaml of those of autodir. $CFGDIR is the folder of the last
 * groups.conf that is there.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "groups.h"
#include "ini.h"
#include "sources.h"
#include "upcall.h"
#include "yamlfile.h"

#define MAIN "Main"

struct upcalls {
	char	*name, *cfgdir;
	char	*map, *all, *list, *reverse;	/* but for map NULL if not
						 * given */
	int	 ms;
};

struct conf {
	struct fanout_groups *g;
	char	*cfgdir;
	struct fanout_error *err;
};

static void
upcalls_free(void *self)
{
	struct upcalls *u = self;

	free(u->name);
	free(u->cfgdir);
	free(u->map);
	free(u->all);
	free(u->list);
	free(u->reverse);
	free(u);
}

/* What a question is about; NULL: nothing. */
struct about {
	const char *group, *node;
};

/* The value of the variable at s (behind '$'); *len: its name's length. */
static const char *
variable(const struct upcalls *u, const char *s, struct about what,
    size_t *len)
{
	const struct {
		const char *name, *value;
	} vars[] = {
		{ "GROUP", what.group }, { "CFGDIR", u->cfgdir },
		{ "SOURCE", u->name }, { "{GROUP}", what.group },
		{ "NODE", what.node }, { "{NODE}", what.node },
		{ "{CFGDIR}", u->cfgdir }, { "{SOURCE}", u->name },
		{ "$", "$" },
	};
	size_t i, n;

	for (i = 0; i < sizeof(vars) / sizeof(vars[0]); i++) {
		n = strlen(vars[i].name);
		if (vars[i].value == NULL || strncmp(s, vars[i].name, n) != 0)
			continue;
		/* $GROUPS is not $GROUP with an S. */
		if (*s != '{' && *s != '$' && (s[n] == '_' ||
		    (s[n] >= '0' && s[n] <= '9') ||
		    ((s[n] | 0x20) >= 'a' && (s[n] | 0x20) <= 'z')))
			continue;
		*len = n;
		return vars[i].value;
	}
	return NULL;
}

/* As Python's string.Template: unknown variables stay as they are. */
static char *
substitute(const struct upcalls *u, const char *text, struct about what)
{
	const char *value;
	char *out = NULL;
	size_t size, len;
	FILE *f = open_memstream(&out, &size);

	if (f == NULL)
		return NULL;
	for (; *text != '\0'; text++) {
		if (*text == '$' && (value = variable(u, text + 1, what,
		    &len)) != NULL) {
			fputs(value, f);
			text += len;
		} else
			putc(*text, f);
	}
	if (fclose(f) == 0)
		return out;
	free(out);
	return NULL;
}

static int
ask(struct upcalls *u, const char *call, struct about what, char **out,
    struct fanout_error *err)
{
	char sh[] = "sh", c[] = "-c", *argv[] = { sh, c, NULL, NULL };
	int rc;

	if ((argv[2] = substitute(u, call, what)) == NULL)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	rc = fo_upcall(argv, u->cfgdir, u->ms, out, err);
	free(argv[2]);
	return rc;
}

static bool
is_empty(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

/* The name becomes part of a command: nothing that means more to a shell. */
static bool
harmless(const char *group)
{
	return *group != '-' && group[strspn(group, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:=+%@/")] == '\0';
}

static int
map(void *self, const char *group, char **out, struct fanout_error *err)
{
	struct upcalls *u = self;
	int rc;

	*out = NULL;
	if (!harmless(group))
		return 0;
	if ((rc = ask(u, u->map, (struct about){ .group = group }, out,
	    err)) != 0)
		return rc;
	/* Most upcalls say nothing at all of a group that is not there. */
	if (is_empty(*out)) {
		free(*out);
		*out = NULL;
	}
	return 0;
}

static int
list(void *self, char **out, struct fanout_error *err)
{
	struct upcalls *u = self;

	*out = NULL;
	return u->list == NULL ? fo_error(err, FANOUT_ECONFIG,
	    "it has no 'list' in groups.conf") : ask(u, u->list,
	    (struct about){ 0 }, out, err);
}

static int
all(void *self, char **out, struct fanout_error *err)
{
	struct upcalls *u = self;

	*out = NULL;
	return u->all == NULL ? 0 : ask(u, u->all, (struct about){ 0 }, out,
	    err);
}

static int
reverse(void *self, const char *node, char **out, struct fanout_error *err)
{
	struct upcalls *u = self;

	*out = NULL;
	return u->reverse == NULL || !harmless(node) ? 0 : ask(u, u->reverse,
	    (struct about){ .node = node }, out, err);
}

static const struct fo_source_ops upcall_ops = {
	.map = map, .list = list, .all = all, .reverse = reverse,
	.free = upcalls_free
};

/* 0 and *copy NULL if there is no such key. */
static int
copy_key(const struct fo_ini *ini, const char *section, const char *key,
    char **copy)
{
	const char *value = fo_ini_get(ini, section, key);

	return value != NULL && (*copy = strdup(value)) == NULL ?
	    FANOUT_ENOMEM : 0;
}

static int
add_source(struct conf *c, const struct fo_ini *ini, const char *section,
    const char *name, size_t len, const char *dir)
{
	struct upcalls *u;

	if ((u = calloc(1, sizeof(*u))) == NULL)
		return fo_error(c->err, FANOUT_ENOMEM, "out of memory");
	u->ms = fo_groups_ms(c->g);
	if ((u->name = strndup(name, len)) == NULL ||
	    (u->cfgdir = strdup(dir)) == NULL ||
	    copy_key(ini, section, "map", &u->map) != 0 ||
	    copy_key(ini, section, "all", &u->all) != 0 ||
	    copy_key(ini, section, "list", &u->list) != 0 ||
	    copy_key(ini, section, "reverse", &u->reverse) != 0) {
		upcalls_free(u);
		return fo_error(c->err, FANOUT_ENOMEM, "out of memory");
	}
	if (u->map == NULL) {
		upcalls_free(u);
		return fo_error(c->err, FANOUT_ECONFIG,
		    "groups.conf: [%s] has no 'map'", section);
	}
	return fo_groups_add_source(c->g, u->name, &upcall_ops, u, c->err);
}

/* "[a,b]" makes two sources. */
static int
add_section(struct conf *c, const struct fo_ini *ini, const char *section,
    const char *dir)
{
	const char *s = section;
	size_t len;
	int rc;

	for (;;) {
		len = strcspn(s, ",");
		if ((len != strlen(MAIN) || strncmp(s, MAIN, len) != 0) &&
		    len > 0 &&
		    (rc = add_source(c, ini, section, s, len, dir)) != 0)
			return rc;
		if (s[len] == '\0')
			return 0;
		s += len + 1;
	}
}

static int
add_sections(struct conf *c, const struct fo_ini *ini, const char *dir)
{
	size_t i, k;
	int rc;

	for (i = 0; i < ini->n; i++) {
		for (k = 0; k < i; k++)
			if (strcmp(ini->keys[k].section,
			    ini->keys[i].section) == 0)
				break;
		if (k == i && (rc = add_section(c, ini, ini->keys[i].section,
		    dir)) != 0)
			return rc;
	}
	return 0;
}

static int
add_conf(struct conf *c, const char *path, const char *dir)
{
	struct fo_ini ini = { 0 };
	int rc;

	if ((rc = fo_ini_read(&ini, path, c->err)) == 0)
		rc = add_sections(c, &ini, dir);
	fo_ini_free(&ini);
	return rc;
}

/* *.conf of a folder, or *.yaml. */
static int
add_folder(struct conf *c, const char *dir, bool yaml)
{
	char *pattern;
	glob_t gl;
	size_t i;
	int rc;

	if (asprintf(&pattern, "%s/*.%s", dir, yaml ? "yaml" : "conf") == -1)
		return fo_error(c->err, FANOUT_ENOMEM, "out of memory");
	if ((rc = glob(pattern, 0, NULL, &gl)) == GLOB_NOSPACE)
		rc = fo_error(c->err, FANOUT_ENOMEM, "out of memory");
	else if (rc != 0)
		rc = 0;		/* no such file, or no such folder */
	else {
		for (i = 0; rc == 0 && i < gl.gl_pathc; i++)
			rc = yaml ? fo_yamlfile_read(c->g, gl.gl_pathv[i],
			    c->err) : add_conf(c, gl.gl_pathv[i], dir);
		globfree(&gl);
	}
	free(pattern);
	return rc;
}

/* Each folder of a list of words, once. */
static int
each_folder(struct conf *c, const char *words, bool yaml)
{
	struct upcalls u = { .cfgdir = c->cfgdir };
	char *text, *rest, *word, *seen[16];
	size_t i, n = 0;
	int rc = 0;

	if ((text = substitute(&u, words, (struct about){ 0 })) == NULL)
		return fo_error(c->err, FANOUT_ENOMEM, "out of memory");
	rest = text;
	while (rc == 0 && n < 16 &&
	    (word = strsep(&rest, " \t\n\"'")) != NULL) {
		for (i = 0; i < n && strcmp(seen[i], word) != 0; i++)
			;
		if (*word == '\0' || i < n)
			continue;
		seen[n++] = word;
		rc = add_folder(c, word, yaml);
	}
	free(text);
	return rc;
}

/* Read dir/groups.conf if it is there; its folder is then $CFGDIR. */
static int
read_conf(struct conf *c, struct fo_ini *ini, const char *base,
    const char *below)
{
	char *dir, *path;
	int rc = 0;

	if (base == NULL || *base != '/')
		return 0;
	if (asprintf(&dir, "%s%s", base, below) == -1)
		return fo_error(c->err, FANOUT_ENOMEM, "out of memory");
	if (asprintf(&path, "%s/groups.conf", dir) == -1) {
		free(dir);
		return fo_error(c->err, FANOUT_ENOMEM, "out of memory");
	}
	if (access(path, R_OK) == 0) {
		rc = fo_ini_read(ini, path, c->err);
		free(c->cfgdir);
		c->cfgdir = dir;
	} else
		free(dir);
	free(path);
	return rc;
}

static int
read_confs(struct conf *c, struct fo_ini *ini)
{
	const char *dir = getenv("CLUSTERSHELL_CFGDIR");
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
	int rc;

	if (dir == NULL || *dir == '\0')
		dir = "/etc/clustershell";
	if ((rc = read_conf(c, ini, dir, "")) != 0 ||
	    (rc = read_conf(c, ini, home, "/.local/etc/clustershell")) != 0)
		return rc;
	if (xdg != NULL && *xdg == '/')
		return read_conf(c, ini, xdg, "/clustershell");
	return read_conf(c, ini, home, "/.config/clustershell");
}

int
fo_source_clustershell(struct fanout_groups *g, struct fanout_error *err)
{
	struct conf c = { .g = g, .err = err };
	struct fo_ini ini = { 0 };
	const char *value;
	size_t first = fo_groups_count(g);
	int rc;

	if ((rc = read_confs(&c, &ini)) != 0 || c.cfgdir == NULL)
		goto out;
	if ((value = fo_ini_get(&ini, MAIN, "groupsdir")) == NULL)
		value = fo_ini_get(&ini, MAIN, "confdir");
	if (value != NULL && (rc = each_folder(&c, value, false)) != 0)
		goto out;
	value = fo_ini_get(&ini, MAIN, "autodir");
	if (value != NULL && (rc = each_folder(&c, value, true)) != 0)
		goto out;
	if ((rc = add_sections(&c, &ini, c.cfgdir)) != 0)
		goto out;
	value = fo_ini_get(&ini, MAIN, "default");
	if (value != NULL && *value != '\0')
		rc = fo_groups_move(g, value, first, err);
out:
	fo_ini_free(&ini);
	free(c.cfgdir);
	return rc;
}
