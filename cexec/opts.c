#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cexec.h"
#include "cli/completion.h"
#include "cli/error.h"
#include "cli/history.h"

#define AT(member) offsetof(struct cexec, member)

static const struct cli_option run_options[] = {
	{ 'n', "no-stdin", NULL, "give the command no standard input",
	    CLI_FLAG, AT(no_stdin), 0, 0, NULL },
	{ 'S', "max-status", NULL, "exit with the largest status of all",
	    CLI_FLAG, AT(largest), 0, 0, NULL },
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
	{ "Reports and retries:", cli_report_options, &(c)->report }, \
	{ NULL, NULL, NULL }					\
}

void
cexec_usage(FILE *fp)
{
	static struct cexec none;
	const struct cli_group groups[] = GROUPS(&none);

	cli_usage(fp, "cexec [OPTION]... [--] COMMAND...", groups);
}

int
cexec_completion(const char *shell, struct fanout_error *e)
{
	static struct cexec none;
	const struct cli_group groups[] = GROUPS(&none);

	return cli_completion(stdout, shell, groups, e);
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

/* Hosts are not kept for a retry, also as canaries, nor what is asked about
 * reports; nor values that look like secrets. */
static int
note(void *ctx, const struct cli_group *g, const struct cli_option *o,
    const char *value)
{
	static const struct cli_option columns = { 0, "columns", "FILE", "",
	    CLI_TEXT, 0, 0, 0, NULL };
	char *name;
	int rc;

	/* A host file is that, but what it says of hosts is needed again. */
	if (g->options == cli_target_options && o->name != NULL &&
	    strcmp(o->name, "hostfile") == 0 && strcmp(value, "-") != 0)
		return cli_words_note(ctx, &columns, value);
	if (g->options == cli_plan_options && strcmp(o->name, "canary") == 0 &&
	    value[strspn(value, "0123456789")] != '\0')
		return 0;
	if (g->options == cli_form_options && strcmp(o->name, "env") == 0) {
		if ((name = strndup(value, cli_form_saved(value))) == NULL)
			return -1;
		rc = cli_words_note(ctx, o, name);
		free(name);
		return rc;
	}
	if (g->options == cli_connect_options ||
	    g->options == cli_plan_options ||
	    g->options == cli_plan_check_options || g->options == cli_look_options ||
	    g->options == run_options || g->options == cli_form_options ||
	    g->options == send_options || g->options == cli_expand_options ||
	    (g->options == send_become_options &&
	    strcmp(o->name, "become-password-fd") != 0) ||
	    (g->options == cli_ask_options && o->kind == CLI_FLAG))
		return cli_words_note(ctx, o, value);
	return 0;
}

/* The options of a run that is tried again, before those given now. */
static int
parse_saved(struct cexec *c, const struct cli_words *w, struct fanout_error *e)
{
	const struct cli_group groups[] = GROUPS(c);
	struct fanout_error why;
	char **argv;
	size_t i;
	int rc, rest;

	if ((argv = calloc(w->count + 2, sizeof(*argv))) == NULL)
		return cli_nomem(e);
	for (i = 0; i < w->count; i++)
		argv[i + 1] = w->word[i];
	rc = cli_parse_noting(groups, (int)w->count + 1, argv, &rest, note,
	    &c->kept, &why);
	free(argv);
	return rc == 0 ? 0 : cli_error(e, rc, "as it was saved: %s", why.text);
}

static int
parse(struct cexec *c, int argc, char **argv, struct fanout_error *e)
{
	const struct cli_group groups[] = GROUPS(c);
	int rc, rest;

	if ((rc = cli_parse_noting(groups, argc, argv, &rest, note, &c->kept,
	    e)) == 0)
		c->words = argv + rest;
	return rc;
}

static int
begin(struct cexec *c, char **argv, struct fanout_error *e)
{
	*c = (struct cexec){ .connect = CLI_CONNECT_INIT, .send = SEND_INIT };
	return cli_target_init(&c->target, argv, e);
}

/* What was saved decides on command and hosts, so all is parsed once more. */
static int
retry(struct cexec *c, int argc, char **argv, struct fanout_error *e)
{
	struct cli_saved *saved;
	int rc;

	if (c->target.named)
		return cli_error(e, FANOUT_EINVAL, "--retry names the hosts "
		    "itself; -x and -X may leave out some of them");
	if (c->words[0] != NULL && c->words[1] != NULL)
		return cli_error(e, FANOUT_EINVAL, "--retry takes the ID of a "
		    "run, not a command: the command is that of the run");
	if ((rc = cli_saved_load(&saved, c->words[0], 0, e)) != 0)
		return rc;
	cexec_clear(c);
	if ((rc = begin(c, argv, e)) == 0) {
		c->saved = saved;
		if ((rc = parse_saved(c, &saved->words, e)) == 0 &&
		    (rc = parse(c, argc, argv, e)) == 0)
			rc = cli_saved_pick(saved, c->report.retry, &c->again,
			    e);
	} else
		cli_saved_free(saved);
	if (rc == 0 && (c->command = strdup(saved->command)) == NULL)
		rc = cli_nomem(e);
	return rc;
}

int
cexec_options(struct cexec *c, int argc, char **argv, struct fanout_error *e)
{
	int rc;

	if ((rc = begin(c, argv, e)) != 0 ||
	    (rc = parse(c, argc, argv, e)) != 0 ||
	    (rc = cli_history_check(&c->report, e)) != 0 ||
	    (rc = cli_plan_check(&c->plan, e)) != 0 ||
	    (rc = send_check(&c->send, &c->connect, &c->form, c->no_stdin,
	    e)) != 0)
		return rc;
	if (c->help || c->version || c->completion != NULL ||
	    cli_history_acts(&c->report))
		return 0;
	if (c->report.retry != NULL)
		return retry(c, argc, argv, e);
	if (cli_target_shows(&c->target) || cli_dead_acts(&c->target.dead))
		return 0;
	if (c->send.script != NULL) {
		c->command = send_script_words(c->send.script, c->words);
		return c->command != NULL ? 0 : cli_nomem(e);
	}
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
	cli_words_clear(&c->kept);
	cli_saved_free(c->saved);
	fanout_hosts_free(c->again);
	free(c->command);
	c->saved = NULL;
	c->again = NULL;
	c->command = NULL;
}
