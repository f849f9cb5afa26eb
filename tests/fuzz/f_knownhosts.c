/*
 * f_knownhosts.c - any bytes as a known_hosts file. What the index finds for a
 * host must be what a plain reading of the lines finds.
 */
#include "policy/knownhosts.h"
#include "policy/knownhosts_line.h"
#include "fuzz.h"

static const struct {
	const char *name;
	unsigned port;
} hosts[] = {
	{ "a", 22 }, { "web1", 22 }, { "h.x", 22 }, { "a", 2200 },
	{ "10.0.0.1", 0 }, { "::1", 2200 }, { "*", 22 }, { "", 22 }
};

struct seen {
	bool	 plain, ca, revoked;
	char	*blob;		/* of a plain one */
	size_t	 len;
};

static void
see_line(const char *p, size_t len, const char *name, struct seen *s)
{
	struct kh_line l;
	const char *why;
	unsigned char *blob;
	struct kh_hash h;
	ssize_t n;

	if (kh_line_parse(&l, p, len, &why) != 1)
		return;
	must((blob = malloc(l.key_len)) != NULL);
	n = kh_line_decode(&l, blob);
	if (n != -1 && (!kh_is_hashed(&l) ||
	    kh_hash_parse(&h, l.names, l.names_len) == 0) &&
	    kh_line_names(&l, name)) {
		s->plain |= l.mark == KH_PLAIN;
		s->ca |= l.mark == KH_CA;
		s->revoked |= l.mark == KH_REVOKE;
		if (l.mark == KH_PLAIN) {
			free(s->blob);
			s->blob = (char *)blob;
			s->len = (size_t)n;
			return;
		}
	}
	free(blob);
}

static void
see(const char *text, size_t size, const char *name, struct seen *s)
{
	const char *p, *nl, *end = text + size;

	memset(s, 0, sizeof(*s));
	for (p = text; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		see_line(p, (size_t)(nl - p), name, s);
	}
}

static void
check_host(const struct knownhosts *kh, const char *text, size_t size,
    const char *host, unsigned port)
{
	char name[KH_NAME_MAX], types[300];
	struct kh_where w;
	enum kh_verdict v;
	struct seen s;

	if (kh_name(name, host, port) == -1)
		return;
	see(text, size, name, &s);
	must((knownhosts_types(kh, host, port, types, sizeof(types)) > 0) ==
	    s.plain);
	must(knownhosts_has_ca(kh, host, port) == s.ca);
	v = knownhosts_check(kh, host, port, "no key", 6, &w);
	must(v == (s.plain ? KH_CHANGED : KH_UNKNOWN));
	must((w.path != NULL) == s.plain && (w.line != 0) == s.plain);
	if (s.plain) {
		v = knownhosts_check(kh, host, port, s.blob, s.len, &w);
		must(v == KH_OK || (v == KH_REVOKED && s.revoked));
		must(w.blob_len == s.len && memcmp(w.blob, s.blob, s.len) ==
		    0);
	}
	free(s.blob);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct knownhosts *kh;
	char path[64];
	const char *paths[] = { path, NULL };
	size_t i;
	int fd = fuzz_file(data, size, path, sizeof(path));

	must(knownhosts_load(&kh, paths, NULL) == 0);
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		check_host(kh, (const char *)data, size, hosts[i].name,
		    hosts[i].port);
	for (i = 0; i < knownhosts_notes(kh); i++)
		must(strstr(knownhosts_note(kh, i), "ignored") != NULL);
	knownhosts_free(kh);
	close(fd);
	return 0;
}
