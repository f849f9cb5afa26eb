#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "keys_int.h"
#include "knownhosts.h"

#define KEY_FILE_MAX (1024 * 1024)	/* as OpenSSH */
#define RSA_BITS_MIN 1024

#define OPENSSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"

struct text {
	char	*p;
	size_t	 len, size;	/* size: with the NUL */
	struct stat st;
};

static void
text_free(struct text *t)
{
	if (t->p != NULL)
		freezero(t->p, t->size);
	t->p = NULL;
}

static int
read_fd(int fd, struct text *t)
{
	ssize_t n;

	if (fstat(fd, &t->st) == -1)
		return -1;
	if (!S_ISREG(t->st.st_mode) || t->st.st_size > KEY_FILE_MAX) {
		errno = S_ISDIR(t->st.st_mode) ? EISDIR : EFBIG;
		return -1;
	}
	t->size = (size_t)t->st.st_size + 1;
	if ((t->p = malloc(t->size)) == NULL)
		return -1;
	for (t->len = 0; t->len < t->size - 1; t->len += (size_t)n) {
		n = read(fd, t->p + t->len, t->size - 1 - t->len);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1)
			return -1;
		else if (n == 0)
			break;
	}
	t->p[t->len] = '\0';
	return 0;
}

static int
read_file(const char *path, struct text *t)
{
	int fd, rc, saved;

	memset(t, 0, sizeof(*t));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return -1;
	rc = read_fd(fd, t);
	saved = errno;
	close(fd);
	if (rc == -1)
		text_free(t);
	errno = saved;
	return rc;
}

/* The public half beside a private key. 0, or -1: there is none. */
static int
read_pub(struct key *k, const char *path)
{
	struct text t;
	char *pub;
	int rc = -1;

	if (asprintf(&pub, "%s.pub", path) == -1)
		return -1;
	if (read_file(pub, &t) == 0) {
		rc = key_parse_public(k, t.p, t.len);
		text_free(&t);
	}
	free(pub);
	return rc;
}

/* ssh ignores a private key that others may read, and so do we. */
static int
check_mode(const char *path, const struct stat *st, struct fanout_error *e)
{
	if (st->st_uid == getuid() && (st->st_mode & 077) != 0)
		return fo_error(e, FANOUT_ECONFIG, "%s: mode %04o lets others "
		    "read this private key: chmod 600 it", path,
		    (unsigned)st->st_mode & 07777);
	return 0;
}

static int
parse_private(struct key *k, const struct text *t, const char *path,
    const char *pass, struct fanout_error *e)
{
	EVP_PKEY *pkey = NULL;
	struct fanout_error why;
	int rc;

	if ((rc = check_mode(path, &t->st, e)) != 0)
		return rc;
	k->state = KEY_READY;
	if (strncmp(t->p, OPENSSH_BEGIN, strlen(OPENSSH_BEGIN)) == 0)
		rc = key_parse_openssh(k, &pkey, t->p, t->len, pass, &why);
	else
		rc = key_parse_pem(k, &pkey, t->p, t->len, pass, &why);
	if (rc == KEY_WRONG)
		return rc;
	if (rc != 0)
		return fo_error(e, rc, "%s: %s", path, why.text);
	if (k->state == KEY_ENCRYPTED && k->blob == NULL &&
	    read_pub(k, path) == -1)
		return fo_error(e, FANOUT_ECONFIG, "%s is encrypted and there "
		    "is no %s.pub: make it with ssh-keygen -y", path, path);
	if (k->state == KEY_READY &&
	    (rc = key_set_secret(k, pkey, &why)) != 0)
		return fo_error(e, rc, "%s: %s", path, why.text);
	return 0;
}

static int
load(struct key *k, const char *path, struct fanout_error *e)
{
	struct text t;
	int rc;

	k->state = KEY_PUBLIC;
	if (read_file(path, &t) == -1) {
		if (errno == ENOENT && read_pub(k, path) == 0)
			return 0;
		return fo_error_sys(e, "cannot read the key %s", path);
	}
	if (key_parse_public(k, t.p, t.len) == 0)
		rc = 0;
	else
		rc = parse_private(k, &t, path, NULL, e);
	text_free(&t);
	return rc;
}

/* What both halves agree on, from the public one. */
static int
describe(struct key *k, const char *path, struct fanout_error *e)
{
	if (blob_type(k->blob, k->blob_len, k->type, sizeof(k->type)) == -1)
		return fo_error(e, FANOUT_ECONFIG, "%s: malformed key", path);
	if (k->secret != NULL && strcmp(k->type, "ssh-rsa") == 0) {
		k->bits = (unsigned)EVP_PKEY_get_bits(k->secret->pkey);
		if (k->bits < RSA_BITS_MIN)
			return fo_error(e, FANOUT_ECONFIG, "%s: an RSA key of "
			    "%u bits is too weak", path, k->bits);
	}
	return 0;
}

int
key_load(struct key **out, const char *path, struct fanout_error *e)
{
	struct key *k;
	int rc;

	*out = NULL;
	if ((k = calloc(1, sizeof(*k))) == NULL ||
	    (k->path = strdup(path)) == NULL) {
		free(k);
		return fo_error(e, FANOUT_ENOMEM, "out of memory");
	}
	k->refs = 1;
	if ((rc = load(k, path, e)) == 0)
		rc = describe(k, path, e);
	if (rc == 0 && k->comment == NULL &&
	    (k->comment = strdup(path)) == NULL)
		rc = fo_error(e, FANOUT_ENOMEM, "out of memory");
	if (rc != 0) {
		key_free(k);
		return rc;
	}
	*out = k;
	return 0;
}

static int
unlock(struct key *k, struct key *open, const char *pass,
    struct fanout_error *e)
{
	struct text t;
	int rc;

	if (read_file(k->path, &t) == -1)
		return fo_error_sys(e, "cannot read the key %s", k->path);
	rc = parse_private(open, &t, k->path, pass, e);
	text_free(&t);
	if (rc != 0)
		return rc;
	if (open->blob_len != k->blob_len ||
	    memcmp(open->blob, k->blob, k->blob_len) != 0)
		return fo_error(e, FANOUT_ECONFIG, "%s does not belong to its "
		    "public half", k->path);
	if ((rc = describe(open, k->path, e)) != 0)
		return rc;
	k->secret = open->secret;
	open->secret = NULL;
	if (k->secret == NULL)
		return fo_error(e, FANOUT_ECONFIG, "%s: a kind of key that "
		    "needs ssh itself", k->path);
	return 0;
}

int
key_unlock(struct key *k, const char *pass, struct fanout_error *e)
{
	struct key open = { .refs = 1 };
	int rc;

	if (k->secret != NULL)
		return 0;
	rc = unlock(k, &open, pass, e);
	key_secret_free(open.secret);
	free(open.blob);
	free(open.comment);
	return rc;
}

struct key *
key_ref(struct key *k)
{
	k->refs++;
	return k;
}

void
key_free(struct key *k)
{
	if (k == NULL || --k->refs > 0)
		return;
	key_secret_free(k->secret);
	free(k->blob);
	free(k->path);
	free(k->comment);
	free(k);
}
