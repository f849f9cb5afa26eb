/*
 * explain.c - a host's plan in words.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"
#include "policy/strlist.h"
#include "shared.h"

struct explain {
	char	**lines;	/* strlist */
	bool	 nomem;
	size_t	 n;		/* lines of known_hosts */
};

static void __attribute__((__format__(printf, 2, 3)))
put(struct explain *x, const char *fmt, ...)
{
	char raw[1024], safe[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	(void)fo_vis_line(safe, sizeof(safe), raw, strlen(raw));
	if (strlist_add(&x->lines, safe) == -1)
		x->nomem = true;
}

static void
put_known(const struct kh_where *w, const char *mark, void *arg)
{
	char type[64], print[FINGERPRINT_SIZE];
	struct explain *x = arg;

	if (blob_type(w->blob, w->blob_len, type, sizeof(type)) == -1 ||
	    fingerprint_sha256(w->blob, w->blob_len, print,
	    sizeof(print)) == -1)
		return;
	put(x, "host key: %s:%u: %s%s%s %s", w->path, w->line, mark,
	    *mark != '\0' ? " " : "", type, print);
	x->n++;
}

static void
put_hostkeys(struct explain *x, const struct hostplan *hp)
{
	static const char *const strict[] = {
		[STRICT_YES] = "refused", [STRICT_ASK] = "asked about",
		[STRICT_ACCEPT_NEW] = "recorded", [STRICT_NO] = "recorded"
	};
	unsigned port;
	const char *name = hostconf_key_name(&hp->conf, &port);

	knownhosts_each(hp->known, name, port, put_known, x);
	if (x->n == 0)
		put(x, "host key: none is known: a new one would be %s",
		    strict[hp->conf.strict]);
}

static void
put_keys(struct explain *x, const struct hostplan *hp)
{
	const struct ident_list *l = &hp->idents;
	size_t i;

	for (i = 0; i < l->n; i++)
		put(x, "key %zu: %s", i + 1, l->v[i].text);
	for (i = 0; i < l->nskipped; i++)
		put(x, "key not tried: %s", l->skipped[i]);
	if (l->n == 0)
		put(x, "no key to try");
}

static char *
join_lines(struct explain *x)
{
	size_t i, len = 1;
	char *text;

	for (i = 0; x->lines[i] != NULL; i++)
		len += strlen(x->lines[i]) + 1;
	if (x->nomem || (text = malloc(len)) == NULL)
		return NULL;
	text[0] = '\0';
	for (i = 0; x->lines[i] != NULL; i++) {
		(void)strlcat(text, x->lines[i], len);
		(void)strlcat(text, "\n", len);
	}
	return text;
}

static void
put_plan(struct explain *x, const struct fanout_plan *plan,
    const struct hostplan *hp)
{
	const struct hostconf *c = &hp->conf;

	put(x, "connects to %s port %u, logs in as %s", plan->address,
	    plan->port, c->user);
	if (plan->via != NULL)
		put(x, "through %s", plan->via);
	put_hostkeys(x, hp);
	put_keys(x, hp);
}

char *
shared_explain(void *shared, const char *host)
{
	struct explain x = { .lines = strlist_new() };
	struct fanout_plan plan = { .connect_ms = -1 };
	struct fanout_result why = { .text = "" };
	char **said = strlist_new(), *text = NULL;
	size_t i;
	int rc;

	if (x.lines != NULL && said != NULL) {
		rc = shared_plan_told(shared, host, &plan, &why, &said);
		for (i = 0; said[i] != NULL; i++)
			put(&x, "%s", said[i]);
		if (rc == 0)
			put_plan(&x, &plan, plan.priv);
		else
			put(&x, "%s: %s", fanout_class_name(why.cls),
			    why.text);
		text = join_lines(&x);
	}
	shared_plan_free(shared, &plan);
	free(plan.address);
	free(plan.via);
	free(plan.notes);
	strlist_free(said);
	strlist_free(x.lines);
	return text;
}
