#include <limits.h>
#include <time.h>

#include "clock.h"

int64_t
fo_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
fo_deadline(int64_t now, int ms)
{
	return ms <= 0 ? FO_NEVER : now + ms;
}

int
fo_until(int64_t now, int64_t when)
{
	if (when == FO_NEVER)
		return -1;
	if (when <= now)
		return 0;
	return when - now > INT_MAX ? INT_MAX : (int)(when - now);
}
