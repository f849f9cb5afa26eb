/*
 * key.c - the key pair that hosts are to trust: found, or made.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "csshsetup.h"
#include "keyline.h"

extern char **environ;

static const char *const usual[] = { "id_ed25519", "id_ecdsa", "id_rsa", NULL };

/* The .ssh that logins look at, which is as with ssh(1) not a matter of HOME;
 * free(3). NULL: why is in e. */
static char *
ssh_dir(struct fanout_error *e)
{
	const struct passwd *pw = getpwuid(getuid());
	char *dir;

	if (pw == NULL) {
		cli_error(e, FANOUT_ECONFIG, "user %u has no account here",
		    (unsigned)getuid());
		return NULL;
	}
	if (asprintf(&dir, "%s/.ssh", pw->pw_dir) == -1) {
		cli_nomem(e);
		return NULL;
	}
	return dir;
}

static char *
public_of(const char *path)
{
	char *public;

	return asprintf(&public, "%s.pub", path) == -1 ? NULL : public;
}

/* The first of the usual ones that has both halves; else the one to make. */
static char *
choose(const char *dir, const char *type)
{
	char *path, *public, *dash;
	size_t i;
	bool found;

	if (type != NULL) {
		if (asprintf(&path, "%s/id_%s", dir, type) == -1)
			return NULL;
		/* As ssh(1) looks for it: id_ed25519_sk. */
		if ((dash = strrchr(path, '-')) != NULL && dash > strrchr(path,
		    '/'))
			*dash = '_';
		return path;
	}
	for (i = 0; usual[i] != NULL; i++) {
		if (asprintf(&path, "%s/%s", dir, usual[i]) == -1)
			return NULL;
		public = public_of(path);
		found = public != NULL && access(path, F_OK) == 0 &&
		    access(public, F_OK) == 0;
		free(public);
		if (found)
			return path;
		free(path);
	}
	return asprintf(&path, "%s/%s", dir, usual[0]) == -1 ? NULL : path;
}

/* It asks on its standard input only, if that is a terminal. */
static int
spawn(pid_t *pid, char *const *argv, bool tty)
{
	posix_spawn_file_actions_t actions;
	int rc;

	if ((rc = posix_spawn_file_actions_init(&actions)) != 0)
		return rc;
	rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
	    tty ? "/dev/tty" : "/dev/null", O_RDWR, 0);
	if (rc == 0)
		rc = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static int
keygen(char *const *argv, bool tty, struct fanout_error *e)
{
	pid_t pid;
	int rc, status;

	if ((rc = spawn(&pid, argv, tty)) != 0)
		return cli_error(e, FANOUT_ESYS, "%s: %s", argv[0],
		    strerror(rc));
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return cli_error(e, FANOUT_ESYS, "%s: %s", argv[0],
			    strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return cli_error(e, FANOUT_ECONFIG, "ssh-keygen made no key");
	return 0;
}

static bool
has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

int
key_make(const struct csshsetup *c, const char *path, struct fanout_error *e)
{
	const char *argv[] = { "ssh-keygen", "-q", "-t", c->type != NULL ?
	    c->type : "ed25519", "-f", path, c->no_passphrase ? "-N" : NULL, "",
	    NULL };

	if (!c->no_passphrase && !has_terminal())
		return cli_error(e, FANOUT_EINVAL, "there is no key %s, and no "
		    "terminal to ask for its passphrase on (--no-passphrase "
		    "makes one without)", path);
	warnx("makes the key pair %s", path);
	return keygen((char *const *)(uintptr_t)argv, !c->no_passphrase, e);
}

/* A private key without its public half: that can be had from it. */
static int
derive(const char *path, const char *public, struct fanout_error *e)
{
	return cli_error(e, FANOUT_ECONFIG, "%s: its public half is missing: "
	    "ssh-keygen -y -f %s >%s", path, path, public);
}

static int
make_dir(struct fanout_error *e)
{
	char *dir = ssh_dir(e);
	int rc = 0;

	if (dir == NULL)
		return e->code;
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		rc = cli_error(e, FANOUT_ESYS, "%s: %s", dir, strerror(errno));
	free(dir);
	return rc;
}

static int
make(const struct csshsetup *c, const char *path, const char *public,
    struct fanout_error *e)
{
	int rc;

	if (access(public, F_OK) == 0)
		return 0;
	if (c->mode == SETUP_VERIFY && access(path, F_OK) == 0)
		return 0;	/* it is only tried */
	if (access(path, F_OK) == 0)
		return derive(path, public, e);
	if (c->mode != SETUP_TRUST)
		return c->key == NULL && c->mode != SETUP_ROTATE ? 0 :
		    cli_error(e, FANOUT_ECONFIG, "there is no key %s", path);
	if (c->dry_run) {
		warnx("there is no key %s: it would be made", path);
		return 0;
	}
	if (c->key == NULL && (rc = make_dir(e)) != 0)
		return rc;
	return key_make(c, path, e);
}

static int
compose(struct setup_key *k, const struct csshsetup *c, const char *line)
{
	size_t type = strcspn(line, " ");
	char *options = keyline_limit("", 0, c->options, c->expiry);
	int n = (int)(type + 1 + strcspn(line + type + 1, " "));

	if (asprintf(&k->word, "%.*s", n, line) == -1)
		k->word = NULL;
	if (options == NULL || asprintf(&k->prefix, "%s%s", options,
	    *options != '\0' ? " " : "") == -1)
		k->prefix = NULL;
	free(options);
	if (k->prefix == NULL ||
	    asprintf(&k->line, "%s%s", k->prefix, line) == -1)
		k->line = NULL;
	return k->word == NULL || k->line == NULL ? -1 : 0;
}

static int
read_public(struct setup_key *k, const struct csshsetup *c,
    const char *public, struct fanout_error *e)
{
	char *line = NULL;
	struct keyline parts;
	size_t size = 0;
	ssize_t n;
	FILE *f;
	int rc = 0;

	if ((f = fopen(public, "re")) == NULL)
		return cli_error(e, FANOUT_ESYS, "%s: %s", public,
		    strerror(errno));
	n = getline(&line, &size, f);
	fclose(f);
	if (n > 0)
		line[strcspn(line, "\r\n")] = '\0';
	if (n <= 0 || !keyline_parse(&parts, line, strlen(line)) ||
	    parts.type != line)
		rc = cli_error(e, FANOUT_ECONFIG, "%s: this is no public key",
		    public);
	else if (compose(k, c, line) == -1)
		rc = cli_nomem(e);
	free(line);
	return rc;
}

/* The private key that is meant: ssh-copy-id takes its public half, too. */
static char *
private_of(const char *key)
{
	size_t len = strlen(key);
	char *public;
	bool half;

	if (len <= 4 || strcmp(key + len - 4, ".pub") != 0)
		return strdup(key);
	if (asprintf(&public, "%s.pub", key) == -1)
		return NULL;
	half = access(key, F_OK) == 0 && access(public, F_OK) == -1;
	free(public);
	return half ? strndup(key, len - 4) : strdup(key);
}

char *
key_path(const struct csshsetup *c, struct fanout_error *e)
{
	char *dir, *path;

	if (c->key != NULL)
		path = private_of(c->key);
	else if ((dir = ssh_dir(e)) == NULL)
		return NULL;
	else {
		path = choose(dir, c->mode != SETUP_ROTATE ? c->type : NULL);
		free(dir);
	}
	if (path == NULL)
		cli_nomem(e);
	return path;
}

int
key_find(struct setup_key *k, const struct csshsetup *c, char *path,
    struct fanout_error *e)
{
	char *public;
	int rc;

	*k = (struct setup_key){ .path = path };
	if ((public = public_of(k->path)) == NULL)
		rc = cli_nomem(e);
	else if ((rc = make(c, k->path, public, e)) == 0 &&
	    access(public, F_OK) == 0)
		rc = read_public(k, c, public, e);
	else if (rc == 0 && c->mode == SETUP_TRUST &&
	    compose(k, c, KEY_TO_COME) == -1)
		rc = cli_nomem(e);
	free(public);
	return rc;
}

void
key_clear(struct setup_key *k)
{
	free(k->path);
	free(k->prefix);
	free(k->line);
	free(k->word);
	*k = (struct setup_key){ .path = NULL };
}
