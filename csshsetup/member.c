#include <sys/socket.h>
#include <netdb.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialog.h"
#include "keyline.h"
#include "member.h"
#include "script.h"

#define SLOW_MS 10000		/* so long all look-ups of names may take */

/* ---- names --------------------------------------------------------------- */

/* Is the word among those of a list? */
static bool
has_word(const char *list, const char *word)
{
	size_t n = strlen(word);
	const char *p = list;

	while ((p = strstr(p, word)) != NULL) {
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
		p += n;
	}
	return false;
}

/* As known_hosts has it. */
static int
add_name(struct member *m, const char *name)
{
	char word[512], *all;

	if (*name == '\0' || strpbrk(name, " ,*?!\"#|@") != NULL)
		return 0;
	if (m->port == 22)
		snprintf(word, sizeof(word), "%s", name);
	else
		snprintf(word, sizeof(word), "[%s]:%u", name, m->port);
	if (m->names != NULL && has_word(m->names, word))
		return 0;
	if (asprintf(&all, "%s%s%s", m->names != NULL ? m->names : "",
	    m->names != NULL ? " " : "", word) == -1)
		return -1;
	free(m->names);
	m->names = all;
	return 0;
}

/* What others cannot reach it by is no name of it. */
static bool
is_loopback(const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	if (sa->sa_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return sa->sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static int
add_found(struct member *m, const struct addrinfo *list)
{
	char text[INET6_ADDRSTRLEN + 32];

	if (list->ai_canonname != NULL && add_name(m, list->ai_canonname) == -1)
		return -1;
	for (; list != NULL; list = list->ai_next)
		if (!is_loopback(list->ai_addr) &&
		    getnameinfo(list->ai_addr, list->ai_addrlen, text,
		    sizeof(text), NULL, 0, NI_NUMERICHOST) == 0 &&
		    add_name(m, text) == -1)
			return -1;
	return 0;
}

/* "host key: FILE:LINE: TYPE SHA256:..." */
static void
take_print(struct member *m, const char *line)
{
	const char *p = strstr(line, " SHA256:");

	if (p == NULL || strstr(line, ": @") != NULL ||
	    strncmp(line, "host key: /", 11) != 0 || m->nprints == MEMBER_KEYS)
		return;
	snprintf(m->print[m->nprints], sizeof(m->print[0]), "%.*s",
	    (int)strcspn(p + 1, " "), p + 1);
	m->nprints++;
}

/* How it is reached, as --explain tells it; where that knows nothing, what the
 * name says. */
static void
find_way(struct fanout *way, const char *host, struct member *m)
{
	struct fanout_hostspec s = { NULL, 0, "", 0, 0 };
	char *text = NULL, *line, *rest, address[256] = "", user[128] = "";

	(void)fanout_host_split(host, &s);
	m->port = s.port != 0 ? s.port : 22;
	if (fanout_explain(way, host, &text, NULL) == 0)
		rest = text;
	else
		rest = NULL;
	while ((line = strsep(&rest, "\n")) != NULL) {
		(void)sscanf(line, "connects to %255s port %u, logs in as "
		    "%127[^\n]", address, &m->port, user);
		take_print(m, line);
	}
	free(text);
	if (*address == '\0')
		snprintf(address, sizeof(address), "%.*s", (int)s.name_len,
		    s.name);
	m->address = strndup(s.name, s.name_len);
	if (m->address != NULL && add_name(m, m->address) == 0)
		(void)add_name(m, address);
}

/* Every name and address that we know it by; what it says of itself does not
 * count, as it could then pass for another host. */
static int
find_names(struct setup *s, struct member *all)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_CANONNAME };
	int64_t begin = cli_now();
	struct addrinfo *list;
	struct fanout *way;
	struct fanout_error e;
	size_t i;
	int rc = 0;

	if (fanout_new(&way, &s->opts, &e) != 0) {
		warnx("%s", e.text);
		return -1;
	}
	for (i = 0; i < s->count && rc == 0; i++) {
		find_way(way, fanout_hosts_at(s->hosts, i), &all[i]);
		if (cli_now() - begin > SLOW_MS || all[i].address == NULL ||
		    getaddrinfo(all[i].address, NULL, &hints, &list) != 0)
			continue;
		rc = add_found(&all[i], list);
		freeaddrinfo(list);
	}
	if (cli_now() - begin > SLOW_MS)
		warnx("looking up names is slow: some hosts are known by those "
		    "that were given only");
	fanout_free(way);
	return rc;
}

struct member *
members_new(struct setup *s)
{
	struct member *all = calloc(s->count, sizeof(*all));

	if (all == NULL)
		warnx("out of memory");
	else if (find_names(s, all) == -1) {
		members_free(s, all);
		all = NULL;
	}
	return all;
}

static void
forget(struct member *m)
{
	size_t i;

	free(m->user);
	free(m->line);
	free(m->word);
	for (i = 0; i < m->nkeys; i++)
		free(m->keys[i]);
	m->user = m->line = m->word = NULL;
	m->nkeys = 0;
	m->told = m->makes = false;
}

void
members_free(struct setup *s, struct member *all)
{
	size_t i;

	for (i = 0; all != NULL && i < s->count; i++) {
		forget(&all[i]);
		free(all[i].address);
		free(all[i].names);
	}
	free(all);
}

/* ---- what they tell ------------------------------------------------------ */

static int
take_key(struct member *m, const struct record *r)
{
	struct keyline k;

	if (!keyline_parse(&k, r->rest, r->len) || k.options_len > 0)
		return -1;
	free(m->word);
	if (asprintf(&m->word, "%.*s %.*s", (int)k.type_len, k.type,
	    (int)k.blob_len, k.blob) == -1)
		m->word = NULL;
	return m->word != NULL ? 0 : -1;
}

/* The comment is ours, not its own: it goes to all others, who may want to know
 * one day whose key that is. */
static int
make_line(struct member *m)
{
	if (m->word == NULL && !m->makes)
		return 0;
	if (asprintf(&m->line, "%s %s@%s", m->word != NULL ? m->word :
	    KEY_TO_COME, m->user,
	    m->address != NULL ? m->address : "?") == -1)
		m->line = NULL;
	return m->line != NULL ? 0 : -1;
}

static bool
is_known(const struct member *m, const struct keyline *k)
{
	char print[KEYLINE_PRINT_SIZE];
	size_t i;

	keyline_fingerprint(k, print);
	for (i = 0; i < m->nprints; i++)
		if (strcmp(m->print[i], print) == 0)
			return true;
	return m->nprints == 0;
}

/* An account could say anything of its host: what we know counts. */
static void
take_host_key(struct member *m, const struct record *r)
{
	struct keyline k;
	char *key;

	if (m->nkeys == MEMBER_KEYS || !keyline_parse(&k, r->rest, r->len) ||
	    k.options_len > 0 || keyline_weak(&k) != NULL ||
	    !is_known(m, &k))
		return;
	if (asprintf(&key, "%.*s %.*s", (int)k.type_len, k.type,
	    (int)k.blob_len, k.blob) != -1)
		m->keys[m->nkeys++] = key;
}

struct asking {
	struct setup *s;
	struct member *all;
	bool	 to_share;	/* what they tell goes to others */
};

/* A name of a user is none that a shell or ssh would make more of. */
static char *
take_user(const struct record *r)
{
	size_t i;

	for (i = 0; i < r->len; i++)
		if (!isalnum((unsigned char)r->rest[i]) &&
		    strchr("._-$+", r->rest[i]) == NULL)
			return NULL;
	return r->len > 0 && r->len < 128 && *r->rest != '-' ?
	    strndup(r->rest, r->len) : NULL;
}

static void
tell_make(const struct setup *s, size_t host, const char *path,
    struct cli_sink *out)
{
	char text[256];

	snprintf(text, sizeof(text), "its key would be made: %s", path);
	setup_tell(s, out, "member", fanout_hosts_at(s->hosts, host), text);
}

static void
on_over(void *ctx, size_t host, const struct answer *said, struct cli_sink *out)
{
	struct asking *x = ctx;
	struct member *m = &x->all[host];
	struct host *h = &x->s->host[host];
	struct answer a = *said;
	struct record r;
	bool bad = false;
	char path[200];

	forget(m);
	while (answer_next(&a, &r)) {
		if (record_is(&r, "user") && m->user == NULL)
			m->user = take_user(&r);
		else if (record_is(&r, "mine"))
			bad = take_key(m, &r) == -1;
		else if (record_is(&r, "host"))
			take_host_key(m, &r);
		else if (record_is(&r, "make")) {
			m->makes = true;
			record_text(&r, path, sizeof(path));
			tell_make(x->s, host, path, out);
		}
	}
	if (bad)
		setup_refuse(h, NULL, "its public key cannot be read");
	else if (m->user == NULL)
		setup_refuse(h, NULL, "the name of its user cannot be used");
	else if (x->to_share && m->nkeys == 0)
		setup_refuse(h, NULL, "none of the host keys that it tells of "
		    "is the one that we know");
	else if (make_line(m) == -1)
		setup_refuse(h, NULL, "out of memory");
	m->told = h->state != OVER;
}

/* Nothing is changed here. */
static void
on_turn(void *ctx, size_t host, const struct answer *said, FILE *reply,
    struct cli_sink *out)
{
	(void)ctx;
	(void)host;
	(void)said;
	(void)out;
	fputs("commit\n", reply);
}

static bool
would_trust(const struct setup *s, size_t host)
{
	const struct host *h = &s->host[host];

	return h->state == INSTALLED && !h->was_there && !h->own_password;
}

int
members_talk(const struct dialog *like, const struct script_wish *wish)
{
	struct dialog d = *like;

	d.want = setup_is_trusted;
	return dialog_both(&d, wish, like->setup->c->dry_run ? would_trust :
	    NULL);
}

static bool
has_own_password(const struct setup *s, size_t host, const void *ctx)
{
	(void)ctx;
	return s->host[host].state == INSTALLED && s->host[host].own_password;
}

/* A password that was typed for one host is not kept, nor asked for again. */
static void
tell_unknown(const struct setup *s)
{
	char *names = setup_names(s, has_own_password, NULL);

	if (names != NULL)
		warnx("%s: what else would change is not known, as a password "
		    "of its own lets in", names);
	free(names);
}

int
members_ask(struct setup *s, struct member *all, bool make_keys)
{
	struct asking x = { s, all, make_keys };
	const struct script_wish wish = { .dry_run = s->c->dry_run ||
	    !make_keys, .make_key = make_keys, .key = true, .host_keys = true };
	const struct dialog d = { .setup = s, .turn = on_turn, .over = on_over,
	    .ctx = &x };

	if (s->c->dry_run && make_keys)
		tell_unknown(s);
	return members_talk(&d, &wish);
}
