#include <sys/file.h>
#include <sys/stat.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "registry.h"
#include "trust.h"

struct trust {
	char		*ppkeys;	/* the folder */
	char		*path;		/* of the registry */
	char		*user;
	EVP_PKEY	*own;
	struct registry	*registry;
};

/* The passphrase of all encrypted keys that CFEngine ever wrote. */
static int
passphrase(char *buf, int size, int writing, void *arg)
{
	static const char phrase[] = "Cfengine passphrase";

	(void)writing;
	(void)arg;
	if (size < (int)sizeof(phrase))
		return -1;
	memcpy(buf, phrase, sizeof(phrase));
	return (int)sizeof(phrase) - 1;
}

static int
check_private(const char *path, const char *what, struct fanout_error *e)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return cli_error(e, FANOUT_ESYS, "%s: %s%s", path,
		    strerror(errno), errno == ENOENT ? " (make a key pair "
		    "with cf-key, or see --workdir)" : "");
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return cli_error(e, FANOUT_ECONFIG, "%s: others may read "
		    "this %s (chmod go= it)", path, what);
	return 0;
}

static int
read_own(struct trust *t, struct fanout_error *e)
{
	char *path;
	FILE *f;
	int rc;

	if ((rc = check_private(t->ppkeys, "folder", e)) != 0)
		return rc;
	if (asprintf(&path, "%s/localhost.priv", t->ppkeys) == -1)
		return cli_nomem(e);
	if ((rc = check_private(path, "key", e)) == 0) {
		if ((f = fopen(path, "re")) == NULL)
			rc = cli_error(e, FANOUT_ESYS, "%s: %s", path,
			    strerror(errno));
		else {
			t->own = PEM_read_PrivateKey(f, NULL, passphrase, NULL);
			(void)fclose(f);
			if (t->own == NULL || !EVP_PKEY_is_a(t->own, "RSA"))
				rc = cli_error(e, FANOUT_ECONFIG, "%s: this "
				    "is no RSA key that can be read", path);
		}
	}
	free(path);
	return rc;
}

int
trust_open(struct trust **out, const char *workdir, const char *registry,
    const char *user, struct fanout_error *e)
{
	struct trust *t;
	int rc;

	*out = NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return cli_nomem(e);
	if (asprintf(&t->ppkeys, "%s/ppkeys", workdir) == -1)
		t->ppkeys = NULL;
	if (registry != NULL)
		t->path = strdup(registry);
	else if (asprintf(&t->path, "%s/cfrun.keys", workdir) == -1)
		t->path = NULL;
	t->user = strdup(user);
	if (t->ppkeys == NULL || t->path == NULL || t->user == NULL)
		rc = cli_nomem(e);
	else if ((rc = read_own(t, e)) == 0)
		rc = registry_read(&t->registry, t->path, e);
	if (rc != 0) {
		trust_close(t);
		return rc;
	}
	*out = t;
	return 0;
}

void
trust_close(struct trust *t)
{
	if (t == NULL)
		return;
	EVP_PKEY_free(t->own);
	registry_free(t->registry);
	free(t->ppkeys);
	free(t->path);
	free(t->user);
	free(t);
}

EVP_PKEY *
trust_own_key(const struct trust *t)
{
	return t->own;
}

const char *
trust_registry(const struct trust *t)
{
	return t->path;
}

const char *
trust_recorded(const struct trust *t, const char *host)
{
	return registry_digest(t->registry, host);
}

/* One number of the key into a hash, most significant byte first. */
static bool
hash_number(EVP_MD_CTX *md, const EVP_PKEY *key, const char *name)
{
	unsigned char bytes[4096];
	BIGNUM *n = NULL;
	bool good = false;

	if (EVP_PKEY_get_bn_param(key, name, &n) == 1 &&
	    (size_t)BN_num_bytes(n) <= sizeof(bytes))
		good = EVP_DigestUpdate(md, bytes,
		    (size_t)BN_bn2bin(n, bytes)) == 1;
	BN_free(n);
	return good;
}

int
trust_digest(const EVP_PKEY *key, bool sha, char *out, size_t size)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned len = 0, i;
	bool good;

	out[0] = '\0';
	good = md != NULL && EVP_PKEY_is_a(key, "RSA") &&
	    EVP_DigestInit_ex(md, sha ? EVP_sha256() : EVP_md5(), NULL) == 1 &&
	    hash_number(md, key, OSSL_PKEY_PARAM_RSA_N) &&
	    hash_number(md, key, OSSL_PKEY_PARAM_RSA_E) &&
	    EVP_DigestFinal_ex(md, hash, &len) == 1;
	EVP_MD_CTX_free(md);
	if (!good || size < 5 + 2 * (size_t)len)
		return -1;
	(void)strlcpy(out, sha ? "SHA=" : "MD5=", size);
	for (i = 0; i < len; i++)
		(void)snprintf(out + 4 + 2 * i, 3, "%02x", hash[i]);
	return 0;
}

/* "RSA PUBLIC KEY" (PKCS#1), as cf-key writes it. */
static EVP_PKEY *
read_public(const char *path)
{
	unsigned char *data = NULL;
	const unsigned char *p;
	char *name = NULL, *header = NULL;
	EVP_PKEY *key = NULL;
	long len;
	FILE *f;

	if ((f = fopen(path, "re")) == NULL)
		return NULL;
	if (PEM_read(f, &name, &header, &data, &len) == 1) {
		p = data;
		key = strcmp(name, PEM_STRING_RSA_PUBLIC) == 0 ?
		    d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, len) :
		    d2i_PUBKEY(NULL, &p, len);
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	(void)fclose(f);
	return key;
}

static bool
is_in(const struct trust *t, const char *user, const char *name,
    const EVP_PKEY *key)
{
	EVP_PKEY *stored;
	char *path;
	bool same;

	if (name[0] == '\0' || strchr(name, '/') != NULL ||
	    asprintf(&path, "%s/%s-%s.pub", t->ppkeys, user, name) == -1)
		return false;
	stored = read_public(path);
	free(path);
	same = stored != NULL && EVP_PKEY_eq(stored, key) == 1;
	EVP_PKEY_free(stored);
	return same;
}

/* Servers are root; without privileges they are who they are. Files named by
 * address are what the installations of old had. */
static bool
is_known(const struct trust *t, const char *md5, const char *sha,
    const char *address, const EVP_PKEY *key)
{
	const char *const users[] = { "root", t->user };
	size_t i;

	for (i = 0; i < 2; i++)
		if (is_in(t, users[i], md5, key) ||
		    is_in(t, users[i], sha, key) ||
		    is_in(t, users[i], address, key))
			return true;
	return false;
}

void
trust_check(const struct trust *t, const char *host, const char *address,
    const EVP_PKEY *key, struct trust_answer *a)
{
	char md5[TRUST_DIGEST], sha[TRUST_DIGEST];
	const char *want, *other;

	memset(a, 0, sizeof(*a));
	a->verdict = TRUST_ERROR;
	/* Where MD5 is forbidden there are no files named by it either. */
	(void)trust_digest(key, false, md5, sizeof(md5));
	if (trust_digest(key, true, sha, sizeof(sha)) == -1)
		return;
	want = registry_digest(t->registry, host);
	(void)strlcpy(a->digest, md5[0] == '\0' || (want != NULL &&
	    strncmp(want, "SHA=", 4) == 0) ? sha : md5, sizeof(a->digest));
	if (want != NULL && strcmp(want, md5) != 0 && strcmp(want, sha) != 0) {
		a->verdict = TRUST_CHANGED;
		(void)strlcpy(a->expected, want, sizeof(a->expected));
	} else if (!is_known(t, md5, sha, address, key))
		a->verdict = TRUST_UNKNOWN;
	else if (want != NULL)
		a->verdict = TRUST_YES;
	else if ((other = registry_owner(t->registry, md5)) != NULL ||
	    (other = registry_owner(t->registry, sha)) != NULL) {
		a->verdict = TRUST_OTHERS;
		(void)strlcpy(a->other, other, sizeof(a->other));
	} else
		a->verdict = TRUST_NEW_HOST;
}

/* Whole or not at all: others read these files while we write them. */
static int
write_public(const char *path, const EVP_PKEY *key)
{
	unsigned char *der = NULL;
	char *temp;
	int fd, len, error = 0;
	FILE *f;

	if ((len = i2d_PublicKey(key, &der)) <= 0)
		return EINVAL;
	if (asprintf(&temp, "%s.XXXXXX", path) == -1) {
		OPENSSL_free(der);
		return ENOMEM;
	}
	if ((fd = mkostemp(temp, O_CLOEXEC)) == -1 ||
	    (f = fdopen(fd, "w")) == NULL) {
		error = errno;
		if (fd != -1)
			close(fd);
	} else {
		if (PEM_write(f, PEM_STRING_RSA_PUBLIC, "", der, len) == 0 ||
		    fflush(f) == EOF || fsync(fd) == -1)
			error = errno != 0 ? errno : EIO;
		if (fclose(f) == EOF && error == 0)
			error = errno;
		if (error == 0 && rename(temp, path) == -1)
			error = errno;
	}
	if (error != 0 && fd != -1)
		(void)unlink(temp);
	OPENSSL_free(der);
	free(temp);
	return error;
}

int
trust_accept(const struct trust *t, const char *host, const EVP_PKEY *key)
{
	char digest[TRUST_DIGEST], *path;
	const char *recorded = registry_digest(t->registry, host);
	int error;

	if (trust_digest(key, false, digest, sizeof(digest)) == -1 &&
	    trust_digest(key, true, digest, sizeof(digest)) == -1)
		return EINVAL;
	if (!is_known(t, digest, "", "", key)) {
		if (asprintf(&path, "%s/root-%s.pub", t->ppkeys, digest) == -1)
			return ENOMEM;
		error = write_public(path, key);
		free(path);
		if (error != 0)
			return error;
	}
	/* A host whose key had only been taken out of ppkeys. */
	if (recorded != NULL && strcmp(recorded, digest) == 0)
		return 0;
	return registry_add(t->path, host, digest);
}
