/*
 * t_marks.c - hosts marked dead: what a file says, who is covered, and how it
 * changes.
 */
#include <sys/stat.h>

#include <time.h>
#include <unistd.h>

#include "fanout.h"
#include "test.h"

static char dir[64], path[128];

static void
put_file(const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
}

static const char *
get_file(void)
{
	static char buf[4096];
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

	buf[n] = '\0';
	if (f != NULL)
		fclose(f);
	return buf;
}

static void
test_why(void)
{
	static const struct {
		const char *host, *why;
	} t[] = {
		{ "n1", "marked dead by eve since 2026-11-01T10:00Z: no power" },
		{ "root@n2", "marked dead by eve since 2026-11-01T10:00Z: no power" },
		{ "n2:2222", "marked dead by eve since 2026-11-01T10:00Z: no power" },
		{ "n4", NULL },
		{ "m1", "marked dead" },
		{ "old", NULL },
		{ "later", "marked dead: until=never" },
		{ "n", NULL }
	};
	struct fanout_error e;
	struct fanout_marks *ms;
	size_t i;

	put_file("# who is down\n\n"
	    "n[1-3] since=2026-11-01T10:00Z by=eve no power\n"
	    "  m1\n"
	    "old until=2001-01-01T00:00Z gone by\n"
	    "later until=2099-01-01T00:00Z until=never\n");
	if (!ok(fanout_marks_load(&ms, path, &e) != 0, "a bad time: %s", e.text))
		fanout_marks_free(ms);
	put_file("# who is down\n\n"
	    "n[1-3] since=2026-11-01T10:00Z by=eve no power\n"
	    "  m1\n"
	    "old until=2001-01-01T00:00Z gone by\n"
	    "later until=2099-01-01T00:00Z : until=never\n");
	ok(fanout_marks_load(&ms, path, &e) == 0, "loads");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (t[i].why != NULL && strstr(t[i].why, "never") != NULL)
			ok(fanout_marks_why(ms, t[i].host) != NULL, "%s",
			    t[i].host);
		else
			is_str(fanout_marks_why(ms, t[i].host), t[i].why, "%s",
			    t[i].host);
	fanout_marks_free(ms);
	put_file("n[1-\n");
	is_int(fanout_marks_load(&ms, path, &e), FANOUT_EPARSE,
	    "a bad expression: %s", e.text);
	ok(ms == NULL, "and no marks");
}

static struct fanout_hosts *
hosts(const char *expr)
{
	struct fanout_hosts *h;

	if (fanout_hosts_new(&h) != 0 || fanout_hosts_add(h, expr, NULL) != 0)
		abort();
	return h;
}

static void
test_change(void)
{
	struct fanout_hosts *h = hosts("a[1-3]"), *two = hosts("a2");
	struct fanout_error e;
	struct fanout_marks *ms;
	struct stat st;

	put_file("# kept  as it is\nx1   reason  with  blanks\n");
	chmod(path, 0640);
	is_int(fanout_marks_add(path, h, "a b", 0, &e), 0, "add");
	ok(strncmp(get_file(), "# kept  as it is\nx1   reason  with  blanks\n"
	    "a[1-3] since=", 56) == 0, "others stay as they were");
	stat(path, &st);
	is_int(st.st_mode & 0777, 0640, "the mode stays");
	is_int(fanout_marks_remove(path, two, &e), 0, "remove one");
	ok(strstr(get_file(), "\na[1,3] since=") != NULL, "two are left");
	fanout_marks_load(&ms, path, &e);
	ok(fanout_marks_why(ms, "a2") == NULL, "a2 lives");
	ok(fanout_marks_why(ms, "a3") != NULL, "a3 does not");
	fanout_marks_free(ms);
	is_int(fanout_marks_remove(path, h, &e), 0, "remove the rest");
	is_str(get_file(), "# kept  as it is\nx1   reason  with  blanks\n",
	    "the line is gone");
	is_int(fanout_marks_add(path, two, NULL, time(NULL) + 3600, &e), 0,
	    "with an end");
	ok(strstr(get_file(), "\na2 since=") != NULL &&
	    strstr(get_file(), " until=") != NULL, "is written");
	is_int(fanout_marks_add(path, two, "two\nlines", 0, &e), FANOUT_EINVAL,
	    "%s", e.text);
	unlink(path);
	if (symlink("/etc/passwd", path) == 0)
		is_int(fanout_marks_add(path, two, NULL, 0, &e),
		    FANOUT_EPARSE, "not through a link: %s", e.text);
	fanout_hosts_free(h);
	fanout_hosts_free(two);
	unlink(path);
}

int
main(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/fanout-marks.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/dead", dir);
	test_why();
	test_change();
	rmdir(dir);
	return test_end();
}
