#include <sys/socket.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "algs.h"
#include "sshconf_int.h"
#include "strlist.h"

static const struct keyword keywords[] = {
	{ "host", KT_BLOCK, K_HOST },
	{ "match", KT_BLOCK, K_MATCH },
	{ "include", KT_BLOCK, K_INCLUDE },
	{ "ignoreunknown", KT_TEXT, K_IGNOREUNKNOWN },

	{ "hostname", KT_TEXT, K_HOSTNAME },
	{ "user", KT_TEXT, K_USER },
	{ "port", KT_PORT, K_PORT },
	{ "addressfamily", KT_FAMILY, K_FAMILY },
	{ "bindaddress", KT_TEXT, K_BINDADDRESS },
	{ "hostkeyalias", KT_TEXT, K_HOSTKEYALIAS },
	{ "connecttimeout", KT_TIME, K_CONNECTTIMEOUT },
	{ "connectionattempts", KT_NUMBER, K_ATTEMPTS },
	{ "serveraliveinterval", KT_TIME, K_ALIVEINTERVAL },
	{ "serveralivecountmax", KT_NUMBER, K_ALIVECOUNT },
	{ "stricthostkeychecking", KT_STRICT, K_STRICT },
	{ "hashknownhosts", KT_FLAG, K_HASHKNOWN },
	{ "userknownhostsfile", KT_PATHS, K_USERKNOWN },
	{ "globalknownhostsfile", KT_PATHS, K_GLOBALKNOWN },
	{ "pubkeyauthentication", KT_PUBKEY, K_PUBKEY },
	{ "dsaauthentication", KT_PUBKEY, K_PUBKEY },
	{ "passwordauthentication", KT_FLAG, K_PASSWORD },
	{ "kbdinteractiveauthentication", KT_FLAG, K_KBDINT },
	{ "challengeresponseauthentication", KT_FLAG, K_KBDINT },
	{ "skeyauthentication", KT_FLAG, K_KBDINT },
	{ "tisauthentication", KT_FLAG, K_KBDINT },
	{ "preferredauthentications", KT_TEXT, K_PREFERRED },
	{ "batchmode", KT_FLAG, K_BATCH },
	{ "numberofpasswordprompts", KT_NUMBER, K_PROMPTS },
	{ "identitiesonly", KT_FLAG, K_IDENTITIESONLY },
	{ "identityagent", KT_AGENT, K_IDENTITYAGENT },
	{ "identityfile", KT_TEXT, K_IDENTITYFILE },
	{ "identityfile2", KT_TEXT, K_IDENTITYFILE },
	{ "certificatefile", KT_TEXT, K_CERTIFICATE },
	{ "hostkeyalgorithms", KT_ALGS, K_HOSTKEYALGS },
	{ "kexalgorithms", KT_ALGS, K_KEX },
	{ "ciphers", KT_ALGS, K_CIPHERS },
	{ "macs", KT_ALGS, K_MACS },
	{ "pubkeyacceptedalgorithms", KT_ALGS, K_PUBKEYALGS },
	{ "pubkeyacceptedkeytypes", KT_ALGS, K_PUBKEYALGS },
	{ "compression", KT_COMPRESS, K_COMPRESSION },
	{ "proxyjump", KT_JUMP, K_PROXY },
	{ "proxycommand", KT_RAW, K_PROXY },
	{ "forwardagent", KT_FORWARD, K_FORWARDAGENT },
	{ "sendenv", KT_NAMES, K_SENDENV },
	{ "setenv", KT_PAIRS, K_SETENV },
	{ "tag", KT_TEXT, K_TAG },

	{ "canonicalizehostname", KT_CANON, K_CANONICALIZE },
	{ "canonicalizepermittedcnames", KT_PATHS, K_CNAMES },
	{ "proxyusefdpass", KT_FLAG, K_FDPASS },
	{ "pkcs11provider", KT_TEXT, K_PKCS11 },
	{ "smartcarddevice", KT_TEXT, K_PKCS11 },
	{ "knownhostscommand", KT_RAW, K_KNOWNCOMMAND },
	{ "revokedhostkeys", KT_TEXT, K_REVOKEDKEYS },
	{ "bindinterface", KT_TEXT, K_BINDINTERFACE },

	/* These would change what ssh does for a command. */
	{ "checkhostip", KT_NOTED, K_NONE },
	{ "dynamicforward", KT_NOTED, K_NONE },
	{ "forkafterauthentication", KT_NOTED, K_NONE },
	{ "localcommand", KT_NOTED, K_NONE },
	{ "localforward", KT_NOTED, K_NONE },
	{ "nohostauthenticationforlocalhost", KT_NOTED, K_NONE },
	{ "remotecommand", KT_NOTED, K_NONE },
	{ "remoteforward", KT_NOTED, K_NONE },
	{ "requesttty", KT_NOTED, K_NONE },
	{ "sessiontype", KT_NOTED, K_NONE },
	{ "stdinnull", KT_NOTED, K_NONE },
	{ "tunnel", KT_NOTED, K_NONE },
	{ "verifyhostkeydns", KT_NOTED, K_NONE },

	/* These would not, or only where libssh2 has a rule of its own. */
	{ "addkeystoagent", KT_IGNORED, K_NONE },
	{ "afstokenpassing", KT_IGNORED, K_NONE },
	{ "canonicaldomains", KT_IGNORED, K_NONE },
	{ "canonicalizefallbacklocal", KT_IGNORED, K_NONE },
	{ "canonicalizemaxdots", KT_IGNORED, K_NONE },
	{ "casignaturealgorithms", KT_IGNORED, K_NONE },
	{ "channeltimeout", KT_IGNORED, K_NONE },
	{ "cipher", KT_IGNORED, K_NONE },
	{ "clearallforwardings", KT_IGNORED, K_NONE },
	{ "compressionlevel", KT_IGNORED, K_NONE },
	{ "controlmaster", KT_IGNORED, K_NONE },
	{ "controlpath", KT_IGNORED, K_NONE },
	{ "controlpersist", KT_IGNORED, K_NONE },
	{ "enableescapecommandline", KT_IGNORED, K_NONE },
	{ "enablesshkeysign", KT_IGNORED, K_NONE },
	{ "escapechar", KT_IGNORED, K_NONE },
	{ "exitonforwardfailure", KT_IGNORED, K_NONE },
	{ "fallbacktorsh", KT_IGNORED, K_NONE },
	{ "fingerprinthash", KT_IGNORED, K_NONE },
	{ "forwardx11", KT_IGNORED, K_NONE },
	{ "forwardx11timeout", KT_IGNORED, K_NONE },
	{ "forwardx11trusted", KT_IGNORED, K_NONE },
	{ "gatewayports", KT_IGNORED, K_NONE },
	{ "globalknownhostsfile2", KT_IGNORED, K_NONE },
	{ "gssapiauthentication", KT_IGNORED, K_NONE },
	{ "gssapiclientidentity", KT_IGNORED, K_NONE },
	{ "gssapidelegatecredentials", KT_IGNORED, K_NONE },
	{ "gssapikexalgorithms", KT_IGNORED, K_NONE },
	{ "gssapikeyexchange", KT_IGNORED, K_NONE },
	{ "gssapirenewalforcesrekey", KT_IGNORED, K_NONE },
	{ "gssapiserveridentity", KT_IGNORED, K_NONE },
	{ "gssapitrustdns", KT_IGNORED, K_NONE },
	{ "hostbasedacceptedalgorithms", KT_IGNORED, K_NONE },
	{ "hostbasedauthentication", KT_IGNORED, K_NONE },
	{ "hostbasedkeytypes", KT_IGNORED, K_NONE },
	{ "ipqos", KT_IGNORED, K_NONE },
	{ "kbdinteractivedevices", KT_IGNORED, K_NONE },
	{ "keepalive", KT_IGNORED, K_NONE },
	{ "kerberosauthentication", KT_IGNORED, K_NONE },
	{ "kerberostgtpassing", KT_IGNORED, K_NONE },
	{ "logfacility", KT_IGNORED, K_NONE },
	{ "loglevel", KT_IGNORED, K_NONE },
	{ "logverbose", KT_IGNORED, K_NONE },
	{ "obscurekeystroketiming", KT_IGNORED, K_NONE },
	{ "permitlocalcommand", KT_IGNORED, K_NONE },
	{ "permitremoteopen", KT_IGNORED, K_NONE },
	{ "protocol", KT_IGNORED, K_NONE },
	{ "protocolkeepalives", KT_IGNORED, K_NONE },
	{ "refuseconnection", KT_IGNORED, K_NONE },
	{ "rekeylimit", KT_IGNORED, K_NONE },
	{ "requiredrsasize", KT_IGNORED, K_NONE },
	{ "rhostsauthentication", KT_IGNORED, K_NONE },
	{ "rhostsrsaauthentication", KT_IGNORED, K_NONE },
	{ "rsaauthentication", KT_IGNORED, K_NONE },
	{ "securitykeyprovider", KT_IGNORED, K_NONE },
	{ "setuptimeout", KT_IGNORED, K_NONE },
	{ "streamlocalbindmask", KT_IGNORED, K_NONE },
	{ "streamlocalbindunlink", KT_IGNORED, K_NONE },
	{ "syslogfacility", KT_IGNORED, K_NONE },
	{ "tcpkeepalive", KT_IGNORED, K_NONE },
	{ "tunneldevice", KT_IGNORED, K_NONE },
	{ "updatehostkeys", KT_IGNORED, K_NONE },
	{ "useprivilegedport", KT_IGNORED, K_NONE },
	{ "userknownhostsfile2", KT_IGNORED, K_NONE },
	{ "useroaming", KT_IGNORED, K_NONE },
	{ "usersh", KT_IGNORED, K_NONE },
	{ "visualhostkey", KT_IGNORED, K_NONE },
	{ "xauthlocation", KT_IGNORED, K_NONE },
};

const struct keyword *
keyword_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (strcmp(keywords[i].name, name) == 0)
			return &keywords[i];
	return NULL;
}

static const struct {
	enum kw_type type;
	const char *word;
	int	 value;
} values[] = {
	{ KT_FLAG, "yes", 1 }, { KT_FLAG, "no", 0 },
	{ KT_FLAG, "true", 1 }, { KT_FLAG, "false", 0 },
	{ KT_STRICT, "yes", STRICT_YES }, { KT_STRICT, "true", STRICT_YES },
	{ KT_STRICT, "no", STRICT_NO }, { KT_STRICT, "false", STRICT_NO },
	{ KT_STRICT, "off", STRICT_NO }, { KT_STRICT, "ask", STRICT_ASK },
	{ KT_STRICT, "accept-new", STRICT_ACCEPT_NEW },
	{ KT_FAMILY, "any", AF_UNSPEC }, { KT_FAMILY, "inet", AF_INET },
	{ KT_FAMILY, "inet6", AF_INET6 },
	{ KT_PUBKEY, "yes", 1 }, { KT_PUBKEY, "true", 1 },
	{ KT_PUBKEY, "no", PUBKEY_NO }, { KT_PUBKEY, "false", PUBKEY_NO },
	{ KT_PUBKEY, "unbound", 2 }, { KT_PUBKEY, "host-bound", 3 },
	{ KT_CANON, "yes", 1 }, { KT_CANON, "true", 1 },
	{ KT_CANON, "no", 0 }, { KT_CANON, "false", 0 },
	{ KT_CANON, "always", 2 },
	{ KT_COMPRESS, "yes", 1 }, { KT_COMPRESS, "no", 0 },
};

int
keyword_value(enum kw_type type, const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i].type == type &&
		    strcasecmp(values[i].word, word) == 0)
			return values[i].value;
	return -1;
}

int
keyword_number(const char *word)
{
	const char *bad;
	long long n = strtonum(word, 0, INT_MAX, &bad);

	return bad == NULL ? (int)n : -1;
}

unsigned
keyword_port(const char *word)
{
	struct servent se, *found = NULL;
	char buf[1024];
	const char *bad;
	long long n = strtonum(word, 0, 65535, &bad);

	if (bad == NULL)
		return (unsigned)n;
	if (getservbyname_r(word, "tcp", &se, buf, sizeof(buf), &found) != 0 ||
	    found == NULL)
		return 0;
	return ntohs((uint16_t)found->s_port);
}

static long
unit(char c)
{
	switch (c) {
	case '\0': case 's': case 'S':
		return 1;
	case 'm': case 'M':
		return 60;
	case 'h': case 'H':
		return 60 * 60;
	case 'd': case 'D':
		return 24 * 60 * 60;
	case 'w': case 'W':
		return 7 * 24 * 60 * 60;
	}
	return 0;
}

/* "1h30m", as in sshd_config(5) TIME FORMATS; -2: it is none. */
static int
time_of(const char *s)
{
	long total = 0, n, u;
	char *end;

	if (strcmp(s, "none") == 0)
		return -1;
	if (*s == '\0')
		return -2;
	for (; *s != '\0'; s = end) {
		errno = 0;
		n = strtol(s, &end, 10);
		u = unit(*end);
		if (end == s || errno != 0 || n < 0 || u == 0 ||
		    n > INT_MAX / u || total > INT_MAX - n * u)
			return -2;
		total += n * u;
		if (*end != '\0')
			end++;
	}
	return (int)total;
}

int
keyword_time(const char *word)
{
	return time_of(word);
}

/* "$NAME" and "${NAME}" where a path is wanted. */
static const char *
check_agent(const char *word)
{
	const char *p = word, *end;

	if (p[0] == '$' && p[1] != '{') {
		if (!isalpha((unsigned char)p[1]) && p[1] != '_')
			return "invalid name of a variable";
		for (p += 2; *p != '\0'; p++)
			if (!isalnum((unsigned char)*p) && *p != '_')
				return "invalid name of a variable";
		return NULL;
	}
	while ((p = strstr(p, "${")) != NULL) {
		if ((end = strchr(p, '}')) == NULL || end == p + 2)
			return "invalid use of a variable";
		p = end;
	}
	return NULL;
}

/* One "[user@]host[:port]" of a chain, perhaps written as a URI. */
static bool
jump_valid(const char *s, size_t len)
{
	struct fanout_hostspec spec;
	char *copy;
	bool good;

	if (len > 6 && strncmp(s, "ssh://", 6) == 0) {
		s += 6;
		len -= 6;
		if (s[len - 1] == '/')
			len--;
	}
	if (len == 0 || (copy = strndup(s, len)) == NULL)
		return false;
	good = fanout_host_split(copy, &spec) == 0 && spec.name_len > 0 &&
	    spec.name[0] != '-' && (spec.user == NULL || spec.user_len > 0) &&
	    strpbrk(copy, "'`\"$\\;&<>|(){} \t") == NULL;
	free(copy);
	return good;
}

static const char *
check_jump(const char *raw)
{
	size_t n;

	if (strcasecmp(raw, "none") == 0)
		return NULL;
	for (;; raw += n + 1) {
		n = strcspn(raw, ",");
		if (!jump_valid(raw, n))
			return "not of the form [user@]host[:port]";
		if (raw[n] == '\0')
			return NULL;
	}
}

static const char *
check_paths(char *const *argv)
{
	size_t i;

	for (i = 0; argv[i] != NULL; i++) {
		if (*argv[i] == '\0')
			return "an argument is empty";
		if (strcasecmp(argv[i], "none") == 0 &&
		    (i > 0 || argv[1] != NULL))
			return "\"none\" must stand alone";
	}
	return NULL;
}

static const char *
check_names(char *const *argv, bool pairs)
{
	for (; *argv != NULL; argv++) {
		if (pairs && strchr(*argv, '=') == NULL)
			return "not of the form NAME=VALUE";
		if (!pairs && (**argv == '\0' || strchr(*argv, '=') != NULL))
			return "invalid name of a variable";
	}
	return NULL;
}

static const char *
check_word(enum kw_type type, const char *word)
{
	switch (type) {
	case KT_TEXT:
		return NULL;
	case KT_NUMBER:
		return keyword_number(word) == -1 ? "not a number" : NULL;
	case KT_TIME:
		return time_of(word) == -2 ? "not a time" : NULL;
	case KT_PORT:
		return keyword_port(word) == 0 ? "not a port" : NULL;
	case KT_ALGS:
		return algs_valid(word) ? NULL : "not a list of algorithms";
	case KT_AGENT:
		return check_agent(word);
	case KT_FORWARD:
		return keyword_value(KT_FLAG, word) == -1 ?
		    check_agent(word) : NULL;
	default:
		return keyword_value(type, word) == -1 ?
		    "unsupported value" : NULL;
	}
}

const char *
keyword_check(const struct keyword *kw, char *const *argv, const char *raw)
{
	if (*raw == '\0')
		return "missing argument";
	switch (kw->type) {
	case KT_BLOCK:
	case KT_IGNORED:
	case KT_NOTED:
	case KT_RAW:
		return NULL;
	case KT_JUMP:
		return check_jump(raw);
	default:
		break;
	}
	/* Only a comment: as in ssh, nothing for a list, an error else. */
	if (argv == NULL)
		return kw->type == KT_PATHS || kw->type == KT_NAMES ||
		    kw->type == KT_PAIRS ? NULL : "missing argument";
	if (kw->type == KT_PATHS)
		return check_paths(argv);
	if (kw->type == KT_NAMES || kw->type == KT_PAIRS)
		return check_names(argv, kw->type == KT_PAIRS);
	if (**argv == '\0')
		return "missing argument";
	if (argv[1] != NULL)
		return "extra arguments at the end of the line";
	return check_word(kw->type, *argv);
}
