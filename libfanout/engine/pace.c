/*
 * pace.c - so many bytes a second, and not more.
 */
#include "pace.h"

#define BURST_US 100000

void
pace_init(struct pace *p, uint64_t rate)
{
	p->rate = rate;
	atomic_init(&p->free_at, 0);
}

int
pace_wait(const struct pace *p, int64_t now_ms)
{
	int64_t left;

	if (p->rate == 0)
		return 0;
	left = atomic_load(&p->free_at) - now_ms * 1000;
	return left <= 0 ? 0 : (int)(left / 1000) + 1;
}

void
pace_charge(struct pace *p, uint64_t bytes, int64_t now_ms)
{
	int64_t early = now_ms * 1000 - BURST_US, was, from;
	int64_t cost;

	if (p->rate == 0)
		return;
	cost = (int64_t)((double)bytes * 1e6 / (double)p->rate);
	was = atomic_load(&p->free_at);
	do
		from = was > early ? was : early;
	while (!atomic_compare_exchange_weak(&p->free_at, &was, from + cost));
}
