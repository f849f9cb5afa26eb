#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/wire.h"
#include "sshconf_int.h"

/* %C: SHA-1 over %l%h%p%r in hexadecimal; 41 bytes. */
static int
connection_hash(const struct tokens *t, char *hex)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int len = 0, i;
	char port[16];
	struct fo_wr w;
	int ok;

	(void)snprintf(port, sizeof(port), "%u", t->port);
	fo_wr_init(&w);
	fo_wr_raw(&w, t->c->thishost, strlen(t->c->thishost));
	fo_wr_raw(&w, t->host, strlen(t->host));
	fo_wr_raw(&w, port, strlen(port));
	fo_wr_raw(&w, t->user, strlen(t->user));
	ok = !w.bad &&
	    EVP_Digest(w.p, w.len, md, &len, EVP_sha1(), NULL) == 1;
	fo_wr_free(&w);
	for (i = 0; ok && i < len && i < 20; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", md[i]);
	return ok ? 0 : -1;
}

/* What a token stands for; NULL: there is no such. buf: 41 bytes. */
static const char *
token(const struct tokens *t, char c, const char *only, char *buf)
{
	if (c == '%')
		return "%";
	if (only != NULL && strchr(only, c) == NULL)
		return NULL;
	switch (c) {
	case 'C':
		return connection_hash(t, buf) == 0 ? buf : NULL;
	case 'L':
		return t->c->shorthost;
	case 'd':
		return t->c->home;
	case 'h':
		return t->host;
	case 'i':
		(void)snprintf(buf, 41, "%llu", (unsigned long long)t->c->uid);
		return buf;
	case 'j':
		return t->jump == NULL ? "" : t->jump;
	case 'k':
		return t->alias;
	case 'l':
		return t->c->thishost;
	case 'n':
		return t->original;
	case 'p':
		(void)snprintf(buf, 41, "%u", t->port);
		return buf;
	case 'r':
		return t->user;
	case 'u':
		return t->c->user;
	}
	return NULL;
}

/* The value of "NAME}" at s; *s is left at the brace. */
static const char *
variable(const char **s, char *why, size_t whysize)
{
	const char *end = strchr(*s, '}'), *value = NULL;
	char *name;

	if (end == NULL || end == *s) {
		(void)snprintf(why, whysize, "invalid use of a variable");
		return NULL;
	}
	if ((name = strndup(*s, (size_t)(end - *s))) == NULL)
		return NULL;
	if ((value = getenv(name)) == NULL)
		(void)snprintf(why, whysize, "the variable %s is not set",
		    name);
	free(name);
	*s = end;
	return value;
}

static int
put(struct fo_wr *w, const char *s)
{
	if (s == NULL)
		return -1;
	fo_wr_raw(w, s, strlen(s));
	return 0;
}

static int
expand(const struct tokens *t, const char *s, const char *only, bool dollar,
    struct fo_wr *w, char *why, size_t whysize)
{
	char buf[41];

	for (; *s != '\0'; s++) {
		if (dollar && s[0] == '$' && s[1] == '{') {
			s += 2;
			if (put(w, variable(&s, why, whysize)) == -1)
				return -1;
		} else if (*s != '%')
			fo_wr_u8(w, (uint8_t)*s);
		else if (*++s == '\0' ||
		    put(w, token(t, *s, only, buf)) == -1) {
			(void)snprintf(why, whysize, "unknown token %%%.1s", s);
			return -1;
		}
	}
	fo_wr_u8(w, 0);
	return 0;
}

char *
token_expand(const struct tokens *t, const char *s, const char *only,
    bool dollar, char *why, size_t whysize)
{
	struct fo_wr w;
	size_t len;

	fo_wr_init(&w);
	why[0] = '\0';
	if (expand(t, s, only, dollar, &w, why, whysize) == -1) {
		fo_wr_free(&w);
		return NULL;
	}
	return (char *)fo_wr_take(&w, &len);
}

static char *
home_of(const char *name, char *why, size_t whysize)
{
	struct passwd pw, *found = NULL;
	char *buf, *home = NULL;
	const size_t size = 16384;

	if ((buf = malloc(size)) == NULL)
		return NULL;
	if (getpwnam_r(name, &pw, buf, size, &found) != 0 || found == NULL)
		(void)snprintf(why, whysize, "no user %s for ~%s", name, name);
	else
		home = strdup(pw.pw_dir);
	free(buf);
	return home;
}

char *
tilde_expand(const struct sshconf *c, const char *s, char *why,
    size_t whysize)
{
	char *name, *home, *out;
	size_t len;

	why[0] = '\0';
	if (*s != '~')
		return strdup(s);
	len = strcspn(s + 1, "/");
	if ((name = strndup(s + 1, len)) == NULL)
		return NULL;
	home = len == 0 ? strdup(c->home) : home_of(name, why, whysize);
	free(name);
	if (home == NULL)
		return NULL;
	s += 1 + len;
	if (asprintf(&out, "%s%s", home, s) == -1)
		out = NULL;
	free(home);
	return out;
}
