/*
 * asker.c - a server that asks: passwords, codes, one method after another.
 *
 *	asker HOSTKEY ADDRESS:PORT LOG [run]
 *
 * The name of the user says how (see serve()). The right password is "secret",
 * the right code "123456"; every command prints "fine", or with "run" is run by
 * sh(1), without its standard error. Each password and code
 * that comes is a line "USER WHAT TEXT" in LOG, which thus shows how often
 * somebody tried. Prints "ADDRESS:PORT" when ready, each connection in a
 * process of its own, and ends by itself after two minutes.
 */
#if __has_include(<libssh/server.h>)
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libssh/libssh.h>
#include <libssh/server.h>

/* The calls by message are old, and just right for this. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#define LIFE_S 120
#define PASSWORD SSH_AUTH_METHOD_PASSWORD
#define PROMPTS SSH_AUTH_METHOD_INTERACTIVE
#define KEY SSH_AUTH_METHOD_PUBLICKEY

static int	logfd;
static char	user[64];		/* who logs in */
static int	step;			/* of what is to be done, from 0 */
static bool	runs;			/* commands, and not only says so */

static bool
is(const char *name)
{
	return strcmp(user, name) == 0;
}

static void
note(const char *what, const char *text)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "%s %s %s\n", user, what, text);

	if (write(logfd, line, (size_t)n) != n)
		err(1, "log");
}

/* What the server says it takes, at this step. */
static int
methods(void)
{
	if (is("pw") || is("slow"))
		return PASSWORD;
	if (is("both"))
		return PASSWORD | PROMPTS;
	if (is("keypw"))
		return step == 0 ? KEY : PASSWORD;
	if (is("keycode"))
		return step == 0 ? KEY : PROMPTS;
	if (is("mute"))
		return 0;
	return PROMPTS;
}

static int
refuse(ssh_message m)
{
	ssh_message_auth_set_methods(m, methods());
	ssh_message_reply_default(m);
	return 0;
}

static int
accept_step(ssh_message m, int steps)
{
	if (++step < steps) {
		ssh_message_auth_set_methods(m, methods());
		ssh_message_auth_reply_success(m, 1);
		return 0;
	}
	ssh_message_auth_reply_success(m, 0);
	return 1;
}

static void
ask(ssh_message m, int n, const char *first, const char *second)
{
	const char *prompts[2] = { first, second };
	char echo[2] = { strcmp(first, "Password: ") != 0, 1 };

	ssh_message_auth_interactive_request(m, "Bank", "Mind\033[2J the gap",
	    (unsigned)n, prompts, echo);
}

static bool
right(ssh_session s, int i, const char *what, const char *want)
{
	const char *got = ssh_userauth_kbdint_getanswer(s, (unsigned)i);

	note(what, got != NULL ? got : "(none)");
	return got != NULL && strcmp(got, want) == 0;
}

/* keyboard-interactive: 1 logged in. */
static int
interactive(ssh_session s, ssh_message m)
{
	static int round;
	bool good;

	if (!ssh_message_auth_kbdint_is_response(m)) {
		round = 0;
		if (is("two"))
			ask(m, 2, "Password: ", "Code: ");
		else if (is("keycode"))
			ask(m, 1, "One-time code: ", "");
		else if (is("newpw"))
			ask(m, 1, "New password: ", "");
		else
			ask(m, 1, "Password: ", "");
		return 0;
	}
	if (is("keycode") || (is("rounds") && round == 1)) {
		good = right(s, 0, "code", "123456");
	} else {
		good = right(s, 0, "password", "secret");
		if (is("two"))
			good &= right(s, 1, "code", "123456");
	}
	if (!good)
		return refuse(m);
	if (is("rounds") && round++ == 0) {
		ask(m, 1, "Code: ", "");
		return 0;
	}
	return accept_step(m, is("keycode") ? 2 : 1);
}

static int
authenticate(ssh_session s, ssh_message m)
{
	if (ssh_message_auth_user(m) != NULL)
		(void)snprintf(user, sizeof(user), "%s",
		    ssh_message_auth_user(m));
	switch (ssh_message_subtype(m)) {
	case SSH_AUTH_METHOD_NONE:
		return is("open") ? accept_step(m, 1) : refuse(m);
	case KEY:
		if (!(methods() & KEY))
			return refuse(m);
		if (ssh_message_auth_publickey_state(m) ==
		    SSH_PUBLICKEY_STATE_NONE) {
			ssh_message_auth_reply_pk_ok_simple(m);
			return 0;
		}
		return accept_step(m, 2);
	case PASSWORD:
		note("password", ssh_message_auth_password(m));
		if (strcmp(ssh_message_auth_password(m), "secret") != 0)
			return refuse(m);
		return accept_step(m, is("keypw") ? 2 : 1);
	case PROMPTS:
		return interactive(s, m);
	}
	return refuse(m);
}

/* Until logged in; the slow one hangs up when asked to wait for a second. */
static bool
login(ssh_session s)
{
	ssh_message m;
	int in = 0;

	while (in == 0 && (m = ssh_message_get(s)) != NULL) {
		if (ssh_message_type(m) == SSH_REQUEST_AUTH) {
			in = authenticate(s, m);
			if (is("slow"))
				alarm(1);
		} else if (ssh_message_type(m) == SSH_REQUEST_SERVICE)
			ssh_message_service_reply_success(m);
		else
			ssh_message_reply_default(m);
		ssh_message_free(m);
	}
	return in == 1;
}

/* A child with pipes as its standard input and output. */
static pid_t
start(const char *command, int *to, int *from)
{
	int in[2], out[2];
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(out, O_CLOEXEC) == -1 ||
	    (pid = fork()) == -1)
		err(1, "%s", command);
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	*to = in[1];
	*from = out[0];
	return pid;
}

/* Until it has closed its standard output. The exit status. */
static int
run(ssh_channel c, const char *command)
{
	int to, from, n, status = 0;
	pid_t pid = start(command, &to, &from);
	char buf[4096];

	do {
		n = ssh_channel_read_timeout(c, buf, sizeof(buf), 0, 20);
		if (n > 0 && to != -1 && write(to, buf, (size_t)n) == -1)
			warn("input");
		if (to != -1 && (n == SSH_ERROR || ssh_channel_is_eof(c))) {
			close(to);
			to = -1;
		}
		while ((n = (int)read(from, buf, sizeof(buf))) > 0)
			ssh_channel_write(c, buf, (uint32_t)n);
	} while (n != 0);
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void
serve(ssh_session s)
{
	ssh_channel c = NULL;
	ssh_message m;
	bool over = false;
	char *command = NULL;
	int status = 0;

	if (ssh_handle_key_exchange(s) != SSH_OK || !login(s))
		return;
	while (!over && (m = ssh_message_get(s)) != NULL) {
		if (ssh_message_type(m) == SSH_REQUEST_CHANNEL_OPEN)
			c = ssh_message_channel_request_open_reply_accept(m);
		else if (ssh_message_type(m) == SSH_REQUEST_CHANNEL &&
		    ssh_message_subtype(m) == SSH_CHANNEL_REQUEST_EXEC) {
			command = strdup(ssh_message_channel_request_command(m));
			ssh_message_channel_request_reply_success(m);
			over = true;
		} else
			ssh_message_reply_default(m);
		ssh_message_free(m);
	}
	if (!over)
		return;
	if (runs && command != NULL)
		status = run(c, command);
	else
		ssh_channel_write(c, "fine\n", 5);
	free(command);
	ssh_channel_request_send_exit_status(c, status);
	ssh_channel_send_eof(c);
	ssh_channel_close(c);
	/* The client says good-bye first. */
	while ((m = ssh_message_get(s)) != NULL)
		ssh_message_free(m);
}

static ssh_session
handshake(int fd, const char *hostkey)
{
	ssh_bind b = ssh_bind_new();
	ssh_session s = ssh_new();

	if (b == NULL || s == NULL)
		errx(1, "memory");
	ssh_bind_options_set(b, SSH_BIND_OPTIONS_HOSTKEY, hostkey);
	if (ssh_bind_accept_fd(b, s, fd) != SSH_OK)
		errx(1, "accept: %s", ssh_get_error(b));
	return s;
}

static int
listen_at(char *where)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	char *colon = strrchr(where, ':');
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (colon == NULL)
		errx(2, "%s: not ADDRESS:PORT", where);
	*colon = '\0';
	sin.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, where, &sin.sin_addr) != 1 || fd == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 512) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		err(1, "%s", where);
	printf("%s:%u\n", where, ntohs(sin.sin_port));
	fflush(stdout);
	return fd;
}

int
main(int argc, char **argv)
{
	ssh_session s;
	int fd, c;

	if (argc < 4 || argc > 5)
		errx(2, "usage: asker HOSTKEY ADDRESS:PORT LOG [run]");
	runs = argc == 5;
	if ((logfd = open(argv[3], O_WRONLY | O_CREAT | O_APPEND, 0600)) == -1)
		err(1, "%s", argv[3]);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	alarm(LIFE_S);
	fd = listen_at(argv[2]);
	for (;;) {
		if ((c = accept(fd, NULL, NULL)) == -1)
			err(1, "accept");
		if (fork() == 0) {
			close(fd);
			alarm(LIFE_S);
			signal(SIGCHLD, SIG_DFL);
			s = handshake(c, argv[1]);
			serve(s);
			ssh_disconnect(s);
			_exit(0);
		}
		close(c);
	}
}

#else

#include <stdio.h>

int
main(void)
{
	fprintf(stderr, "asker: built without libssh\n");
	return 77;
}
#endif
