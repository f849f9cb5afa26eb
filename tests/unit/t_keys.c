/*
 * Key files as ssh-keygen(1) and OpenSSL write them. Signatures are put into
 * the form that ssh-keygen -Y checks (PROTOCOL.sshsig), so that OpenSSH itself
 * says whether they are good.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/base64.h"
#include "base/wire.h"
#include "policy/keys.h"
#include "policy/keys_int.h"
#include "test.h"

#define TMPDIR_NAME "t_keys"
#include "tmpdir.h"

static void
write_bytes(const char *name, const void *p, size_t len)
{
	const char *path = in_dir(name);
	FILE *fp = fopen(path, "w");

	if (fp == NULL || fwrite(p, 1, len, fp) != len || fclose(fp) == EOF ||
	    chmod(path, 0600) == -1)
		err(1, "%s", path);
}

static size_t
read_bytes(const char *name, char *buf, size_t size)
{
	FILE *fp = fopen(in_dir(name), "r");
	size_t n;

	if (fp == NULL)
		err(1, "%s", name);
	n = fread(buf, 1, size - 1, fp);
	fclose(fp);
	buf[n] = '\0';
	return n;
}

/* Is the blob what the .pub file has? */
static bool
blob_is_pub(const struct key *k, const char *name)
{
	char pub[4096], b64[4096], file[64];

	(void)snprintf(file, sizeof(file), "%s.pub", name);
	(void)read_bytes(file, pub, sizeof(pub));
	return fo_b64_encode(k->blob, k->blob_len, b64, sizeof(b64)) != -1 &&
	    strstr(pub, b64) != NULL;
}

/* ---- signatures -------------------------------------------------------- */

static void
put_sshsig_head(struct fo_wr *w)
{
	fo_wr_raw(w, "SSHSIG", 6);
}

/* What is signed: the namespace and the hash of the message. */
static unsigned char *
to_sign(const char *message, size_t *len)
{
	unsigned char md[64];
	struct fo_wr w;

	if (EVP_Digest(message, strlen(message), md, NULL, EVP_sha512(),
	    NULL) != 1)
		errx(1, "EVP_Digest");
	fo_wr_init(&w);
	put_sshsig_head(&w);
	fo_wr_cstr(&w, "test");
	fo_wr_cstr(&w, "");
	fo_wr_cstr(&w, "sha512");
	fo_wr_str(&w, md, sizeof(md));
	return fo_wr_take(&w, len);
}

static void
write_sshsig(const struct key *k, const char *algorithm, const void *sig,
    size_t siglen)
{
	struct fo_wr w, s;
	char b64[8192], text[8400];

	fo_wr_init(&s);
	fo_wr_cstr(&s, algorithm);
	fo_wr_str(&s, sig, siglen);
	fo_wr_init(&w);
	put_sshsig_head(&w);
	fo_wr_u32(&w, 1);
	fo_wr_str(&w, k->blob, k->blob_len);
	fo_wr_cstr(&w, "test");
	fo_wr_cstr(&w, "");
	fo_wr_cstr(&w, "sha512");
	fo_wr_str(&w, s.p, s.len);
	if (fo_b64_encode(w.p, w.len, b64, sizeof(b64)) == -1)
		errx(1, "base64");
	(void)snprintf(text, sizeof(text), "-----BEGIN SSH SIGNATURE-----\n"
	    "%s\n-----END SSH SIGNATURE-----\n", b64);
	write_bytes("sig", text, strlen(text));
	fo_wr_free(&s);
	fo_wr_free(&w);
}

/* Does OpenSSH find our signature good, and a wrong one bad? */
static void
check_sign(const struct key *k, const char *algorithm, const char *what)
{
	static const char message[] = "fan out\n";
	unsigned char *data, *sig;
	size_t len, siglen;

	data = to_sign(message, &len);
	write_bytes("message", message, strlen(message));
	if (!ok(key_sign(k, algorithm, data, len, &sig, &siglen) == 0,
	    "%s signs by %s", what, algorithm)) {
		free(data);
		return;
	}
	write_sshsig(k, algorithm, sig, siglen);
	is_int(shell("ssh-keygen -Y check-novalidate -n test -s %s <%s "
	    ">/dev/null 2>&1", in_dir("sig"), in_dir("message")), 0,
	    "%s: ssh-keygen verifies it", what);
	sig[siglen - 1] ^= 1;
	write_sshsig(k, algorithm, sig, siglen);
	ok(shell("ssh-keygen -Y check-novalidate -n test -s %s <%s "
	    ">/dev/null 2>&1", in_dir("sig"), in_dir("message")) != 0,
	    "%s: and refuses another", what);
	free(sig);
	free(data);
}

/* ---- files ------------------------------------------------------------- */

static struct key *
must_load(const char *name, enum key_state state)
{
	struct fanout_error e = { 0 };
	struct key *k;

	if (!ok(key_load(&k, in_dir(name), &e) == 0, "%s loads %s", name,
	    e.text))
		return NULL;
	is_int(k->state, state, "state of %s", name);
	return k;
}

static void
test_good(void)
{
	static const struct {
		const char *name, *args, *type, *algorithm[3];
	} t[] = {
		{ "ed", "-t ed25519", "ssh-ed25519", { "ssh-ed25519" } },
		{ "ec256", "-t ecdsa -b 256", "ecdsa-sha2-nistp256",
		    { "ecdsa-sha2-nistp256" } },
		{ "ec384", "-t ecdsa -b 384", "ecdsa-sha2-nistp384",
		    { "ecdsa-sha2-nistp384" } },
		{ "ec521", "-t ecdsa -b 521", "ecdsa-sha2-nistp521",
		    { "ecdsa-sha2-nistp521" } },
		{ "rsa", "-t rsa -b 2048", "ssh-rsa",
		    { "rsa-sha2-512", "rsa-sha2-256" } },
		{ "ec256pem", "-t ecdsa -m PEM", "ecdsa-sha2-nistp256",
		    { "ecdsa-sha2-nistp256" } },
		{ "ec521p8", "-t ecdsa -b 521 -m PKCS8", "ecdsa-sha2-nistp521",
		    { "ecdsa-sha2-nistp521" } },
		{ "rsapem", "-t rsa -b 3072 -m PEM", "ssh-rsa",
		    { "rsa-sha2-256" } },
		{ "rsap8", "-t rsa -b 2048 -m PKCS8", "ssh-rsa",
		    { "rsa-sha2-512" } },
	};
	unsigned char *sig;
	struct key *k;
	size_t i, j, len;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (shell("ssh-keygen -q -N '' -C 'my key' %s -f %s", t[i].args,
		    in_dir(t[i].name)) != 0)
			errx(1, "ssh-keygen %s", t[i].args);
		if ((k = must_load(t[i].name, KEY_READY)) == NULL)
			continue;
		is_str(k->type, t[i].type, "type of %s", t[i].name);
		ok(blob_is_pub(k, t[i].name), "blob of %s", t[i].name);
		for (j = 0; j < 3 && t[i].algorithm[j] != NULL; j++)
			check_sign(k, t[i].algorithm[j], t[i].name);
		is_int(key_sign(k, "ssh-dss", "x", 1, &sig, &len), -1,
		    "%s does not sign by another algorithm", t[i].name);
		ok(sig == NULL && len == 0, "and leaves nothing");
		key_free(k);
	}
	if ((k = must_load("ed", KEY_READY)) != NULL)
		is_str(k->comment, "my key", "comment");
	key_free(k);
	if ((k = must_load("rsapem", KEY_READY)) != NULL)
		is_int(k->bits, 3072, "bits");
	key_free(k);
}

static void
test_openssl_key(void)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	FILE *fp = fopen(in_dir("edp8"), "w");
	struct key *k;

	if (pkey == NULL || fp == NULL ||
	    PEM_write_PrivateKey(fp, pkey, NULL, NULL, 0, NULL, NULL) != 1)
		errx(1, "cannot write edp8");
	fclose(fp);
	(void)chmod(in_dir("edp8"), 0600);
	EVP_PKEY_free(pkey);
	if ((k = must_load("edp8", KEY_READY)) != NULL) {
		is_str(k->type, "ssh-ed25519", "PKCS#8 of OpenSSL");
		check_sign(k, "ssh-ed25519", "edp8");
	}
	key_free(k);
}

static void
test_public(void)
{
	unsigned char *sig;
	struct key *k;
	size_t len;

	(void)shell("cp %s %s", in_dir("ed.pub"), in_dir("alone.pub"));
	if ((k = must_load("alone", KEY_PUBLIC)) != NULL) {
		ok(blob_is_pub(k, "ed"), "blob of a public key alone");
		is_int(key_sign(k, "ssh-ed25519", "x", 1, &sig, &len), -1,
		    "it cannot sign");
	}
	key_free(k);
	if ((k = must_load("ed.pub", KEY_PUBLIC)) != NULL)
		is_str(k->comment, "my key", "comment of a public key");
	key_free(k);
	if (shell("ssh-keygen -q -N '' -t dsa -f %s 2>/dev/null",
	    in_dir("dsa")) == 0)
		key_free(must_load("dsa", KEY_FOREIGN));
	else
		skip(1, "this ssh-keygen makes no DSA keys");
}

static void
test_encrypted(void)
{
	struct fanout_error e;
	struct key *k;

	if (shell("ssh-keygen -q -N secret -t ed25519 -a 1 -f %s",
	    in_dir("enc")) != 0 ||
	    shell("ssh-keygen -q -N secret -t ecdsa -m PEM -f %s",
	    in_dir("encpem")) != 0)
		errx(1, "ssh-keygen");
	if ((k = must_load("encpem", KEY_ENCRYPTED)) != NULL)
		ok(blob_is_pub(k, "encpem"), "its blob is that of the .pub");
	key_free(k);
	if (shell("ssh-keygen -q -N secret -t rsa -b 2048 -m PKCS8 -f %s",
	    in_dir("encp8")) == 0)
		key_free(must_load("encp8", KEY_ENCRYPTED));
	(void)shell("cp %s %s; rm %s", in_dir("enc.pub"), in_dir("kept.pub"),
	    in_dir("enc.pub"));
	if ((k = must_load("enc", KEY_ENCRYPTED)) != NULL)
		ok(blob_is_pub(k, "kept"), "an OpenSSH file needs no .pub");
	key_free(k);
	(void)unlink(in_dir("encpem.pub"));
	is_int(key_load(&k, in_dir("encpem"), &e), FANOUT_ECONFIG,
	    "an encrypted PEM file without its .pub");
	ok(strstr(e.text, "is encrypted") != NULL, "%s", e.text);
}

/* With ssh-keygen's ciphers and formats: wrong, then right, then ready. */
static void
test_unlock(void)
{
	static const char *const how[] = {
		"-t ed25519 -a 4", "-t ecdsa -b 384 -a 1", "-t rsa -b 2048 -a 1",
		"-t ed25519 -a 1 -Z aes128-cbc", "-t ed25519 -a 1 -Z aes192-ctr",
		"-t ed25519 -a 1 -Z aes256-gcm@openssh.com",
		"-t ed25519 -a 1 -Z 3des-cbc", "-t ecdsa -m PEM",
		"-t rsa -b 2048 -m PKCS8"
	};
	static const char data[] = "data";
	struct fanout_error e;
	unsigned char *sig;
	struct key *k;
	size_t i, len;

	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		if (shell("rm -f %s*; ssh-keygen -q -N 'open sesame' %s -f %s",
		    in_dir("lock"), how[i], in_dir("lock")) != 0) {
			skip(1, "this ssh-keygen has no %s", how[i]);
			continue;
		}
		if ((k = must_load("lock", KEY_ENCRYPTED)) == NULL)
			continue;
		is_int(key_unlock(k, "open says me", &e), 1, "%s: wrong",
		    how[i]);
		is_int(key_unlock(k, "", &e), 1, "%s: empty", how[i]);
		ok(k->secret == NULL, "%s: still locked", how[i]);
		is_int(key_unlock(k, "open sesame", &e), 0, "%s: right: %s",
		    how[i], k->secret == NULL ? e.text : "");
		is_int(key_sign(k, strcmp(k->type, "ssh-rsa") == 0 ?
		    "rsa-sha2-256" : k->type, data, sizeof(data), &sig, &len),
		    0, "%s: signs", how[i]);
		free(sig);
		key_free(k);
	}
}

static void
test_unlock_bad(void)
{
	struct fanout_error e;
	struct key *k;

	(void)shell("rm -f %s*; ssh-keygen -q -N sesame -t ed25519 -a 1 -f %s",
	    in_dir("lock"), in_dir("lock"));
	k = must_load("lock", KEY_ENCRYPTED);
	(void)shell("cp %s %s", in_dir("ed"), in_dir("lock"));
	is_int(key_unlock(k, "sesame", &e), FANOUT_ECONFIG, "another key now");
	ok(strstr(e.text, "public half") != NULL, "%s", e.text);
	(void)unlink(in_dir("lock"));
	is_int(key_unlock(k, "sesame", &e), FANOUT_ESYS, "gone: %s", e.text);
	key_free(k);
	if (shell("rm -f %s*; ssh-keygen -q -N sesame -t ed25519 -a 1 "
	    "-Z chacha20-poly1305@openssh.com -f %s", in_dir("lock"),
	    in_dir("lock")) != 0) {
		skip(1, "this ssh-keygen has no chacha20");
		return;
	}
	k = must_load("lock", KEY_ENCRYPTED);
	is_int(key_unlock(k, "sesame", &e), FANOUT_ECONFIG, "%s", "chacha20");
	ok(strstr(e.text, "ssh-keygen -p") != NULL, "%s", e.text);
	key_free(k);
}

static void
test_bad(void)
{
	struct fanout_error e;
	struct key *k;

	is_int(key_load(&k, in_dir("nothing"), &e), FANOUT_ESYS, "no file");
	is_int(e.sys_errno, ENOENT, "errno");
	(void)shell("cp %s %s; chmod 644 %s", in_dir("ed"), in_dir("open"),
	    in_dir("open"));
	is_int(key_load(&k, in_dir("open"), &e), FANOUT_ECONFIG, "mode 644");
	ok(strstr(e.text, "chmod 600") != NULL, "%s", e.text);
	ok(k == NULL, "no key");
	write_bytes("empty", "", 0);
	is_int(key_load(&k, in_dir("empty"), &e), FANOUT_ECONFIG, "%s",
	    "an empty file");
	write_bytes("junk", "hello there world\n", 18);
	is_int(key_load(&k, in_dir("junk"), &e), FANOUT_ECONFIG, "junk");
	ok(key_load(&k, dir, &e) != 0, "a folder: %s", e.text);
	ok(key_load(&k, "/dev/zero", &e) != 0, "a device: %s", e.text);
	if (shell("ssh-keygen -q -N '' -t rsa -b 1024 -m PEM -f %s "
	    "2>/dev/null", in_dir("weak")) == 0)
		key_free(must_load("weak", KEY_READY));
}

/* Is what one key signs good for the other? */
static bool
signs_for(const struct key *k, const struct key *other)
{
	EVP_PKEY_CTX *ctx;
	unsigned char md[32] = { 1 }, sig[1024];
	size_t len = sizeof(sig);
	bool good;

	if (EVP_PKEY_is_a(k->secret->pkey, "ED25519"))
		return EVP_PKEY_eq(k->secret->pkey, other->secret->pkey) == 1;
	ctx = EVP_PKEY_CTX_new(k->secret->pkey, NULL);
	good = EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_sign(ctx, sig, &len, md, sizeof(md)) == 1;
	EVP_PKEY_CTX_free(ctx);
	ctx = EVP_PKEY_CTX_new(other->secret->pkey, NULL);
	good = good && EVP_PKEY_verify_init(ctx) == 1 &&
	    EVP_PKEY_verify(ctx, sig, len, md, sizeof(md)) == 1;
	EVP_PKEY_CTX_free(ctx);
	return good;
}

/* Each byte of a file wrong once: whatever comes of it, nothing breaks, and
 * no key is made whose halves differ. */
static void
test_damage(const char *name)
{
	struct fanout_error e;
	char good[4096], bad[4096];
	size_t len = read_bytes(name, good, sizeof(good)), i;
	struct key *k, *orig;
	int wrong = 0, loaded = 0;

	if (key_load(&orig, in_dir(name), &e) != 0)
		errx(1, "%s", e.text);
	for (i = 0; i < len; i++) {
		memcpy(bad, good, len);
		bad[i] = bad[i] == 'A' ? 'Q' : 'A';
		write_bytes("bad", bad, i % 3 == 0 ? i : len);
		if (key_load(&k, in_dir("bad"), &e) != 0)
			continue;
		loaded++;
		if (k->state == KEY_READY && (k->blob_len != orig->blob_len ||
		    memcmp(k->blob, orig->blob, k->blob_len) != 0 ||
		    !signs_for(k, orig)))
			wrong++;
		key_free(k);
	}
	is_int(wrong, 0, "%s damaged: %zu tries, %d still load", name, len,
	    loaded);
	key_free(orig);
}

/* ---- threads and speed ------------------------------------------------- */

static void *
sign_many(void *arg)
{
	const struct key *k = arg;
	unsigned char *sig;
	size_t len;
	long good = 0;
	int i;

	for (i = 0; i < 100; i++) {
		if (key_sign(k, k->type, "data", 4, &sig, &len) == 0)
			good++;
		free(sig);
	}
	return (void *)good;
}

static void
test_threads(const char *name)
{
	struct key *k = must_load(name, KEY_READY);
	pthread_t t[4];
	void *good;
	int i;

	if (k == NULL)
		return;
	for (i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, sign_many, k) != 0)
			errx(1, "pthread_create");
	for (i = 0; i < 4; i++) {
		(void)pthread_join(t[i], &good);
		is_int((long)good, 100, "%s: thread %d", name, i);
	}
	key_free(k);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
show_speed(const char *name, const char *algorithm)
{
	struct key *k = must_load(name, KEY_READY);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char data[200] = { 0 }, buf[1024], *sig;
	const int n = 1000;
	double a, b;
	size_t len;
	int i;

	if (k == NULL || ctx == NULL)
		return;
	a = now();
	for (i = 0; i < n; i++) {
		(void)key_sign(k, algorithm, data, sizeof(data), &sig, &len);
		free(sig);
	}
	a = (now() - a) / n;
	b = now();
	for (i = 0; i < n && strcmp(name, "ed") == 0; i++) {
		len = sizeof(buf);
		EVP_MD_CTX_reset(ctx);
		(void)EVP_DigestSignInit(ctx, NULL, NULL, NULL,
		    k->secret->pkey);
		(void)EVP_DigestSign(ctx, buf, &len, data, sizeof(data));
	}
	b = (now() - b) / n;
	printf("# %s: %.1f us a signature", algorithm, a);
	if (strcmp(name, "ed") == 0)
		printf(" (OpenSSL prepared each time: %.1f)", b);
	printf("\n");
	EVP_MD_CTX_free(ctx);
	key_free(k);
}

static void
test_refs(void)
{
	struct key *k = must_load("ed", KEY_READY), *other;

	if (k == NULL)
		return;
	other = key_ref(k);
	key_free(k);
	check_sign(other, "ssh-ed25519", "a second reference");
	key_free(other);
	key_free(NULL);
}

int
main(void)
{
	if (system("command -v ssh-keygen >/dev/null") != 0) {
		skip(1, "ssh-keygen is not installed");
		return test_end();
	}
	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	test_good();
	test_openssl_key();
	test_public();
	test_encrypted();
	test_unlock();
	test_unlock_bad();
	test_bad();
	test_damage("ed");
	test_damage("ec256");
	test_damage("ec256pem");
	test_refs();
	test_threads("ed");
	test_threads("ec256");
	show_speed("ed", "ssh-ed25519");
	show_speed("ec256", "ecdsa-sha2-nistp256");
	show_speed("rsa", "rsa-sha2-256");
	ok(shell("rm -rf %s", dir) == 0, "cleaned up");
	return test_end();
}
