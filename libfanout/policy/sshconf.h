/*
 * sshconf.h - what ssh_config(5) says about a host.
 *
 * The files are read once. Resolving walks what was read, so that ten
 * thousand hosts cost no further file. Where OpenSSH (9.2) and its manual
 * differ, the behaviour of ssh -G is followed.
 *
 * Threads: one at a time may call sshconf_resolve (results of "Match exec"
 * are cached in struct sshconf). A resolved struct hostconf stands alone.
 */
#ifndef FO_SSHCONF_H
#define FO_SSHCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "fanout.h"

struct sshconf;

/*
 * path: NULL for ~/.ssh/config and then /etc/ssh/ssh_config, "none" for no
 * file at all; a file that is named must be readable.
 * options: "Keyword=value" or "Keyword value", NULL at the end, or NULL; the
 * first for a keyword wins, and all win over the files.
 * A line that OpenSSH would refuse is an error naming FILE and line. A keyword
 * that is unknown, or known and without meaning here, is only noted.
 */
int	sshconf_load(struct sshconf **, const char *path,
	    const char *const *options, struct fanout_error *);
void	sshconf_free(struct sshconf *);		/* NULL is fine */

/* "FILE:LINE: keyword FooBar ignored"; valid as long as the sshconf. */
size_t	sshconf_notes(const struct sshconf *);
const char *sshconf_note(const struct sshconf *, size_t);

/* Longest that a "Match exec" command may run; then it is killed and the host
 * cannot be resolved. */
#define SSHCONF_EXEC_MS 5000

enum hostconf_strict {
	STRICT_YES,
	STRICT_ASK,
	STRICT_ACCEPT_NEW,
	STRICT_NO
};

/* Lists of strings end with NULL and, once resolved, are never NULL. */
struct hostconf {
	char	*host;		/* the name as typed, without user and port */
	char	*hostname;	/* where to connect; lower case unless numeric */
	char	*user;
	char	*hostkey_alias;	/* NULL: none; see hostconf_key_name */
	char	*identity_agent;	/* socket; NULL: no agent to ask */
	char	*bind_address;	/* NULL: none */
	unsigned port;
	int	 family;	/* AF_UNSPEC, AF_INET, AF_INET6 */
	int	 connect_ms;	/* -1: not set */
	int	 attempts;	/* ConnectionAttempts, at least 1 */
	int	 alive_ms;	/* ServerAliveInterval; 0: none */
	int	 alive_max;	/* ServerAliveCountMax */

	int	 strict;	/* enum hostconf_strict */
	bool	 hash_known_hosts;
	char	**known_hosts;		/* absolute paths */
	char	**global_known_hosts;

	bool	 pubkey, password, kbdint;	/* methods allowed */
	char	*preferred_auth;	/* PreferredAuthentications; NULL: unset */
	bool	 batch;			/* BatchMode: never ask anything */
	int	 password_prompts;	/* NumberOfPasswordPrompts */
	bool	 identities_only;
	bool	 identities_set;	/* named by the user, not the defaults */
	char	**identities;		/* absolute paths, in the order to try */
	char	**certificates;		/* CertificateFile; absolute paths */

	/* After + - ^ were applied to OpenSSH's defaults; NULL: unset. */
	char	*hostkey_algorithms, *kex, *ciphers, *macs;
	char	*pubkey_algorithms;	/* PubkeyAcceptedAlgorithms */
	bool	 hostkey_reorder;	/* recorded key types may come first */
	bool	 compression;

	char	*proxy_jump;	/* "a,user@b:2200"; NULL: none */
	char	*proxy_command;	/* tokens expanded; NULL: none */
	bool	 forward_agent;
	char	*forward_agent_sock;	/* ForwardAgent PATH; NULL: the agent */
	char	**send_env;	/* patterns */
	char	**set_env;	/* NAME=VALUE */

	/* A keyword in force whose work only ssh(1) itself can do
	 * ("ProxyUseFdpass"); static, NULL: none. */
	const char *needs_ssh;
};

/*
 * spec is [user@]name[:port]; what it says wins over everything.
 * 0, or -1 with why's class (LOCAL) and text; the hostconf is then empty.
 */
int	sshconf_resolve(struct sshconf *, const char *spec, struct hostconf *,
	    struct fanout_result *why);

/*
 * The same, and a line for each value that came from somewhere: "FILE:LINE:
 * keyword value", in a strlist of the caller's. -1 also: out of memory.
 */
int	sshconf_explain(struct sshconf *, const char *spec, struct hostconf *,
	    struct fanout_result *why, char ***lines);
void	hostconf_clear(struct hostconf *);	/* leaves it zeroed */

/*
 * The name that host keys are recorded under: HostKeyAlias (then *port is 0,
 * which means "as it is" to knownhosts_check), else the host name.
 */
const char *hostconf_key_name(const struct hostconf *, unsigned *port);

#endif
