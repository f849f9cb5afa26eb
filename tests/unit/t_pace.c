/* Bytes a second: engine/pace.h. */
#include "engine/pace.h"
#include "test.h"

/* What gets through in so many ms, in pieces, asked for as often as can be. */
static uint64_t
through(struct pace *p, int64_t from, int64_t ms, uint64_t piece)
{
	uint64_t bytes = 0;
	int64_t now = from;
	int wait;

	while (now < from + ms) {
		if ((wait = pace_wait(p, now)) > 0) {
			now += wait;
			continue;
		}
		pace_charge(p, piece, now);
		bytes += piece;
	}
	return bytes;
}

static const struct {
	uint64_t rate, piece;
	int64_t	 ms;
	uint64_t least, most;
} cases[] = {
	{ 1000000, 32768, 10000, 9900000, 10200000 },
	{ 1000000, 100, 10000, 9900000, 10200000 },
	{ 1000, 32768, 10000, 32768, 32768 },
	{ 50000000, 32768, 1000, 49000000, 56000000 },
	{ 1, 1, 5000, 5, 7 }
};

int
main(void)
{
	struct pace p;
	uint64_t bytes;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pace_init(&p, cases[i].rate);
		bytes = through(&p, 1000000, cases[i].ms, cases[i].piece);
		ok(bytes >= cases[i].least && bytes <= cases[i].most,
		    "case %zu: %llu bytes", i, (unsigned long long)bytes);
	}
	/* Without a rate it never waits; one that rested has no hoard. */
	pace_init(&p, 0);
	pace_charge(&p, UINT64_MAX, 5);
	ok(pace_wait(&p, 5) == 0, "no rate");
	pace_init(&p, 1000);
	ok(pace_wait(&p, 100000) == 0, "fresh");
	pace_charge(&p, 100, 100000);
	ok(pace_wait(&p, 100000) == 0, "a tenth of a second at once");
	pace_charge(&p, 100, 100000);
	ok(pace_wait(&p, 100000) == 101, "and then the pace: %d",
	    pace_wait(&p, 100000));
	return test_end();
}
