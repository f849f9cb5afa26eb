#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ccp.h"
#include "cli/completion.h"
#include "cli/error.h"
#include "cli/history.h"
#include "words.h"

#define AT(member) offsetof(struct ccp, member)

static int
add_exclude(void *into, const char *value, struct fanout_error *e)
{
	struct ccp *c = into;
	char **list;

	list = reallocarray(c->excludes, c->nexcludes + 2, sizeof(*list));
	if (list == NULL)
		return cli_nomem(e);
	c->excludes = list;
	list[c->nexcludes++] = (char *)(uintptr_t)value;
	list[c->nexcludes] = NULL;
	return 0;
}

static int
set_sudo(void *into, const char *value, struct fanout_error *e)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+@-#";
	const char *user = value != NULL ? value : "root";

	if (*user == '\0' || *user == '-' || user[strspn(user, good)] != '\0')
		return cli_error(e, FANOUT_EINVAL, "\"%.40s\" is no user",
		    user);
	((struct ccp *)into)->become.user = user;
	((struct ccp *)into)->become.unnamed = value == NULL;
	return 0;
}

static int
set_fd(void *into, const char *value, struct fanout_error *e)
{
	return cli_ask_fd(&((struct ccp *)into)->become.password_fd, value, e);
}

static const struct cli_option copy_options[] = {
	{ 'r', "recursive", NULL, "copy directories with all that is in them",
	    CLI_FLAG, AT(source.recursive), 0, 0, NULL },
	{ 'p', "preserve", NULL, "keep modes and times",
	    CLI_FLAG, AT(copy.preserve), 0, 0, NULL },
	{ 0, "xattrs", NULL, "keep extended attributes, ACLs, SELinux contexts",
	    CLI_FLAG, AT(source.xattrs), 0, 0, NULL },
	{ 'L', "dereference", NULL, "copy what symbolic links point to",
	    CLI_FLAG, AT(source.follow), 0, 0, NULL },
	{ 0, "exclude", "PATTERN", "leave out names, or paths, like this",
	    CLI_CALL, 0, 0, 0, add_exclude },
	{ 'T', "no-target-directory", NULL, "DEST is the name, also of a "
	    "directory", CLI_FLAG, AT(copy.as_is), 0, 0, NULL },
	{ 0, "mkdir", NULL, "make the directory DEST",
	    CLI_FLAG, AT(copy.mkdir), 0, 0, NULL },
	{ 0, "mode", "MODE", "mode of files, octal: 0644",
	    CLI_TEXT, AT(mode), 0, 0, NULL },
	{ 0, "owner", "USER[:GROUP]", "owner of files, as chown takes it",
	    CLI_TEXT, AT(copy.owner), 0, 0, NULL },
	{ 0, "backup", NULL, "keep what is replaced, with ~ at its name",
	    CLI_FLAG, AT(backup), 0, 0, NULL },
	{ 0, "suffix", "SUFFIX", "the same, with this instead of ~",
	    CLI_TEXT, AT(copy.backup), 0, 0, NULL },
	{ 0, "no-clobber", NULL, "leave alone what is there",
	    CLI_FLAG, AT(copy.no_clobber), 0, 0, NULL },
	{ 0, "update", NULL, "leave alone what is newer there",
	    CLI_FLAG, AT(copy.update), 0, 0, NULL },
	{ 0, "delete", NULL, "remove what is in DEST's directories and not here",
	    CLI_FLAG, AT(copy.delete), 0, 0, NULL },
	{ 0, "max-delete", "N", "but no more files of a host than so many",
	    CLI_NUMBER, AT(copy.max_delete), 1, 1000000, NULL },
	{ 0, "yes", NULL, "with --delete: it is meant",
	    CLI_FLAG, AT(yes), 0, 0, NULL },
	{ 0, "exec-before", "CMD", "run this where something is to change",
	    CLI_TEXT, AT(copy.before), 0, 0, NULL },
	{ 0, "exec-after", "CMD", "run this where something was changed",
	    CLI_TEXT, AT(copy.after), 0, 0, NULL },
	{ 0, "sudo", "[=USER]", "do it by sudo, as root or this user",
	    CLI_CALL, 0, 0, 0, set_sudo },
	{ 0, "become-password-fd", "N", "read sudo's password from this descriptor",
	    CLI_CALL, 0, 0, 0, set_fd },
	{ 0, "get", NULL, "the other way: FILEs of all hosts to DEST here",
	    CLI_FLAG, AT(gather), 0, 0, NULL },
	{ 0, "flat", NULL, "with --get: FILE.HOST, not HOST/path/FILE",
	    CLI_FLAG, AT(get.flat), 0, 0, NULL },
	{ 0, "max-size", "SIZE", "with --get: of one host at most (4G)",
	    CLI_TEXT, AT(max_size), 0, 0, NULL },
	{ 0, "bwlimit", "RATE", "bytes a second to all hosts: 500k, 10M",
	    CLI_TEXT, AT(rate), 0, 0, NULL },
	{ 0, "bwlimit-host", "RATE", "bytes a second to each",
	    CLI_TEXT, AT(host_rate), 0, 0, NULL },
	{ 0, "dry-run", NULL, "only tell what would change",
	    CLI_FLAG, AT(copy.dry_run), 0, 0, NULL },
	{ 0, "diff", NULL, "the same, with what differs line by line",
	    CLI_FLAG, AT(copy.diff), 0, 0, NULL },
	{ 0, "check", NULL, "only tell which hosts differ; exit 1 if any does",
	    CLI_FLAG, AT(copy.check), 0, 0, NULL },
	{ 0, "json", NULL, "print events as JSON, one a line",
	    CLI_FLAG, AT(look.json), 0, 0, NULL },
	{ 0, "color", "WHEN", "auto (default), always, never",
	    CLI_TEXT, AT(look.color), 0, 0, NULL },
	{ 0, "no-progress", NULL, "no line that says how far it is",
	    CLI_FLAG, AT(look.no_progress), 0, 0, NULL },
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
	{ "Hosts, only shown; nothing is copied:",		\
	    cli_show_options, &(c)->target },			\
	{ "Hosts that are down:",				\
	    cli_dead_options, &(c)->target.dead },		\
	{ "Connection:", cli_connect_options, &(c)->connect },	\
	{ "Passwords:", cli_ask_options, &(c)->connect.ask },	\
	{ "Copy:", copy_options, (c) },				\
	{ "For each host:", cli_expand_options, &(c)->expand },	\
	{ "One after the other:", cli_plan_options, &(c)->plan }, \
	{ "Reports and retries:", cli_report_options,		\
	    &(c)->again.report },				\
	{ NULL, NULL, NULL }					\
}

void
ccp_usage(FILE *fp)
{
	static struct ccp none;
	const struct cli_group groups[] = GROUPS(&none);

	cli_usage(fp, "ccp [OPTION]... [--] FILE... DEST", groups);
}

int
ccp_completion(const char *shell)
{
	static struct ccp none;
	const struct cli_group groups[] = GROUPS(&none);

	return cli_completion(shell, groups, false);
}

/* What goes into the commands on hosts as it is. */
static int
check_word(const char *option, const char *word, struct fanout_error *e)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+@~:-";

	if (word == NULL || (*word != '\0' && *word != '-' &&
	    word[strspn(word, good)] == '\0'))
		return 0;
	return cli_error(e, FANOUT_EINVAL, "%s \"%.80s\": letters, digits and "
	    "._+@~:- only", option, word);
}

static int
parse_mode(struct ccp *c, struct fanout_error *e)
{
	char *end;
	long mode;

	c->copy.mode = -1;
	if (c->mode == NULL)
		return 0;
	errno = 0;
	mode = strtol(c->mode, &end, 8);
	if (*c->mode == '\0' || *c->mode == '-' || *end != '\0' || mode < 0 ||
	    mode > 07777 || errno != 0)
		return cli_error(e, FANOUT_EINVAL, "--mode \"%.40s\": octal "
		    "digits up to 7777, such as 0644", c->mode);
	c->copy.mode = (int)mode;
	return 0;
}

/* "500", "64k", "4G": powers of 1024. */
static int
parse_size(const char *option, const char *text, uint64_t *size,
    struct fanout_error *e)
{
	static const char units[] = "kMGT";
	const char *unit;
	char *end;
	unsigned long long n;
	int shift = 0;

	if (text == NULL)
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (*end != '\0' && (unit = strchr(units, *end == 'K' ? 'k' :
	    *end)) != NULL) {
		shift = 10 * (int)(unit - units + 1);
		end++;
	}
	if (errno != 0 || end == text || *end != '\0' || *text == '-' ||
	    n == 0 || n > (UINT64_MAX >> shift))
		return cli_error(e, FANOUT_EINVAL, "%s \"%.40s\": a number of "
		    "bytes, as 500k, 64M, 4G", option, text);
	*size = (uint64_t)n << shift;
	return 0;
}

static int
parse_sizes(struct ccp *c, struct fanout_error *e)
{
	int rc;

	c->get.max_size = (uint64_t)4 << 30;
	if ((rc = parse_size("--max-size", c->max_size, &c->get.max_size,
	    e)) != 0 ||
	    (rc = parse_size("--bwlimit", c->rate, &c->bytes_per_sec,
	    e)) != 0)
		return rc;
	return parse_size("--bwlimit-host", c->host_rate,
	    &c->host_bytes_per_sec, e);
}

/* What goes the one way only. */
static int
check_get(struct ccp *c, struct fanout_error *e)
{
	if (!c->gather && (c->get.flat || c->max_size != NULL))
		return cli_error(e, FANOUT_EINVAL, "--flat and --max-size go "
		    "with --get");
	if (c->gather && (c->copy.dry_run || c->copy.as_is ||
	    c->copy.owner != NULL || c->copy.backup != NULL ||
	    c->mode != NULL || c->copy.update || c->copy.no_clobber ||
	    c->source.follow || c->nexcludes > 0 || c->copy.delete ||
	    c->source.xattrs ||
	    c->copy.before != NULL || c->copy.after != NULL))
		return cli_error(e, FANOUT_EINVAL, "with --get there are only "
		    "-r, -p, --flat, --max-size and --mkdir");
	c->get.recursive = c->source.recursive;
	c->get.preserve = c->copy.preserve;
	c->get.mkdir = c->copy.mkdir;
	return 0;
}

static int
check_delete(const struct ccp *c, struct fanout_error *e)
{
	if (!c->copy.delete && (c->yes || c->copy.max_delete > 0))
		return cli_error(e, FANOUT_EINVAL, "--yes and --max-delete go "
		    "with --delete");
	if (c->copy.delete && !c->source.recursive)
		return cli_error(e, FANOUT_EINVAL, "--delete goes with -r: it "
		    "is about what is in directories");
	if (c->copy.delete && !c->copy.dry_run && !c->yes)
		return cli_error(e, FANOUT_EINVAL, "--delete removes files on "
		    "all hosts: look with --dry-run which, then say --yes");
	return 0;
}

static int
check(struct ccp *c, struct fanout_error *e)
{
	int rc;

	if ((rc = cli_plan_check(&c->plan, e)) != 0)
		return rc;
	c->copy.dry_run |= c->copy.diff || c->copy.check;
	if (c->backup && c->copy.backup == NULL)
		c->copy.backup = "~";
	if ((rc = parse_mode(c, e)) != 0 || (rc = parse_sizes(c, e)) != 0 ||
	    (rc = check_get(c, e)) != 0 || (rc = check_delete(c, e)) != 0 ||
	    (rc = check_word("--owner", c->copy.owner, e)) != 0 ||
	    (rc = check_word("--suffix", c->copy.backup, e)) != 0)
		return rc;
	if (c->become.password_fd > 0 && c->become.user == NULL)
		return cli_error(e, FANOUT_EINVAL, "--become-password-fd is "
		    "for --sudo");
	if (c->become.password_fd > 0 &&
	    c->become.password_fd == c->connect.ask.password_fd)
		return cli_error(e, FANOUT_EINVAL, "--password-fd and "
		    "--become-password-fd want descriptors of their own");
	c->source.exclude = c->copy.exclude = c->excludes;
	return 0;
}

/* As scp names the place on a host: here it would be a file of that name. */
static bool
is_of_scp(const char *dest)
{
	size_t n = strcspn(dest, ":/%");

	return n > 0 && dest[n] == ':';
}

/* "--sudo root FILE DEST": the user was to come with a =. */
static int
check_user(const struct ccp *c, struct fanout_error *e)
{
	const char *word = c->words[0];

	if (!c->become.unnamed || c->gather || c->saved != NULL ||
	    word == NULL || strpbrk(word, "/%") != NULL ||
	    access(word, F_OK) == 0 || errno != ENOENT)
		return 0;
	return cli_error(e, FANOUT_EINVAL, "there is no file %s here; as that "
	    "user it is --sudo=%s", word, word);
}

static int
set_dest(struct ccp *c, size_t n, struct fanout_error *e)
{
	const char *dest;
	size_t len, i;

	if (n == 1 && c->gather)
		return cli_error(e, FANOUT_EINVAL, "no folder to gather in "
		    "is given");
	if (n == 1) {
		c->own_dest = words_absolute(c->words[0]);
		if (c->own_dest == NULL)
			return cli_error(e, FANOUT_ESYS, "%s: %s", c->words[0],
			    strerror(errno));
		c->copy.dest = c->own_dest;
		c->copy.as_is = true;
		return 0;
	}
	dest = c->copy.dest = c->words[n - 1];
	c->words[n - 1] = NULL;
	if (*dest == '\0')
		return cli_error(e, FANOUT_EINVAL, "an empty destination");
	if (c->gather)
		return 0;
	for (i = 0; i < n - 1; i++)
		if (is_of_scp(c->words[i]) && access(c->words[i], F_OK) == -1)
			return cli_error(e, FANOUT_EINVAL, "%s: hosts are "
			    "named by -w; --get takes files from them",
			    c->words[i]);
	if (is_of_scp(dest))
		return cli_error(e, FANOUT_EINVAL, "%s: hosts are named by -w, "
		    "not in DEST; for a file of that name, put ./ before it",
		    dest);
	/* ~ is where the login begins; SFTP has no other home. */
	if (strncmp(dest, "~/", 2) == 0)
		dest = c->copy.dest = dest[2] == '\0' ? "." : dest + 2;
	len = strlen(dest);
	c->copy.into = dest[len - 1] == '/' || n > 2;
	if (c->copy.into && c->copy.as_is)
		return cli_error(e, FANOUT_EINVAL, "-T copies one file or "
		    "directory, to a DEST without a / at its end");
	return 0;
}

static int
begin(void *self, char **argv, struct fanout_error *e)
{
	struct ccp *c = self;

	*c = (struct ccp){ .connect = CLI_CONNECT_INIT,
	    .again = { .columns = true } };
	return cli_target_init(&c->target, argv, e);
}

static int
parse(void *self, int argc, char **argv, struct fanout_error *e)
{
	struct ccp *c = self;
	const struct cli_group groups[] = GROUPS(c);
	int rc, rest;

	if ((rc = cli_parse_noting(groups, argc, argv, &rest, cli_again_note,
	    &c->again, e)) == 0)
		c->given = argv + rest;
	return rc;
}

static void
clear(void *self)
{
	ccp_clear(self);
}

static int
run(void *self, const struct fanout_hosts *hosts)
{
	return ccp_copy_to(self, hosts);
}

struct cli_tool
ccp_tool(struct ccp *c)
{
	return (struct cli_tool){ .self = c, .target = &c->target,
	    .connect = &c->connect, .look = &c->look, .again = &c->again,
	    .begin = begin, .parse = parse, .clear = clear, .run = run };
}

/*
 * Options end at the first file, as ssh's do at the host: an option after
 * it would be taken as a file, or as the place to copy to.
 */
static int
check_late(char **given, struct fanout_error *e)
{
	size_t i;

	if (given[0] == NULL || strcmp(given[-1], "--") == 0)
		return 0;
	for (i = 1; given[i] != NULL; i++)
		if (given[i][0] == '-')
			return cli_error(e, FANOUT_EINVAL, "%s: options come "
			    "before the files; for a file of that name, put "
			    "-- before them all", given[i]);
	return 0;
}

/* The files of the run that is tried again, or those that are given. */
static int
take_words(struct ccp *c, int argc, char **argv, struct fanout_error *e)
{
	const struct cli_tool t = ccp_tool(c);
	int rc;

	c->words = c->given;
	if (c->again.report.retry == NULL)
		return check_late(c->given, e);
	if (c->given[0] != NULL && c->given[1] != NULL)
		return cli_error(e, FANOUT_EINVAL, "--retry takes the ID of a "
		    "run, not files: they are those of the run");
	if ((rc = cli_again_load(&t, argc, argv, c->given[0], e)) != 0 ||
	    (rc = words_parse(&c->saved, c->again.saved->command, e)) != 0)
		return rc;
	c->words = c->saved;
	return 0;
}

static int
keep_words(struct ccp *c, struct fanout_error *e)
{
	if (c->words[0] == NULL)
		return cli_error(e, FANOUT_EINVAL, "no file is given");
	c->command = words_command(c->words, c->gather);
	return c->command != NULL ? 0 : cli_error(e, FANOUT_ESYS,
	    "the current folder: %s", strerror(errno));
}

int
ccp_options(struct ccp *c, int argc, char **argv, struct fanout_error *e)
{
	size_t n = 0;
	int rc;

	if ((rc = begin(c, argv, e)) != 0 ||
	    (rc = parse(c, argc, argv, e)) != 0 ||
	    (rc = cli_history_check(&c->again.report, e)) != 0)
		return rc;
	if (c->help || c->version || c->completion != NULL ||
	    cli_history_acts(&c->again.report))
		return 0;
	if ((rc = take_words(c, argc, argv, e)) != 0)
		return rc;
	if (cli_target_shows(&c->target) || cli_dead_acts(&c->target.dead))
		return 0;
	if ((rc = check(c, e)) != 0 || (rc = check_user(c, e)) != 0 ||
	    (rc = keep_words(c, e)) != 0)
		return rc;
	while (c->words[n] != NULL)
		n++;
	return set_dest(c, n, e);
}

void
ccp_clear(struct ccp *c)
{
	cli_target_clear(&c->target);
	cli_connect_clear(&c->connect);
	cli_again_clear(&c->again);
	cli_expand_close(&c->expand);
	free(c->excludes);
	free(c->own_dest);
	free(c->saved);
	free(c->command);
	c->excludes = NULL;
	c->own_dest = c->command = NULL;
	c->saved = NULL;
}
