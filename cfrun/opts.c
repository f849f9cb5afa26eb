#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cfrun.h"
#include "cli/completion.h"
#include "cli/error.h"
#include "cli/history.h"
#include "session.h"

#define AT(member) offsetof(struct cfrun, member)

static int
set_user(void *into, const char *value, struct fanout_error *e)
{
	const struct cli_option *o = cli_connect_options;
	struct cfrun *c = into;

	if (*value == '\0' || strpbrk(value, "/\\ \n") != NULL)
		return cli_error(e, FANOUT_EINVAL, "\"%s\" is no user", value);
	c->user = value;
	while (strcmp(o->name, "user") != 0)
		o++;
	return o->call(&c->connect, value, e);
}

static const struct cli_option client_options[] = {
	{ 'f', "file", "FILE", "the clients, instead of cfrun.hosts",
	    CLI_TEXT, AT(file), 0, 0, NULL },
	{ 0, "any-host", NULL, "also hosts that are not in that file",
	    CLI_FLAG, AT(any_host), 0, 0, NULL },
	{ 'T', "trust-new", NULL, "trust the keys of all hosts that are new",
	    CLI_FLAG, AT(trust_new), 0, 0, NULL },
	{ 'i', "ask", NULL, "show new keys, and ask whether to trust them",
	    CLI_FLAG, AT(ask), 0, 0, NULL },
	{ 0, "transport", "NAME", "cfengine (default), ssh, or auto",
	    CLI_TEXT, AT(transport), 0, 0, NULL },
	{ 'l', "user", "USER", "say we are, or log in as, this user",
	    CLI_CALL, 0, 0, 0, set_user },
	{ 0, "port", "PORT", "the port of cf-serverd (default 5308)",
	    CLI_NUMBER, AT(port), 1, 65535, NULL },
	{ 0, "background", "N", "so many at once (default: maxchild, else 30)",
	    CLI_NUMBER, AT(background), 1, 100000, NULL },
	{ 0, "splay", "SEC", "begin them spread over so many seconds",
	    CLI_NUMBER, AT(splay), 1, 86400, NULL },
	{ 0, "workdir", "DIR", "of CFEngine: ppkeys, inputs",
	    CLI_TEXT, AT(workdir), 0, 0, NULL },
	{ 0, "registry", "FILE", "which host has which key",
	    CLI_TEXT, AT(registry), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

static const struct cli_option run_options[] = {
	{ 0, "define", "CLASS,...", "classes to set for the agent",
	    CLI_TEXT, AT(define), 0, 0, NULL },
	{ 0, "remote-bundles", "NAME,...", "bundles to run instead of all",
	    CLI_TEXT, AT(bundles), 0, 0, NULL },
	{ 0, "select", "CLASS,...", "only hosts that have one of these",
	    CLI_TEXT, AT(select), 0, 0, NULL },
	{ 0, "ping", NULL, "only ask who is there, run nothing",
	    CLI_FLAG, AT(ping), 0, 0, NULL },
	{ 'S', "silent", NULL, "show nothing of what clients say",
	    CLI_FLAG, AT(silent), 0, 0, NULL },
	{ 'd', "debug", NULL, "as -v twice",
	    CLI_COUNT, AT(debug), 0, 0, NULL },
	{ 0, "runagent-status", NULL, "exit as cf-runagent would",
	    CLI_FLAG, AT(runagent_status), 0, 0, NULL },
	{ 0, "completion", "SHELL", "print what bash, zsh or fish completes by",
	    CLI_TEXT, AT(completion), 0, 0, NULL },
	{ 'h', "help", NULL, "show this",
	    CLI_FLAG, AT(help), 0, 0, NULL },
	{ 'V', "version", NULL, "show the version",
	    CLI_FLAG, AT(version), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

/* The options to connect that all tools have, but for those of our own. */
static bool
adapt(struct cli_option *o)
{
	if (o->letter == 'l' || strcmp(o->name, "port") == 0 ||
	    strcmp(o->name, "transport") == 0)
		return false;
	if (o->letter == 'f') {
		o->letter = 0;
		o->help = "the same as --background";
	}
	if (strcmp(o->name, "idle") == 0)
		o->help = "without any output (default 1800)";
	return true;
}

static const struct cli_option *
connect_options(void)
{
	static struct cli_option table[CLI_CONNECT_OPTIONS];

	return cli_connect_adapted(table, adapt);
}

#define GROUPS(c) {						\
	{ "Clients:", client_options, (c) },			\
	{ "What to run:", run_options, (c) },			\
	{ "Hosts:", cli_target_options, &(c)->target },		\
	{ "Hosts, only shown; nothing is run:",			\
	    cli_show_options, &(c)->target },			\
	{ "Hosts that are down:",				\
	    cli_dead_options, &(c)->target.dead },		\
	{ "Connection:", connect_options(), &(c)->connect },	\
	{ "Passwords:", cli_ask_options, &(c)->connect.ask },	\
	{ "Output:", cli_look_options, &(c)->look },		\
	{ "One after the other:", cli_plan_options, &(c)->plan }, \
	{ "Is all well?", cli_plan_check_options, &(c)->plan }, \
	{ "Reports and retries:", cli_report_options, &(c)->again.report }, \
	{ NULL, NULL, NULL }					\
}

void
cfrun_usage(FILE *fp)
{
	static struct cfrun none;
	const struct cli_group groups[] = GROUPS(&none);

	cli_usage(fp, "cfrun [OPTION]... [HOST]... "
	    "[-- AGENT-OPTION... [-- CLASS...]]", groups);
}

int
cfrun_completion(const char *shell)
{
	static struct cfrun none;
	const struct cli_group groups[] = GROUPS(&none);

	return cli_completion(shell, groups, false);
}

/* The words up to the next "--"; returns what is behind it. */
static char **
section(char **words, char ***list, size_t *n)
{
	*list = words;
	for (*n = 0; words[*n] != NULL; ++*n)
		if (strcmp(words[*n], "--") == 0)
			return words + *n + 1;
	return words + *n;
}

/* What ended the options: a word, or the "--" that begins those for the
 * agent? */
static void
take_words(struct cfrun *c, char **argv, int rest)
{
	char **words = argv + rest;

	if (rest > 1 && strcmp(argv[rest - 1], "--") == 0)
		c->hosts = words;
	else
		words = section(words, &c->hosts, &c->nhosts);
	words = section(words, &c->options, &c->noptions);
	c->classes = words;
	while (words[c->nclasses] != NULL)
		c->nclasses++;
}

static int
check_way(struct cfrun *c, struct fanout_error *e)
{
	const char *t = c->transport;

	if (t == NULL || strcmp(t, "cfengine") == 0)
		c->way = BY_CFENGINE;
	else if (strcmp(t, "ssh") == 0)
		c->way = BY_SSH;
	else if (strcmp(t, "auto") == 0)
		c->way = BY_AUTO;
	else
		return cli_error(e, FANOUT_EINVAL, "--transport %s: there are "
		    "cfengine, ssh and auto", t);
	if (c->ping && c->way != BY_CFENGINE)
		return cli_error(e, FANOUT_EINVAL, "--ping asks cf-serverd: it "
		    "has no other transport than cfengine");
	if (c->ping && c->noptions + c->nclasses > 0)
		return cli_error(e, FANOUT_EINVAL, "--ping runs no agent, so "
		    "it takes nothing behind --");
	if (c->ask && c->trust_new)
		return cli_error(e, FANOUT_EINVAL, "-i or -T: ask, or trust "
		    "without asking?");
	return 0;
}

/* What the agents are asked, as it is saved: a word a line. */
static int
keep_words(struct cfrun *c, struct fanout_error *e)
{
	size_t i, size;
	FILE *f;

	if ((f = open_memstream(&c->command, &size)) == NULL)
		return cli_nomem(e);
	for (i = 0; i < c->noptions; i++)
		fprintf(f, "%s\n", c->options[i]);
	if (c->nclasses > 0)
		fputs("--\n", f);
	for (i = 0; i < c->nclasses; i++)
		fprintf(f, "%s\n", c->classes[i]);
	return fclose(f) == 0 ? 0 : cli_nomem(e);
}

/* And taken from there again. */
static int
take_saved_words(struct cfrun *c, struct fanout_error *e)
{
	char *word, *rest;
	size_t n = 0;

	if ((c->command = strdup(c->again.saved->command)) == NULL ||
	    (c->words = calloc(strlen(c->command) + 2,
	    sizeof(*c->words))) == NULL)
		return cli_nomem(e);
	rest = c->again.saved->command;
	while ((word = strsep(&rest, "\n")) != NULL)
		if (*word != '\0')
			c->words[n++] = word;
	c->classes = section(c->words, &c->options, &c->noptions);
	for (c->nclasses = 0; c->classes[c->nclasses] != NULL; c->nclasses++)
		;
	c->nhosts = 0;
	return 0;
}

static int
begin(void *self, char **argv, struct fanout_error *e)
{
	struct cfrun *c = self;

	*c = (struct cfrun){ .connect = CLI_CONNECT_INIT,
	    .port = SESSION_PORT };
	c->connect.idle_ms = -1;	/* not given */
	return cli_target_init(&c->target, argv, e);
}

static int
parse(void *self, int argc, char **argv, struct fanout_error *e)
{
	struct cfrun *c = self;
	const struct cli_group groups[] = GROUPS(c);

	return cli_parse_noting(groups, argc, argv, &c->rest, cli_again_note,
	    &c->again, e);
}

static void
clear(void *self)
{
	cfrun_clear(self);
}

struct cli_tool
cfrun_tool(struct cfrun *c)
{
	return (struct cli_tool){ .self = c, .target = &c->target,
	    .connect = &c->connect, .look = &c->look, .again = &c->again,
	    .begin = begin, .parse = parse, .clear = clear };
}

static int
retry(struct cfrun *c, int argc, char **argv, struct fanout_error *e)
{
	const struct cli_tool t = cfrun_tool(c);
	int rc;

	if (c->nhosts > 1 || c->noptions + c->nclasses > 0)
		return cli_error(e, FANOUT_EINVAL, "--retry takes hosts and "
		    "what agents are asked from the run, of which it takes "
		    "the ID; -x and -X may leave out hosts");
	rc = cli_again_load(&t, argc, argv, c->nhosts > 0 ? c->hosts[0] : NULL,
	    e);
	return rc == 0 ? take_saved_words(c, e) : rc;
}

static int
settle(struct cfrun *c, struct fanout_error *e)
{
	int rc;

	c->connect.verbose += 2 * c->debug;
	if (c->background > 0)
		c->connect.window = c->background;
	if ((rc = check_way(c, e)) != 0 ||
	    (rc = cli_plan_check(&c->plan, e)) != 0)
		return rc;
	if (c->plan.check != NULL && c->way != BY_SSH)
		return cli_error(e, FANOUT_EINVAL, "--check runs a command, "
		    "which only --transport ssh can");
	return 0;
}

int
cfrun_options(struct cfrun *c, int argc, char **argv, struct fanout_error *e)
{
	int rc;

	if ((rc = begin(c, argv, e)) != 0 ||
	    (rc = parse(c, argc, argv, e)) != 0 ||
	    (rc = cli_history_check(&c->again.report, e)) != 0)
		return rc;
	take_words(c, argv, c->rest);
	if (c->help || c->version || c->completion != NULL ||
	    cli_history_acts(&c->again.report))
		return 0;
	rc = c->again.report.retry != NULL ? retry(c, argc, argv, e) :
	    keep_words(c, e);
	return rc == 0 ? settle(c, e) : rc;
}

void
cfrun_clear(struct cfrun *c)
{
	cli_target_clear(&c->target);
	cli_connect_clear(&c->connect);
	cli_again_clear(&c->again);
	free(c->command);
	free(c->words);
	*c = (struct cfrun){ .command = NULL };
}
