/*
 * hostexpr - evaluate host expressions for the tests of the shell.
 *
 *	hostexpr [GROUPS] <expressions	one a line; prints the hosts of each,
 *					sorted, or "error: offset: text"
 *	hostexpr -w <arguments		as -w takes them
 *	hostexpr -t FILE FILE		time: expand the first file's expression,
 *					fold it, take away the second's; prints
 *					milliseconds and what is left, folded
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fanout.h"

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
print_sorted(const struct fanout_hosts *s)
{
	size_t i, n = fanout_hosts_count(s);
	const char **v = reallocarray(NULL, n + 1, sizeof(*v));

	if (v == NULL)
		err(1, NULL);
	for (i = 0; i < n; i++)
		v[i] = fanout_hosts_at(s, i);
	qsort(v, n, sizeof(*v), by_name);
	for (i = 0; i < n; i++)
		printf("%s%s", i > 0 ? " " : "", v[i]);
	printf("\n");
	free(v);
}

static int
evaluate(const char *text, int as_w, struct fanout_groups *g,
    struct fanout_hosts **s, struct fanout_error *e)
{
	struct fanout_selection *sel;
	int rc;

	if (!as_w) {
		if (fanout_hosts_new(s) != 0)
			err(1, NULL);
		fanout_hosts_use_groups(*s, g);
		return fanout_hosts_add(*s, text, e);
	}
	*s = NULL;
	if (fanout_selection_new(&sel) != 0)
		err(1, NULL);
	if ((rc = fanout_selection_add(sel, FANOUT_SELECT_HOSTS, text, e)) == 0)
		rc = fanout_selection_finish(s, sel, e);
	fanout_selection_free(sel);
	return rc;
}

static void
each_line(int as_w, const char *groups)
{
	struct fanout_groups *g = NULL;
	struct fanout_hosts *s;
	struct fanout_error e;
	char *line = NULL;
	size_t size = 0;

	if (groups != NULL && (fanout_groups_new(&g) != 0 ||
	    fanout_groups_file(g, "local", groups, &e) != 0))
		errx(1, "%s", e.text);
	while (getline(&line, &size, stdin) != -1) {
		line[strcspn(line, "\n")] = '\0';
		if (evaluate(line, as_w, g, &s, &e) != 0)
			printf("error: %zu: %s\n", e.offset, e.text);
		else
			print_sorted(s);
		fanout_hosts_free(s);
	}
	free(line);
	fanout_groups_free(g);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static char *
slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (f == NULL || getdelim(&text, &size, '\0', f) == -1)
		err(1, "%s", path);
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void
timed(const char *path, const char *minus)
{
	char *expr = slurp(path), *less = slurp(minus), *fold, *left;
	struct fanout_hosts *s, *t;
	struct fanout_error e;
	double t0 = now(), t1, t2, t3;

	if (fanout_hosts_new(&s) != 0 || fanout_hosts_new(&t) != 0)
		err(1, NULL);
	fanout_hosts_limit(s, 10000000);
	fanout_hosts_limit(t, 10000000);
	if (fanout_hosts_add(s, expr, &e) != 0 ||
	    fanout_hosts_add(t, less, &e) != 0)
		errx(1, "%s", e.text);
	t1 = now();
	if (fanout_hosts_fold(s, &fold) != 0)
		err(1, NULL);
	t2 = now();
	if (fanout_hosts_subtract(s, t) != 0)
		err(1, NULL);
	t3 = now();
	if (fanout_hosts_fold(s, &left) != 0)
		err(1, NULL);
	printf("%.3f %.3f %.3f %zu %zu\n", t1 - t0, t2 - t1, t3 - t2,
	    fanout_hosts_count(s), strlen(left));
	free(fold);
	free(left);
	fanout_hosts_free(s);
	fanout_hosts_free(t);
	free(expr);
	free(less);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "-t") == 0)
		timed(argv[2], argv[3]);
	else if (argc == 2 && strcmp(argv[1], "-w") == 0)
		each_line(1, NULL);
	else if (argc <= 2)
		each_line(0, argc == 2 ? argv[1] : NULL);
	else {
		fprintf(stderr, "usage: hostexpr [groups | -w | -t file file]\n");
		return 2;
	}
	return 0;
}
