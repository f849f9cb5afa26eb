#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "send.h"

#define AT(member) offsetof(struct send, member)

/* ---- options ------------------------------------------------------------- */

static int
set_user(struct send *s, const char *user, struct fanout_error *e)
{
	if (*user == '\0' || *user == '-')
		return cli_error(e, FANOUT_EINVAL, "\"%.40s\" is no user",
		    user);
	free(s->user);
	return (s->user = strdup(user)) != NULL ? 0 : cli_nomem(e);
}

static int
set_sudo(void *into, const char *value, struct fanout_error *e)
{
	struct send *s = into;

	s->how = BECOME_SUDO;
	return value != NULL ? set_user(s, value, e) : 0;
}

static int
set_become(void *into, const char *value, struct fanout_error *e)
{
	static const char *const names[] = { "sudo", "su", "doas" };
	struct send *s = into;
	size_t i, n = strcspn(value, ":");

	for (i = 0; i < 3; i++)
		if (strlen(names[i]) == n && strncmp(names[i], value, n) == 0) {
			s->how = BECOME_SUDO + (enum become_how)i;
			return value[n] == ':' ?
			    set_user(s, value + n + 1, e) : 0;
		}
	return cli_error(e, FANOUT_EINVAL, "%.40s: there are sudo, su and "
	    "doas, and sudo:USER and so on", value);
}

static int
set_fd(void *into, const char *value, struct fanout_error *e)
{
	return cli_ask_fd(&((struct send *)into)->password_fd, value, e);
}

const struct cli_option send_options[] = {
	{ 0, "script", "FILE", "send this and run it; the words are its arguments",
	    CLI_TEXT, AT(script), 0, 0, NULL },
	{ 0, "stdin-file", "FILE", "standard input; with --expand of each host",
	    CLI_TEXT, AT(stdin_file), 0, 0, NULL },
	{ 0, "tty", NULL, "with a terminal at the other end",
	    CLI_FLAG, AT(tty), 0, 0, NULL },
	{ 0, "detach", NULL, "leave the command running there, and go",
	    CLI_FLAG, AT(detach), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

const struct cli_option send_become_options[] = {
	{ 0, "sudo", "[=USER]", "run it by sudo, as root or this user",
	    CLI_CALL, 0, 0, 0, set_sudo },
	{ 0, "become", "METHOD", "so by sudo, su or doas; sudo:USER and so on",
	    CLI_CALL, 0, 0, 0, set_become },
	{ 0, "become-password-fd", "N", "read its password from this descriptor",
	    CLI_CALL, 0, 0, 0, set_fd },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

int
send_check(const struct send *s, const struct cli_connect *c,
    const struct cli_form *f, bool no_stdin, struct fanout_error *e)
{
	if (c->raw && (cli_form_used(f) || s->script != NULL || s->detach ||
	    s->how != BECOME_NOBODY))
		return cli_error(e, FANOUT_EINVAL, "--raw runs nothing but "
		    "the command: no --env, --chdir, --umask, --shell, "
		    "--script, --sudo, --become, --detach");
	if (s->password_fd > 0 && s->how == BECOME_NOBODY)
		return cli_error(e, FANOUT_EINVAL, "--become-password-fd is "
		    "for --sudo or --become");
	if (s->password_fd > 0 && s->password_fd == c->ask.password_fd)
		return cli_error(e, FANOUT_EINVAL, "--password-fd and "
		    "--become-password-fd want descriptors of their own");
	if (no_stdin && s->stdin_file != NULL)
		return cli_error(e, FANOUT_EINVAL, "-n or --stdin-file: one "
		    "of them");
	return 0;
}

char *
send_script_words(const char *script, char **arguments)
{
	char *text = NULL;
	size_t size;
	FILE *fp;

	if ((fp = open_memstream(&text, &size)) == NULL)
		return NULL;
	cli_form_quote(fp, script);
	for (; *arguments != NULL; arguments++) {
		putc(' ', fp);
		cli_form_quote(fp, *arguments);
	}
	if (fclose(fp) == 0)
		return text;
	free(text);
	return NULL;
}

/* Behind the first word that cli_form_quote made. */
static const char *
behind_script(const char *words)
{
	const char *p = words;

	while ((p = strchr(p + 1, '\'')) != NULL &&
	    strncmp(p, "'\\''", 4) == 0)
		p += 3;
	return p == NULL ? "" : p[1] == ' ' ? p + 2 : p + 1;
}

/* ---- the script ---------------------------------------------------------- */

static int
take_first_line(struct send *s, struct fanout_error *e)
{
	const char *text = s->input.script;
	size_t n = strcspn(text, "\n");
	char *first;

	if (n > s->wrap.size)
		n = s->wrap.size;
	/* A program, by the NUL that no script has in its first line. */
	if (memchr(text, '\0', n) != NULL || strncmp(text, "\177ELF", 4) == 0)
		n = 0;
	else if (strncmp(text, "#!", 2) != 0)
		n = s->wrap.size < 2 ? s->wrap.size : 2;
	if (n > 0 && text[n - 1] == '\r')
		return cli_error(e, FANOUT_EINVAL, "%s: its lines end with "
		    "CR LF", s->script);
	if ((first = strndup(text, n)) == NULL)
		return cli_nomem(e);
	while (n > 0 && (first[n - 1] == ' ' || first[n - 1] == '\t'))
		first[--n] = '\0';
	if (strncmp(first, "#!", 2) == 0 && strspn(first + 2, " \t") ==
	    strlen(first + 2)) {
		free(first);
		return cli_error(e, FANOUT_EINVAL, "%s: nothing behind #!",
		    s->script);
	}
	s->wrap.first = first;
	return 0;
}

/* Its name there; what is odd in it would need quotes. */
static const char *
script_name(const char *path)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	return name[strspn(name, good)] == '\0' && *name != '\0' &&
	    *name != '.' && *name != '-' && strlen(name) < 100 ? name :
	    "script";
}

/* All of it and a NUL; errno where it is NULL. */
static char *
read_whole(const char *path, size_t *size)
{
	char *text = NULL, *piece = NULL;
	size_t cap = 0;
	FILE *fp, *out;
	ssize_t n;
	int saved;

	if ((fp = fopen(path, "re")) == NULL)
		return NULL;
	out = open_memstream(&text, size);
	while (out != NULL && (n = getdelim(&piece, &cap, '\n', fp)) > 0)
		if (fwrite(piece, 1, (size_t)n, out) != (size_t)n)
			break;
	saved = ferror(fp) ? errno : 0;
	free(piece);
	if (out == NULL || fclose(out) != 0)
		saved = ENOMEM;
	fclose(fp);
	if (saved == 0)
		return text;
	free(text);
	errno = saved;
	return NULL;
}

static int
read_script(struct send *s, struct fanout_error *e)
{
	char *text = read_whole(s->script, &s->wrap.size);

	if (text == NULL)
		return cli_error(e, FANOUT_ESYS, "--script %s: %s", s->script,
		    strerror(errno));
	s->input.script = text;
	s->wrap.script = script_name(s->script);
	if (s->wrap.size == 0)
		return cli_error(e, FANOUT_EINVAL, "--script %s: it is empty",
		    s->script);
	return take_first_line(s, e);
}

/* ---- standard input of each ---------------------------------------------- */

static const char *
unreadable(const char *path)
{
	struct stat st;

	if (access(path, R_OK) == -1 || stat(path, &st) == -1)
		return strerror(errno);
	return S_ISREG(st.st_mode) ? NULL : "no regular file";
}

int
send_ahead(struct send *s, size_t host, const struct fanout_result *result)
{
	struct fanout_result *r;

	if (s->ahead == NULL && ((s->ahead = calloc(s->nhosts,
	    sizeof(*s->ahead))) == NULL))
		return -1;
	if (s->ahead[host] != NULL)
		return 0;
	if ((r = malloc(sizeof(*r))) == NULL)
		return -1;
	*r = *result;
	s->ahead[host] = r;
	return 0;
}

/* A host whose file is missing is not begun, and has failed. */
static int
lacks_file(struct send *s, size_t host, const char *path, const char *why)
{
	struct fanout_result r = { .cls = FANOUT_C_LOCAL,
	    .stage = FANOUT_S_RUN, .status = -1 };

	snprintf(r.text, sizeof(r.text), "--stdin-file %.180s: %s", path, why);
	if (send_ahead(s, host, &r) == -1)
		return -1;
	s->skip[host] = s->ahead[host]->text;
	return 0;
}

static int
find_files(struct send *s, struct cli_expand *x, const char *const *skip,
    struct fanout_error *e)
{
	const char *why;
	size_t i;
	int rc;

	s->input.files = calloc(s->nhosts, sizeof(char *));
	s->skip = calloc(s->nhosts, sizeof(*s->skip));
	if (s->input.files == NULL || s->skip == NULL)
		return cli_nomem(e);
	for (i = 0; i < s->nhosts; i++) {
		if (skip != NULL)
			s->skip[i] = skip[i];
		if ((rc = cli_expand(x, i, s->stdin_file, false,
		    &s->input.files[i], e)) != 0)
			return rc;
		if (s->skip[i] == NULL &&
		    (why = unreadable(s->input.files[i])) != NULL &&
		    lacks_file(s, i, s->input.files[i], why) == -1)
			return cli_nomem(e);
	}
	return 0;
}

static int
find_input(struct send *s, struct cli_expand *x, const char *const *skip,
    int fd, struct fanout_cmd *cmd, struct fanout_error *e)
{
	int rc;

	cmd->stdin_fd = fd;
	cmd->skip = skip;
	if (s->stdin_file == NULL)
		return 0;
	cmd->stdin_fd = -1;
	if (cli_expand_needed(x, s->stdin_file)) {
		rc = find_files(s, x, skip, e);
		cmd->skip = s->skip;
		return rc;
	}
	if ((s->fd = open(s->stdin_file, O_RDONLY | O_CLOEXEC)) == -1)
		return cli_error(e, FANOUT_ESYS, "--stdin-file %s: %s",
		    s->stdin_file, strerror(errno));
	cmd->stdin_fd = s->fd;
	return 0;
}

/* ---- commands ------------------------------------------------------------ */

static int
make_each(struct send *s, const char *command, struct cli_expand *x,
    struct fanout_error *e)
{
	char *expanded;
	size_t i;
	int rc = 0;

	if ((s->commands = calloc(s->nhosts, sizeof(char *))) == NULL)
		return cli_nomem(e);
	for (i = 0; i < s->nhosts && rc == 0; i++) {
		if ((rc = cli_expand(x, i, command, true, &expanded, e)) != 0)
			break;
		rc = wrap_command(&s->wrap, expanded, &s->commands[i], e);
		free(expanded);
	}
	return rc;
}

static int
make_commands(struct send *s, const char *command, struct cli_expand *x,
    struct fanout_cmd *cmd, struct fanout_error *e)
{
	int rc;

	if (s->script != NULL)
		command = behind_script(command);
	if (cli_expand_needed(x, command))
		rc = make_each(s, command, x, e);
	else
		rc = wrap_command(&s->wrap, command, &s->command, e);
	cmd->command = s->command;
	cmd->commands = (const char *const *)s->commands;
	return rc;
}

int
send_make(struct send *s, const char *command, const struct cli_form *form,
    struct cli_expand *x, const struct fanout_opts *o,
    const struct fanout_hosts *hosts, const char *const *skip, int fd,
    struct fanout_cmd *cmd, bool *takes_part, struct fanout_error *e)
{
	int rc;

	s->nhosts = fanout_hosts_count(hosts);
	s->wrap = (struct wrap){ .form = form, .how = s->how,
	    .user = s->user != NULL ? s->user : "root", .script = s->script,
	    .grace_ms = o->grace_ms, .detach = s->detach };
	s->input.wrap = &s->wrap;
	s->input.tty = cmd->tty = s->tty;
	wrap_init(&s->wrap);
	if ((s->script != NULL && (rc = read_script(s, e)) != 0) ||
	    (rc = find_input(s, x, skip, fd, cmd, e)) != 0)
		return rc;
	s->wrap.input = cmd->stdin_fd != -1 || s->input.files != NULL;
	if ((rc = make_commands(s, command, x, cmd, e)) != 0)
		return rc;
	if (s->password_fd > 0 && s->input.password == NULL &&
	    (rc = cli_ask_read(&s->input.password,
	    (int)s->password_fd - 1, "become-password-fd", e)) != 0)
		return rc;
	*takes_part = s->script != NULL || s->how != BECOME_NOBODY ||
	    s->input.files != NULL;
	return !*takes_part || input_open(&s->input, s->nhosts) == 0 ? 0 :
	    cli_nomem(e);
}

void
send_reset(struct send *s)
{
	size_t i;

	for (i = 0; i < s->nhosts; i++) {
		if (s->commands != NULL)
			free(s->commands[i]);
		if (s->input.files != NULL)
			free(s->input.files[i]);
		if (s->ahead != NULL)
			free((void *)(uintptr_t)s->ahead[i]);
	}
	input_rest(&s->input);
	free(s->commands);
	free(s->command);
	free(s->input.files);
	free(s->ahead);
	free(s->skip);
	free((void *)(uintptr_t)s->wrap.first);
	free((void *)(uintptr_t)s->input.script);
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
	s->nhosts = 0;
	s->command = NULL;
	s->commands = s->input.files = NULL;
	s->ahead = NULL;
	s->skip = NULL;
	s->wrap.first = NULL;
	s->input.script = NULL;
}

void
send_clear(struct send *s)
{
	send_reset(s);
	input_close(&s->input);
	free(s->user);
	*s = (struct send)SEND_INIT;
}
