/*
 * sshconf_int.h - what the files of sshconf.h share.
 *
 *	sshconf_read.c		files into directives
 *	sshconf_keyword.c	the keywords, and which values they take
 *	sshconf_words.c		a line into words
 *	sshconf_walk.c		Host and Match: which directives apply to a host
 *	sshconf_exec.c		"Match exec"
 *	sshconf_token.c		%h, ${HOME}, ~
 *	hostconf.c		the directives that apply into a struct hostconf
 *	sshconf.c		the calls of sshconf.h
 */
#ifndef FO_SSHCONF_INT_H
#define FO_SSHCONF_INT_H

#include <sys/types.h>

#include "sshconf.h"

/* ---- keywords ---------------------------------------------------------- */

enum kw_type {
	KT_BLOCK,	/* Host, Match, Include */
	KT_IGNORED,	/* says nothing about running a command; not looked at */
	KT_NOTED,	/* would do something in ssh that is not done here */
	KT_TEXT,	/* one word */
	KT_FLAG, KT_STRICT, KT_FAMILY, KT_PUBKEY, KT_CANON, KT_COMPRESS,
	KT_AGENT,	/* a path, or the name of a variable */
	KT_FORWARD,	/* a flag, or as KT_AGENT */
	KT_NUMBER, KT_TIME, KT_PORT,
	KT_PATHS,	/* several words; "none" alone */
	KT_ALGS,
	KT_RAW,		/* the rest of the line */
	KT_JUMP,
	KT_NAMES,	/* names of variables */
	KT_PAIRS	/* NAME=VALUE */
};

/* The values that are looked at have a slot each: the first one wins. */
enum kw_slot {
	K_NONE,
	K_HOST, K_MATCH, K_INCLUDE,
	K_IGNOREUNKNOWN,
	K_HOSTNAME, K_USER, K_PORT, K_FAMILY, K_BINDADDRESS, K_HOSTKEYALIAS,
	K_CONNECTTIMEOUT, K_ATTEMPTS, K_ALIVEINTERVAL, K_ALIVECOUNT,
	K_STRICT, K_HASHKNOWN, K_USERKNOWN, K_GLOBALKNOWN,
	K_PUBKEY, K_PASSWORD, K_KBDINT, K_PREFERRED, K_BATCH, K_PROMPTS,
	K_IDENTITIESONLY, K_IDENTITYAGENT, K_IDENTITYFILE, K_CERTIFICATE,
	K_HOSTKEYALGS, K_KEX, K_CIPHERS, K_MACS, K_PUBKEYALGS, K_COMPRESSION,
	K_PROXY,	/* ProxyJump and ProxyCommand: the first of both */
	K_FORWARDAGENT, K_SENDENV, K_SETENV, K_TAG,
	/* Those that only ssh can do, when they say other than no or none. */
	K_SSH_FIRST,
	K_CANONICALIZE = K_SSH_FIRST, K_CNAMES, K_FDPASS, K_PKCS11,
	K_KNOWNCOMMAND, K_REVOKEDKEYS, K_BINDINTERFACE,
	K_SLOTS
};

struct keyword {
	const char *name;	/* lower case, as ssh -G prints it */
	enum kw_type type;
	enum kw_slot slot;
};

const struct keyword *keyword_find(const char *lower);	/* NULL: unknown */

/* What is wrong with the value, NULL: nothing. raw is the rest of the line. */
const char *keyword_check(const struct keyword *, char *const *argv,
	    const char *raw);

/* Values that were checked. */
int	keyword_value(enum kw_type, const char *word);	/* FLAG and its like */
int	keyword_number(const char *word);
int	keyword_time(const char *word);		/* seconds; -1: none */
unsigned keyword_port(const char *word);

#define PUBKEY_NO 0		/* keyword_value(KT_PUBKEY): others mean yes */

/* ---- lines ------------------------------------------------------------- */

/* ssh's quoting, the rest after a "#" dropped. 0; -1 quotes; -2 memory. */
int	words_split(const char *s, char ***argv);

/* The keyword at the start of a line, lower-cased, and the rest behind it,
 * both within line. false: blank or a comment. */
bool	words_keyword(char *line, char **keyword, char **rest);

/* The next word as Match reads them: blanks, "=" and double quotes; NULL at
 * the end. Writes into *s. */
char	*words_delim(char **s);

/* ---- what was read ----------------------------------------------------- */

enum cond_kind {
	COND_ALL, COND_FINAL, COND_CANONICAL,
	COND_HOST, COND_ORIGINALHOST, COND_USER, COND_LOCALUSER, COND_TAGGED,
	COND_EXEC,
	COND_SSH	/* only ssh can tell */
};

struct cond {
	enum cond_kind kind;
	bool	 negate;
	char	*arg;		/* NULL: takes none */
};

struct conf_file;

struct directive {
	const struct keyword *kw;
	char	**argv;		/* strlist */
	char	*raw;		/* the rest of the line as it stood */
	struct conf_file *file;	/* where it stands */
	unsigned line;
	struct cond *cond;	/* Match */
	size_t	 ncond;
	struct conf_file **include;	/* Include */
	size_t	 ninclude;
};

struct conf_file {
	char	*path;		/* "option" for -o */
	bool	 user;		/* ~/ may be used, relative to ~/.ssh */
	struct directive *v;
	size_t	 n, cap;
};

struct exec_result {
	char	*command;
	int	 status;	/* 0: matched; -1: could not be run or ended badly */
};

struct sshconf {
	struct conf_file *options;
	struct conf_file **file;	/* in the order they are read */
	size_t	 nfile, total;	/* total: all that were opened */
	char	**notes;
	char	*ignore_unknown;
	struct exec_result *exec;	/* cache */
	size_t	 nexec;
	/* The user that runs this, and the machine. */
	uid_t	 uid;
	char	*home, *user, *thishost, *shorthost;
};

int	conf_read(struct sshconf *, const char *path, bool user,
	    bool check_owner, unsigned depth, struct conf_file **,
	    struct fanout_error *);	/* *out NULL: cannot be opened, errno */
int	conf_option(struct sshconf *, const char *option,
	    struct fanout_error *);
int	conf_match_parse(struct directive *, char *rest, const char **why);
void	conf_file_free(struct conf_file *);
struct conf_file *conf_file_new(const char *path, bool user);

/* ---- one host ---------------------------------------------------------- */

struct resolving {
	struct sshconf *c;
	const char *original;	/* the name as typed */
	const char *user;	/* of the spec; NULL: none */
	unsigned port;		/* of the spec; 0: none */
	char	*host;		/* the name it has by now */
	bool	 final;		/* second pass */
	bool	 want_final;
	const struct directive *val[K_SLOTS];
	const struct directive **many;	/* IdentityFile and CertificateFile */
	size_t	 nmany, many_cap;
	char	**send_env;
	const char *needs_ssh;
	struct fanout_result *why;
};

/* Fails with why's class and text; always -1. */
int	resolving_fail(struct resolving *, const struct directive *,
	    const char *fmt, ...)
	    __attribute__((__format__(printf, 3, 4)));

/* Walks everything once, for r->host. 0 or -1. */
int	conf_walk(struct resolving *);

/* The status of a command for "Match exec"; from the cache if it ran. */
int	conf_exec(struct sshconf *, const char *command, int *status);

/* From the values to the hostconf; r->host is final. */
int	hostconf_fill(struct resolving *, struct hostconf *);

/* ---- tokens ------------------------------------------------------------ */

struct tokens {
	struct sshconf *c;
	const char *host;	/* %h */
	const char *original;	/* %n */
	const char *user;	/* %r */
	const char *alias;	/* %k */
	const char *jump;	/* %j */
	unsigned port;		/* %p */
};

/* malloc(3)ed; NULL: memory, or the text in why. only: the tokens allowed,
 * NULL for all; dollar: ${NAME} too. */
char	*token_expand(const struct tokens *, const char *s, const char *only,
	    bool dollar, char *why, size_t whysize);
/* ~ and ~user at the start. As above. */
char	*tilde_expand(const struct sshconf *, const char *s, char *why,
	    size_t whysize);

#endif
