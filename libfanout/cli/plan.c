#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "plan.h"

#define AT(member) offsetof(struct cli_plan, member)

const struct cli_option cli_plan_options[] = {
	{ 0, "canary", "N|EXPR", "first on so many, or these; stop if one fails",
	    CLI_TEXT, AT(canary), 0, 0, NULL },
	{ 0, "batch", "N|N%", "so many at a time; several: 1,10,25%",
	    CLI_TEXT, AT(batch), 0, 0, NULL },
	{ 0, "pause", "SEC", "wait between batches",
	    CLI_SECONDS, AT(pause_ms), 0, 0, NULL },
	{ 0, "confirm", NULL, "ask before going on with the next batch",
	    CLI_FLAG, AT(confirm), 0, 0, NULL },
	{ 0, "max-fail", "N|N%", "stop once more than so many failed",
	    CLI_TEXT, AT(max_fail), 0, 0, NULL },
	{ 'k', "fail-fast", NULL, "stop at the first that fails",
	    CLI_FLAG, AT(fail_fast), 0, 0, NULL },
	{ 0, "random", NULL, "take the hosts in random order",
	    CLI_FLAG, AT(random), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

const struct cli_option cli_plan_check_options[] = {
	{ 0, "check", "CMD", "run this on each batch; stop if it fails",
	    CLI_TEXT, AT(check), 0, 0, NULL },
	{ 0, NULL, NULL, NULL, CLI_FLAG, 0, 0, 0, NULL }
};

/* "10" or "25%" of so many, up to a comma; *end is behind it. 0, or -1. */
static int
share(const char *text, size_t of, size_t *out, const char **end)
{
	unsigned long long n = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++)
		if ((n = n * 10 + (unsigned)(*p - '0')) > FANOUT_HOSTS_MAX)
			return -1;
	if (p == text)
		return -1;
	if (*p == '%') {
		if (n > 100)
			return -1;
		n = n * of / 100;
		p++;
	}
	*out = (size_t)n;
	*end = p;
	return 0;
}

static int
parse_batch(struct cli_plan *p, size_t of, struct fanout_error *e)
{
	const char *at = p->batch, *end;
	size_t n;

	p->nsteps = 0;
	for (;; at = end + 1) {
		if (share(at, of, &n, &end) == -1 ||
		    (*end != '\0' && *end != ',') || *at == '0')
			return cli_error(e, FANOUT_EINVAL, "--batch %.60s: a "
			    "number of hosts, such as 10, or a share of them, "
			    "such as 5%%", p->batch);
		if (p->nsteps == CLI_PLAN_STEPS)
			return cli_error(e, FANOUT_ELIMIT, "--batch: more than "
			    "%d sizes", CLI_PLAN_STEPS);
		p->steps[p->nsteps++] = n > 0 ? n : 1;
		if (*end == '\0')
			return 0;
	}
}

static int
parse_max_fail(struct cli_plan *p, size_t of, struct fanout_error *e)
{
	const char *end;

	if (p->max_fail == NULL) {
		p->allowed = p->canary != NULL || p->batch != NULL ||
		    p->check != NULL || p->fail_fast ? 0 : SIZE_MAX;
		return 0;
	}
	if (share(p->max_fail, of, &p->allowed, &end) == 0 && *end == '\0')
		return 0;
	return cli_error(e, FANOUT_EINVAL, "--max-fail %.40s: a number of "
	    "hosts, such as 5, or a share of them, such as 10%%", p->max_fail);
}

/* A number, not the name of a host: its digits are all. */
static bool
is_number(const char *s)
{
	return *s != '\0' && s[strspn(s, "0123456789")] == '\0';
}

int
cli_plan_check(const struct cli_plan *p, struct fanout_error *e)
{
	struct cli_plan copy = *p;
	int rc;

	if ((p->batch != NULL && (rc = parse_batch(&copy, 100, e)) != 0) ||
	    (rc = parse_max_fail(&copy, 100, e)) != 0)
		return rc;
	if (p->canary != NULL && is_number(p->canary) &&
	    strspn(p->canary, "0") == strlen(p->canary))
		return cli_error(e, FANOUT_EINVAL, "--canary 0: there must be "
		    "one at least");
	if (p->check != NULL && p->check[strspn(p->check, " \t\n")] == '\0')
		return cli_error(e, FANOUT_EINVAL, "--check: the command is "
		    "empty");
	if (p->pause_ms > 0 && p->batch == NULL && p->canary == NULL)
		return cli_error(e, FANOUT_EINVAL, "--pause: there is nothing "
		    "between without --batch or --canary");
	if (p->fail_fast && p->max_fail != NULL)
		return cli_error(e, FANOUT_EINVAL, "--fail-fast and --max-fail "
		    "exclude each other");
	return 0;
}

/* The set that a canary expression names, of those hosts. */
static int
canary_set(const char *expr, const struct fanout_hosts *hosts,
    struct fanout_hosts **out, struct fanout_error *e)
{
	struct fanout_selection *s = NULL;
	struct fanout_hosts *named = NULL;
	struct fanout_error why = { .text = "out of memory" };
	int rc;

	*out = NULL;
	if (fanout_selection_new(&s) != 0)
		return cli_nomem(e);
	if ((rc = fanout_selection_add(s, FANOUT_SELECT_HOSTS, expr,
	    &why)) == 0)
		rc = fanout_selection_finish(&named, s, &why);
	if (rc == 0 && fanout_hosts_copy(out, hosts) != 0)
		rc = FANOUT_ENOMEM;
	if (rc == 0)
		rc = fanout_hosts_intersect(*out, named);
	if (rc != 0)
		cli_error(e, rc, "--canary: %s", why.text);
	else if (fanout_hosts_count(*out) == 0)
		rc = cli_error(e, FANOUT_EINVAL, "--canary %.80s: none of the "
		    "hosts is one of these", expr);
	fanout_hosts_free(named);
	fanout_selection_free(s);
	return rc;
}

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void
shuffle(size_t *order, size_t n, uint64_t seed)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
	size_t i, k, spare;

	if (seed == 0)
		arc4random_buf(&state, sizeof(state));
	if (state == 0)
		state = 1;
	for (i = n; i > 1; i--) {
		k = (size_t)(next_random(&state) % i);
		spare = order[i - 1];
		order[i - 1] = order[k];
		order[k] = spare;
	}
}

/* Those that are wanted come first, else all stay in their order. */
static size_t
pull_front(size_t *order, size_t n, const unsigned char *wanted)
{
	size_t i, at = 0, *rest;

	if ((rest = reallocarray(NULL, n + 1, sizeof(*rest))) == NULL)
		return FANOUT_NOHOST;
	for (i = 0; i < n; i++)
		if (wanted[order[i]])
			rest[at++] = order[i];
	for (i = 0; i < n; i++)
		if (!wanted[order[i]])
			rest[at++] = order[i];
	memcpy(order, rest, n * sizeof(*order));
	for (at = 0; at < n && wanted[order[at]];)
		at++;
	free(rest);
	return at;
}

static int
place_canaries(struct cli_plan *p, const struct fanout_hosts *hosts,
    unsigned char *wanted, struct fanout_error *e)
{
	struct fanout_hosts *set;
	size_t i, live = p->count - p->skipped;
	const char *why;
	int rc;

	if (is_number(p->canary)) {
		p->canaries = (size_t)strtonum(p->canary, 1, FANOUT_HOSTS_MAX,
		    &why);
		if (why != NULL)
			return cli_error(e, FANOUT_EINVAL, "--canary %.40s is "
			    "%s", p->canary, why);
		if (p->canaries > live)
			p->canaries = live;
		return 0;
	}
	if ((rc = canary_set(p->canary, hosts, &set, e)) == 0) {
		for (i = 0; i < p->count; i++)
			wanted[i] = fanout_hosts_find(set, fanout_hosts_at(
			    hosts, i)) != FANOUT_NOHOST;
		p->canaries = pull_front(p->order + p->skipped, live, wanted);
		if (p->canaries == FANOUT_NOHOST)
			rc = cli_nomem(e);
		else if (p->canaries == 0)
			rc = cli_error(e, FANOUT_EINVAL, "--canary %.80s: all "
			    "of these are marked dead", p->canary);
	}
	fanout_hosts_free(set);
	return rc;
}

static int
fill(struct cli_plan *p, const struct fanout_hosts *hosts,
    const char *const *skip, uint64_t seed, unsigned char *wanted,
    struct fanout_error *e)
{
	size_t i;
	int rc;

	for (i = 0; i < p->count; i++) {
		p->order[i] = i;
		wanted[i] = skip != NULL && skip[i] != NULL;
	}
	if ((p->skipped = pull_front(p->order, p->count, wanted)) ==
	    FANOUT_NOHOST)
		return cli_nomem(e);
	if (p->random)
		shuffle(p->order + p->skipped, p->count - p->skipped, seed);
	if ((p->batch != NULL &&
	    (rc = parse_batch(p, p->count - p->skipped, e)) != 0) ||
	    (rc = parse_max_fail(p, p->count - p->skipped, e)) != 0)
		return rc;
	return p->canary == NULL ? 0 : place_canaries(p, hosts, wanted, e);
}

int
cli_plan_make(struct cli_plan *p, const struct fanout_hosts *hosts,
    const char *const *skip, uint64_t seed, struct fanout_error *e)
{
	unsigned char *wanted;
	int rc;

	p->count = fanout_hosts_count(hosts);
	p->next = 0;
	p->batches = 0;
	p->canaries = p->nsteps = 0;
	p->order = reallocarray(NULL, p->count, sizeof(*p->order));
	wanted = malloc(p->count);
	rc = p->order == NULL || wanted == NULL ? cli_nomem(e) :
	    fill(p, hosts, skip, seed, wanted, e);
	free(wanted);
	if (rc != 0)
		cli_plan_clear(p);
	return rc;
}

void
cli_plan_clear(struct cli_plan *p)
{
	free(p->order);
	p->order = NULL;
}

size_t
cli_plan_size(const struct cli_plan *p)
{
	size_t step = p->batches - (p->canaries > 0 && p->batches > 0), size;
	size_t left = p->count - p->next;

	if (p->batches == 0 && p->canaries > 0) {
		size = p->canaries;
	} else if (p->nsteps == 0) {
		return left;
	} else
		size = p->steps[step < p->nsteps ? step : p->nsteps - 1];
	if (p->batches == 0)
		size += p->skipped;
	return size < left ? size : left;
}

void
cli_plan_take(struct cli_plan *p)
{
	p->next += cli_plan_size(p);
	p->batches++;
}

bool
cli_plan_whole(const struct cli_plan *p)
{
	return p->batches == 0 && !p->random && cli_plan_size(p) == p->count;
}

bool
cli_plan_tried_canaries(const struct cli_plan *p)
{
	return p->canaries > 0 && p->batches == 1;
}

bool
cli_plan_halts(const struct cli_plan *p, const struct cli_roster *r,
    const char *host, char *why, size_t size)
{
	if (p->fail_fast && r->failed > 0) {
		snprintf(why, size, "%s failed", host);
		return true;
	}
	if (p->max_fail == NULL || r->failed <= p->allowed)
		return false;
	snprintf(why, size, "%zu of %zu failed, more than --max-fail %.20s",
	    r->failed, r->count, p->max_fail);
	return true;
}

bool
cli_plan_ends(const struct cli_plan *p, size_t in_batch, size_t so_far,
    char *why, size_t size)
{
	if (cli_plan_tried_canaries(p) && in_batch > 0) {
		snprintf(why, size, "%zu of %zu canaries failed", in_batch,
		    p->canaries);
		return true;
	}
	if (so_far <= p->allowed)
		return false;
	if (p->max_fail != NULL)
		snprintf(why, size, "%zu of %zu failed, more than --max-fail "
		    "%.20s", so_far, p->count, p->max_fail);
	else
		snprintf(why, size, "%zu failed in batch %u", in_batch,
		    p->batches);
	return true;
}
