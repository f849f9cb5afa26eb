/*
 * test.h - the whole unit test framework.
 *
 *	int
 *	main(void)
 *	{
 *		ok(2 + 2 == 4, "sum of %d and %d", 2, 2);
 *		is_int(f(3), 9, "f of 3");
 *		is_str(name(1), "one", "name of 1");
 *		skip(1, "no IPv6 here");
 *		return test_end();
 *	}
 *
 * Each check prints one line ("ok N - what", "not ok N - what"); a failed one
 * says where, what came and what was wanted. The last line of a program is
 * "N passed, N failed, N skipped"; tests/run.sh adds these up. A program that
 * never reaches test_end() counts as failed there.
 *
 * Included by one file a program; checks are for one thread.
 */
#ifndef TEST_H
#define TEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_UNUSED __attribute__((__unused__))

static int test_passed, test_failed, test_skipped;

static void TEST_UNUSED __attribute__((__format__(printf, 4, 5)))
test_check(bool good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	if (good)
		test_passed++;
	else
		test_failed++;
	printf("%sok %d - ", good ? "" : "not ",
	    test_passed + test_failed + test_skipped);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	if (!good)
		printf("  (%s:%d)", file, line);
	printf("\n");
	fflush(stdout);
}

/* Is cond true? The value is the condition, so that a test can stop early. */
#define ok(cond, ...) __extension__ ({					\
	bool test_good = (cond);					\
	test_check(test_good, __FILE__, __LINE__, __VA_ARGS__);	\
	test_good;							\
})

#define is_int(got, want, ...) __extension__ ({				\
	long long test_got = (long long)(got);				\
	long long test_want = (long long)(want);			\
	bool test_same = test_got == test_want;				\
	test_check(test_same, __FILE__, __LINE__, __VA_ARGS__);	\
	if (!test_same)							\
		printf("#  got %lld\n# want %lld\n", test_got, test_want); \
	test_same;							\
})

static void TEST_UNUSED
test_show(const char *what, const char *s)
{
	printf("# %4s ", what);
	if (s == NULL)
		printf("NULL");
	else
		for (putchar('"'); ; s++) {
			if (*s == '\0') {
				putchar('"');
				break;
			}
			if ((unsigned char)*s < ' ')
				printf("\\%03o", (unsigned char)*s);
			else
				putchar(*s);
		}
	printf("\n");
}

#define is_str(got, want, ...) __extension__ ({				\
	const char *test_gs = (got), *test_ws = (want);			\
	bool test_eq = test_gs == test_ws || (test_gs != NULL &&	\
	    test_ws != NULL && strcmp(test_gs, test_ws) == 0);		\
	test_check(test_eq, __FILE__, __LINE__, __VA_ARGS__);		\
	if (!test_eq) {							\
		test_show("got", test_gs);				\
		test_show("want", test_ws);				\
	}								\
	test_eq;							\
})

static void TEST_UNUSED __attribute__((__format__(printf, 2, 3)))
skip(int count, const char *fmt, ...)
{
	va_list ap;

	test_skipped += count;
	printf("skip %d - ", count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

/* The last call of main: prints the counts, returns the exit status. */
static int TEST_UNUSED
test_end(void)
{
	printf("%d passed, %d failed, %d skipped\n", test_passed, test_failed,
	    test_skipped);
	fflush(stdout);
	return test_failed == 0 ? 0 : 1;
}

#endif
