#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "form.h"

#define AT(member) offsetof(struct cli_form, member)

/* How many bytes of a value of --env are its name; 0: it has none. */
static size_t
name_len(const char *env)
{
	size_t n = 0;

	if (isdigit((unsigned char)*env))
		return 0;
	while (isalnum((unsigned char)env[n]) || env[n] == '_')
		n++;
	return env[n] == '=' || env[n] == '\0' ? n : 0;
}

static int
add_env(void *into, const char *value, struct fanout_error *e)
{
	struct cli_form *f = into;
	size_t n = name_len(value);

	if (n == 0)
		return cli_error(e, FANOUT_EINVAL, "%.40s is no NAME=VALUE, "
		    "nor the name of a variable that is set here", value);
	if (value[n] == '\0' && getenv(value) == NULL)
		return cli_error(e, FANOUT_EINVAL, "%.40s is not set here; "
		    "give its value: %.40s=VALUE", value, value);
	if (f->nenv == CLI_ENV_MAX)
		return cli_error(e, FANOUT_ELIMIT, "more than %d of them",
		    CLI_ENV_MAX);
	f->env[f->nenv++] = value;
	return 0;
}

static int
set_umask(void *into, const char *value, struct fanout_error *e)
{
	size_t n = strspn(value, "01234567");

	if (n == 0 || n > 4 || value[n] != '\0')
		return cli_error(e, FANOUT_EINVAL, "%.40s is no mask such as "
		    "022", value);
	((struct cli_form *)into)->umask = value;
	return 0;
}

static int
set_path(const char **to, const char *value, struct fanout_error *e)
{
	if (*value == '\0')
		return cli_error(e, FANOUT_EINVAL, "it is empty");
	*to = value;
	return 0;
}

static int
set_directory(void *into, const char *value, struct fanout_error *e)
{
	return set_path(&((struct cli_form *)into)->directory, value, e);
}

static int
set_shell(void *into, const char *value, struct fanout_error *e)
{
	return set_path(&((struct cli_form *)into)->shell, value, e);
}

const struct cli_option cli_form_options[] = {
	{ 0, "env", "NAME=VALUE", "set this for the command; NAME: as it is here",
	    CLI_CALL, 0, 0, 0, add_env },
	{ 0, "chdir", "DIR", "run the command in this folder",
	    CLI_CALL, 0, 0, 0, set_directory },
	{ 0, "umask", "MASK", "with this mask for new files",
	    CLI_CALL, 0, 0, 0, set_umask },
	{ 0, "shell", "SHELL", "by this shell, not the login shell",
	    CLI_CALL, 0, 0, 0, set_shell },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

bool
cli_form_used(const struct cli_form *f)
{
	return f->directory != NULL || f->shell != NULL || f->umask != NULL ||
	    f->nenv > 0;
}

size_t
cli_form_saved(const char *env)
{
	static const char *const secret[] = { "PASS", "SECRET", "TOKEN", "KEY",
	    "CRED", "AUTH", "PWD", "PIN" };
	size_t i, k, n = name_len(env), len;

	for (i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
		len = strlen(secret[i]);
		for (k = 0; k + len <= n; k++)
			if (strncasecmp(env + k, secret[i], len) == 0)
				return n;
	}
	return strlen(env);
}

void
cli_form_quote(FILE *fp, const char *s)
{
	putc('\'', fp);
	for (; *s != '\0'; s++)
		if (*s == '\'')
			fputs("'\\''", fp);
		else
			putc(*s, fp);
	putc('\'', fp);
}

static void
put_env(FILE *fp, const char *env)
{
	size_t n = name_len(env);
	const char *value = env[n] == '=' ? env + n + 1 : getenv(env);

	fprintf(fp, "%.*s=", (int)n, env);
	cli_form_quote(fp, value != NULL ? value : "");
	fprintf(fp, "; export %.*s\n", (int)n, env);
}

void
cli_form_surround(FILE *fp, const struct cli_form *f)
{
	size_t i;

	if (f->directory != NULL) {
		/* A folder called - is one, here. */
		fputs("cd ", fp);
		cli_form_quote(fp, strcmp(f->directory, "-") == 0 ? "./-" :
		    f->directory);
		fputs(" || exit 126\n", fp);
	}
	if (f->umask != NULL)
		fprintf(fp, "umask %s\n", f->umask);
	for (i = 0; i < f->nenv; i++)
		put_env(fp, f->env[i]);
}

void
cli_form_exec(FILE *fp, const struct cli_form *f, const char *shell,
    const char *command)
{
	cli_form_surround(fp, f);
	fputs("exec ", fp);
	if (f->shell != NULL)
		cli_form_quote(fp, f->shell);
	else
		fputs(shell, fp);
	fputs(" -c ", fp);
	cli_form_quote(fp, command);
}

/*
 * Between single quotes sh, csh and fish agree on all characters but these:
 * the quote itself, the backslash (fish), the ! (csh), newlines (csh) and
 * other controls. Those go as printf(1) understands them in %b.
 */
static void
put_for_all(FILE *fp, const char *s)
{
	for (; *s != '\0'; s++)
		if (*s == '\'' || *s == '\\' || *s == '!' ||
		    (unsigned char)*s < ' ' || *s == 0x7f)
			fprintf(fp, "\\0%03o", (unsigned char)*s);
		else
			putc(*s, fp);
}

void
cli_form_line(FILE *fp, const char *script)
{
	fputs("exec /bin/sh -c 'eval \"$(printf %b \"$1\")\"' sh '", fp);
	put_for_all(fp, script);
	putc('\'', fp);
}

int
cli_form_wrap(const struct cli_form *f, const char *command, char **out,
    struct fanout_error *e)
{
	char *inner = NULL;
	size_t size;
	FILE *fp;

	*out = NULL;
	if (!cli_form_used(f)) {
		*out = strdup(command);
		return *out != NULL ? 0 : cli_nomem(e);
	}
	if ((fp = open_memstream(&inner, &size)) == NULL)
		return cli_nomem(e);
	cli_form_exec(fp, f, "\"${SHELL:-/bin/sh}\"", command);
	if (fclose(fp) == 0 && (fp = open_memstream(out, &size)) != NULL) {
		cli_form_line(fp, inner);
		if (fclose(fp) == 0) {
			free(inner);
			return 0;
		}
	}
	free(inner);
	free(*out);
	*out = NULL;
	return cli_nomem(e);
}
