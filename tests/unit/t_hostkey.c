/*
 * What to ask of a host (algorithms for its key), and the keys to try on it.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/wire.h"
#include "policy/hostkey.h"
#include "policy/ident.h"
#include "test.h"

#define TMPDIR_NAME "t_hostkey"
#include "tmpdir.h"

/* A hostconf by options; the file is never read. */
static void
resolve(const char *const *options, struct hostconf *hc)
{
	struct fanout_error e;
	struct fanout_result why;
	struct sshconf *c;

	if (sshconf_load(&c, "none", options, &e) != 0)
		errx(1, "%s", e.text);
	if (sshconf_resolve(c, "h", hc, &why) == -1)
		errx(1, "%s", why.text);
	sshconf_free(c);
}

/* ---- the algorithms for the host's key --------------------------------- */

static void
write_known(const char *const *types)
{
	FILE *fp = fopen(in_dir("kh"), "w");
	char b64[200];
	struct fo_wr w;

	if (fp == NULL)
		err(1, "kh");
	for (; *types != NULL; types++) {
		fo_wr_init(&w);
		fo_wr_cstr(&w, *types);
		fo_wr_cstr(&w, "key");
		if (fo_b64_encode(w.p, w.len, b64, sizeof(b64)) == -1)
			errx(1, "base64");
		fprintf(fp, "h %s %s\n", *types, b64);
		fo_wr_free(&w);
	}
	fclose(fp);
}

static const char *const old_lib[] = { "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-ed25519", "ssh-rsa",
    "ssh-dss", NULL };
static const char *const new_lib[] = { "ecdsa-sha2-nistp256", "ssh-ed25519",
    "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa", NULL };

static void
test_list(void)
{
	static const struct {
		const char *known[4], *option;
		const char *const *lib;
		const char *want;	/* NULL: the reason has why */
		const char *why;
	} t[] = {
		{ { NULL }, NULL, old_lib, "ssh-ed25519,ecdsa-sha2-nistp256,"
		    "ecdsa-sha2-nistp384,ecdsa-sha2-nistp521", "" },
		{ { NULL }, NULL, new_lib, "ssh-ed25519,ecdsa-sha2-nistp256,"
		    "rsa-sha2-512,rsa-sha2-256", "" },
		{ { "ecdsa-sha2-nistp384" }, NULL, old_lib,
		    "ecdsa-sha2-nistp384,ssh-ed25519,ecdsa-sha2-nistp256,"
		    "ecdsa-sha2-nistp521", "" },
		{ { "ssh-rsa" }, NULL, new_lib, "rsa-sha2-512,rsa-sha2-256,"
		    "ssh-ed25519,ecdsa-sha2-nistp256", "" },
		{ { "ssh-rsa" }, NULL, old_lib, "ssh-rsa,ssh-ed25519,"
		    "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
		    "ecdsa-sha2-nistp521", "" },
		{ { "ssh-rsa", "ecdsa-sha2-nistp256" }, NULL, new_lib,
		    "ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256,"
		    "ssh-ed25519", "" },
		{ { "ecdsa-sha2-nistp521" }, NULL, new_lib, NULL,
		    "ecdsa-sha2-nistp521" },
		{ { "ssh-ed25519" }, "HostKeyAlgorithms=ecdsa-sha2-nistp256,"
		    "ssh-ed25519", old_lib, "ecdsa-sha2-nistp256,ssh-ed25519",
		    "" },
		{ { "ssh-ed25519" }, "HostKeyAlgorithms=-ssh-ed25519", old_lib,
		    NULL, "ssh-ed25519" },
		{ { NULL }, "HostKeyAlgorithms=-ecdsa*", old_lib,
		    "ssh-ed25519", "" },
		{ { NULL }, "HostKeyAlgorithms=+ssh-rsa", old_lib,
		    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
		    "ecdsa-sha2-nistp521,ssh-rsa", "" },
		{ { "ssh-rsa" }, "HostKeyAlgorithms=rsa-sha2-256", old_lib,
		    NULL, "HostKeyAlgorithms" },
	};
	const char *paths[2], *options[2] = { NULL, NULL };
	char list[HOSTKEY_LIST_MAX], why[200];
	struct fanout_error e;
	struct knownhosts *kh;
	struct hostconf hc;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		write_known(t[i].known);
		paths[0] = in_dir("kh");
		paths[1] = NULL;
		if (knownhosts_load(&kh, paths, &e) != 0)
			errx(1, "%s", e.text);
		options[0] = t[i].option;
		resolve(options, &hc);
		rc = hostkey_list(&hc, kh, t[i].lib, list, why, sizeof(why));
		is_int(rc, t[i].want == NULL ? -1 : 0, "list %zu", i);
		is_str(list, t[i].want == NULL ? "" : t[i].want, "list %zu",
		    i);
		ok(strstr(why, t[i].why) != NULL, "reason %zu: %s", i, why);
		hostconf_clear(&hc);
		knownhosts_free(kh);
	}
}

/* ---- the keys to try --------------------------------------------------- */

/* "ed:file rsa:agent", by the names of the keys in dir. */
static void
describe(const struct ident_list *l, char *buf, size_t size)
{
	static const char *const names[] = { "ed", "ec", "rsa", "enc", "only" };
	struct fanout_error e;
	struct key *k;
	size_t i, j;

	buf[0] = '\0';
	for (i = 0; i < l->n; i++)
		for (j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
			if (key_load(&k, in_dir(names[j]), &e) != 0)
				errx(1, "%s", e.text);
			if (k->blob_len == l->v[i].blob_len && memcmp(k->blob,
			    l->v[i].blob, k->blob_len) == 0) {
				(void)strlcat(buf, i == 0 ? "" : " ", size);
				(void)strlcat(buf, names[j], size);
				(void)strlcat(buf, l->v[i].kind == IDENT_FILE ?
				    ":file" : ":agent", size);
			}
			key_free(k);
		}
}

struct plan_case {
	const char *options[6];	/* % is the folder */
	bool	 agent, rsa_sha2;
	const char *want;
	const char *skipped;	/* part of one of the texts; "": none at all */
	bool	 ssh_could;
};

static void
run_case(const struct plan_case *t, size_t number, struct keyring *kr,
    const char *sock)
{
	char text[8][300], got[300];
	const char *options[8] = { NULL };
	struct ident_list l;
	struct hostconf hc;
	bool found = false;
	size_t i, n = 0;

	(void)snprintf(text[n], sizeof(text[n]), "IdentityAgent=%s",
	    t->agent ? sock : "none");
	options[n] = text[n];
	for (n++, i = 0; t->options[i] != NULL; i++, n++) {
		if (strncmp(t->options[i], "IdentityFile=%", 14) == 0)
			(void)snprintf(text[n], sizeof(text[n]),
			    "IdentityFile=%s/%s", dir, t->options[i] + 14);
		else
			(void)strlcpy(text[n], t->options[i], sizeof(text[n]));
		options[n] = text[n];
	}
	resolve(options, &hc);
	is_int(ident_plan(&l, &hc, kr, t->rsa_sha2), 0, "plan %zu", number);
	describe(&l, got, sizeof(got));
	is_str(got, t->want, "plan %zu", number);
	for (i = 0; i < l.nskipped; i++)
		found = found || (t->skipped[0] != '\0' &&
		    strstr(l.skipped[i], t->skipped) != NULL);
	ok(t->skipped[0] == '\0' ? l.nskipped == 0 : found,
	    "plan %zu: skipped \"%s\" (%zu: %s)", number, t->skipped,
	    l.nskipped, l.nskipped > 0 ? l.skipped[0] : "");
	ok(l.ssh_could == t->ssh_could, "plan %zu: what ssh could", number);
	for (i = 0; i < l.n; i++)
		ok(l.v[i].text != NULL && l.v[i].type != NULL &&
		    (l.v[i].key != NULL) == (l.v[i].kind == IDENT_FILE) &&
		    (l.v[i].sock != NULL) == (l.v[i].kind == IDENT_AGENT),
		    "%s", l.v[i].text);
	ident_list_clear(&l);
	hostconf_clear(&hc);
}

static void
test_plans(struct keyring *kr, const char *sock, bool with_agent)
{
	/* The agent holds rsa, ed, only: in this order. */
	static const struct plan_case t[] = {
		{ { "IdentityFile=%ed", "IdentityFile=%ec" }, false, true,
		    "ed:file ec:file", "", false },
		{ { "IdentityFile=%ed", "IdentityFile=%ed" }, false, true,
		    "ed:file", "", false },
		{ { "IdentityFile=%rsa", "IdentityFile=%ed" }, false, true,
		    "rsa:file ed:file", "", false },
		{ { "IdentityFile=%rsa", "IdentityFile=%ed" }, false, false,
		    "ed:file", "rsa-sha2", true },
		{ { "IdentityFile=%signed" }, false, true, "ed:file",
		    "signed-cert.pub: certificates need ssh", true },
		{ { "IdentityFile=%ed", "CertificateFile=/c-cert.pub" }, false,
		    true, "ed:file", "/c-cert.pub: certificates", true },
		{ { "IdentityFile=%enc", "IdentityFile=%ed" }, false, true,
		    "ed:file", "is encrypted: add it to ssh-agent", false },
		{ { "IdentityFile=%none" }, false, true, "",
		    "no such file", false },
		{ { "IdentityFile=none" }, false, true, "", "", false },
		{ { "IdentityFile=%only" }, false, true, "", "no agent", false },
		{ { "IdentityFile=%wide" }, false, true, "", "chmod 600", false },
		{ { "PubkeyAuthentication=no", "IdentityFile=%ed" }, false,
		    true, "", "", false },
		{ { "PubkeyAcceptedAlgorithms=ecdsa*", "IdentityFile=%ed",
		    "IdentityFile=%ec" }, false, true, "ec:file",
		    "PubkeyAcceptedAlgorithms", false },
		/* From here on with an agent. */
		{ { "IdentityFile=%ec", "IdentityFile=%ed" }, true, true,
		    "ed:agent rsa:agent only:agent ec:file", "", false },
		{ { "IdentityFile=%ec", "IdentityFile=%ed",
		    "IdentitiesOnly=yes" }, true, true, "ed:agent ec:file",
		    "", false },
		{ { "IdentityFile=%only", "IdentitiesOnly=yes" }, true, true,
		    "only:agent", "", false },
		{ { "IdentityFile=%ed", "IdentitiesOnly=yes" }, true, false,
		    "ed:agent", "", false },
		{ { "IdentityFile=none" }, true, false, "ed:agent only:agent",
		    "rsa-sha2", true },
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (t[i].agent == with_agent)
			run_case(&t[i], i, kr, sock);
}

static void
test_agent_gone(void)
{
	static const struct plan_case t = {
		{ "IdentityFile=%ed" }, true, true, "ed:file",
		"cannot reach the agent", false
	};
	struct keyring *kr;

	if (keyring_new(&kr) == -1)
		err(1, NULL);
	run_case(&t, 99, kr, in_dir("no-agent"));
	keyring_free(kr);
}

/* A plan outlives the keyring that it was made from. */
static void
test_alone(void)
{
	char option[300];
	const char *options[] = { option, "IdentityAgent=none", NULL };
	struct ident_list l;
	struct keyring *kr;
	struct hostconf hc;
	unsigned char *sig;
	size_t len;

	(void)snprintf(option, sizeof(option), "IdentityFile=%s/ed", dir);
	resolve(options, &hc);
	if (keyring_new(&kr) == -1 || ident_plan(&l, &hc, kr, true) == -1)
		err(1, NULL);
	hostconf_clear(&hc);
	keyring_free(kr);
	is_int(key_sign(l.v[0].key, "ssh-ed25519", "x", 1, &sig, &len), 0,
	    "signs after the keyring is gone");
	is_int(len, 64, "64 bytes");
	free(sig);
	ident_list_clear(&l);
}

static pid_t
start_agent(const char *sock)
{
	pid_t pid = fork();
	int i, fd;

	if (pid == -1)
		err(1, "fork");
	if (pid == 0) {
		if ((fd = open("/dev/null", O_WRONLY)) != -1)
			(void)dup2(fd, 1);
		execlp("ssh-agent", "ssh-agent", "-D", "-a", sock,
		    (char *)NULL);
		_exit(127);
	}
	for (i = 0; i < 100 && access(sock, F_OK) == -1; i++)
		(void)poll(NULL, 0, 50);
	return pid;
}

static void
test_keys(void)
{
	const char *sock = strdup(in_dir("agent"));
	struct keyring *kr;
	int status;
	pid_t pid;

	if (shell("cd %s && for k in ed:ed25519 ec:ecdsa rsa:rsa only:ed25519;"
	    " do ssh-keygen -q -N '' -t ${k#*:} -f ${k%%:*} || exit 1; done;"
	    " ssh-keygen -q -N secret -a 1 -t ed25519 -f enc &&"
	    " cp ed wide && chmod 644 wide && cp ed signed &&"
	    " cp ed.pub signed-cert.pub", dir) != 0)
		errx(1, "ssh-keygen");
	pid = start_agent(sock);
	if (shell("cd %s && SSH_AUTH_SOCK=%s ssh-add -q rsa ed only "
	    "2>/dev/null && rm only", dir, sock) != 0)
		errx(1, "ssh-add");
	if (keyring_new(&kr) == -1)
		err(1, NULL);
	test_plans(kr, sock, false);
	test_plans(kr, sock, true);
	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, &status, 0);
	/* What the agent said is remembered. */
	test_plans(kr, sock, true);
	keyring_free(kr);
	test_agent_gone();
	test_alone();
	free((char *)(uintptr_t)sock);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	test_list();
	if (system("command -v ssh-agent ssh-add ssh-keygen >/dev/null") == 0)
		test_keys();
	else
		skip(1, "ssh-agent is not installed");
	ok(shell("rm -rf %s", dir) == 0, "cleaned up");
	return test_end();
}
