/*
 * ident.h - the keys to try for one host, in the order that ssh(1) tries them.
 */
#ifndef FO_IDENT_H
#define FO_IDENT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/agent.h"
#include "policy/keys.h"
#include "policy/sshconf.h"

/*
 * What was read once and serves all hosts: key files by path, or why each
 * cannot be used, and the identities of each agent by socket. Filled by the
 * one thread that plans.
 */
struct keyring;

int	keyring_new(struct keyring **);
void	keyring_free(struct keyring *);		/* NULL is fine */

/* How long an agent may take to list its keys. */
#define KEYRING_AGENT_MS 3000

enum ident_kind {
	IDENT_FILE,		/* key can sign, or once it is unlocked */
	IDENT_AGENT		/* sock has the private half */
};

struct ident {
	enum ident_kind kind;
	struct key *key;	/* FILE: a reference of its own; else NULL */
	char	*sock;		/* AGENT: where; else NULL */
	unsigned char *blob;	/* public key as on the wire */
	size_t	 blob_len;
	char	*type;
	char	*text;		/* "/root/.ssh/id_ed25519 ssh-ed25519 (agent)" */
};

struct ident_list {
	struct ident *v;	/* in the order to try */
	size_t	 n;
	char	**skipped;	/* "PATH: why it is not tried", for the user */
	size_t	 nskipped;
	bool	 ssh_could;	/* some of these ssh(1) itself could use:
				 * certificates, FIDO keys, RSA */
};

/*
 * Order (ssh's): identities named in the configuration that an agent holds,
 * the agent's others unless IdentitiesOnly, then key files. Stands alone
 * afterwards. 0 or -1 (memory; the list is empty).
 */
#define IDENT_RSA_SHA2 1U	/* the SSH library can sign with rsa-sha2; without
				 * it RSA keys are skipped, as servers refuse
				 * them */
#define IDENT_ASK 2U		/* a passphrase can be asked for */
int	ident_plan(struct ident_list *, const struct hostconf *,
	    struct keyring *, unsigned can);
void	ident_list_clear(struct ident_list *);	/* leaves it zeroed */

#endif
