/* A command in its surroundings, by all shells there are. */
#include <sys/wait.h>

#include <unistd.h>

#include "cli/form.h"
#include "test.h"

/* What a login shell makes of the line: sshd runs it as SHELL -c LINE. */
static char *
run_by(const char *shell, const char *line, int *status)
{
	static char out[65536];
	size_t n = 0;
	ssize_t got;
	int fd[2], wstatus;
	pid_t pid;

	if (pipe(fd) == -1 || (pid = fork()) == -1)
		abort();
	if (pid == 0) {
		dup2(fd[1], 1);
		dup2(fd[1], 2);
		close(fd[0]);
		close(fd[1]);
		setenv("SHELL", shell, 1);
		execl(shell, shell, "-c", line, (char *)NULL);
		_exit(127);
	}
	close(fd[1]);
	while ((got = read(fd[0], out + n, sizeof(out) - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(fd[0]);
	waitpid(pid, &wstatus, 0);
	*status = WIFEXITED(wstatus) ? WEXITSTATUS(wstatus) : -1;
	return out;
}

#define EVIL "a'b\"c\\d$e`f!g\nh\ti*j;k&l|m(n)o{p}q[r]s<t>u~v#w%x^y\303\251 z\\n\\\\!!"

static const struct {
	const char *name;
	struct cli_form form;
	const char *command, *want;
	int	 status;
} cases[] = {
	{ "a folder", { .directory = "/usr" }, "pwd", "/usr\n", 0 },
	{ "one that is not", { .directory = "/no/such" }, "echo no", NULL,
	    126 },
	{ "a mask", { .umask = "027" }, "umask", NULL, 0 },
	{ "a status", { .umask = "022" }, "exit 7", "", 7 },
	{ "a variable", { .env = { "V=some value" }, .nenv = 1 },
	    "printenv V", "some value\n", 0 },
	{ "two, one empty", { .env = { "V=", "W=$HOME" }, .nenv = 2 },
	    "printenv W", "$HOME\n", 0 },
	{ "one of here", { .env = { "T_CLI_FORM" }, .nenv = 1 },
	    "printenv T_CLI_FORM", "of here\n", 0 },
	{ "all characters", { .env = { "V=" EVIL }, .nenv = 1 },
	    "printenv V", EVIL "\n", 0 },
	{ "another shell", { .shell = "/bin/sh" },
	    "x='" "it''s" "'; echo \"$x\" | tr a-z A-Z\nprintf '%s\\n' \\\\",
	    "ITS\n\\\n", 0 },
	{ "all characters in the command", { .shell = "/bin/sh" },
	    "cat <<'end'\n" EVIL "\nend", EVIL "\n", 0 },
	{ "all together", { .directory = "/usr", .umask = "077",
	    .shell = "/bin/sh", .env = { "A=1", "B=2" }, .nenv = 2 },
	    "echo $A $B $(umask) $PWD", "1 2 0077 /usr\n", 0 },
};

static void
by(const char *shell)
{
	struct fanout_error e;
	char *line, *out;
	size_t i;
	int status;

	if (access(shell, X_OK) == -1) {
		skip(1, "%s is not installed", shell);
		return;
	}
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cli_form_wrap(&cases[i].form, cases[i].command, &line,
		    &e) != 0)
			abort();
		out = run_by(shell, line, &status);
		is_int(status, cases[i].status, "%s, by %s: status",
		    cases[i].name, shell);
		if (cases[i].want != NULL)
			is_str(out, cases[i].want, "%s, by %s", cases[i].name,
			    shell);
		free(line);
	}
}

static void
options(void)
{
	static const struct {
		const char *name, *value;
		bool	 good;
	} all[] = {
		{ "env", "A=b", true }, { "env", "_a1=", true },
		{ "env", "T_CLI_FORM", true }, { "env", "1A=b", false },
		{ "env", "=b", false }, { "env", "A-B=c", false },
		{ "env", "", false }, { "env", "T_NO_SUCH", false },
		{ "umask", "022", true }, { "umask", "0", true },
		{ "umask", "8", false }, { "umask", "00022", false },
		{ "umask", "u=rwx", false }, { "chdir", "", false },
		{ "shell", "", false },
	};
	const struct cli_option *o;
	struct cli_form f = { .nenv = 0 };
	struct fanout_error e;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (o = cli_form_options; o->help != NULL; o++)
			if (strcmp(o->name, all[i].name) == 0)
				is_int(o->call(&f, all[i].value, &e) == 0,
				    all[i].good, "--%s %s", all[i].name,
				    all[i].value);
}

static void
saved(void)
{
	is_int(cli_form_saved("LANG=C"), 6, "saved as it is");
	is_int(cli_form_saved("DB_PASSWORD=x"), 11, "not its value");
	is_int(cli_form_saved("api_token=x"), 9, "nor this");
	is_int(cli_form_saved("X=PASSWORD"), 10, "it is the name that tells");
}

int
main(void)
{
	static const char *const shells[] = { "/bin/sh", "/bin/bash",
	    "/bin/dash", "/bin/zsh", "/usr/bin/fish", "/bin/csh", "/bin/tcsh",
	    "/bin/ksh" };
	struct fanout_error e;
	char *line;
	size_t i;

	setenv("T_CLI_FORM", "of here", 1);
	for (i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		by(shells[i]);
	if (cli_form_wrap(&(struct cli_form){ .nenv = 0 }, "a 'b'", &line,
	    &e) == 0) {
		is_str(line, "a 'b'", "without options it stays as it is");
		free(line);
	}
	options();
	saved();
	return test_end();
}
