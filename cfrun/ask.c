#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "cli/error.h"
#include "session.h"

struct found {
	char	 word[16], digest[TRUST_DIGEST];	/* "": nothing to ask */
};

struct asking {
	struct found	*found;		/* one a host */
	unsigned	 port;
};

static int
note(const struct fanout_event *ev, void *arg)
{
	struct asking *a = arg;
	struct found *f = &a->found[ev->host];
	char line[TRUST_DIGEST + 32];

	if (ev->kind != FANOUT_EV_OUT)
		return 0;
	(void)snprintf(line, sizeof(line), "%.*s", (int)ev->len,
	    (const char *)ev->data);
	if (sscanf(line, "%15s %79s", f->word, f->digest) != 2)
		f->word[0] = '\0';
	return 0;
}

/* What the user says: 'y' this one, 'a' all from here, 'n' not. */
static int
prompt(FILE *tty, const char *host, const struct found *f)
{
	char answer[32];

	for (;;) {
		fprintf(tty, "%s has the key %s, which %s.\n"
		    "Trust it from now on (yes, no, all)? ", host, f->digest,
		    strcmp(f->word, "others") == 0 ?
		    "the registry has for another host" : "is not known here");
		(void)fflush(tty);
		if (fgets(answer, sizeof(answer), tty) == NULL)
			return 'n';
		answer[strcspn(answer, "\n")] = '\0';
		if (strcmp(answer, "yes") == 0 || strcmp(answer, "no") == 0 ||
		    strcmp(answer, "all") == 0)
			return answer[0];
	}
}

static int
pin_name(char *out, size_t size, const char *host, unsigned port)
{
	struct fanout_hostspec spec;

	if (fanout_host_split(host, &spec) != 0)
		return -1;
	if (spec.port != 0)
		port = spec.port;
	(void)snprintf(out, size, port == SESSION_PORT ? "%.*s" : "%.*s:%u",
	    (int)spec.name_len, spec.name, port);
	return 0;
}

static int
decide(struct asking *a, struct registry *trusted,
    const struct fanout_hosts *hosts, struct fanout_error *e)
{
	size_t i, n = fanout_hosts_count(hosts);
	FILE *tty = NULL;
	char pin[600];
	bool all = false;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		if (strcmp(a->found[i].word, "unknown") != 0 &&
		    strcmp(a->found[i].word, "others") != 0)
			continue;
		if (tty == NULL && (tty = fopen("/dev/tty", "r+e")) == NULL)
			return cli_error(e, FANOUT_ESYS, "-i asks on the "
			    "terminal, but there is none");
		switch (all ? 'a' : prompt(tty, fanout_hosts_at(hosts, i),
		    &a->found[i])) {
		case 'n':
			continue;
		case 'a':
			all = true;
		}
		if (pin_name(pin, sizeof(pin), fanout_hosts_at(hosts, i),
		    a->port) == 0 && registry_put(trusted, pin,
		    a->found[i].digest) == -1)
			rc = cli_nomem(e);
	}
	if (tty != NULL)
		(void)fclose(tty);
	return rc;
}

int
ask_keys(struct registry **trusted, const struct cfengine_config *config,
    const struct fanout_opts *opts, const struct fanout_hosts *hosts,
    struct fanout_error *e)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_opts o = *opts;
	struct asking a = { .port = config->port };
	struct fanout *engine;
	int rc;

	*trusted = NULL;
	o.custom = &cfengine_transport;
	o.custom_config = (void *)(uintptr_t)config;
	o.log_level = -1;
	cmd.command = "KEY\n\n";
	a.found = calloc(fanout_hosts_count(hosts), sizeof(*a.found));
	if (a.found == NULL || (*trusted = registry_new()) == NULL) {
		free(a.found);
		return cli_nomem(e);
	}
	if ((rc = fanout_new(&engine, &o, e)) == 0) {
		if ((rc = fanout_submit(engine, hosts, &cmd, NULL, e)) == 0 &&
		    (rc = fanout_run(engine, note, &a)) != 0)
			cli_error(e, rc, "%s", fanout_strerror(rc));
		fanout_free(engine);
	}
	if (rc == 0)
		rc = decide(&a, *trusted, hosts, e);
	if (rc == 0 && registry_sort(*trusted) == -1)
		rc = cli_nomem(e);
	free(a.found);
	if (rc != 0) {
		registry_free(*trusted);
		*trusted = NULL;
	}
	return rc;
}
