/* Which hosts come when, and when a run stops. */
#include "cli/plan.h"
#include "test.h"

static struct fanout_hosts *hosts;	/* n0 to n19 */

static const struct {
	const char *name;
	const char *canary, *batch;
	unsigned dead;		/* so many of the first are skipped anyway */
	const char *sizes;	/* of the batches */
	const char *first;	/* hosts of the first batch */
} cases[] = {
	{ "all at once", NULL, NULL, 0, "20 ", NULL },
	{ "one size", NULL, "6", 0, "6 6 6 2 ", "n0 n1 n2 n3 n4 n5 " },
	{ "more than there are", NULL, "50", 0, "20 ", NULL },
	{ "a share", NULL, "25%", 0, "5 5 5 5 ", NULL },
	{ "a small share is one", NULL, "1%", 0,
	    "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 ", "n0 " },
	{ "growing", NULL, "1,3,50%", 0, "1 3 10 6 ", "n0 " },
	{ "canaries", "2", NULL, 0, "2 18 ", "n0 n1 " },
	{ "canaries and batches", "2", "10", 0, "2 10 8 ", "n0 n1 " },
	{ "all are canaries", "99", NULL, 0, "20 ", NULL },
	{ "canaries by name", "n[7,3]", "9", 0, "2 9 9 ", "n3 n7 " },
	{ "names that are no hosts", "n3,x[1-9]", NULL, 0, "1 19 ", "n3 " },
	{ "dead ones count nowhere", "1", "5", 3, "4 5 5 5 1 ",
	    "n0 n1 n2 n3 " },
	{ "a dead canary", "n[1,5]", NULL, 3, "4 16 ", "n0 n1 n2 n5 " },
	{ "shares of those alive", NULL, "50%", 10, "15 5 ", NULL },
	{ "all dead", "1", "5", 20, "20 ", NULL },
};

static void
sizes(void)
{
	const char *skip[20];
	struct fanout_error e = { .text = "" };
	struct cli_plan p;
	char got[200], first[200], seen[21];
	size_t i, k, from;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p = (struct cli_plan){ .canary = cases[i].canary,
		    .batch = cases[i].batch };
		for (k = 0; k < 20; k++)
			skip[k] = k < cases[i].dead ? "dead" : NULL;
		if (!ok(cli_plan_check(&p, &e) == 0 &&
		    cli_plan_make(&p, hosts, skip, 0, &e) == 0,
		    "%s: %s", cases[i].name, e.text))
			continue;
		got[0] = first[0] = '\0';
		memset(seen, 0, sizeof(seen));
		while (cli_plan_size(&p) > 0) {
			from = p.next;
			cli_plan_take(&p);
			snprintf(got + strlen(got), sizeof(got) - strlen(got),
			    "%zu ", p.next - from);
			for (k = from; k < p.next; k++) {
				seen[p.order[k]]++;
				if (from == 0)
					snprintf(first + strlen(first),
					    sizeof(first) - strlen(first),
					    "n%zu ", p.order[k]);
			}
		}
		is_str(got, cases[i].sizes, "sizes: %s", cases[i].name);
		if (cases[i].first != NULL)
			is_str(first, cases[i].first, "first: %s",
			    cases[i].name);
		for (k = 0; k < 20 && seen[k] == 1; k++)
			;
		is_int(k, 20, "each host once: %s", cases[i].name);
		cli_plan_clear(&p);
	}
}

static void
wrong(void)
{
	static const struct cli_plan all[] = {
		{ .batch = "0" }, { .batch = "" }, { .batch = "1," },
		{ .batch = "101%" }, { .batch = "5%%" }, { .batch = "-1" },
		{ .batch = "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
		    "1,1,1,1,1,1,1,1,1" },
		{ .max_fail = "" }, { .max_fail = "x" }, { .max_fail = "1,2" },
		{ .max_fail = "99999999999999999999" },
		{ .canary = "00" }, { .check = " " }, { .pause_ms = 1 },
		{ .max_fail = "1", .fail_fast = true },
	};
	struct fanout_error e;
	struct cli_plan p = { .canary = "y[1-2]" };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ok(cli_plan_check(&all[i], &e) != 0, "wrong %zu: %s", i,
		    e.text);
	ok(cli_plan_make(&p, hosts, NULL, 0, &e) == FANOUT_EINVAL &&
	    p.order == NULL, "canaries that are no hosts: %s", e.text);
	p.canary = "y[1-";
	ok(cli_plan_make(&p, hosts, NULL, 0, &e) == FANOUT_EPARSE,
	    "canaries that do not parse: %s", e.text);
}

static const struct {
	const char *name, *max_fail, *canary, *batch;
	bool	 fast;
	size_t	 failed;	/* of all, so far */
	bool	 halts, ends;	/* in the middle, behind the first batch */
} rules[] = {
	{ "no rule", NULL, NULL, NULL, false, 20, false, false },
	{ "batches stop", NULL, NULL, "5", false, 1, false, true },
	{ "not if all is well", NULL, NULL, "5", false, 0, false, false },
	{ "so many may fail", "2", NULL, "5", false, 2, false, false },
	{ "but no more", "2", NULL, "5", false, 3, true, true },
	{ "a share of them", "10%", NULL, NULL, false, 2, false, false },
	{ "but no more", "10%", NULL, NULL, false, 3, true, true },
	{ "none", "0", NULL, NULL, false, 1, true, true },
	{ "canaries may not", "5", "3", NULL, false, 1, false, true },
	{ "the first", NULL, NULL, NULL, true, 1, true, true },
};

static void
stops(void)
{
	struct cli_roster r = { .count = 20 };
	struct fanout_error e;
	struct cli_plan p;
	char why[160];
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		p = (struct cli_plan){ .max_fail = rules[i].max_fail,
		    .canary = rules[i].canary, .batch = rules[i].batch,
		    .fail_fast = rules[i].fast };
		if (cli_plan_make(&p, hosts, NULL, 0, &e) != 0)
			abort();
		cli_plan_take(&p);
		r.failed = rules[i].failed;
		why[0] = '\0';
		is_int(cli_plan_halts(&p, &r, "n1", why, sizeof(why)),
		    rules[i].halts, "in the middle: %s %s", rules[i].name, why);
		is_int(cli_plan_ends(&p, r.failed, r.failed, why, sizeof(why)),
		    rules[i].ends, "behind: %s %s", rules[i].name, why);
		cli_plan_clear(&p);
	}
}

static void
random_order(void)
{
	struct fanout_error e;
	struct cli_plan a = { .random = true }, b = a, c = a;
	size_t i, moved = 0;

	if (cli_plan_make(&a, hosts, NULL, 7, &e) != 0 ||
	    cli_plan_make(&b, hosts, NULL, 7, &e) != 0 ||
	    cli_plan_make(&c, hosts, NULL, 8, &e) != 0)
		abort();
	ok(!cli_plan_whole(&a), "an order of its own");
	ok(memcmp(a.order, b.order, 20 * sizeof(*a.order)) == 0,
	    "the same seed, the same order");
	ok(memcmp(a.order, c.order, 20 * sizeof(*a.order)) != 0,
	    "another one, another");
	for (i = 0; i < 20; i++)
		moved += a.order[i] != i;
	ok(moved > 10, "%zu of 20 moved", moved);
	cli_plan_clear(&a);
	cli_plan_clear(&b);
	cli_plan_clear(&c);
}

int
main(void)
{
	if (fanout_hosts_new(&hosts) != 0 ||
	    fanout_hosts_add(hosts, "n[0-19]", NULL) != 0)
		return 1;
	sizes();
	wrong();
	stops();
	random_order();
	fanout_hosts_free(hosts);
	return test_end();
}
