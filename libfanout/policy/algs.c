#include <stdlib.h>
#include <string.h>

#include "algs.h"
#include "pattern.h"
#include "strlist.h"

#define ETM "-etm@openssh.com"
#define CERT "-cert-v01@openssh.com"

#define SAFE_KEYS							\
	"ssh-ed25519" CERT ",ecdsa-sha2-nistp256" CERT			\
	",ecdsa-sha2-nistp384" CERT ",ecdsa-sha2-nistp521" CERT		\
	",sk-ssh-ed25519" CERT ",sk-ecdsa-sha2-nistp256" CERT		\
	",rsa-sha2-512" CERT ",rsa-sha2-256" CERT			\
	",ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384"		\
	",ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com"		\
	",sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256"

#define ALL_KEYS							\
	"ssh-ed25519,ssh-ed25519" CERT ",sk-ssh-ed25519@openssh.com"	\
	",sk-ssh-ed25519" CERT ",ecdsa-sha2-nistp256"			\
	",ecdsa-sha2-nistp256" CERT ",ecdsa-sha2-nistp384"		\
	",ecdsa-sha2-nistp384" CERT ",ecdsa-sha2-nistp521"		\
	",ecdsa-sha2-nistp521" CERT					\
	",sk-ecdsa-sha2-nistp256@openssh.com,sk-ecdsa-sha2-nistp256" CERT \
	",webauthn-sk-ecdsa-sha2-nistp256@openssh.com"			\
	",ssh-dss,ssh-dss" CERT ",ssh-rsa,ssh-rsa" CERT			\
	",rsa-sha2-256,rsa-sha2-256" CERT ",rsa-sha2-512,rsa-sha2-512" CERT

/* The defaults of OpenSSH 9.2 (myproposal.h), and all that it has, in the
 * order in which patterns find them. */
static const struct {
	const char *def, *all;
} lists[] = {
	[ALGS_CIPHERS] = {
		"chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,"
		"aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com",
		"3des-cbc,aes128-cbc,aes192-cbc,aes256-cbc,aes128-ctr,"
		"aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,"
		"aes256-gcm@openssh.com,chacha20-poly1305@openssh.com"
	},
	[ALGS_MACS] = {
		"umac-64" ETM ",umac-128" ETM ",hmac-sha2-256" ETM
		",hmac-sha2-512" ETM ",hmac-sha1" ETM ",umac-64@openssh.com"
		",umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1",
		"hmac-sha1,hmac-sha1-96,hmac-sha2-256,hmac-sha2-512,hmac-md5,"
		"hmac-md5-96,umac-64@openssh.com,umac-128@openssh.com,"
		"hmac-sha1" ETM ",hmac-sha1-96" ETM ",hmac-sha2-256" ETM
		",hmac-sha2-512" ETM ",hmac-md5" ETM ",hmac-md5-96" ETM
		",umac-64" ETM ",umac-128" ETM
	},
	[ALGS_KEX] = {
		"sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,"
		"curve25519-sha256,curve25519-sha256@libssh.org,"
		"ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
		"diffie-hellman-group-exchange-sha256,"
		"diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
		"diffie-hellman-group14-sha256",
		"diffie-hellman-group1-sha1,diffie-hellman-group14-sha1,"
		"diffie-hellman-group14-sha256,diffie-hellman-group16-sha512,"
		"diffie-hellman-group18-sha512,"
		"diffie-hellman-group-exchange-sha1,"
		"diffie-hellman-group-exchange-sha256,ecdh-sha2-nistp256,"
		"ecdh-sha2-nistp384,ecdh-sha2-nistp521,curve25519-sha256,"
		"curve25519-sha256@libssh.org,sntrup761x25519-sha512,"
		"sntrup761x25519-sha512@openssh.com"
	},
	[ALGS_HOSTKEY] = { SAFE_KEYS, ALL_KEYS },
	[ALGS_PUBKEY] = { SAFE_KEYS, ALL_KEYS },
};

const char *
algs_default(enum algs_kind kind)
{
	return lists[kind].def;
}

bool
algs_valid(const char *v)
{
	const char *p;
	size_t n;

	if (*v == '+' || *v == '-' || *v == '^')
		v++;
	if (*v == '\0')
		return false;
	for (p = v; ; p += n + 1) {
		n = strcspn(p, ",");
		if (n == 0 || *p == '!')
			return false;
		if (p[n] == '\0')
			return true;
	}
}

static bool
has_wildcard(const char *s, size_t len)
{
	return memchr(s, '*', len) != NULL || memchr(s, '?', len) != NULL;
}

static int
add(char ***names, const char *s, size_t len)
{
	char *name = strndup(s, len);

	if (name != NULL && strlist_has(*names, name)) {
		free(name);
		return 0;
	}
	return strlist_take(names, name);
}

/* Add those of all that the pattern list (not) matches. */
static int
choose(char ***names, const char *all, const char *list, size_t len, bool not)
{
	const char *p;
	char *name;
	size_t n;
	int rc;

	for (p = all; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		if ((name = strndup(p, n)) == NULL)
			return -1;
		rc = 0;
		if ((pattern_list_n(name, list, len, false) == 1) != not)
			rc = add(names, p, n);
		free(name);
		if (rc == -1)
			return -1;
	}
	return 0;
}

/* The names of a list, its patterns replaced by what they match. */
static int
add_list(char ***names, const char *list, const char *all)
{
	const char *p;
	size_t n;
	int rc;

	for (p = list; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		rc = has_wildcard(p, n) ? choose(names, all, p, n, false) :
		    add(names, p, n);
		if (rc == -1)
			return -1;
	}
	return 0;
}

static char *
join(char *const *names)
{
	size_t i, len = 1;
	char *s;

	for (i = 0; names[i] != NULL; i++)
		len += strlen(names[i]) + 1;
	if ((s = malloc(len)) == NULL)
		return NULL;
	for (*s = '\0', i = 0; names[i] != NULL; i++) {
		if (i > 0)
			(void)strlcat(s, ",", len);
		(void)strlcat(s, names[i], len);
	}
	return s;
}

char *
algs_apply(enum algs_kind kind, const char *v, bool *bad)
{
	const char *def = lists[kind].def, *all = lists[kind].all;
	char **names = NULL, *s = NULL;
	int rc;

	*bad = false;
	switch (*v) {
	case '+':
		rc = add_list(&names, def, all);
		if (rc == 0)
			rc = add_list(&names, v + 1, all);
		break;
	case '^':
		rc = add_list(&names, v + 1, all);
		if (rc == 0)
			rc = add_list(&names, def, all);
		break;
	case '-':
		rc = choose(&names, def, v + 1, strlen(v + 1), true);
		break;
	default:
		rc = add_list(&names, v, all);
		break;
	}
	if (rc == 0 && names == NULL)
		*bad = true;
	else if (rc == 0)
		s = join(names);
	strlist_free(names);
	return s;
}
