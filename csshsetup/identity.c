#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "identity.h"

/* ---- one host ------------------------------------------------------------ */

/* "key 1: FILE TYPE", "key not tried: FILE: WHY", "... FILE (TYPE): WHY": how
 * long is the file, if it is one? */
static size_t
file_length(const char *line, const char **file)
{
	static const char skipped[] = "key not tried: ";
	bool tried = strncmp(line, skipped, strlen(skipped)) != 0;
	const char *end, *p;
	unsigned number;
	int n = 0;

	if (tried && (sscanf(line, "key %u: %n", &number, &n) != 1 || n == 0))
		return 0;
	*file = line + (tried ? (size_t)n : strlen(skipped));
	if (**file != '/')
		return 0;
	end = tried ? strrchr(*file, ' ') : strstr(*file, ": ");
	if (end == NULL)
		return 0;
	if (!tried && end[-1] == ')') {
		for (p = end; p > *file && *p != '('; p--)
			;
		if (p > *file && p[-1] == ' ')
			end = p - 1;
	}
	if (end - *file > 9 && memcmp(end - 9, "-cert.pub", 9) == 0)
		return 0;
	return (size_t)(end - *file);
}

char *
identity_files(const char *explained)
{
	const char *line = explained, *file;
	char *copy, *files = NULL;
	bool named = false;
	size_t n, size;
	FILE *f;

	if ((f = open_memstream(&files, &size)) == NULL)
		return NULL;
	for (; *line != '\0'; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		if ((copy = strndup(line, n)) == NULL)
			break;
		named = named || strstr(copy, ": identityfile ") != NULL;
		if ((size = file_length(copy, &file)) > 0)
			fprintf(f, "%.*s\n", (int)size, file);
		free(copy);
	}
	if (fclose(f) != EOF && named && *line == '\0' && *files != '\0')
		return files;
	free(files);
	return NULL;
}

/* ---- all of them --------------------------------------------------------- */

struct choice {
	const struct setup *s;
	const char *usual;
	char	**files;	/* one a host; NULL: no configuration has any */
};

/* Is this key among them? A public half stands for it, too. */
static bool
has(const char *files, const char *key, size_t len)
{
	const char *p = files;
	size_t n;

	for (; *p != '\0'; p += n + 1) {
		n = strcspn(p, "\n");
		if (n >= len && memcmp(p, key, len) == 0 && (n == len ||
		    (n == len + 4 && memcmp(p + len, ".pub", 4) == 0)))
			return true;
	}
	return false;
}

/* What no configuration names is what ssh(1) has of its own. */
static bool
uses(const struct choice *c, size_t host, const char *key, size_t len)
{
	static const char *const own[] = { "id_rsa", "id_ecdsa",
	    "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk" };
	size_t i, dir = (size_t)(strrchr(c->usual, '/') - c->usual) + 1;

	if (c->files[host] != NULL)
		return has(c->files[host], key, len);
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (len == dir + strlen(own[i]) && memcmp(key, c->usual, dir) ==
		    0 && memcmp(key + dir, own[i], len - dir) == 0)
			return true;
	return false;
}

static bool
counts(const struct choice *c, size_t host)
{
	return c->s->dead == NULL || c->s->dead[host] == NULL;
}

static bool
all_use(const struct choice *c, const char *key, size_t len)
{
	size_t i;

	for (i = 0; i < c->s->count; i++)
		if (counts(c, i) && !uses(c, i, key, len))
			return false;
	return true;
}

/* Of the files of a host that does not use the usual one: one that is there,
 * else the first; free(3). NULL: none of them is for all. */
static char *
for_all(const struct choice *c, const char *files)
{
	char *first = NULL, *key, *public;
	const char *p;
	size_t n, len;
	bool there;

	for (p = files; *p != '\0'; p += n + 1) {
		n = strcspn(p, "\n");
		len = n > 4 && memcmp(p + n - 4, ".pub", 4) == 0 ? n - 4 : n;
		if (!all_use(c, p, len) || (key = strndup(p, len)) == NULL)
			continue;
		if (asprintf(&public, "%s.pub", key) == -1)
			public = NULL;
		there = public != NULL && access(public, F_OK) == 0;
		free(public);
		if (there) {
			free(first);
			return key;
		}
		if (first == NULL)
			first = key;
		else
			free(key);
	}
	return first;
}

/* Hosts with the same files in one line. */
static void
warn_unlike(const struct choice *c, size_t from, bool *told)
{
	const char *files = c->files[from];
	struct fanout_hosts *set;
	char *names = NULL;
	size_t i;

	if (fanout_hosts_new(&set) != 0)
		return;
	for (i = from; i < c->s->count; i++)
		if (!told[i] && counts(c, i) && c->files[i] != NULL &&
		    strcmp(c->files[i], files) == 0) {
			told[i] = true;
			(void)fanout_hosts_add(set, fanout_hosts_at(c->s->hosts,
			    i), NULL);
		}
	if (fanout_hosts_fold(set, &names) == 0)
		warnx("%s: ssh(1) will not use the key %s there: ssh_config "
		    "has IdentityFile %.*s (--key names the key that is to be "
		    "trusted)", names, c->usual, (int)strcspn(files, "\n"),
		    files);
	free(names);
	fanout_hosts_free(set);
}

#define WARN_MAX 5

static void
warn_all(const struct choice *c)
{
	bool *told = calloc(c->s->count, sizeof(*told));
	size_t i, lines = 0, more = 0;

	for (i = 0; told != NULL && i < c->s->count; i++) {
		if (told[i] || !counts(c, i) || c->files[i] == NULL ||
		    uses(c, i, c->usual, strlen(c->usual)))
			continue;
		if (lines++ < WARN_MAX)
			warn_unlike(c, i, told);
		else
			more++;
	}
	if (more > 0)
		warnx("nor on %zu more hosts, which have others", more);
	free(told);
}

static char *
choose(struct choice *c)
{
	bool install = c->s->c->mode == SETUP_TRUST;
	char *key = NULL;
	size_t i;

	for (i = 0; i < c->s->count; i++)
		if (counts(c, i) && c->files[i] != NULL &&
		    !uses(c, i, c->usual, strlen(c->usual)))
			break;
	if (i == c->s->count)
		return NULL;
	if (c->s->c->type == NULL)
		key = for_all(c, c->files[i]);
	if (key == NULL && install)
		warn_all(c);
	if (key != NULL && install)
		warnx("the key is %s, as ssh_config has it as IdentityFile of "
		    "%s", key, c->s->count == 1 ? fanout_hosts_at(c->s->hosts,
		    0) : "all of these hosts");
	return key;
}

/* Of this run only: no matter for a later one of ssh. */
static bool
is_of_run(const char *option)
{
	return strncasecmp(option, "Identit", 7) == 0;
}

static int
open_way(const struct setup *s, struct fanout **way)
{
	struct fanout_opts opts = s->opts;
	const char **own;
	size_t i, n = 0;
	int rc;

	for (i = 0; s->opts.ssh_options[i] != NULL; i++)
		;
	if ((own = calloc(i + 2, sizeof(*own))) == NULL)
		return -1;
	/* What an agent has besides is no file of the configuration. */
	own[n++] = "IdentityAgent=none";
	for (i = 0; s->opts.ssh_options[i] != NULL; i++)
		if (!is_of_run(s->opts.ssh_options[i]))
			own[n++] = s->opts.ssh_options[i];
	opts.ssh_options = own;
	opts.transport = "ssh2";
	opts.log_level = 0;
	rc = fanout_new(way, &opts, NULL);
	free(own);
	return rc == 0 ? 0 : -1;
}

char *
identity_choose(const struct setup *s, const char *usual)
{
	struct choice c = { .s = s, .usual = usual };
	struct fanout *way;
	char *text, *key = NULL;
	size_t i;

	if (strrchr(usual, '/') == NULL || open_way(s, &way) == -1)
		return NULL;
	c.files = calloc(s->count, sizeof(*c.files));
	for (i = 0; c.files != NULL && i < s->count; i++)
		if (counts(&c, i) && fanout_explain(way,
		    fanout_hosts_at(s->hosts, i), &text, NULL) == 0) {
			c.files[i] = identity_files(text);
			free(text);
		}
	fanout_free(way);
	if (c.files != NULL)
		key = choose(&c);
	for (i = 0; c.files != NULL && i < s->count; i++)
		free(c.files[i]);
	free(c.files);
	return key;
}
