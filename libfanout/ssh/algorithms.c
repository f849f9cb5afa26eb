#include <libssh2.h>

#include <stdlib.h>
#include <string.h>

#include "algorithms.h"

static const int methods[ALGO_KINDS] = {
	LIBSSH2_METHOD_KEX, LIBSSH2_METHOD_HOSTKEY, LIBSSH2_METHOD_CRYPT_CS,
	LIBSSH2_METHOD_MAC_CS
};

/*
 * Names a libssh2 does not know are left out, so that the lists serve all
 * versions. The cheapest of equal strength comes first.
 */
static const char *const preferred[ALGO_KINDS] = {
	"curve25519-sha256,curve25519-sha256@libssh.org,"
	"ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
	"diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
	"diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256",
	"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
	"ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256",
	"aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
	"aes128-ctr,aes192-ctr,aes256-ctr,chacha20-poly1305@openssh.com",
	"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
	"hmac-sha2-256,hmac-sha2-512"
};

/*
 * libssh2 names certificates among the host keys, but only users can have
 * them: it cannot read a host's, and the key exchange would fail.
 */
static bool
is_usable(const char *name, int method)
{
	return method != LIBSSH2_METHOD_HOSTKEY ||
	    strstr(name, "-cert-v01@openssh.com") == NULL;
}

static char **
ask(LIBSSH2_SESSION *session, int method)
{
	const char **algs;
	char **list, **end;
	int i, n;

	if ((n = libssh2_session_supported_algs(session, method, &algs)) < 0)
		return NULL;
	if ((end = list = calloc((size_t)n + 1, sizeof(*list))) != NULL)
		for (i = 0; i < n; i++)
			if (is_usable(algs[i], method) &&
			    (*end++ = strdup(algs[i])) == NULL)
				break;
	libssh2_free(session, algs);
	return list;
}

static bool
contains(char *const *list, const char *name, size_t len)
{
	for (; *list != NULL; list++)
		if (strlen(*list) == len && memcmp(*list, name, len) == 0)
			return true;
	return false;
}

int
algorithms_init(struct algorithms *a)
{
	LIBSSH2_SESSION *session;
	int i;

	memset(a, 0, sizeof(*a));
	if ((session = libssh2_session_init()) == NULL)
		return -1;
	for (i = 0; i < ALGO_KINDS; i++)
		if ((a->supported[i] = ask(session, methods[i])) == NULL)
			break;
	libssh2_session_free(session);
	if (i < ALGO_KINDS) {
		algorithms_clear(a);
		return -1;
	}
	a->rsa_sha2 = contains(a->supported[ALGO_HOSTKEY], "rsa-sha2-256",
	    strlen("rsa-sha2-256"));
	return 0;
}

void
algorithms_clear(struct algorithms *a)
{
	char **s;
	int i;

	for (i = 0; i < ALGO_KINDS; i++) {
		for (s = a->supported[i]; s != NULL && *s != NULL; s++)
			free(*s);
		free(a->supported[i]);
		a->supported[i] = NULL;
	}
}

char *
algorithms_pick(const struct algorithms *a, int kind, const char *wanted,
    bool *none)
{
	const char *p = wanted != NULL ? wanted : preferred[kind];
	char *list, *end;
	size_t len;

	*none = false;
	if ((list = end = malloc(strlen(p) + 1)) == NULL)
		return NULL;
	for (; *p != '\0'; p += len + (p[len] == ',')) {
		len = strcspn(p, ",");
		if (len == 0 || !contains(a->supported[kind], p, len))
			continue;
		if (end != list)
			*end++ = ',';
		memcpy(end, p, len);
		end += len;
	}
	*end = '\0';
	if (end == list) {
		free(list);
		*none = true;
		return NULL;
	}
	return list;
}
