/*
 * mask.c - names with * and ? in them, matched against all known hosts.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "groups.h"
#include "name.h"
#include "set.h"

/* Going back only to the last star keeps this at len(mask) * len(s). */
static bool
matches(const char *mask, size_t mlen, const char *s, size_t len)
{
	size_t m = 0, i = 0, star = mlen, from = 0;

	while (i < len) {
		if (m < mlen && mask[m] == '*') {
			star = m++;
			from = i;
		} else if (m < mlen && (mask[m] == '?' || mask[m] == s[i])) {
			m++;
			i++;
		} else if (star < mlen) {
			m = star + 1;
			i = ++from;
		} else
			return false;
	}
	while (m < mlen && mask[m] == '*')
		m++;
	return m == mlen;
}

struct parts {
	int	 user;		/* bytes up to and with '@' */
	int	 port;		/* offset of ":port", or the whole length */
	int	 len;
};

/* A mask is not a valid name, so it is taken apart here. */
static struct parts
split_mask(const char *mask)
{
	const char *at = strrchr(mask, '@'), *colon = strrchr(mask, ':');
	struct parts p = { .len = (int)strlen(mask) };

	p.user = at == NULL ? 0 : (int)(at - mask) + 1;
	p.port = p.len;
	if (colon != NULL && strchr(mask, ':') == colon &&
	    colon[1] != '\0' &&
	    strspn(colon + 1, "0123456789") == strlen(colon + 1))
		p.port = (int)(colon - mask);
	return p;
}

/* Put the host into the set with the mask's user and port. */
static int
put_as(struct fanout_hosts *set, const char *mask, const struct parts *p,
    const char *name)
{
	struct fanout_hostspec hs;
	char buf[2 * FO_HOST_MAX];
	size_t len = strlen(name);
	bool v6;

	if (p->user == 0 && p->port == p->len)
		return fo_set_put(set, name, len);
	if (fanout_host_split(name, &hs) != 0)
		return FANOUT_EINVAL;
	v6 = p->port < p->len && memchr(hs.name, ':', hs.name_len) != NULL;
	len = (size_t)snprintf(buf, sizeof(buf), "%.*s%s%.*s%s%s", p->user,
	    mask, v6 ? "[" : "", (int)hs.name_len, hs.name, v6 ? "]" : "",
	    mask + p->port);
	if (len > FO_HOST_MAX || fo_name_check(buf, &len) != NULL)
		return FANOUT_EINVAL;
	return fo_set_put(set, buf, len);
}

static bool
host_matches(const char *mask, const struct parts *p, const struct fo_entry *e)
{
	struct fanout_hostspec hs = { .name = e->name, .name_len = e->len };

	if (fo_name_has_parts(e->name, e->len) &&
	    fanout_host_split(e->name, &hs) != 0)
		return false;
	return matches(mask + p->user, (size_t)(p->port - p->user), hs.name,
	    hs.name_len);
}

int
fo_groups_match(const struct fo_expr *ex, size_t at, const char *mask,
    struct fanout_hosts *set)
{
	struct parts p = split_mask(mask);
	struct fanout_hosts *all;
	size_t i;
	int rc;

	if ((rc = fanout_hosts_new(&all)) != 0)
		return fo_set_error(set, rc, ex->err);
	rc = fo_groups_eval(ex, at, "@*", all);
	for (i = 0; rc == 0 && i < all->n; i++) {
		if (!host_matches(mask, &p, &all->e[i]))
			continue;
		rc = put_as(set, mask, &p, all->e[i].name);
		if (rc == FANOUT_EINVAL)
			rc = fo_error_at(ex->err, FANOUT_EPARSE, ex->base + at,
			    0, "%s does not make a host of %s", mask,
			    all->e[i].name);
		else
			rc = rc < 0 ? fo_set_error(set, rc, ex->err) : 0;
	}
	fanout_hosts_free(all);
	return rc;
}
