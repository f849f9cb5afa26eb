#include <stdlib.h>
#include <string.h>

#include "pile.h"

#define TABLE_MIN 64

int
cli_piles_init(struct cli_piles *s, size_t hosts, struct cli_store *raw,
    struct cli_store *masked)
{
	memset(s, 0, sizeof(*s));
	s->raw = raw;
	s->masked = masked;
	s->hosts = hosts;
	s->mask = TABLE_MIN - 1;
	/* So that no host can make its text collide with others on purpose. */
	arc4random_buf(s->seed, sizeof(s->seed));
	s->table = calloc(TABLE_MIN, sizeof(struct cli_pile *));
	s->of = calloc(hosts, sizeof(*s->of));
	return s->table == NULL || s->of == NULL ? -1 : 0;
}

void
cli_piles_clear(struct cli_piles *s)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		free(s->all[i]);
	free(s->all);
	free(s->table);
	free(s->of);
	memset(s, 0, sizeof(*s));
}

struct hash {
	uint64_t h, seed, word;
	unsigned n;		/* bytes of the word so far */
};

static void
mix(struct hash *x)
{
	__extension__ typedef unsigned __int128 wide;
	wide p = (wide)(x->h ^ x->word) * (x->seed | 1);

	x->h = (uint64_t)p ^ (uint64_t)(p >> 64) ^ x->seed;
	x->word = 0;
	x->n = 0;
}

static void
hash_bytes(struct hash *x, const char *data, size_t len)
{
	const unsigned char *p = (const unsigned char *)data;

	for (; len > 0; len--) {
		x->word |= (uint64_t)*p++ << (8 * x->n);
		if (++x->n == sizeof(x->word))
			mix(x);
	}
}

static int
hash_slot(struct cli_piles *s, const struct cli_store *store, size_t slot,
    uint64_t *hash)
{
	struct hash x = { s->seed[0], s->seed[1], 0, 0 };
	const char *data;
	size_t len;
	int rc;

	cli_reader_open(&s->reader[0], store, slot);
	while ((rc = cli_reader_next(&s->reader[0], &data, &len)) == 1)
		hash_bytes(&x, data, len);
	mix(&x);
	*hash = x.h ^ (uint64_t)cli_store_len(store, slot);
	return rc;
}

/* 1: the same bytes, 0: not, -1: an error. */
static int
same(struct cli_piles *s, const struct cli_store *store, size_t a, size_t b)
{
	const char *pa, *pb;
	size_t la = 0, lb = 0, n;
	int rc;

	if (cli_store_len(store, a) != cli_store_len(store, b))
		return 0;
	cli_reader_open(&s->reader[0], store, a);
	cli_reader_open(&s->reader[1], store, b);
	for (;;) {
		if (la == 0 &&
		    (rc = cli_reader_next(&s->reader[0], &pa, &la)) != 1)
			return rc == 0 ? 1 : -1;
		if (lb == 0 &&
		    (rc = cli_reader_next(&s->reader[1], &pb, &lb)) != 1)
			return rc == 0 ? 1 : -1;
		n = la < lb ? la : lb;
		if (memcmp(pa, pb, n) != 0)
			return 0;
		pa += n;
		pb += n;
		la -= n;
		lb -= n;
	}
}

/* As many places as piles, so that each has few. */
static int
spread(struct cli_piles *s)
{
	size_t i, size = (s->mask + 1) * 2;
	struct cli_pile **table, *p;

	if ((table = calloc(size, sizeof(struct cli_pile *))) == NULL)
		return -1;
	free(s->table);
	s->table = table;
	s->mask = size - 1;
	for (i = 0; i < s->count; i++) {
		p = s->all[i];
		p->next = table[p->hash & s->mask];
		table[p->hash & s->mask] = p;
	}
	return 0;
}

static struct cli_pile *
new_pile(struct cli_piles *s, size_t host, int cause, uint64_t hash)
{
	struct cli_pile *p, **all;

	if (s->count == s->room) {
		all = reallocarray(s->all, s->room == 0 ? 16 : s->room * 2,
		    sizeof(struct cli_pile *));
		if (all == NULL)
			return NULL;
		s->all = all;
		s->room = s->room == 0 ? 16 : s->room * 2;
	}
	if (s->count > s->mask && spread(s) == -1)
		return NULL;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	*p = (struct cli_pile){ .hash = hash, .cause = cause, .slot = host,
	    .index = (uint32_t)s->count, .lowest = host, .exact = true,
	    .next = s->table[hash & s->mask] };
	s->table[hash & s->mask] = p;
	s->all[s->count++] = p;
	return p;
}

/* The pile of those that said the same; *p NULL: there is none yet. */
static int
find(struct cli_piles *s, size_t host, int cause, uint64_t hash,
    struct cli_pile **found)
{
	const struct cli_store *store = s->masked != NULL ? s->masked : s->raw;
	struct cli_pile *p;
	int rc;

	for (p = s->table[hash & s->mask]; p != NULL; p = p->next) {
		if (p->hash != hash || p->cause != cause)
			continue;
		if ((rc = same(s, store, p->slot, host)) == -1)
			return -1;
		if (rc == 1)
			break;
	}
	*found = p;
	return 0;
}

int
cli_piles_add(struct cli_piles *s, size_t host, int cause)
{
	const struct cli_store *store = s->masked != NULL ? s->masked : s->raw;
	struct cli_pile *p;
	uint64_t hash;
	int exact;

	if (hash_slot(s, store, host, &hash) == -1 ||
	    find(s, host, cause, hash, &p) == -1)
		return -1;
	if (p == NULL) {
		if ((p = new_pile(s, host, cause, hash)) == NULL)
			return -1;
	} else {
		if (s->masked != NULL && p->exact) {
			if ((exact = same(s, s->raw, p->slot, host)) == -1)
				return -1;
			p->exact = exact == 1;
		}
		cli_store_drop(s->raw, host);
		if (s->masked != NULL)
			cli_store_drop(s->masked, host);
	}
	p->count++;
	if (host < p->lowest)
		p->lowest = host;
	s->of[host] = p->index + 1;
	return 0;
}

static int
by_first_member(const void *a, const void *b)
{
	const struct cli_pile *x = *(struct cli_pile *const *)a;
	const struct cli_pile *y = *(struct cli_pile *const *)b;

	return x->lowest < y->lowest ? -1 : x->lowest > y->lowest;
}

static int
by_size(const void *a, const void *b)
{
	const struct cli_pile *x = *(struct cli_pile *const *)a;
	const struct cli_pile *y = *(struct cli_pile *const *)b;

	if (x->cause != y->cause)
		return x->cause < y->cause ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return by_first_member(a, b);
}

size_t *
cli_piles_finish(struct cli_piles *s, bool by_first)
{
	size_t i, at = 0, *members, *next;

	members = reallocarray(NULL, s->hosts + 1, sizeof(*members));
	next = reallocarray(NULL, s->count + 1, sizeof(*next));
	if (members == NULL || next == NULL) {
		free(members);
		free(next);
		return NULL;
	}
	for (i = 0; i < s->count; i++) {
		s->all[i]->first = next[i] = at;
		at += s->all[i]->count;
	}
	for (i = 0; i < s->hosts; i++)
		if (s->of[i] > 0)
			members[next[s->of[i] - 1]++] = i;
	free(next);
	if (s->count > 0)
		qsort(s->all, s->count, sizeof(struct cli_pile *),
		    by_first ? by_first_member : by_size);
	return members;
}
