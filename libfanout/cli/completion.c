#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "completion.h"
#include "summary.h"

/* Words that an option takes, where it takes only some; by long name. */
static const struct {
	const char *name, *words;
} choices[] = {
	{ "color", "auto always never" },
	{ "header", "clush plain dshbak" },
	{ "transport", "auto ssh2 openssh local" },
	{ "retry", "failed unreachable succeeded timeout skipped unfinished "
	    "all" },
	{ "completion", "bash zsh fish" },
	{ "become", "sudo su doas" }
};

static const char *
words_of(const struct cli_option *o)
{
	size_t i;

	for (i = 0; o->name != NULL &&
	    i < sizeof(choices) / sizeof(choices[0]); i++)
		if (strcmp(choices[i].name, o->name) == 0)
			return choices[i].words;
	return NULL;
}

static bool
takes(const struct cli_option *o, const char *what)
{
	return o->arg != NULL && strcmp(o->arg, what) == 0;
}

/* Text between single quotes; before each of some characters stands one more. */
static void
put_text(FILE *fp, const char *s, const char *special, char before)
{
	for (; *s != '\0'; s++) {
		if (*s == '\'') {
			fputs("'\\''", fp);
			continue;
		}
		if (strchr(special, *s) != NULL)
			putc(before, fp);
		putc(*s, fp);
	}
}

/* ---- bash ---------------------------------------------------------------- */

/* "-w|--hosts)" */
static void
put_case(FILE *fp, const struct cli_option *o)
{
	fputs("\t", fp);
	if (o->letter != 0)
		fprintf(fp, "-%c%s", o->letter, o->name != NULL ? "|" : "");
	if (o->name != NULL)
		fprintf(fp, "--%s", o->name);
	fputs(") ", fp);
}

static void
bash(FILE *fp, const char *tool, const struct cli_group *groups)
{
	const struct cli_group *g;
	const struct cli_option *o;

	fprintf(fp, "_%s() {\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	    "prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	    "\tCOMPREPLY=()\n"
	    "\tcase $prev in\n", tool);
	for (g = groups; g->title != NULL; g++)
		for (o = g->options; o->help != NULL; o++) {
			if (o->arg == NULL || o->arg[0] == '[')
				continue;
			put_case(fp, o);
			if (words_of(o) != NULL)
				fprintf(fp, "COMPREPLY=($(compgen -W '%s' -- "
				    "\"$cur\"));", words_of(o));
			else if (takes(o, "FILE") || takes(o, "DIR"))
				fprintf(fp, "compopt -o filenames 2>/dev/null; "
				    "COMPREPLY=($(compgen -%c -- \"$cur\"));",
				    takes(o, "DIR") ? 'd' : 'f');
			fputs(" return;;\n", fp);
		}
	fputs("\tesac\n\t[[ $cur == -* ]] || return\n"
	    "\tCOMPREPLY=($(compgen -W '", fp);
	for (g = groups; g->title != NULL; g++)
		for (o = g->options; o->help != NULL; o++) {
			if (o->letter != 0)
				fprintf(fp, "-%c ", o->letter);
			if (o->name != NULL)
				fprintf(fp, "--%s ", o->name);
		}
	fprintf(fp, "' -- \"$cur\"))\n}\ncomplete -F _%s -o default %s\n", tool,
	    tool);
}

/* ---- zsh ----------------------------------------------------------------- */

static void
put_zsh_arg(FILE *fp, const struct cli_option *o)
{
	if (o->arg == NULL || o->arg[0] == '[')
		return;
	putc(':', fp);
	put_text(fp, o->arg, ":[]\\", '\\');
	if (words_of(o) != NULL)
		fprintf(fp, ":(%s)", words_of(o));
	else
		fputs(takes(o, "FILE") ? ":_files" : takes(o, "DIR") ?
		    ":_files -/" : ": ", fp);
}

static void
put_zsh(FILE *fp, const struct cli_option *o, const char *word,
    const char *joined)
{
	fprintf(fp, "\t'*%s%s[", word,
	    o->arg != NULL && o->arg[0] != '[' ? joined : "");
	put_text(fp, o->help, ":[]\\", '\\');
	putc(']', fp);
	put_zsh_arg(fp, o);
	fputs("' \\\n", fp);
}

static void
zsh(FILE *fp, const char *tool, const struct cli_group *g, bool command)
{
	const struct cli_option *o;
	char word[80];

	fprintf(fp, "#compdef %s\n_arguments -s -S \\\n", tool);
	for (; g->title != NULL; g++)
		for (o = g->options; o->help != NULL; o++) {
			if (o->letter != 0) {
				snprintf(word, sizeof(word), "-%c", o->letter);
				put_zsh(fp, o, word, "+");
			}
			if (o->name != NULL) {
				snprintf(word, sizeof(word), "--%s", o->name);
				put_zsh(fp, o, word, "=");
			}
		}
	fputs(command ? "\t'*::command:_normal'\n" : "\t'*:file:_files'\n",
	    fp);
}

/* ---- fish ---------------------------------------------------------------- */

static void
fish(FILE *fp, const char *tool, const struct cli_group *g)
{
	const struct cli_option *o;

	for (; g->title != NULL; g++)
		for (o = g->options; o->help != NULL; o++) {
			fprintf(fp, "complete -c %s", tool);
			if (o->letter != 0)
				fprintf(fp, " -s %c", o->letter);
			if (o->name != NULL)
				fprintf(fp, " -l %s", o->name);
			if (words_of(o) != NULL)
				fprintf(fp, " -x -a '%s'", words_of(o));
			else if (takes(o, "FILE"))
				fputs(" -r -F", fp);
			else if (takes(o, "DIR"))
				fputs(" -x -a '(__fish_complete_directories)'",
				    fp);
			else if (o->arg != NULL && o->arg[0] != '[')
				fputs(" -x", fp);
			fputs(" -d '", fp);
			/* There a quote is \', which is not so in sh. */
			for (const char *s = o->help; *s != '\0'; s++) {
				if (*s == '\'' || *s == '\\')
					putc('\\', fp);
				putc(*s, fp);
			}
			fputs("'\n", fp);
		}
}

int
cli_completion(const char *shell, const struct cli_group *groups, bool command)
{
	const char *tool = getprogname();

	if (strcmp(shell, "bash") == 0)
		bash(stdout, tool, groups);
	else if (strcmp(shell, "zsh") == 0)
		zsh(stdout, tool, groups, command);
	else if (strcmp(shell, "fish") == 0)
		fish(stdout, tool, groups);
	else {
		warnx("--completion %.40s: it is one of bash, zsh and fish",
		    shell);
		return CLI_EXIT_USAGE;
	}
	if (fflush(stdout) == EOF) {
		warn("standard output");
		return CLI_EXIT_USAGE;
	}
	return 0;
}
