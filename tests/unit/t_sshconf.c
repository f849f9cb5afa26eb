/*
 * ssh_config(5). With "--dump FILE HOST [OPTION...]" it prints what it makes
 * of a host in the form of ssh -G; tests/regress/config-ssh-G.sh compares.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include "policy/algs.h"
#include "policy/sshconf.h"
#include "test.h"

/* ---- dump -------------------------------------------------------------- */

static void
put_list(const char *name, char *const *list, bool one_line)
{
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		printf("%s %s%s", one_line && i > 0 ? "" : name, list[i],
		    one_line ? "" : "\n");
	if (one_line)
		printf("%s%s", i > 0 ? "" : name, i > 0 ? "\n" : " none\n");
}

static void
put(const char *name, const char *value)
{
	if (value != NULL)
		printf("%s %s\n", name, value);
}

static void
put_flag(const char *name, bool value, const char *yes, const char *no)
{
	printf("%s %s\n", name, value ? yes : no);
}

static const char *
or_default(const char *list, enum algs_kind kind)
{
	return list != NULL ? list : algs_default(kind);
}

static void
dump_flags(const struct hostconf *hc)
{
	static const char *const strict[] = {
		[STRICT_YES] = "true", [STRICT_ASK] = "ask",
		[STRICT_ACCEPT_NEW] = "accept-new", [STRICT_NO] = "false"
	};

	put("addressfamily", hc->family == AF_INET ? "inet" :
	    hc->family == AF_INET6 ? "inet6" : "any");
	put_flag("batchmode", hc->batch, "yes", "no");
	put_flag("compression", hc->compression, "yes", "no");
	put_flag("hashknownhosts", hc->hash_known_hosts, "yes", "no");
	put_flag("identitiesonly", hc->identities_only, "yes", "no");
	put_flag("kbdinteractiveauthentication", hc->kbdint, "yes", "no");
	put_flag("passwordauthentication", hc->password, "yes", "no");
	put_flag("pubkeyauthentication", hc->pubkey, "true", "false");
	put("stricthostkeychecking", strict[hc->strict]);
	printf("connectionattempts %d\n", hc->attempts);
	printf("numberofpasswordprompts %d\n", hc->password_prompts);
	printf("serveralivecountmax %d\n", hc->alive_max);
	printf("serveraliveinterval %d\n", hc->alive_ms / 1000);
	if (hc->connect_ms == -1)
		printf("connecttimeout none\n");
	else
		printf("connecttimeout %d\n", hc->connect_ms / 1000);
	if (hc->forward_agent_sock != NULL)
		put("forwardagent", hc->forward_agent_sock);
	else
		put_flag("forwardagent", hc->forward_agent, "yes", "no");
}

static int
dump(int argc, char *argv[])
{
	struct fanout_error e;
	struct fanout_result why;
	struct sshconf *c;
	struct hostconf hc;

	if (argc < 4)
		errx(2, "usage: t_sshconf --dump FILE HOST [OPTION...]");
	if (sshconf_load(&c, argv[2], (const char *const *)argv + 4, &e) != 0)
		errx(255, "%s", e.text);
	if (sshconf_resolve(c, argv[3], &hc, &why) == -1)
		errx(255, "%s", why.text);
	put("host", hc.host);
	put("user", hc.user);
	put("hostname", hc.hostname);
	printf("port %u\n", hc.port);
	dump_flags(&hc);
	put("bindaddress", hc.bind_address);
	put("hostkeyalias", hc.hostkey_alias);
	put("identityagent", hc.identity_agent);
	put("preferredauthentications", hc.preferred_auth);
	put("proxyjump", hc.proxy_jump);
	put("proxycommand", hc.proxy_command);
	put("ciphers", or_default(hc.ciphers, ALGS_CIPHERS));
	put("macs", or_default(hc.macs, ALGS_MACS));
	put("kexalgorithms", or_default(hc.kex, ALGS_KEX));
	put("hostkeyalgorithms", or_default(hc.hostkey_algorithms,
	    ALGS_HOSTKEY));
	put("pubkeyacceptedalgorithms", or_default(hc.pubkey_algorithms,
	    ALGS_PUBKEY));
	put_list("identityfile", hc.identities, false);
	put_list("certificatefile", hc.certificates, false);
	put_list("userknownhostsfile", hc.known_hosts, true);
	put_list("globalknownhostsfile", hc.global_known_hosts, true);
	put_list("sendenv", hc.send_env, false);
	put_list("setenv", hc.set_env, false);
	hostconf_clear(&hc);
	sshconf_free(c);
	return 0;
}

/* ---- tests ------------------------------------------------------------- */

static char dir[] = "/tmp/t_sshconf.XXXXXX";

static const char *
file(const char *name, const char *text)
{
	static char path[256];
	FILE *fp;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((fp = fopen(path, "w")) == NULL || fputs(text, fp) == EOF ||
	    fclose(fp) == EOF)
		err(1, "%s", path);
	return path;
}

/* Resolve by the text of a file; "" as HOST's field when it fails. */
static bool
resolve_with(const char *text, const char *const *options, const char *spec,
    struct hostconf *hc, char *msg, size_t size)
{
	struct fanout_error e;
	struct fanout_result why;
	struct sshconf *c;
	bool good;

	msg[0] = '\0';
	memset(hc, 0, sizeof(*hc));
	if (sshconf_load(&c, file("config", text), options, &e) != 0) {
		(void)strlcpy(msg, e.text, size);
		return false;
	}
	good = sshconf_resolve(c, spec, hc, &why) == 0;
	if (!good) {
		is_int(why.cls, FANOUT_C_LOCAL, "class of: %s", why.text);
		(void)strlcpy(msg, why.text, size);
	}
	sshconf_free(c);
	return good;
}

static void
test_hostnames(void)
{
	static const struct {
		const char *config, *spec, *hostname, *user;
		unsigned port;
	} t[] = {
		{ "", "web1", "web1", "me", 22 },
		{ "", "WEB1", "web1", "me", 22 },
		{ "", "root@web1:2222", "web1", "root", 2222 },
		{ "", "[::1]:2222", "::1", "me", 2222 },
		{ "", "0:0:0:0:0:0:0:1", "::1", "me", 22 },
		{ "Host w*\nHostName %h.example.org\nPort 99\n", "web1",
		    "web1.example.org", "me", 99 },
		{ "Host w* !web1\nPort 99\n", "web1", "web1", "me", 22 },
		{ "Host w* !web1\nPort 99\n", "web2", "web2", "me", 99 },
		{ "Host !web1\nPort 99\n", "web2", "web2", "me", 22 },
		{ "Host web?\nPort 99\n", "web12", "web12", "me", 22 },
		{ "Port 1\nPort 2\n", "x", "x", "me", 1 },
		{ "port=1\n", "x", "x", "me", 1 },
		{ "Port = 1 # why\n", "x", "x", "me", 1 },
		{ "\t Port \"1\"\n", "x", "x", "me", 1 },
		{ "Port 1\r\nUser a\r\n", "x", "x", "a", 1 },
		{ "Match host x\nPort 5\n", "X", "x", "me", 5 },
		{ "Match host a,x,b\nPort 5\n", "x", "x", "me", 5 },
		{ "Match !host x\nPort 5\n", "x", "x", "me", 22 },
		{ "HostName y\nMatch host y originalhost x\nPort 5\n", "x",
		    "y", "me", 5 },
		{ "Match user root\nPort 5\n", "root@x", "x", "root", 5 },
		{ "User root\nMatch user root\nPort 5\n", "x", "x", "root", 5 },
		{ "Match final host x\nPort 5\n", "x", "x", "me", 5 },
		{ "Match all\nPort 5\n", "x", "x", "me", 5 },
		{ "Match exec \"test %h = x\"\nPort 5\n", "x", "x", "me", 5 },
		{ "Match exec \"test %h = x\"\nPort 5\n", "y", "y", "me", 22 },
		{ "Match exec=false\nPort 5\n", "y", "y", "me", 22 },
		{ "Tag t\nMatch tagged t\nPort 5\n", "y", "y", "me", 5 },
		{ "SendEnv # none\nUserKnownHostsFile #\nHost #x\nPort 9\n",
		    "y", "y", "me", 22 },
		{ "Host x\nUser \"a b\"\n", "x", "x", "a b", 22 },
		{ "Host x\nUser a\\ b\n", "x", "x", "a b", 22 },
	};
	struct passwd *pw = getpwuid(getuid());
	struct hostconf hc;
	char msg[256];
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (!ok(resolve_with(t[i].config, NULL, t[i].spec, &hc, msg,
		    sizeof(msg)), "case %zu resolves %s", i, msg))
			continue;
		is_str(hc.hostname, t[i].hostname, "case %zu: host name", i);
		is_str(hc.user, strcmp(t[i].user, "me") == 0 && pw != NULL ?
		    pw->pw_name : t[i].user, "case %zu: user", i);
		is_int(hc.port, t[i].port, "case %zu: port", i);
		hostconf_clear(&hc);
	}
}

static void
test_errors(void)
{
	static const struct {
		const char *config, *spec, *text;
	} t[] = {
		{ "Port x\n", "h", ":1: port: not a port" },
		{ "\nPort\n", "h", ":2: port: no argument" },
		{ "Port 1 2\n", "h", "extra arguments" },
		{ "User \"a\n", "h", "quote" },
		{ "BatchMode maybe\n", "h", "unsupported value" },
		{ "ConnectTimeout 5x\n", "h", "not a time" },
		{ "Match\n", "h", "no argument" },
		{ "Match host\n", "h", "argument" },
		{ "Match wind north\n", "h", "unknown criterion" },
		{ "Match host a user b all\n", "h", "all" },
		{ "UserKnownHostsFile none b\n", "h", "alone" },
		{ "ProxyJump a:b\n", "h", "form" },
		{ "SetEnv X\n", "h", "NAME=VALUE" },
		{ "IdentityAgent ${X\n", "h", "variable" },
		{ "HostName %q\n", "h", "unknown token %q" },
		{ "IdentityFile ~nobody-here/x\n", "h", "no user" },
		{ "IdentityFile ${T_SSHCONF_UNSET}/x\n", "h", "not set" },
		{ "ConnectionAttempts 0\n", "h", "at least 1" },
		{ "Ciphers -*\n", "h", "nothing is left" },
		{ "ProxyJump h\n", "h", "itself" },
		{ "Match exec \"kill -9 $$\"\nPort 1\n", "h", "in order" },
		{ "", "h;id", "not a host name" },
		{ "", "-oProxyCommand=id", "not a host name" },
		{ "", "$(id)@h", "not a host name" },
		{ "", "", "not a host name" },
	};
	struct hostconf hc;
	char msg[256];
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ok(!resolve_with(t[i].config, NULL, t[i].spec, &hc, msg,
		    sizeof(msg)) && strstr(msg, t[i].text) != NULL,
		    "error %zu: %s", i, msg);
		ok(hc.host == NULL, "error %zu leaves nothing", i);
		hostconf_clear(&hc);
	}
}

static void
test_options(void)
{
	static const char *const good[] = { "Port=7", "Port 8", "user u",
	    "IdentityFile=/a", NULL };
	static const char *const bad[] = { "Port=seven", NULL };
	static const char *const block[] = { "Host=x", NULL };
	struct fanout_error e;
	struct sshconf *c;
	struct hostconf hc;
	char msg[256];

	ok(resolve_with("Port 1\nIdentityFile /b\n", good, "x", &hc, msg,
	    sizeof(msg)), "options resolve %s", msg);
	is_int(hc.port, 7, "the first option wins over the file");
	is_str(hc.user, "u", "an option without =");
	is_str(hc.identities[0], "/a", "identities add up: option");
	is_str(hc.identities[1], "/b", "identities add up: file");
	ok(hc.identities_set, "identities were named");
	hostconf_clear(&hc);
	ok(!resolve_with("", bad, "x", &hc, msg, sizeof(msg)) &&
	    strstr(msg, "option port") != NULL, "a bad option: %s", msg);
	ok(!resolve_with("", block, "x", &hc, msg, sizeof(msg)),
	    "Host is no option: %s", msg);
	is_int(sshconf_load(&c, "/nonexistent/config", NULL, &e),
	    FANOUT_ESYS, "a named file must be there");
	ok(strstr(e.text, "/nonexistent/config") != NULL, "%s", e.text);
	is_int(sshconf_load(&c, "none", NULL, &e), 0, "no file at all");
	sshconf_free(c);
}

static void
test_empty_lists(void)
{
	static const char *const none[] = { "UserKnownHostsFile=none",
	    "GlobalKnownHostsFile=none", "IdentityFile=none", NULL };
	struct hostconf hc;
	char msg[256];

	ok(resolve_with("", none, "x", &hc, msg, sizeof(msg)), "none %s", msg);
	ok(hc.known_hosts != NULL && hc.known_hosts[0] == NULL, "no files");
	ok(hc.global_known_hosts != NULL && hc.global_known_hosts[0] == NULL,
	    "no global files");
	ok(hc.identities != NULL && hc.identities[0] == NULL &&
	    hc.identities_set, "no identities, not even the defaults");
	ok(hc.send_env != NULL && hc.set_env != NULL &&
	    hc.certificates != NULL, "lists are never NULL");
	hostconf_clear(&hc);
}

static void
test_notes(void)
{
	struct fanout_error e;
	struct sshconf *c;
	const char *path = file("config", "FooBar yes\nLogLevel quiet\n"
	    "IgnoreUnknown Ba*\nBaz 1\nLocalForward 1 b:2\n");

	if (!ok(sshconf_load(&c, path, NULL, &e) == 0, "notes: loads"))
		return;
	is_int(sshconf_notes(c), 2, "two keywords are noted");
	ok(strstr(sshconf_note(c, 0), "config:1: keyword foobar ignored") !=
	    NULL, "%s", sshconf_note(c, 0));
	ok(strstr(sshconf_note(c, 1), ":5: keyword localforward") != NULL,
	    "%s", sshconf_note(c, 1));
	sshconf_free(c);
}

static void
test_include(void)
{
	char text[1024], loop[256], msg[256];
	struct hostconf hc;

	(void)file("one.inc", "Port 11\nHost b\nUser inc\n");
	(void)file("two.inc", "HashKnownHosts yes\n");
	(void)snprintf(text, sizeof(text), "Host a b\n Include %s/*.inc "
	    "%s/none-such*\n BatchMode yes\n", dir, dir);
	ok(resolve_with(text, NULL, "a", &hc, msg, sizeof(msg)), "a %s", msg);
	is_int(hc.port, 11, "an included file applies within its block");
	ok(hc.batch, "its Host does not reach the file around it");
	ok(hc.hash_known_hosts, "several files by glob");
	hostconf_clear(&hc);
	ok(resolve_with(text, NULL, "b", &hc, msg, sizeof(msg)), "b %s", msg);
	is_str(hc.user, "inc", "Host within an included file");
	hostconf_clear(&hc);
	ok(resolve_with(text, NULL, "c", &hc, msg, sizeof(msg)), "c %s", msg);
	is_int(hc.port, 22, "not where the block does not match");
	hostconf_clear(&hc);
	(void)snprintf(loop, sizeof(loop), "Include %s/config\n", dir);
	ok(!resolve_with(loop, NULL, "c", &hc, msg, sizeof(msg)) &&
	    strstr(msg, "too deep") != NULL, "a loop ends: %s", msg);
	(void)snprintf(text, sizeof(text), "Include %s/w.inc\n", dir);
	if (chmod(file("w.inc", "Port 1\n"), 0666) == -1)
		err(1, "chmod");
	ok(!resolve_with(text, NULL, "c", &hc, msg, sizeof(msg)) &&
	    strstr(msg, "others may write") != NULL, "%s", msg);
}

static void
test_needs_ssh(void)
{
	static const struct {
		const char *config, *why;
	} t[] = {
		{ "", NULL },
		{ "CanonicalizeHostname yes\n", "canonicalizehostname" },
		{ "CanonicalizeHostname no\n", NULL },
		{ "ProxyUseFdpass yes\n", "proxyusefdpass" },
		{ "PKCS11Provider none\n", NULL },
		{ "KnownHostsCommand /bin/x %H\n", "knownhostscommand" },
		{ "RevokedHostKeys /etc/krl\n", "revokedhostkeys" },
		{ "Match localnetwork 10.0.0.0/8\nPort 1\n", "Match" },
		{ "Match host y localnetwork 10.0.0.0/8\nPort 1\n", NULL },
	};
	struct hostconf hc;
	char msg[256];
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ok(resolve_with(t[i].config, NULL, "x", &hc, msg,
		    sizeof(msg)), "needs ssh %zu %s", i, msg);
		is_str(hc.needs_ssh, t[i].why, "needs ssh: case %zu", i);
		hostconf_clear(&hc);
	}
}

static void
test_exec_once(void)
{
	char text[512], path[256];
	struct fanout_error e;
	struct fanout_result why;
	struct sshconf *c;
	struct hostconf hc;
	struct stat st;
	int i;

	(void)snprintf(path, sizeof(path), "%s/ran", dir);
	(void)snprintf(text, sizeof(text),
	    "Match exec \"echo x >>%s\"\nPort 5\n", path);
	if (sshconf_load(&c, file("config", text), NULL, &e) != 0)
		errx(1, "%s", e.text);
	for (i = 0; i < 5; i++) {
		ok(sshconf_resolve(c, "x", &hc, &why) == 0, "exec %s",
		    why.text);
		hostconf_clear(&hc);
	}
	ok(stat(path, &st) == 0 && st.st_size == 2,
	    "a command of Match exec runs once");
	sshconf_free(c);
}

static void
test_key_name(void)
{
	struct hostconf hc;
	char msg[256];
	unsigned port;

	ok(resolve_with("Port 99\nHostKeyAlias ALIAS\n", NULL, "x", &hc, msg,
	    sizeof(msg)), "alias %s", msg);
	is_str(hostconf_key_name(&hc, &port), "alias", "the alias, lower case");
	is_int(port, 0, "an alias has no port");
	hostconf_clear(&hc);
	ok(resolve_with("Port 99\n", NULL, "X", &hc, msg, sizeof(msg)),
	    "no alias %s", msg);
	is_str(hostconf_key_name(&hc, &port), "x", "the host name");
	is_int(port, 99, "with its port");
	hostconf_clear(&hc);
}

static void
test_agent_path(void)
{
	struct hostconf hc;
	char msg[256];
	size_t i;
	static const struct {
		const char *config, *sock;
	} t[] = {
		{ "", "/env" },
		{ "IdentityAgent none\n", NULL },
		{ "IdentityAgent SSH_AUTH_SOCK\n", "/env" },
		{ "IdentityAgent $T_SOCK\n", "/other" },
		{ "IdentityAgent ${T_SOCK}/%n\n", "/other/x" },
		{ "IdentityAgent /a/%h-%p-%%\n", "/a/x-22-%" },
	};

	(void)setenv("SSH_AUTH_SOCK", "/env", 1);
	(void)setenv("T_SOCK", "/other", 1);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ok(resolve_with(t[i].config, NULL, "x", &hc, msg,
		    sizeof(msg)), "agent %zu %s", i, msg);
		is_str(hc.identity_agent, t[i].sock, "agent: case %zu", i);
		hostconf_clear(&hc);
	}
}

int
main(int argc, char *argv[])
{
	char cmd[300];

	if (argc > 1 && strcmp(argv[1], "--dump") == 0)
		return dump(argc, argv);
	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	(void)umask(022);
	test_hostnames();
	test_errors();
	test_options();
	test_empty_lists();
	test_notes();
	test_include();
	test_needs_ssh();
	test_exec_once();
	test_key_name();
	test_agent_path();
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	ok(system(cmd) == 0, "cleaned up");
	return test_end();
}
