#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cexec.h"
#include "cli/error.h"

#define AT(member) offsetof(struct cexec, member)

static const struct cli_option run_options[] = {
	{ 'n', "no-stdin", NULL, "give the command no standard input",
	    CLI_FLAG, AT(no_stdin), 0, 0, NULL },
	{ 'S', "max-status", NULL, "exit with the largest status of all",
	    CLI_FLAG, AT(largest), 0, 0, NULL },
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
	{ NULL, NULL, NULL }					\
}

void
cexec_usage(FILE *fp)
{
	static struct cexec none;
	const struct cli_group groups[] = GROUPS(&none);

	cli_usage(fp, "cexec [OPTION]... [--] COMMAND...", groups);
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

int
cexec_options(struct cexec *c, int argc, char **argv, struct fanout_error *e)
{
	const struct cli_group groups[] = GROUPS(c);
	int rc, rest;

	*c = (struct cexec){ .connect = CLI_CONNECT_INIT };
	if ((rc = cli_target_init(&c->target, argv, e)) != 0 ||
	    (rc = cli_parse(groups, argc, argv, &rest, e)) != 0)
		return rc;
	c->words = argv + rest;
	if (c->help || c->version || cli_target_shows(&c->target) ||
	    cli_dead_acts(&c->target.dead))
		return 0;
	if (all_blank(argv + rest))
		return cli_error(e, FANOUT_EINVAL, "no command is given");
	if ((c->command = join(argv + rest, argc - rest)) == NULL)
		return cli_nomem(e);
	return 0;
}

void
cexec_clear(struct cexec *c)
{
	cli_target_clear(&c->target);
	cli_connect_clear(&c->connect);
	free(c->command);
	c->command = NULL;
}
