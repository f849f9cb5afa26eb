#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "pattern.h"
#include "sshconf_int.h"
#include "strlist.h"

int
resolving_fail(struct resolving *r, const struct directive *d,
    const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (d == NULL)
		fo_fail(r->why, FANOUT_C_LOCAL, 0, 0, "%s", text);
	else if (d->line == 0)
		fo_fail(r->why, FANOUT_C_LOCAL, 0, 0, "option %s: %s",
		    d->kw->name, text);
	else
		fo_fail(r->why, FANOUT_C_LOCAL, 0, 0, "%s:%u: %s",
		    d->file->path, d->line, text);
	return -1;
}

/* ---- Match ------------------------------------------------------------- */

static const char *
user_now(const struct resolving *r)
{
	if (r->user != NULL)
		return r->user;
	return r->val[K_USER] != NULL ? r->val[K_USER]->argv[0] : r->c->user;
}

static unsigned
port_now(const struct resolving *r)
{
	if (r->port != 0)
		return r->port;
	return r->val[K_PORT] != NULL ?
	    keyword_port(r->val[K_PORT]->argv[0]) : 22;
}

/* The host's name as far as it is known; malloc(3)ed. */
static char *
host_now(struct resolving *r, const struct directive *d)
{
	struct tokens t = { .c = r->c, .host = r->host };
	char why[128], *s;

	if (r->final || r->val[K_HOSTNAME] == NULL)
		return strdup(r->host);
	s = token_expand(&t, r->val[K_HOSTNAME]->argv[0], "h", false, why,
	    sizeof(why));
	if (s == NULL && why[0] != '\0')
		(void)resolving_fail(r, d, "HostName: %s", why);
	return s;
}

static int
match_exec(struct resolving *r, const struct directive *d, const char *arg,
    const char *host)
{
	struct tokens t = {
		.c = r->c, .host = host, .original = r->original,
		.user = user_now(r), .port = port_now(r),
		.alias = r->val[K_HOSTKEYALIAS] == NULL ? host :
		    r->val[K_HOSTKEYALIAS]->argv[0]
	};
	char why[128], *command;
	int status;

	command = token_expand(&t, arg, NULL, false, why, sizeof(why));
	if (command == NULL)
		return resolving_fail(r, d, "Match exec: %s",
		    why[0] == '\0' ? "out of memory" : why);
	if (conf_exec(r->c, command, &status) == -1)
		status = resolving_fail(r, d, "out of memory");
	else if (status == -1)
		(void)resolving_fail(r, d, "Match exec \"%s\" did not end in "
		    "order within %d s", command, SSHCONF_EXEC_MS / 1000);
	free(command);
	return status == -1 ? -1 : status == 0;
}

static bool
match_host(const char *host, const char *list)
{
	char *lower = strdup(host);
	bool match;

	if (lower == NULL)
		return false;
	ascii_lower(lower);
	match = pattern_list(lower, list, true) == 1;
	free(lower);
	return match;
}

/* 1, 0, or -1 with why. */
static int
match_cond(struct resolving *r, const struct directive *d,
    const struct cond *c, const char *host)
{
	switch (c->kind) {
	case COND_ALL:
		return 1;
	case COND_FINAL:
	case COND_CANONICAL:
		return r->final;
	case COND_HOST:
		return match_host(host, c->arg);
	case COND_ORIGINALHOST:
		return match_host(r->original, c->arg);
	case COND_USER:
		return pattern_list(user_now(r), c->arg, false) == 1;
	case COND_LOCALUSER:
		return pattern_list(r->c->user, c->arg, false) == 1;
	case COND_TAGGED:
		return pattern_list(r->val[K_TAG] == NULL ? "" :
		    r->val[K_TAG]->argv[0], c->arg, false) == 1;
	case COND_EXEC:
		return match_exec(r, d, c->arg, host);
	case COND_SSH:
		r->needs_ssh = "Match";
		return 0;
	}
	return 0;
}

static int
match_block(struct resolving *r, const struct directive *d)
{
	char *host = host_now(r, d);
	int result = 1, one;
	size_t i;

	if (host == NULL)
		return r->why->text[0] != '\0' ? -1 :
		    resolving_fail(r, d, "out of memory");
	for (i = 0; i < d->ncond && result != -1; i++) {
		/* What cannot matter any more is not run. */
		if (result == 0)
			break;
		one = match_cond(r, d, &d->cond[i], host);
		result = one == -1 ? -1 : one != d->cond[i].negate;
	}
	free(host);
	return result;
}

static bool
host_block(const struct resolving *r, const struct directive *d)
{
	bool match = false;
	size_t i;

	for (i = 0; d->argv != NULL && d->argv[i] != NULL; i++) {
		if (d->argv[i][0] != '!')
			match = match || pattern_match(r->host, d->argv[i]);
		else if (pattern_match(r->host, d->argv[i] + 1))
			return false;
	}
	return match;
}

/* ---- values ------------------------------------------------------------ */

static int
add_many(struct resolving *r, const struct directive *d)
{
	const struct directive **v;
	size_t i, cap;

	for (i = 0; i < r->nmany; i++)
		if (r->many[i] == d)	/* seen in the first pass */
			return 0;
	if (r->nmany == r->many_cap) {
		cap = r->many_cap == 0 ? 8 : r->many_cap * 2;
		if ((v = reallocarray(r->many, cap, sizeof(*v))) == NULL)
			return resolving_fail(r, d, "out of memory");
		r->many = v;
		r->many_cap = cap;
	}
	r->many[r->nmany++] = d;
	return 0;
}

/* SendEnv adds up; "-PATTERN" takes away again. */
static int
send_env(struct resolving *r, const struct directive *d)
{
	size_t i, j, n;

	for (i = 0; d->argv[i] != NULL; i++) {
		if (d->argv[i][0] != '-') {
			if (!strlist_has(r->send_env, d->argv[i]) &&
			    strlist_add(&r->send_env, d->argv[i]) == -1)
				return resolving_fail(r, d, "out of memory");
			continue;
		}
		n = strlist_len(r->send_env);
		for (j = 0; j < n; ) {
			if (!pattern_match(r->send_env[j], d->argv[i] + 1)) {
				j++;
				continue;
			}
			free(r->send_env[j]);
			memmove(&r->send_env[j], &r->send_env[j + 1],
			    (n-- - j) * sizeof(*r->send_env));
		}
	}
	return 0;
}

/* "ProxyJump none" stops later ProxyJumps but not a ProxyCommand. */
static bool
after_no_jump(const struct resolving *r, const struct directive *d)
{
	const struct directive *have = r->val[K_PROXY];

	return d->kw->slot == K_PROXY && d->kw->type == KT_RAW &&
	    have->kw->type == KT_JUMP && strcasecmp(have->raw, "none") == 0;
}

static int
apply(struct resolving *r, const struct directive *d)
{
	if (d->argv == NULL && d->kw->type != KT_RAW)
		return 0;	/* a list of nothing */
	switch (d->kw->slot) {
	case K_IDENTITYFILE:
	case K_CERTIFICATE:
		return add_many(r, d);
	case K_SENDENV:
		return send_env(r, d);
	default:
		break;
	}
	/* "none" leaves a time open for a later line, as in ssh. */
	if (d->kw->type == KT_TIME && keyword_time(d->argv[0]) == -1)
		return 0;
	if (r->val[d->kw->slot] == NULL || after_no_jump(r, d))
		r->val[d->kw->slot] = d;
	return 0;
}

static void
look_for_final(struct resolving *r, const struct directive *d)
{
	size_t i;

	for (i = 0; i < d->ncond; i++)
		if (d->cond[i].kind == COND_FINAL)
			r->want_final = true;
}

/*
 * A file that is included where nothing applies is walked all the same: a
 * "Match final" in it still asks for the second pass.
 */
static int
walk_file(struct resolving *r, const struct conf_file *f, bool never)
{
	const struct directive *d;
	bool active = !never;
	size_t i, j;
	int rc = 0;

	for (i = 0; i < f->n && rc != -1; i++) {
		d = &f->v[i];
		switch (d->kw->slot) {
		case K_HOST:
			active = !never && host_block(r, d);
			break;
		case K_MATCH:
			active = false;
			look_for_final(r, d);
			if (!never && (rc = match_block(r, d)) != -1)
				active = rc == 1;
			break;
		case K_INCLUDE:
			for (j = 0; j < d->ninclude && rc != -1; j++)
				rc = walk_file(r, d->include[j], !active);
			break;
		default:
			if (active)
				rc = apply(r, d);
		}
	}
	return rc == -1 ? -1 : 0;
}

int
conf_walk(struct resolving *r)
{
	size_t i;

	if (walk_file(r, r->c->options, false) == -1)
		return -1;
	for (i = 0; i < r->c->nfile; i++)
		if (walk_file(r, r->c->file[i], false) == -1)
			return -1;
	return 0;
}
