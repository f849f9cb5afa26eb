#include <sys/socket.h>

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "pattern.h"
#include "sshconf_int.h"
#include "strlist.h"

#define SYSTEM_CONFIG "/etc/ssh/ssh_config"

/* ---- loading ----------------------------------------------------------- */

static int
find_user(struct sshconf *c, struct fanout_error *e)
{
	struct passwd pw, *found = NULL;
	const size_t size = 16384;
	char *buf;
	int rc = 0;

	c->uid = getuid();
	if ((buf = malloc(size)) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	if (getpwuid_r(c->uid, &pw, buf, size, &found) != 0 || found == NULL)
		rc = fo_error(e, FANOUT_ECONFIG, "no user has the number %u",
		    (unsigned)c->uid);
	else if ((c->home = strdup(pw.pw_dir)) == NULL ||
	    (c->user = strdup(pw.pw_name)) == NULL)
		rc = fo_error(e, FANOUT_ENOMEM, "out of memory");
	free(buf);
	return rc;
}

static int
find_machine(struct sshconf *c, struct fanout_error *e)
{
	char name[NI_MAXHOST];

	if (gethostname(name, sizeof(name)) == -1)
		return fo_error_sys(e, "cannot tell this machine's name");
	name[sizeof(name) - 1] = '\0';
	if ((c->thishost = strdup(name)) == NULL ||
	    (c->shorthost = strndup(name, strcspn(name, "."))) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	return 0;
}

static int
load_file(struct sshconf *c, const char *path, bool user, bool check_owner,
    bool must, struct fanout_error *e)
{
	struct conf_file *f, **v;
	int rc;

	if ((rc = conf_read(c, path, user, check_owner, 0, &f, e)) != 0)
		return rc;
	if (f == NULL)
		return must ? fo_error_sys(e, "cannot read %s", path) : 0;
	v = reallocarray(c->file, c->nfile + 1, sizeof(*v));
	if (v == NULL) {
		conf_file_free(f);
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	}
	c->file = v;
	v[c->nfile++] = f;
	return 0;
}

static int
load_files(struct sshconf *c, const char *path, struct fanout_error *e)
{
	char *mine;
	int rc;

	if (path != NULL && strcasecmp(path, "none") == 0)
		return 0;
	if (path != NULL)
		return load_file(c, path, true, false, true, e);
	if (asprintf(&mine, "%s/.ssh/config", c->home) == -1)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	rc = load_file(c, mine, true, true, false, e);
	free(mine);
	if (rc != 0)
		return rc;
	return load_file(c, SYSTEM_CONFIG, false, false, false, e);
}

static int
load(struct sshconf *c, const char *path, const char *const *options,
    struct fanout_error *e)
{
	size_t i;
	int rc;

	if ((c->options = conf_file_new("option", true)) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	if ((rc = find_user(c, e)) != 0 || (rc = find_machine(c, e)) != 0)
		return rc;
	for (i = 0; options != NULL && options[i] != NULL; i++)
		if ((rc = conf_option(c, options[i], e)) != 0)
			return rc;
	return load_files(c, path, e);
}

int
sshconf_load(struct sshconf **out, const char *path,
    const char *const *options, struct fanout_error *e)
{
	struct sshconf *c;
	int rc;

	*out = NULL;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	if ((rc = load(c, path, options, e)) != 0) {
		sshconf_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void
sshconf_free(struct sshconf *c)
{
	size_t i;

	if (c == NULL)
		return;
	conf_file_free(c->options);
	for (i = 0; i < c->nfile; i++)
		conf_file_free(c->file[i]);
	free(c->file);
	for (i = 0; i < c->nexec; i++)
		free(c->exec[i].command);
	free(c->exec);
	strlist_free(c->notes);
	free(c->ignore_unknown);
	free(c->home);
	free(c->user);
	free(c->thishost);
	free(c->shorthost);
	free(c);
}

size_t
sshconf_notes(const struct sshconf *c)
{
	return strlist_len(c->notes);
}

const char *
sshconf_note(const struct sshconf *c, size_t i)
{
	return c->notes[i];
}

/* ---- resolving --------------------------------------------------------- */

/* Names end up in the commands of ProxyCommand and Match exec, where a shell
 * reads them. */
static bool
name_safe(const char *s, bool user)
{
	const char *p;

	if (*s == '-' || *s == '\0')
		return false;
	for (p = s; *p != '\0'; p++) {
		if (strchr("'`\";&<>|(){}", *p) != NULL ||
		    iscntrl((unsigned char)*p))
			return false;
		if (!user && (strchr("$\\", *p) != NULL ||
		    isspace((unsigned char)*p)))
			return false;
		if (user && ((isspace((unsigned char)*p) && p[1] == '-') ||
		    (*p == '\\' && p[1] == '\0')))
			return false;
	}
	return true;
}

/* Lower case, and for an address its usual form. Takes the name over. */
static char *
normal_name(char *name, int family)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
	    .ai_family = family, .ai_socktype = SOCK_STREAM }, *res;
	char buf[NI_MAXHOST];

	if (getaddrinfo(name, NULL, &hints, &res) != 0) {
		ascii_lower(name);
		return name;
	}
	if (getnameinfo(res->ai_addr, res->ai_addrlen, buf, sizeof(buf), NULL,
	    0, NI_NUMERICHOST) == 0 && strcasecmp(buf, name) != 0) {
		free(name);
		name = strdup(buf);
	}
	freeaddrinfo(res);
	return name;
}

/* HostName takes the place of the name that was typed. */
static int
take_hostname(struct resolving *r)
{
	const struct directive *d = r->val[K_HOSTNAME], *f = r->val[K_FAMILY];
	struct tokens t = { .c = r->c, .host = r->host };
	char why[128], *name;

	if (d != NULL) {
		name = token_expand(&t, d->argv[0], "h", false, why,
		    sizeof(why));
		if (name == NULL)
			return resolving_fail(r, d, "HostName: %s",
			    why[0] == '\0' ? "out of memory" : why);
		free(r->host);
		r->host = name;
	}
	r->host = normal_name(r->host, f == NULL ? AF_UNSPEC :
	    keyword_value(KT_FAMILY, f->argv[0]));
	if (r->host == NULL)
		return resolving_fail(r, NULL, "out of memory");
	return 0;
}

static bool
canonicalizes(const struct resolving *r)
{
	const struct directive *d = r->val[K_CANONICALIZE];

	return d != NULL && keyword_value(KT_CANON, d->argv[0]) != 0;
}

static int
passes(struct resolving *r)
{
	if (conf_walk(r) == -1 || take_hostname(r) == -1)
		return -1;
	if (!r->want_final && !canonicalizes(r))
		return 0;
	r->final = true;
	return conf_walk(r);
}

/* The parts of "[user@]name[:port]" as strings of their own. */
static int
split(const char *spec, char **user, char **name, unsigned *port)
{
	struct fanout_hostspec s;

	*user = *name = NULL;
	if (fanout_host_split(spec, &s) != 0)
		return -1;
	*port = s.port;
	if (s.user != NULL && (*user = strndup(s.user, s.user_len)) == NULL)
		return -1;
	if ((*name = strndup(s.name, s.name_len)) == NULL ||
	    !name_safe(*name, false) ||
	    (*user != NULL && !name_safe(*user, true)))
		return -1;
	return 0;
}

static int
resolve(struct resolving *r, const char *spec, struct hostconf *hc)
{
	char *user, *name;
	int rc = -1;

	if (split(spec, &user, &name, &r->port) == -1)
		(void)resolving_fail(r, NULL, "%s is not a host name of the "
		    "form [user@]name[:port]", spec);
	else if ((r->host = strdup(name)) == NULL)
		(void)resolving_fail(r, NULL, "out of memory");
	else {
		r->user = user;
		r->original = name;
		if (passes(r) == 0)
			rc = hostconf_fill(r, hc);
	}
	free(user);
	free(name);
	return rc;
}

static int
add_source(char ***lines, const struct directive *d)
{
	if (d == NULL)
		return 0;
	if (d->line == 0)
		return strlist_addf(lines, "option: %s %s", d->kw->name,
		    d->raw);
	return strlist_addf(lines, "%s:%u: %s %s", d->file->path, d->line,
	    d->kw->name, d->raw);
}

static int
add_sources(char ***lines, const struct resolving *r)
{
	size_t i;

	for (i = 0; i < K_SLOTS; i++) {
		/* What the host was written with goes before it. */
		if ((i == K_USER && r->user != NULL) ||
		    (i == K_PORT && r->port != 0))
			continue;
		if (add_source(lines, r->val[i]) == -1)
			return -1;
	}
	for (i = 0; i < r->nmany; i++)
		if (add_source(lines, r->many[i]) == -1)
			return -1;
	return 0;
}

int
sshconf_resolve(struct sshconf *c, const char *spec, struct hostconf *hc,
    struct fanout_result *why)
{
	return sshconf_explain(c, spec, hc, why, NULL);
}

int
sshconf_explain(struct sshconf *c, const char *spec, struct hostconf *hc,
    struct fanout_result *why, char ***lines)
{
	struct fanout_result unused;
	struct resolving r = { .c = c, .why = why == NULL ? &unused : why };
	int rc;

	r.why->text[0] = '\0';
	memset(hc, 0, sizeof(*hc));
	if ((rc = resolve(&r, spec, hc)) == 0 && lines != NULL &&
	    add_sources(lines, &r) == -1)
		rc = resolving_fail(&r, NULL, "out of memory");
	if (rc == -1)
		hostconf_clear(hc);
	free(r.host);
	free(r.many);
	strlist_free(r.send_env);
	return rc;
}
