#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialog.h"
#include "expected.h"
#include "keyline.h"
#include "knownline.h"
#include "script.h"

struct known {
	char	*hosts;		/* as known_hosts has them */
	char	 type[40];
	char	 print[KEYLINE_PRINT_SIZE];
};

/* ---- what another host knows --------------------------------------------- */

static int
add_known(struct expected *x, const struct knownline *k)
{
	struct known *list, *n;
	struct keyline key;

	if (k->marker_len > 0 || !keyline_parse(&key, k->type,
	    (size_t)(k->blob + k->blob_len - k->type)))
		return 0;
	if (x->count == x->room) {
		list = reallocarray(x->known, x->room * 2 + 64, sizeof(*list));
		if (list == NULL)
			return -1;
		x->known = list;
		x->room = x->room * 2 + 64;
	}
	n = &x->known[x->count];
	snprintf(n->type, sizeof(n->type), "%.*s", (int)k->type_len, k->type);
	keyline_fingerprint(&key, n->print);
	if ((n->hosts = strndup(k->hosts, k->hosts_len)) == NULL)
		return -1;
	x->count++;
	return 0;
}

struct asking {
	struct setup *s;
	struct expected *x;
};

static void
on_turn(void *ctx, size_t host, const struct answer *said, FILE *reply,
    struct cli_sink *out)
{
	struct asking *q = ctx;
	struct answer a = *said;
	struct record r;
	struct knownline k;
	const char *p, *end, *eol;
	int rc = 0;

	(void)out;
	(void)reply;
	while (answer_next(&a, &r)) {
		for (p = r.body, end = p + r.size; p != NULL && p < end;
		    p = eol + 1) {
			eol = memchr(p, '\n', (size_t)(end - p));
			if (eol == NULL)
				eol = end;
			if (rc == 0 && knownline_parse(&k, p,
			    (size_t)(eol - p)))
				rc = add_known(q->x, &k);
		}
	}
	if (rc != 0)
		setup_refuse(&q->s->host[host], NULL, "out of memory");
}

/* The host is none of the run: it has one of its own. */
static int
ask(struct expected *x, struct setup *s, const struct fanout_hosts *set)
{
	struct host host = { .state = TRUSTED };
	size_t map = 0;
	struct setup one = { .c = s->c, .hosts = set, .count = 1,
	    .opts = s->opts, .host = &host, .map = &map,
	    .identity = s->identity, .secrets = s->secrets };
	struct asking q = { &one, x };
	struct dialog d = { .setup = &one, .script = script_known(),
	    .want = setup_is_trusted, .turn = on_turn, .ctx = &q };
	int status = dialog_run(&d);

	s->secrets = one.secrets;
	if (status == 0 && host.state == OVER) {
		warnx("--known-from %s: %s: %s", x->known_from,
		    fanout_class_name(host.result.cls), host.result.text);
		status = CLI_EXIT_UNREACHED;
	}
	setup_forget(&host);
	return status;
}

static int
know_from(struct expected *x, struct setup *s)
{
	struct fanout_hosts *set;
	struct fanout_error e;
	int status = CLI_EXIT_USAGE;

	if (fanout_hosts_new(&set) != 0) {
		warnx("out of memory");
		return status;
	}
	if (fanout_hosts_add(set, x->known_from, &e) != 0)
		warnx("--known-from: %s", e.text);
	else if (fanout_hosts_count(set) != 1)
		warnx("--known-from %s: that is not one host", x->known_from);
	else
		status = ask(x, s, set);
	fanout_hosts_free(set);
	return status;
}

static bool
names(const struct known *k, const char *name)
{
	struct knownline line = { .hosts = k->hosts,
	    .hosts_len = strlen(k->hosts) };

	return knownline_names(&line, name);
}

static enum fingerprint_verdict
check_known(const struct expected *x, const char *name, const char *key_type,
    const char *print)
{
	enum fingerprint_verdict v = PRINT_UNKNOWN;
	size_t i;

	for (i = 0; i < x->count; i++) {
		if (strcmp(x->known[i].type, key_type) != 0 ||
		    !names(&x->known[i], name))
			continue;
		if (strcmp(x->known[i].print, print) == 0)
			return PRINT_RIGHT;
		v = PRINT_WRONG;
	}
	return v;
}

/* ---- all ------------------------------------------------------------------ */

int
expected_open(struct expected *x, struct setup *s)
{
	struct fanout_error e;

	x->path = s->c->fingerprints;
	x->known_from = s->c->known_from;
	x->sshfp = s->c->sshfp;
	if (s->c->fingerprints != NULL && fingerprints_load(&x->prints,
	    s->c->fingerprints, &e) != 0) {
		warnx("%s", e.text);
		return CLI_EXIT_USAGE;
	}
	return x->known_from != NULL ? know_from(x, s) : 0;
}

void
expected_clear(struct expected *x)
{
	fingerprints_free(x->prints);
	for (; x->count > 0; x->count--)
		free(x->known[x->count - 1].hosts);
	free(x->known);
	*x = (struct expected){ .prints = NULL };
}

bool
expected_any(const struct expected *x)
{
	return x->prints != NULL || x->known_from != NULL || x->sshfp;
}

enum fingerprint_verdict
expected_check(const struct expected *x, const char *host,
    const char *key_type, const char *print, char *source, size_t size)
{
	enum fingerprint_verdict v = PRINT_UNKNOWN;
	struct fanout_hostspec s = { NULL, 0, "", 0, 0 };
	char name[300], known[340];

	(void)fanout_host_split(host, &s);
	snprintf(name, sizeof(name), "%.*s", (int)s.name_len, s.name);
	strlcpy(known, name, sizeof(known));
	if (s.port != 0 && s.port != 22)
		snprintf(known, sizeof(known), "[%s]:%u", name, s.port);
	if (x->prints != NULL) {
		snprintf(source, size, "the one in %.80s", x->path);
		v = fingerprints_check(x->prints, host, print);
	}
	if (v == PRINT_UNKNOWN && x->known_from != NULL) {
		snprintf(source, size, "the one that %.80s knows",
		    x->known_from);
		v = check_known(x, known, key_type, print);
	}
	if (v == PRINT_UNKNOWN && x->sshfp) {
		strlcpy(source, "the one that DNS has", size);
		v = sshfp_check(name, key_type, print);
	}
	return v;
}
