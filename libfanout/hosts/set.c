#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "name.h"
#include "set.h"

#define SLOTS_MIN	16

/*
 * The finalizer of MurmurHash3 over 8-byte words, keyed by the set's seed.
 * The last byte is only added: names that differ in their last digit stand
 * side by side in the index, and so share cache lines.
 */
static uint32_t
hash(uint64_t h, const char *s, size_t len)
{
	unsigned char last = len > 0 ? (unsigned char)s[--len] : 0;
	uint64_t w;

	h ^= len * 0x9e3779b97f4a7c15u;
	while (len > 0) {
		size_t k = len < sizeof(w) ? len : sizeof(w);

		w = 0;
		memcpy(&w, s, k);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
		s += k;
		len -= k;
	}
	h *= 0xc4ceb9fe1a85ec53u;
	return (uint32_t)(h ^ h >> 33) + last;
}

int
fanout_hosts_new(struct fanout_hosts **out)
{
	struct fanout_hosts *s;

	*out = NULL;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return FANOUT_ENOMEM;
	arc4random_buf(&s->seed, sizeof(s->seed));
	s->max = FANOUT_HOSTS_MAX;
	*out = s;
	return 0;
}

void
fanout_hosts_free(struct fanout_hosts *s)
{
	if (s == NULL)
		return;
	fo_arena_free(&s->arena);
	free(s->e);
	free(s->slot);
	free(s);
}

void
fanout_hosts_limit(struct fanout_hosts *s, size_t max)
{
	s->max = max == 0 ? FANOUT_HOSTS_MAX :
	    max > UINT32_MAX / 4 ? UINT32_MAX / 4 : max;
}

void
fanout_hosts_use_groups(struct fanout_hosts *s, struct fanout_groups *g)
{
	s->groups = g;
}

size_t
fanout_hosts_count(const struct fanout_hosts *s)
{
	return s->n;
}

const char *
fanout_hosts_at(const struct fanout_hosts *s, size_t i)
{
	return i < s->n ? s->e[i].name : NULL;
}

size_t
fanout_hosts_find(const struct fanout_hosts *s, const char *host)
{
	return fo_set_find(s, host, strlen(host));
}

/*
 * A slot is the hash above the index + 1 of an entry, or 0: most of what is
 * passed on the way is told apart without a look at the entries, which in a
 * big set are not in the cache.
 */
static uint64_t
slot_of(uint32_t h, size_t index)
{
	return (uint64_t)h << 32 | (uint64_t)(index + 1);
}

static size_t
index_of(uint64_t slot)
{
	return (size_t)(slot & UINT32_MAX) - 1;
}

/* The slot that holds this name, or the free one where it belongs. */
static size_t
probe(const struct fanout_hosts *s, const char *name, size_t len, uint32_t h)
{
	size_t i, mask = s->nslot - 1;
	const struct fo_entry *e;

	for (i = h & mask; s->slot[i] != 0; i = (i + 1) & mask) {
		if (s->slot[i] >> 32 != h)
			continue;
		e = &s->e[index_of(s->slot[i])];
		if (e->len == len && memcmp(e->name, name, len) == 0)
			break;
	}
	return i;
}

size_t
fo_set_find(const struct fanout_hosts *s, const char *name, size_t len)
{
	size_t i;

	if (s->nslot == 0)
		return FANOUT_NOHOST;
	i = probe(s, name, len, hash(s->seed, name, len));
	return s->slot[i] == 0 ? FANOUT_NOHOST : index_of(s->slot[i]);
}

/* Enter all entries in order into an empty index. */
static void
reindex(struct fanout_hosts *s)
{
	size_t i, k, mask = s->nslot - 1;

	memset(s->slot, 0, s->nslot * sizeof(*s->slot));
	for (i = 0; i < s->n; i++) {
		for (k = s->e[i].hash & mask; s->slot[k] != 0;)
			k = (k + 1) & mask;
		s->slot[k] = slot_of(s->e[i].hash, i);
	}
}

int
fo_set_reserve(struct fanout_hosts *s, size_t more)
{
	size_t want = s->n + more, nslot = s->nslot ? s->nslot : SLOTS_MIN;
	size_t cap;
	uint64_t *slot;
	struct fo_entry *e;

	if (want > s->cap) {
		cap = s->cap + s->cap / 2 + 8;
		if (cap < want)
			cap = want;
		if ((e = reallocarray(s->e, cap, sizeof(*e))) == NULL)
			return FANOUT_ENOMEM;
		s->e = e;
		s->cap = cap;
	}
	while (nslot / 4 * 3 < want)
		nslot *= 2;
	if (nslot == s->nslot)
		return 0;
	if ((slot = reallocarray(NULL, nslot, sizeof(*slot))) == NULL)
		return FANOUT_ENOMEM;
	free(s->slot);
	s->slot = slot;
	s->nslot = nslot;
	reindex(s);
	return 0;
}

int
fo_set_intern(struct fanout_hosts *s, const char *name, size_t len, size_t *at)
{
	uint32_t h = hash(s->seed, name, len);
	const char *copy;
	size_t i;

	if (fo_set_reserve(s, 1) != 0)
		return FANOUT_ENOMEM;
	i = probe(s, name, len, h);
	if (s->slot[i] != 0) {
		*at = index_of(s->slot[i]);
		return 0;
	}
	if (s->n >= s->max)
		return FANOUT_ELIMIT;
	if ((copy = fo_arena_dup(&s->arena, name, len)) == NULL)
		return FANOUT_ENOMEM;
	*at = s->n;
	s->e[s->n].name = copy;
	s->e[s->n].hash = h;
	s->e[s->n].len = (uint32_t)len;
	s->slot[i] = slot_of(h, s->n++);
	return 1;
}

int
fo_set_put(struct fanout_hosts *s, const char *name, size_t len)
{
	size_t at;

	return fo_set_intern(s, name, len, &at);
}

/*
 * Taking the entries out in the reverse order of their coming leaves every
 * probe chain as it was before, so no tombstones are needed.
 */
void
fo_set_truncate(struct fanout_hosts *s, size_t n)
{
	while (s->n > n) {
		const struct fo_entry *e = &s->e[s->n - 1];

		s->slot[probe(s, e->name, e->len, e->hash)] = 0;
		s->n--;
	}
	if (n == 0)
		fo_arena_free(&s->arena);
}

int
fo_set_keep(struct fanout_hosts *s, const unsigned char *marks)
{
	size_t i, n = 0;

	for (i = 0; i < s->n; i++)
		if (marks[i])
			s->e[n++] = s->e[i];
	s->n = n;
	if (s->nslot != 0)
		reindex(s);
	return 0;
}

/* Of u@h:p try u@h:p, u@h, h:p and h, whichever it can be cut down to. */
bool
fo_set_covers(const struct fanout_hosts *mask, const struct fo_entry *e)
{
	struct fanout_hostspec hs;
	const char *name = e->name;
	size_t host, end;

	if (mask->n == 0)
		return false;
	if (fo_set_find(mask, name, e->len) != FANOUT_NOHOST)
		return true;
	if (!fo_name_has_parts(name, e->len) ||
	    fanout_host_split(name, &hs) != 0)
		return false;
	host = hs.user == NULL ? 0 : hs.user_len + 1;
	end = (size_t)(hs.name - name) + hs.name_len;
	if (fo_set_find(mask, name + host, e->len - host) != FANOUT_NOHOST)
		return true;
	if (hs.port == 0)
		return false;
	/* [v6]:port loses its brackets with its port. */
	if (hs.name != name + host)
		return fo_set_find(mask, hs.name, hs.name_len) != FANOUT_NOHOST;
	return fo_set_find(mask, name, end) != FANOUT_NOHOST ||
	    fo_set_find(mask, hs.name, hs.name_len) != FANOUT_NOHOST;
}

int
fo_set_error(const struct fanout_hosts *s, int code, struct fanout_error *err)
{
	if (code == FANOUT_ELIMIT)
		return fo_error(err, code,
		    "more than %zu hosts: that is the limit of one set",
		    s->max);
	return fo_error(err, code, "%s", fanout_strerror(code));
}
