#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "fingerprints.h"

#define NONE ((size_t)-1)
#define SHA256_CHARS 43		/* of base64, without what fills it up */

struct print {
	size_t	 next;		/* of the same host; NONE: the last */
	char	 text[SHA256_CHARS + 1];
};

struct fingerprints {
	struct fanout_hosts *names;
	size_t	*first;		/* one a name: its first print */
	size_t	 room;		/* of these */
	struct print *prints;
	size_t	 count, size;
};

static int
grow(struct fingerprints *f)
{
	size_t n = fanout_hosts_count(f->names), *first;
	struct print *prints;

	if (n > f->room) {
		first = reallocarray(f->first, n * 2, sizeof(*first));
		if (first == NULL)
			return -1;
		for (f->first = first; f->room < n * 2; f->room++)
			first[f->room] = NONE;
	}
	if (f->count == f->size) {
		prints = reallocarray(f->prints, f->size * 2 + 64,
		    sizeof(*prints));
		if (prints == NULL)
			return -1;
		f->prints = prints;
		f->size = f->size * 2 + 64;
	}
	return 0;
}

static int
add(struct fingerprints *f, const char *expr, const char *text,
    struct fanout_error *e)
{
	struct fanout_hosts *hosts;
	struct print *p;
	size_t i, at;
	int rc;

	if ((rc = fanout_hosts_new(&hosts)) != 0)
		return cli_nomem(e);
	if ((rc = fanout_hosts_add(hosts, expr, e)) == 0)
		rc = fanout_hosts_union(f->names, hosts);
	for (i = 0; rc == 0 && i < fanout_hosts_count(hosts); i++) {
		if (grow(f) == -1) {
			rc = cli_nomem(e);
			break;
		}
		at = fanout_hosts_find(f->names, fanout_hosts_at(hosts, i));
		p = &f->prints[f->count];
		p->next = f->first[at];
		f->first[at] = f->count++;
		(void)strlcpy(p->text, text, sizeof(p->text));
	}
	fanout_hosts_free(hosts);
	return rc;
}

/* 0, or what is wrong in e's text. */
static int
take_line(struct fingerprints *f, char *line, struct fanout_error *e)
{
	static const char mark[] = "SHA256:";
	char *word[3], *p = line;
	size_t n = 0;
	bool keygen;

	while (n < 3 && (word[n] = strsep(&p, " \t\r\n")) != NULL)
		n += *word[n] != '\0';
	if (n == 0 || *word[0] == '#')
		return 0;
	if (n < 2 || strncmp(word[1], mark, strlen(mark)) != 0 ||
	    strlen(word[1]) != strlen(mark) + SHA256_CHARS)
		return cli_error(e, FANOUT_EPARSE, "not HOST SHA256:..., nor "
		    "what ssh-keygen -lf prints");
	keygen = word[0][strspn(word[0], "0123456789")] == '\0' && n == 3;
	return add(f, word[keygen ? 2 : 0], word[1] + strlen(mark), e);
}

static int
read_all(struct fingerprints *f, FILE *fp, const char *path,
    struct fanout_error *e)
{
	struct fanout_error why;
	char *line = NULL;
	size_t size = 0;
	unsigned n = 0;
	int rc = 0;

	while (rc == 0 && getline(&line, &size, fp) > 0) {
		n++;
		if ((rc = take_line(f, line, &why)) != 0)
			cli_error(e, rc, "--fingerprints: %s:%u: %.160s", path,
			    n, why.text);
	}
	if (rc == 0 && ferror(fp))
		rc = cli_error(e, FANOUT_ESYS, "--fingerprints: %s: %s", path,
		    strerror(errno));
	free(line);
	return rc;
}

int
fingerprints_load(struct fingerprints **out, const char *path,
    struct fanout_error *e)
{
	struct fingerprints *f;
	FILE *fp;
	int rc;

	*out = NULL;
	if ((fp = fopen(path, "re")) == NULL)
		return cli_error(e, FANOUT_ESYS, "--fingerprints: %s: %s",
		    path, strerror(errno));
	f = calloc(1, sizeof(*f));
	if (f == NULL || fanout_hosts_new(&f->names) != 0)
		rc = cli_nomem(e);
	else if ((rc = read_all(f, fp, path, e)) == 0 && f->count == 0)
		rc = cli_error(e, FANOUT_ECONFIG, "--fingerprints: %s: there "
		    "is none in it", path);
	fclose(fp);
	if (rc != 0)
		fingerprints_free(f);
	else
		*out = f;
	return rc;
}

void
fingerprints_free(struct fingerprints *f)
{
	if (f == NULL)
		return;
	fanout_hosts_free(f->names);
	free(f->first);
	free(f->prints);
	free(f);
}

/* user@name:port, then name:port, then name. */
static size_t
find(const struct fingerprints *f, const char *host)
{
	struct fanout_hostspec spec;
	char name[256];
	size_t at = fanout_hosts_find(f->names, host);

	if (at == FANOUT_NOHOST && strchr(host, '@') != NULL)
		at = fanout_hosts_find(f->names, strrchr(host, '@') + 1);
	if (at != FANOUT_NOHOST || fanout_host_split(host, &spec) != 0 ||
	    spec.name_len >= sizeof(name))
		return at;
	memcpy(name, spec.name, spec.name_len);
	name[spec.name_len] = '\0';
	return fanout_hosts_find(f->names, name);
}

enum fingerprint_verdict
fingerprints_check(const struct fingerprints *f, const char *host,
    const char *fingerprint)
{
	const char *text = strchr(fingerprint, ':');
	size_t at = find(f, host);

	if (at == FANOUT_NOHOST)
		return PRINT_UNKNOWN;
	for (at = f->first[at]; at != NONE && text != NULL;
	    at = f->prints[at].next)
		if (strcmp(f->prints[at].text, text + 1) == 0)
			return PRINT_RIGHT;
	return PRINT_WRONG;
}
