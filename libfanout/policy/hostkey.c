#include <stdio.h>
#include <string.h>

#include "algs.h"
#include "hostkey.h"

/* A name of the list wanted, and what it takes to be verified. */
static bool
in_array(const char *name, size_t len, const char *const *v)
{
	for (; *v != NULL; v++)
		if (strlen(*v) == len && memcmp(*v, name, len) == 0)
			return true;
	return false;
}

/* The key type that an algorithm is used with: three for RSA. */
static const char *
type_of(const char *name, size_t len, size_t *type_len)
{
	if (len > 9 && memcmp(name, "rsa-sha2-", 9) == 0 &&
	    memchr(name, '@', len) == NULL) {
		*type_len = 7;
		return "ssh-rsa";
	}
	*type_len = len;
	return name;
}

static bool
recorded(const char *types, const char *name, size_t len)
{
	const char *type, *p;
	size_t tlen, n;

	type = type_of(name, len, &tlen);
	for (p = types; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		if (n == tlen && memcmp(p, type, n) == 0)
			return true;
	}
	return false;
}

static void
append(char *list, const char *name, size_t len)
{
	size_t have = strlen(list);

	if (have + len + 2 > HOSTKEY_LIST_MAX)
		return;
	if (have > 0)
		list[have++] = ',';
	memcpy(list + have, name, len);
	list[have + len] = '\0';
}

/*
 * Those of wanted that are supported and, if types is not NULL, that are
 * (want) or are not (!want) recorded.
 */
static void
take(char *list, const char *wanted, const char *const *supported,
    const char *types, bool want)
{
	const char *p;
	size_t n;

	for (p = wanted; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		if (n > 0 && in_array(p, n, supported) &&
		    (types == NULL || recorded(types, p, n) == want))
			append(list, p, n);
	}
}

/*
 * ssh no longer asks for "ssh-rsa", which signs with SHA-1. Where the library
 * has nothing newer for RSA it is the only way to a host whose RSA key is
 * recorded, and the key is then checked against the record all the same.
 */
static void
take_old_rsa(char *list, const char *const *supported, const char *types)
{
	if (recorded(types, "ssh-rsa", 7) && in_array("ssh-rsa", 7, supported) &&
	    !in_array("rsa-sha2-256", 12, supported) &&
	    !in_array("rsa-sha2-512", 12, supported))
		append(list, "ssh-rsa", 7);
}

/* Does the SSH library know no algorithm for any of the recorded types? */
static bool
none_usable(const char *types, const char *list)
{
	const char *p;
	size_t n;

	for (p = list; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		if (recorded(types, p, n))
			return false;
	}
	return *types != '\0';
}

int
hostkey_list(const struct hostconf *hc, const struct knownhosts *kh,
    const char *const *supported, char list[static HOSTKEY_LIST_MAX],
    char *why, size_t whysize)
{
	const char *wanted = hc->hostkey_algorithms, *name;
	char types[256];
	unsigned port;

	list[0] = '\0';
	why[0] = '\0';
	if (wanted == NULL)
		wanted = algs_default(ALGS_HOSTKEY);
	name = hostconf_key_name(hc, &port);
	knownhosts_types(kh, name, port, types, sizeof(types));
	if (hc->hostkey_reorder) {
		take(list, wanted, supported, types, true);
		if (hc->hostkey_algorithms == NULL)
			take_old_rsa(list, supported, types);
		take(list, wanted, supported, types, false);
	} else
		take(list, wanted, supported, NULL, false);
	if (list[0] == '\0' && hc->hostkey_algorithms != NULL)
		(void)snprintf(why, whysize, "none of HostKeyAlgorithms is "
		    "supported by this SSH library");
	else if (list[0] == '\0')
		(void)snprintf(why, whysize, "this SSH library supports no "
		    "host key algorithm that is safe");
	else if (none_usable(types, list)) {
		list[0] = '\0';
		(void)snprintf(why, whysize, "the recorded host key is of type "
		    "%s, which this SSH library cannot verify or "
		    "HostKeyAlgorithms leaves out", types);
	}
	return list[0] == '\0' ? -1 : 0;
}
