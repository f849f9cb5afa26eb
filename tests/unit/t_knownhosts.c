/* known_hosts, checked against what ssh-keygen(1) finds and writes. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/wire.h"
#include "policy/knownhosts.h"
#include "test.h"

#define TMPDIR_NAME "t_knownhosts"
#include "tmpdir.h"

static void
write_file(const char *name, const char *text)
{
	const char *path = in_dir(name);
	FILE *fp = fopen(path, "w");

	if (fp == NULL || fputs(text, fp) == EOF || fclose(fp) == EOF)
		err(1, "%s", path);
}

static char *
read_file(const char *path)
{
	static char buf[1024 * 1024];
	FILE *fp = fopen(path, "r");
	size_t n;

	if (fp == NULL)
		err(1, "%s", path);
	n = fread(buf, 1, sizeof(buf) - 1, fp);
	fclose(fp);
	buf[n] = '\0';
	return buf;
}

/* What a command prints, its first line. */
static char *
output(const char *fmt, ...)
{
	static char line[4096];
	char cmd[1024];
	va_list ap;
	FILE *fp;

	va_start(ap, fmt);
	(void)vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	line[0] = '\0';
	if ((fp = popen(cmd, "r")) == NULL)
		err(1, "popen");
	if (fgets(line, sizeof(line), fp) == NULL)
		line[0] = '\0';
	while (getc(fp) != EOF)		/* or it dies of SIGPIPE */
		continue;
	(void)pclose(fp);
	return line;
}

/* ---- keys -------------------------------------------------------------- */

struct blob {
	unsigned char p[600];
	size_t	 len;
	char	 line[1000];	/* type and base64 */
};

/* A key of ed25519's form; no one has its private half. */
static void
make_blob(struct blob *b, const char *type, uint32_t number)
{
	unsigned char pub[32] = { 0 };
	struct fo_wr w;

	memcpy(pub, &number, sizeof(number));
	fo_wr_init(&w);
	fo_wr_cstr(&w, type);
	fo_wr_str(&w, pub, sizeof(pub));
	memcpy(b->p, w.p, w.len);
	b->len = w.len;
	fo_wr_free(&w);
	(void)snprintf(b->line, sizeof(b->line), "%s ", type);
	if (fo_b64_encode(b->p, b->len, b->line + strlen(b->line), 900) == -1)
		errx(1, "base64");
}

static void
read_pub(struct blob *b, const char *name)
{
	char *text = read_file(in_dir(name)), *sp;
	ssize_t n;

	sp = strchr(text, ' ');
	text[(size_t)(sp - text) + 1 + strcspn(sp + 1, " \n")] = '\0';
	(void)strlcpy(b->line, text, sizeof(b->line));
	n = fo_b64_decode(sp + 1, strlen(sp + 1), b->p, sizeof(b->p));
	if (n == -1)
		errx(1, "%s", name);
	b->len = (size_t)n;
}

static struct knownhosts *
load(const char *name)
{
	const char *paths[] = { in_dir("no-such-file"), in_dir(name), NULL };
	struct fanout_error e;
	struct knownhosts *kh;

	if (knownhosts_load(&kh, paths, &e) != 0)
		errx(1, "%s", e.text);
	return kh;
}

/* ---- verdicts ---------------------------------------------------------- */

/* In the lines, A B C are ed25519 keys, R is one called ssh-rsa. */
static struct blob keys[4];
static const char key_names[] = "ABCR";

static void
expand(const char *lines, char *text, size_t size)
{
	const char *k;
	size_t n = 0;

	for (; *lines != '\0'; lines++) {
		k = *lines == '%' ? strchr(key_names, lines[1]) : NULL;
		if (k != NULL) {
			n += (size_t)snprintf(text + n, size - n, "%s",
			    keys[k - key_names].line);
			lines++;
		} else
			text[n++] = *lines;
	}
	text[n] = '\0';
}

static void
test_verdicts(void)
{
	static const struct {
		const char *lines, *name;
		unsigned port;
		char	 key;
		enum kh_verdict want;
		unsigned line;
	} t[] = {
		{ "", "a", 22, 'A', KH_UNKNOWN, 0 },
		{ "a %A\n", "a", 22, 'A', KH_OK, 1 },
		{ "a %A", "a", 0, 'A', KH_OK, 1 },
		{ "  a\t%A comment here\n", "A", 22, 'A', KH_OK, 1 },
		{ "A %A\r\n", "a", 22, 'A', KH_OK, 1 },
		{ "a %A\n", "a", 22, 'B', KH_CHANGED, 1 },
		{ "a %A\n", "b", 22, 'A', KH_UNKNOWN, 0 },
		{ "a %A\n", "a.example", 22, 'A', KH_UNKNOWN, 0 },
		{ "#x\na %A\na %B\n", "a", 22, 'B', KH_OK, 3 },
		{ "a,b,10.0.0.1 %A\n", "10.0.0.1", 22, 'A', KH_OK, 1 },
		{ "*.x %A\n", "h.x", 22, 'A', KH_OK, 1 },
		{ "*.x,!h.x %A\n", "h.x", 22, 'A', KH_UNKNOWN, 0 },
		{ "!h.x,*.x %A\n", "g.x", 22, 'A', KH_OK, 1 },
		{ "h? %A\n", "h1", 22, 'B', KH_CHANGED, 1 },
		/* Ports. */
		{ "[a]:2222 %A\n", "a", 2222, 'A', KH_OK, 1 },
		{ "[a]:2222 %A\n", "a", 22, 'A', KH_UNKNOWN, 0 },
		{ "[a]:2222 %A\n", "a", 2222, 'B', KH_CHANGED, 1 },
		{ "a %A\n", "a", 2222, 'A', KH_OK, 1 },
		{ "a %A\n", "a", 2222, 'B', KH_UNKNOWN, 0 },
		{ "a %A\n[a]:2222 %B\n", "a", 2222, 'A', KH_CHANGED, 2 },
		{ "[*]:2222 %A\n", "zz", 2222, 'A', KH_OK, 1 },
		{ "[::1]:2222 %A\n", "::1", 2222, 'A', KH_OK, 1 },
		/* Types: a key of another type is a change, as in ssh; the
		 * line named is one of the same type if there is one. */
		{ "a %R\n", "a", 22, 'A', KH_CHANGED, 1 },
		{ "a %B\na %R\n", "a", 22, 'A', KH_CHANGED, 1 },
		{ "a %R\na %A\n", "a", 22, 'A', KH_OK, 2 },
		/* Markers. */
		{ "@revoked a %A\n", "a", 22, 'A', KH_REVOKED, 1 },
		{ "@revoked * %A\na %A\n", "a", 22, 'A', KH_REVOKED, 1 },
		{ "@revoked * %B\na %A\n", "a", 22, 'A', KH_OK, 2 },
		{ "@revoked b %A\na %A\n", "a", 22, 'A', KH_OK, 2 },
		{ "@revoked a %A\n", "a", 2222, 'A', KH_REVOKED, 1 },
		{ "@cert-authority a %A\n", "a", 22, 'A', KH_UNKNOWN, 0 },
		{ "@cert-authority a %B\na %A\n", "a", 22, 'A', KH_OK, 2 },
		/* What is malformed is ignored, the rest is not. */
		{ "a\na ssh-ed25519\na %A\n", "a", 22, 'A', KH_OK, 3 },
		{ "@wrong a %B\na %A\n", "a", 22, 'A', KH_OK, 2 },
		{ "a ssh-ed25519 AAAA\na %A\n", "a", 22, 'A', KH_OK, 2 },
		{ "a ssh-ed25519 !!!\na %A\n", "a", 22, 'A', KH_OK, 2 },
		{ "a x%A\na %A\n", "a", 22, 'A', KH_OK, 2 },
		{ "|1|AAAA|BBBB %B\na %A\n", "a", 22, 'A', KH_OK, 2 },
		{ "a 1024 35 123456\na %A\n", "a", 22, 'A', KH_OK, 2 },
		{ "@revoked @revoked a %A\n", "a", 22, 'A', KH_UNKNOWN, 0 },
	};
	struct knownhosts *kh;
	struct kh_where w;
	const struct blob *b;
	char text[4096];
	size_t i;

	for (i = 0; i < 3; i++)
		make_blob(&keys[i], "ssh-ed25519", (uint32_t)i + 1000);
	make_blob(&keys[3], "ssh-rsa", 7);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		expand(t[i].lines, text, sizeof(text));
		write_file("kh", text);
		kh = load("kh");
		b = &keys[strchr(key_names, t[i].key) - key_names];
		is_int(knownhosts_check(kh, t[i].name, t[i].port, b->p, b->len,
		    &w), t[i].want, "verdict %zu", i);
		is_int(w.line, t[i].line, "line of verdict %zu", i);
		ok((w.path != NULL) == (t[i].line != 0), "path of %zu", i);
		knownhosts_free(kh);
	}
}

static void
test_types(void)
{
	struct knownhosts *kh;
	char text[4096], buf[100];

	expand("a %R\na %A\n@cert-authority *.x %B\n@revoked t %C\n"
	    "|1|x|y %A\nb\n", text, sizeof(text));
	write_file("kh", text);
	kh = load("kh");
	is_int(knownhosts_types(kh, "a", 22, buf, sizeof(buf)), 19, "length");
	is_str(buf, "ssh-ed25519,ssh-rsa", "types in order of preference");
	is_int(knownhosts_types(kh, "t", 22, buf, sizeof(buf)), 0,
	    "revoked ones do not count");
	is_str(buf, "", "nothing");
	is_int(knownhosts_types(kh, "a", 22, buf, 5), 19, "cut");
	is_str(buf, "ssh-", "what fits");
	ok(knownhosts_has_ca(kh, "h.x", 22), "a certificate authority");
	ok(!knownhosts_has_ca(kh, "h.y", 22), "none");
	is_int(knownhosts_notes(kh), 2, "two lines are noted");
	ok(strstr(knownhosts_note(kh, 0), "/kh:5: malformed hashed name") !=
	    NULL, "%s", knownhosts_note(kh, 0));
	ok(strstr(knownhosts_note(kh, 1), "/kh:6: no key") != NULL, "%s",
	    knownhosts_note(kh, 1));
	knownhosts_free(kh);
}

/* ---- against ssh-keygen ------------------------------------------------ */

static uint32_t seed = 12345;

static unsigned
rnd(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static void
random_names(char *buf, size_t size)
{
	static const char *const parts[] = {
		"a", "b", "web1", "web2", "web*", "w?b1", "!web1", "*",
		"*.org", "x.org", "!x.org", "[a]:22", "[a]:2200", "[*]:2200",
		"[web1]:2200", "10.0.0.1", "10.*", "::1", "[::1]:2200"
	};
	unsigned i, n = 1 + rnd(3);

	buf[0] = '\0';
	for (i = 0; i < n; i++) {
		if (i > 0)
			(void)strlcat(buf, ",", size);
		(void)strlcat(buf, parts[rnd(sizeof(parts) /
		    sizeof(parts[0]))], size);
	}
}

#define NRANDOM 60

static void
compare(const char *name, const char *host, unsigned port, struct blob *b,
    bool *mark)
{
	struct knownhosts *kh = load("kh");
	bool found[NRANDOM] = { false };
	char cmd[600], line[1200];
	int n, bad = 0;
	FILE *fp;

	(void)snprintf(cmd, sizeof(cmd), "ssh-keygen -F '%s' -f %s", name,
	    in_dir("kh"));
	if ((fp = popen(cmd, "r")) == NULL)
		err(1, "popen");
	while (fgets(line, sizeof(line), fp) != NULL)
		for (n = 0; n < NRANDOM; n++)
			if (line[0] != '#' && strstr(line, b[n].line) != NULL)
				found[n] = true;
	(void)pclose(fp);
	for (n = 0; n < NRANDOM; n++)
		if ((knownhosts_check(kh, host, port, b[n].p, b[n].len, NULL)
		    == (mark[n] ? KH_REVOKED : KH_OK)) != found[n])
			bad++;
	is_int(bad, 0, "%s: the lines that ssh-keygen finds", name);
	knownhosts_free(kh);
}

static void
test_keygen(bool hashed)
{
	static const struct {
		const char *name, *host;
		unsigned port;
	} hosts[] = {
		{ "a", "a", 22 }, { "web1", "web1", 22 }, { "web2", "web2", 0 },
		{ "x.org", "x.org", 22 }, { "y.org", "Y.org", 22 },
		{ "[a]:2200", "a", 2200 }, { "[web1]:2200", "web1", 2200 },
		{ "10.0.0.1", "10.0.0.1", 22 }, { "::1", "::1", 22 },
		{ "[::1]:2200", "::1", 2200 }, { "nobody", "nobody", 22 },
	};
	struct blob b[NRANDOM];
	bool mark[NRANDOM];
	char names[200], line[1400];
	FILE *fp;
	size_t i;

	if ((fp = fopen(in_dir("kh"), "w")) == NULL)
		err(1, "kh");
	for (i = 0; i < NRANDOM; i++) {
		random_names(names, sizeof(names));
		make_blob(&b[i], "ssh-ed25519", (uint32_t)i);
		mark[i] = rnd(8) == 0;
		(void)snprintf(line, sizeof(line), "%s%s %s\n",
		    mark[i] ? "@revoked " : "", names, b[i].line);
		fputs(line, fp);
	}
	fclose(fp);
	if (hashed) {
		/* Only lines of plain single names are hashed in place. */
		char *said = output("ssh-keygen -H -f %s 2>&1", in_dir("kh"));

		ok(strstr(read_file(in_dir("kh")), "|1|") != NULL,
		    "ssh-keygen has hashed lines: %s", said);
	}
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (!hashed || hosts[i].port != 2200)
			compare(hosts[i].name, hosts[i].host, hosts[i].port,
			    b, mark);
}

static void
test_hashed(void)
{
	struct knownhosts *kh;
	char text[4096], name[100];
	size_t i;

	expand("web1,10.0.0.1 %A\n[web2]:2200 %B\n", text, sizeof(text));
	write_file("kh", text);
	(void)output("ssh-keygen -H -f %s 2>&1", in_dir("kh"));
	kh = load("kh");
	ok(strstr(read_file(in_dir("kh")), "web1") == NULL, "hashed");
	for (i = 50; i < 70; i++) {	/* around one block of SHA-1 */
		memset(name, 'n', sizeof(name));
		name[i] = '\0';
		is_int(knownhosts_append(in_dir("long"), name, 22, keys[0].p,
		    keys[0].len, true, NULL, NULL), 0, "%zu bytes", i);
		ok(strstr(output("ssh-keygen -F %s -f %s", name,
		    in_dir("long")), "found: line") != NULL,
		    "ssh-keygen finds a hashed name of %zu bytes", i);
	}
	is_int(knownhosts_check(kh, "WEB1", 22, keys[0].p, keys[0].len, NULL),
	    KH_OK, "a hashed name");
	is_int(knownhosts_check(kh, "10.0.0.1", 22, keys[0].p, keys[0].len,
	    NULL), KH_OK, "a hashed address");
	is_int(knownhosts_check(kh, "web2", 2200, keys[1].p, keys[1].len,
	    NULL), KH_OK, "a hashed name with a port");
	is_int(knownhosts_check(kh, "web2", 2200, keys[2].p, keys[2].len,
	    NULL), KH_CHANGED, "a hashed change");
	is_int(knownhosts_check(kh, "web3", 22, keys[0].p, keys[0].len, NULL),
	    KH_UNKNOWN, "none");
	knownhosts_free(kh);
}

static void
test_fingerprint(void)
{
	static const char *const types[] = { "ed25519", "ecdsa", "rsa" };
	char buf[FINGERPRINT_SIZE], type[64];
	struct blob b;
	size_t i;

	for (i = 0; i < 3; i++) {
		(void)output("ssh-keygen -q -t %s -N '' -f %s 2>&1", types[i],
		    in_dir(types[i]));
		(void)snprintf(type, sizeof(type), "%s.pub", types[i]);
		read_pub(&b, type);
		is_int(fingerprint_sha256(b.p, b.len, buf, sizeof(buf)), 0,
		    "fingerprint of %s", types[i]);
		ok(strstr(output("ssh-keygen -l -f %s", in_dir(type)), buf) !=
		    NULL, "%s", buf);
		is_int(blob_type(b.p, b.len, type, sizeof(type)), 0, "type");
		ok(strncmp(b.line, type, strlen(type)) == 0, "%s", type);
	}
	is_int(fingerprint_sha256("x", 1, buf, 10), -1, "no room");
	is_int(blob_type("\0\0\0\5ab", 6, type, sizeof(type)), -1, "cut");
	is_str(type, "", "no type");
}

/* ---- appending --------------------------------------------------------- */

static int
append(const char *name, const char *host, unsigned port, int key, bool hash,
    bool *added, char *msg, size_t size)
{
	struct fanout_error e = { 0 };
	int rc;

	rc = knownhosts_append(in_dir(name), host, port, keys[key].p,
	    keys[key].len, hash, &e, added);
	(void)strlcpy(msg, e.text, size);
	return rc;
}

static void
test_append(void)
{
	char msg[300], text[4200], path[256];
	struct stat st;
	bool added;

	is_int(append("new/sub/kh", "Web1", 22, 0, false, &added, msg,
	    sizeof(msg)), 0, "a new file in new folders %s", msg);
	ok(added, "added");
	ok(stat(in_dir("new/sub"), &st) == 0 && (st.st_mode & 07777) == 0700,
	    "folder mode %o", st.st_mode & 07777);
	ok(stat(in_dir("new/sub/kh"), &st) == 0 &&
	    (st.st_mode & 07777) == 0600, "file mode %o", st.st_mode & 07777);
	(void)snprintf(text, sizeof(text), "web1 %s\n", keys[0].line);
	is_str(read_file(in_dir("new/sub/kh")), text, "the line");
	is_int(append("new/sub/kh", "web1", 0, 0, true, &added, msg,
	    sizeof(msg)), 0, "once more");
	ok(!added, "was there");
	is_int(append("new/sub/kh", "web1", 22, 1, false, &added, msg,
	    sizeof(msg)), FANOUT_ECONFIG, "a different key");
	ok(!added && strstr(msg, "kh:1: a different key") != NULL, "%s", msg);
	is_str(read_file(in_dir("new/sub/kh")), text, "nothing was written");

	(void)snprintf(text, sizeof(text), "a %s\n@revoked b %s", keys[0].line,
	    keys[1].line);
	write_file("kh", text);
	is_int(append("kh", "c", 2200, 2, false, &added, msg, sizeof(msg)), 0,
	    "a last line without a newline");
	(void)snprintf(text, sizeof(text), "a %s\n@revoked b %s\n[c]:2200 %s\n",
	    keys[0].line, keys[1].line, keys[2].line);
	is_str(read_file(in_dir("kh")), text, "gets it");
	is_int(append("kh", "b", 22, 1, false, &added, msg, sizeof(msg)),
	    FANOUT_ECONFIG, "a revoked key: %s", msg);

	is_int(append("kh", "hidden", 22, 0, true, &added, msg, sizeof(msg)),
	    0, "a hashed line");
	ok(strstr(read_file(in_dir("kh")), "hidden") == NULL, "hides it");
	ok(strstr(output("ssh-keygen -F hidden -f %s", in_dir("kh")),
	    "found: line 4") != NULL, "ssh-keygen finds it");
	is_int(append("kh", "hidden", 22, 0, false, &added, msg, sizeof(msg)),
	    0, "and so do we");
	ok(!added, "no second line");

	(void)strlcpy(path, in_dir("kh"), sizeof(path));
	if (symlink(path, in_dir("link")) == -1)
		err(1, "symlink");
	is_int(append("link", "z", 22, 0, false, &added, msg, sizeof(msg)),
	    FANOUT_ESYS, "not through a link: %s", msg);
	ok(strstr(msg, "symbolic link") != NULL, "and says so");
	is_int(knownhosts_append("/dev/null", "z", 22, keys[0].p, keys[0].len,
	    false, NULL, &added), 0, "/dev/null swallows it");
	ok(!added, "and keeps nothing");
	is_int(knownhosts_append(NULL, "z", 22, keys[0].p, keys[0].len, false,
	    NULL, NULL), 0, "no file at all");
	is_int(append("new", "z", 22, 0, false, &added, msg, sizeof(msg)),
	    FANOUT_ESYS, "a folder: %s", msg);
}

static void
test_append_names(void)
{
	static const char *const bad[] = { "", "a b", "a,b", "*", "!a", "a\nb",
	    "@x", "#x", "|1|", "[a]", "a\"b" };
	char msg[300];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_int(append("kh", bad[i], 22, 0, false, NULL, msg,
		    sizeof(msg)), FANOUT_EINVAL, "not recorded: %s", msg);
}

static int
append_many(int from, int step, int count)
{
	struct fanout_error e;
	struct blob b;
	char host[32];
	int i, n;

	for (i = 0, n = from; i < count; i++, n = (n + step) % count) {
		(void)snprintf(host, sizeof(host), "host%d", n);
		make_blob(&b, "ssh-ed25519", (uint32_t)n);
		if (knownhosts_append(in_dir("many"), host, 22, b.p, b.len,
		    false, &e, NULL) != 0) {
			warnx("%s", e.text);
			return 1;
		}
	}
	return 0;
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* Two processes, the same thousand new hosts, in different orders. */
static void
test_two_processes(void)
{
	const int count = 1000;
	struct knownhosts *kh;
	struct blob b;
	char host[32], *p;
	double start = now();
	int i, status, lines = 0, good = 0;
	pid_t pid[2];

	for (i = 0; i < 2; i++) {
		if ((pid[i] = fork()) == -1)
			err(1, "fork");
		if (pid[i] == 0)
			_exit(append_many(i * 7, i == 0 ? 1 : 3, count));
	}
	for (i = 0; i < 2; i++)
		ok(waitpid(pid[i], &status, 0) == pid[i] && status == 0,
		    "process %d", i);
	printf("# 2 x %d appends: %.0f ms\n", count, (now() - start) / 1e3);
	for (p = read_file(in_dir("many")); *p != '\0'; p++)
		lines += *p == '\n';
	is_int(lines, count, "one line a host");
	kh = load("many");
	is_int(knownhosts_notes(kh), 0, "all are whole");
	for (i = 0; i < count; i++) {
		(void)snprintf(host, sizeof(host), "host%d", i);
		make_blob(&b, "ssh-ed25519", (uint32_t)i);
		good += knownhosts_check(kh, host, 22, b.p, b.len, NULL) ==
		    KH_OK;
	}
	is_int(good, count, "all are found");
	knownhosts_free(kh);
}

/* ---- speed: shown, not judged ------------------------------------------ */

static void
show_speed(void)
{
	struct knownhosts *kh;
	struct blob b;
	FILE *fp = fopen(in_dir("big"), "w");
	char name[64];
	double t;
	int i, found = 0;

	for (i = 0; fp != NULL && i < 10000; i++) {
		make_blob(&b, "ssh-ed25519", (uint32_t)i);
		fprintf(fp, "host%d,10.0.%d.%d %s\n", i, i / 256, i % 256,
		    b.line);
	}
	if (fp == NULL || fclose(fp) == EOF)
		err(1, "big");
	t = now();
	kh = load("big");
	printf("# load 10,000 plain lines: %.1f ms\n", (now() - t) / 1e3);
	t = now();
	for (i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "host%d", i);
		make_blob(&b, "ssh-ed25519", (uint32_t)i);
		found += knownhosts_check(kh, name, 22, b.p, b.len, NULL) ==
		    KH_OK;
	}
	printf("# one look-up among them: %.2f us\n", (now() - t) / 1e4);
	is_int(found, 10000, "all 10,000 are found");
	knownhosts_free(kh);
	if (truncate(in_dir("big"), 0) == -1 ||
	    (fp = fopen(in_dir("big"), "w")) == NULL)
		err(1, "big");
	for (i = 0; i < 2000; i++) {
		make_blob(&b, "ssh-ed25519", (uint32_t)i);
		fprintf(fp, "host%d %s\n", i, b.line);
	}
	fclose(fp);
	(void)output("ssh-keygen -H -f %s 2>&1", in_dir("big"));
	t = now();
	kh = load("big");
	printf("# load 2,000 hashed lines: %.1f ms\n", (now() - t) / 1e3);
	t = now();
	for (found = 0, i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "host%d", i * 10);
		make_blob(&b, "ssh-ed25519", (uint32_t)i * 10);
		found += knownhosts_check(kh, name, 22, b.p, b.len, NULL) ==
		    KH_OK;
	}
	printf("# one look-up among them: %.0f us\n", (now() - t) / 200);
	is_int(found, 200, "hashed ones are found");
	knownhosts_free(kh);
}

int
main(void)
{
	char cmd[300];

	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	test_verdicts();
	test_types();
	test_append();
	test_append_names();
	test_two_processes();
	if (system("command -v ssh-keygen >/dev/null") == 0) {
		test_keygen(false);
		test_keygen(true);
		test_hashed();
		test_fingerprint();
		show_speed();
	} else
		skip(1, "ssh-keygen is not installed");
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	ok(system(cmd) == 0, "cleaned up");
	return test_end();
}
