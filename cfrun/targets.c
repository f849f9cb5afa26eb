#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "targets.h"

/* ---- the file -------------------------------------------------------------- */

/* A name without a folder is looked for where CFEngine has its inputs. */
static int
load(struct targets *t, const char *dir, const char *name,
    struct fanout_error *e)
{
	char *path;
	int rc;

	if (dir == NULL || *dir == '\0')
		return FANOUT_EIDLE;
	if (asprintf(&path, "%s/%s", dir, name) == -1)
		return cli_nomem(e);
	rc = access(path, F_OK) == -1 && errno == ENOENT ? FANOUT_EIDLE :
	    fanout_cfhosts_load(&t->file, path, e);
	free(path);
	return rc;
}

static int
load_file(struct targets *t, const struct cfrun *c, const char *workdir,
    struct fanout_error *e)
{
	const char *name = c->file != NULL ? c->file : "cfrun.hosts";
	char *inputs;
	int rc;

	if (strchr(name, '/') != NULL)
		return fanout_cfhosts_load(&t->file, name, e);
	if ((rc = load(t, getenv("CFINPUTS"), name, e)) != FANOUT_EIDLE)
		return rc;
	if (asprintf(&inputs, "%s/inputs", workdir) == -1)
		return cli_nomem(e);
	rc = load(t, inputs, name, e);
	free(inputs);
	if (rc != FANOUT_EIDLE)
		return rc;
	return fanout_cfhosts_load(&t->file, c->file, e);
}

/* "access = root,1001": root always, others if they are listed. */
static int
check_access(const char *access_list, struct fanout_error *e)
{
	const struct passwd *pw = getpwuid(getuid());
	char *copy, *rest, *who, uid[16];
	bool allowed = *access_list == '\0' || getuid() == 0;

	(void)snprintf(uid, sizeof(uid), "%u", (unsigned)getuid());
	if ((copy = rest = strdup(access_list)) == NULL)
		return cli_nomem(e);
	while (!allowed && (who = strsep(&rest, ",: ")) != NULL)
		allowed = strcmp(who, uid) == 0 ||
		    (pw != NULL && strcmp(who, pw->pw_name) == 0);
	free(copy);
	return allowed ? 0 : cli_error(e, FANOUT_ECONFIG, "only root and "
	    "those in \"access = %.100s\" of the hosts' file may run this",
	    access_list);
}

/* ---- finding a host in it --------------------------------------------------- */

struct key {
	const char *name;	/* as written, or with the domain */
	size_t	 nth;
};

struct index {
	struct key *keys;
	size_t	 n;
};

static int
by_name(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = strcasecmp(x->name, y->name);

	return order != 0 ? order : x->nth < y->nth ? -1 : x->nth > y->nth;
}

static int
make_index(struct index *ix, const struct fanout_cfhosts *file)
{
	const struct fanout_cfhost *h;
	size_t i, n = file == NULL ? 0 : fanout_cfhosts_count(file);

	*ix = (struct index){ NULL, 0 };
	if ((ix->keys = calloc(2 * n + 1, sizeof(*ix->keys))) == NULL)
		return FANOUT_ENOMEM;
	for (i = 0; i < n; i++) {
		h = fanout_cfhosts_at(file, i);
		ix->keys[ix->n++] = (struct key){ h->name, i };
		if (strcmp(h->name, h->written) != 0)
			ix->keys[ix->n++] = (struct key){ h->written, i };
	}
	qsort(ix->keys, ix->n, sizeof(*ix->keys), by_name);
	return 0;
}

/* The first key of that name, or n. */
static size_t
first_key(const struct index *ix, const char *name)
{
	size_t low = 0, high = ix->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (strcasecmp(ix->keys[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < ix->n && strcasecmp(ix->keys[low].name, name) == 0 ?
	    low : ix->n;
}

/* ---- the set of hosts -------------------------------------------------------- */

/* The port is cf-serverd's: where that is not asked, it is no part of it. */
static int
host_text(char **out, const struct cfrun *c, const char *user, size_t user_len,
    const struct fanout_cfhost *h)
{
	bool v6 = strchr(h->name, ':') != NULL;
	char port[16] = "";

	if (h->port != 0 && c->way != BY_SSH)
		(void)snprintf(port, sizeof(port), ":%u", h->port);
	return asprintf(out, "%.*s%s%s%s%s%s", (int)user_len,
	    user != NULL ? user : "", user != NULL ? "@" : "", v6 &&
	    port[0] != '\0' ? "[" : "", h->name, v6 && port[0] != '\0' ? "]" :
	    "", port) == -1 ? FANOUT_ENOMEM : 0;
}

static bool
left_out(const struct cfrun *c, const struct fanout_cfhost *h)
{
	return fanout_selection_leaves_out(c->target.selection, h->name) ||
	    fanout_selection_leaves_out(c->target.selection, h->written);
}

/* Nothing is named: all of the file. */
static int
take_all(struct cfrun *c, const struct fanout_cfhosts *file,
    struct fanout_error *e)
{
	const struct fanout_cfhost *h;
	size_t i, n = fanout_cfhosts_count(file);
	char *text;
	int rc = 0;

	if (n == 0)
		return cli_error(e, FANOUT_EINVAL, "the file of hosts names "
		    "none");
	for (i = 0; i < n && rc == 0; i++) {
		h = fanout_cfhosts_at(file, i);
		/* Even if all are left out, it was hosts that were named. */
		if (left_out(c, h) && i + 1 < n)
			continue;
		if (host_text(&text, c, NULL, 0, h) != 0)
			return cli_nomem(e);
		rc = fanout_selection_add(c->target.selection,
		    FANOUT_SELECT_HOSTS, text, e);
		free(text);
	}
	return rc;
}

static int
take_words(struct cfrun *c, struct fanout_error *e)
{
	struct fanout_error why = { 0 };
	size_t i;
	int rc = 0;

	for (i = 0; i < c->nhosts && rc == 0; i++) {
		rc = fanout_selection_add(c->target.selection,
		    FANOUT_SELECT_HOSTS, c->hosts[i], &why);
		if (rc != 0)
			cli_error(e, rc, "\"%.80s\": %s", c->hosts[i],
			    why.text);
	}
	return rc;
}

static int
add_to(struct fanout_hosts *set, char *text, struct fanout_error *e)
{
	int rc = fanout_hosts_add(set, text, e);

	free(text);
	return rc;
}

/* A host that was named, as the file has it: each line of that name. */
static int
resolve(struct targets *t, const struct cfrun *c, const struct index *ix,
    const char *named, struct fanout_hosts *set, struct fanout_error *e)
{
	const struct fanout_cfhost *h;
	struct fanout_hostspec spec;
	char *name, *text;
	size_t k;
	bool found = false;
	int rc = 0;

	if (fanout_host_split(named, &spec) != 0 ||
	    (name = strndup(spec.name, spec.name_len)) == NULL)
		return cli_nomem(e);
	for (k = first_key(ix, name); rc == 0 && k < ix->n &&
	    strcasecmp(ix->keys[k].name, name) == 0; k++) {
		h = fanout_cfhosts_at(t->file, ix->keys[k].nth);
		if (spec.port != 0 && spec.port != h->port && (h->port != 0 ||
		    spec.port != c->port))
			continue;
		found = true;
		if (left_out(c, h))
			continue;
		if (host_text(&text, c, spec.user, spec.user_len, h) != 0)
			rc = cli_nomem(e);
		else
			rc = add_to(set, text, e);
	}
	free(name);
	if (rc != 0 || found)
		return rc;
	if (c->any_host)
		return fanout_hosts_add(set, named, e);
	return cli_error(e, FANOUT_EINVAL, "%s is not in %s; --any-host runs "
	    "on it all the same", named, t->file == NULL ? "a cfrun.hosts: "
	    "there is none" : "the file of hosts");
}

static int
resolve_all(struct targets *t, const struct cfrun *c, struct fanout_error *e)
{
	struct fanout_hosts *set;
	struct index ix;
	size_t i, n = fanout_hosts_count(t->hosts);
	int rc;

	if (fanout_hosts_new(&set) != 0)
		return cli_nomem(e);
	rc = make_index(&ix, t->file) == 0 ? 0 : cli_nomem(e);
	for (i = 0; i < n && rc == 0; i++)
		rc = resolve(t, c, &ix, fanout_hosts_at(t->hosts, i), set, e);
	free(ix.keys);
	if (rc == 0 && fanout_hosts_count(set) == 0)
		rc = cli_error(e, FANOUT_EINVAL, "no host is left of those "
		    "that were named");
	if (rc != 0) {
		fanout_hosts_free(set);
		return rc;
	}
	fanout_hosts_free(t->hosts);
	t->hosts = set;
	return 0;
}

int
targets_find(struct targets *t, struct cfrun *c, const char *workdir,
    struct fanout_error *e)
{
	bool named;
	int rc;

	*t = (struct targets){ .file = NULL };
	rc = load_file(t, c, workdir, e);
	if (rc == FANOUT_EIDLE && !c->any_host)
		return cli_error(e, FANOUT_EINVAL, "there is no cfrun.hosts in "
		    "%s/inputs: name it with -f, or hosts with --any-host",
		    workdir);
	if (rc != 0 && rc != FANOUT_EIDLE)
		return rc;
	if (t->file != NULL && (rc = check_access(
	    fanout_cfhosts_control(t->file)->access, e)) != 0)
		return rc;
	named = c->nhosts > 0 || fanout_selection_named(c->target.selection);
	rc = c->again.saved != NULL ?
	    cli_again_select(&c->again, &c->target, e) :
	    named || t->file == NULL ? take_words(c, e) :
	    take_all(c, t->file, e);
	if (rc == 0)
		rc = cli_target_hosts(&c->target, &t->hosts, e);
	return rc == 0 ? resolve_all(t, c, e) : rc;
}

void
targets_clear(struct targets *t)
{
	size_t i;

	for (i = 0; t->commands != NULL && i < fanout_hosts_count(t->hosts);
	    i++)
		if (t->commands[i] != t->command)
			free(t->commands[i]);
	free(t->commands);
	free(t->command);
	free(t->informed);
	request_clear(&t->common);
	fanout_hosts_free(t->hosts);
	fanout_cfhosts_free(t->file);
}

/* ---- what is asked of them ----------------------------------------------------- */

static const struct fanout_cfhost *
line_of(const struct targets *t, const struct cfrun *c, const struct index *ix,
    const char *host)
{
	const struct fanout_cfhost *h;
	struct fanout_hostspec spec;
	char name[512];
	size_t k;

	if (fanout_host_split(host, &spec) != 0 ||
	    spec.name_len >= sizeof(name))
		return NULL;
	memcpy(name, spec.name, spec.name_len);
	name[spec.name_len] = '\0';
	for (k = first_key(ix, name); k < ix->n &&
	    strcasecmp(ix->keys[k].name, name) == 0; k++) {
		h = fanout_cfhosts_at(t->file, ix->keys[k].nth);
		if (h->port == spec.port || c->way == BY_SSH)
			return h;
	}
	return NULL;
}

/* The third line, where a shell is to run it. */
static char *
for_way(char *text, const struct cfrun *c)
{
	char *shell = text;
	int i;

	if (c->way != BY_SSH || text == NULL)
		return text;
	for (i = 0; i < 2; i++)
		shell += strcspn(shell, "\n") + 1;
	shell = strdup(shell);
	free(text);
	return shell;
}

/* A line's own options come before those of the command line. */
static int
own_command(struct targets *t, const struct cfrun *c, size_t i,
    const struct fanout_cfhost *h, const char *select, struct fanout_error *e)
{
	struct request r = { NULL, NULL, NULL, false };
	char where[300];
	int rc;

	t->commands[i] = NULL;
	(void)snprintf(where, sizeof(where), "%.200s:%u: ", h->file, h->line);
	rc = request_line(&r, h->options, c->way != BY_SSH, where, e);
	if (rc == 0)
		rc = request_words(&r, c->options, c->noptions,
		    c->way != BY_SSH, "", e);
	if (rc == 0 && c->define != NULL)
		rc = request_define(&r, c->define, e);
	if (rc == 0 && c->bundles != NULL)
		rc = request_bundles(&r, c->bundles, e);
	if (rc == 0)
		rc = request_text(&r, select, &t->commands[i], e);
	t->informed[i] = r.inform;
	request_clear(&r);
	if (rc == 0 && (t->commands[i] = for_way(t->commands[i], c)) == NULL)
		rc = cli_nomem(e);
	return rc;
}

static int
own_commands(struct targets *t, const struct cfrun *c, const char *select,
    struct fanout_error *e)
{
	const struct fanout_cfhost *h;
	struct index ix;
	size_t i, n = fanout_hosts_count(t->hosts);
	int rc;

	rc = make_index(&ix, t->file) == 0 ? 0 : cli_nomem(e);
	for (i = 0; i < n && rc == 0; i++) {
		h = line_of(t, c, &ix, fanout_hosts_at(t->hosts, i));
		t->commands[i] = t->command;
		if (h != NULL && *h->options != '\0')
			rc = own_command(t, c, i, h, select, e);
	}
	free(ix.keys);
	return rc;
}

/* The classes behind the second "--" and of --select, a blank between. */
static int
selection(const struct cfrun *c, char **out, struct fanout_error *e)
{
	size_t i, size;
	char *p;
	FILE *f;

	*out = NULL;
	if ((f = open_memstream(out, &size)) == NULL)
		return cli_nomem(e);
	if (c->select != NULL)
		fputs(c->select, f);
	for (i = 0; i < c->nclasses; i++)
		fprintf(f, "%s%s", i > 0 || c->select != NULL ? " " : "",
		    c->classes[i]);
	if (fclose(f) != 0 || *out == NULL)
		return cli_nomem(e);
	for (p = *out; *p != '\0'; p++)
		if (*p == ',' || *p == '\n')
			*p = ' ';
	if (**out != '\0' && c->way == BY_SSH)
		return cli_error(e, FANOUT_EINVAL, "only cf-serverd can select "
		    "hosts by class: not with --transport ssh");
	return 0;
}

int
targets_ask(struct targets *t, const struct cfrun *c, struct fanout_error *e)
{
	size_t i, n = fanout_hosts_count(t->hosts);
	char *select = NULL;
	int rc;

	t->informed = calloc(n, sizeof(*t->informed));
	if (t->informed == NULL)
		return cli_nomem(e);
	if (c->ping)
		return (t->command = strdup("VERSION\n\n")) == NULL ?
		    cli_nomem(e) : 0;
	if ((rc = selection(c, &select, e)) == 0)
		rc = request_words(&t->common, c->options, c->noptions,
		    c->way != BY_SSH, "", e);
	if (rc == 0 && c->define != NULL)
		rc = request_define(&t->common, c->define, e);
	if (rc == 0 && c->bundles != NULL)
		rc = request_bundles(&t->common, c->bundles, e);
	if (rc == 0)
		rc = request_text(&t->common, select, &t->command, e);
	if (rc == 0 && (t->command = for_way(t->command, c)) == NULL)
		rc = cli_nomem(e);
	for (i = 0; i < n; i++)
		t->informed[i] = t->common.inform;
	if (rc == 0 && t->file != NULL && (t->commands = calloc(n,
	    sizeof(*t->commands))) == NULL)
		rc = cli_nomem(e);
	if (rc == 0 && t->file != NULL)
		rc = own_commands(t, c, select, e);
	free(select);
	return rc;
}
