#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cexec.h"
#include "cli/completion.h"
#include "cli/error.h"
#include "cli/history.h"
#include "interactive.h"

#define AT(member) offsetof(struct cexec, member)

static const struct cli_option run_options[] = {
	{ 'n', "no-stdin", NULL, "give the command no standard input",
	    CLI_FLAG, AT(no_stdin), 0, 0, NULL },
	{ 'S', "max-status", NULL, "exit with the largest status of all",
	    CLI_FLAG, AT(largest), 0, 0, NULL },
	{ 0, "lock", "NAME", "hold this lock on all hosts, or run nothing",
	    CLI_TEXT, AT(lock.name), 0, 0, NULL },
	{ 0, "completion", "SHELL", "print what bash, zsh or fish completes by",
	    CLI_TEXT, AT(completion), 0, 0, NULL },
	{ 'h', "help", NULL, "show this",
	    CLI_FLAG, AT(help), 0, 0, NULL },
	{ 'V', "version", NULL, "show the version",
	    CLI_FLAG, AT(version), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

#define GROUPS(c) {						\
	{ "Hosts:", cli_target_options, &(c)->target },		\
	{ "Hosts, only shown; nothing is run:",			\
	    cli_show_options, &(c)->target },			\
	{ "Hosts that are down:",				\
	    cli_dead_options, &(c)->target.dead },		\
	{ "Connection:", cli_connect_options, &(c)->connect },	\
	{ "Passwords:", cli_ask_options, &(c)->connect.ask },	\
	{ "Output:", cli_look_options, &(c)->look },		\
	{ "Run:", run_options, (c) },				\
	{ "What is run:", send_options, &(c)->send },		\
	{ "As another user:", send_become_options, &(c)->send },	\
	{ "For each host:", cli_expand_options, &(c)->expand },	\
	{ "The command's surroundings:", cli_form_options, &(c)->form }, \
	{ "One after the other:", cli_plan_options, &(c)->plan }, \
	{ "Is all well?", cli_plan_check_options, &(c)->plan },	\
	{ "Reports and retries:", cli_report_options, &(c)->again.report }, \
	{ NULL, NULL, NULL }					\
}

void
cexec_usage(FILE *fp)
{
	static struct cexec none;
	const struct cli_group groups[] = GROUPS(&none);

	cli_usage(fp, "cexec [OPTION]... [--] [COMMAND...]", groups);
}

int
cexec_completion(const char *shell)
{
	static struct cexec none;
	const struct cli_group groups[] = GROUPS(&none);

	return cli_completion(shell, groups, true);
}

/* As ssh does: the remote shell parses it once more. */
static char *
join(char **words, int n)
{
	size_t len = 0;
	char *text, *p;
	int i;

	for (i = 0; i < n; i++)
		len += strlen(words[i]) + 1;
	if ((p = text = malloc(len)) == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		len = strlen(words[i]);
		memcpy(p, words[i], len);
		p[len] = ' ';
		p += len + 1;
	}
	p[-1] = '\0';
	return text;
}

/* An unset variable of a script must not look like a command that worked. */
static bool
all_blank(char **words)
{
	for (; *words != NULL; words++)
		if ((*words)[strspn(*words, " \t\n")] != '\0')
			return false;
	return true;
}

/* What a retry needs; values that look like secrets are not kept. */
static int
note(void *ctx, const struct cli_group *g, const struct cli_option *o,
    const char *value)
{
	struct cli_again *again = ctx;
	char *name;
	int rc;

	if (g->options == cli_form_options && strcmp(o->name, "env") == 0) {
		if ((name = strndup(value, cli_form_saved(value))) == NULL)
			return -1;
		rc = cli_words_note(&again->kept, o, name);
		free(name);
		return rc;
	}
	return cli_again_note(ctx, g, o, value);
}

static int
parse(void *self, int argc, char **argv, struct fanout_error *e)
{
	struct cexec *c = self;
	const struct cli_group groups[] = GROUPS(c);
	int rc, rest;

	if ((rc = cli_parse_noting(groups, argc, argv, &rest, note, &c->again,
	    e)) == 0)
		c->words = argv + rest;
	return rc;
}

static int
begin(void *self, char **argv, struct fanout_error *e)
{
	struct cexec *c = self;

	*c = (struct cexec){ .connect = CLI_CONNECT_INIT, .send = SEND_INIT,
	    .again = { .columns = true } };
	return cli_target_init(&c->target, argv, e);
}

static void
clear(void *self)
{
	cexec_clear(self);
}

static int
run(void *self, const struct fanout_hosts *hosts)
{
	struct cexec *c = self;
	struct fanout_opts opts;
	int status;

	if (c->command == NULL)
		return interactive(c, hosts);
	status = cexec_opts(c, &opts);
	return status != 0 ? status : cexec_run_on(c, &opts, hosts);
}

struct cli_tool
cexec_tool(struct cexec *c)
{
	return (struct cli_tool){ .self = c, .target = &c->target,
	    .connect = &c->connect, .look = &c->look, .again = &c->again,
	    .begin = begin, .parse = parse, .clear = clear, .run = run };
}

static int
retry(struct cexec *c, int argc, char **argv, struct fanout_error *e)
{
	const struct cli_tool t = cexec_tool(c);
	int rc;

	if (c->words[0] != NULL && c->words[1] != NULL)
		return cli_error(e, FANOUT_EINVAL, "--retry takes the ID of a "
		    "run, not a command: the command is that of the run");
	if ((rc = cli_again_load(&t, argc, argv, c->words[0], e)) != 0)
		return rc;
	c->command = strdup(c->again.saved->command);
	return c->command != NULL ? 0 : cli_nomem(e);
}

int
cexec_options(struct cexec *c, int argc, char **argv, struct fanout_error *e)
{
	int rc;

	if ((rc = begin(c, argv, e)) != 0 ||
	    (rc = parse(c, argc, argv, e)) != 0 ||
	    (rc = cli_history_check(&c->again.report, e)) != 0 ||
	    (rc = cli_plan_check(&c->plan, e)) != 0 ||
	    (rc = lock_check(&c->lock, e)) != 0 ||
	    (rc = send_check(&c->send, &c->connect, &c->form, c->no_stdin,
	    e)) != 0)
		return rc;
	if (c->lock.name != NULL && c->send.detach)
		return cli_error(e, FANOUT_EINVAL, "--lock is held while the "
		    "run goes on; what --detach leaves behind would outlast "
		    "it");
	if (c->help || c->version || c->completion != NULL ||
	    cli_history_acts(&c->again.report))
		return 0;
	if (c->again.report.retry != NULL)
		return retry(c, argc, argv, e);
	if (cli_target_shows(&c->target) || cli_dead_acts(&c->target.dead))
		return 0;
	if (c->send.script != NULL) {
		c->command = send_script_words(c->send.script, c->words);
		return c->command != NULL ? 0 : cli_nomem(e);
	}
	if (c->words[0] == NULL && interactive_can())
		return interactive_check(c, e);
	if (all_blank(c->words))
		return cli_error(e, FANOUT_EINVAL, "no command is given");
	if ((c->command = join(c->words, argc - (int)(c->words - argv))) ==
	    NULL)
		return cli_nomem(e);
	return 0;
}

void
cexec_clear(struct cexec *c)
{
	cli_target_clear(&c->target);
	cli_connect_clear(&c->connect);
	send_clear(&c->send);
	cli_expand_close(&c->expand);
	cli_again_clear(&c->again);
	free(c->command);
	c->command = NULL;
}
