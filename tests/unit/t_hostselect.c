/*
 * Host files, groups from files, and what the options of a command line
 * select.
 */
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "fanout.h"
#include "test.h"

#define TMPDIR_NAME "t_hostselect"
#include "tmpdir.h"

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0)
		exit(1);
}

static void
input(const char *name)
{
	int fd = open(in_dir(name), O_RDONLY);

	if (fd == -1 || dup2(fd, STDIN_FILENO) == -1)
		exit(1);
	close(fd);
}

static void
is_fold(const struct fanout_hosts *s, const char *want, const char *what)
{
	char *fold;

	fanout_hosts_fold(s, &fold);
	is_str(fold, want, "%s", what);
	free(fold);
}

static void
test_files(void)
{
	struct fanout_hosts *s;
	struct fanout_error err;

	mkdir(in_dir("sub"), 0700);
	put("one", "# all of them\n\n  n[1-3]  # three\r\n"
	    "#include sub/two\n#include sub/two\n#include one\nz!z,y\n");
	put("sub/two", "t1,t2\n#include three\n #include nothing\n");
	put("sub/three", "last");
	put("bad", "a\nb\n  x[1-\n");
	put("missing", "a\n#include ./no-such-file\n");
	put("wide", "a b\n");
	fanout_hosts_new(&s);
	is_int(fanout_hosts_load(s, in_dir("one"), &err), 0, "a file");
	is_fold(s, "n[1-3],t[1-2],last,y", "its hosts, in order");
	is_int(fanout_hosts_load(s, in_dir("bad"), &err), FANOUT_EPARSE, "bad");
	is_int(err.line, 3, "its line");
	is_int(err.offset, 3, "its column");
	ok(strstr(err.text, "/bad:3:4: ") != NULL, "said so");
	is_int(fanout_hosts_count(s), 7, "nothing of it was added");
	is_int(fanout_hosts_load(s, in_dir("missing"), &err), FANOUT_ESYS,
	    "an included file is missing");
	is_int(fanout_hosts_load(s, in_dir("wide"), &err), FANOUT_EPARSE,
	    "two words");
	is_int(fanout_hosts_load(s, dir, &err), FANOUT_ESYS, "a folder");
	fanout_hosts_free(s);
}

static const char *const options[][10] = {
	/* the fold, then option, text pairs; "!text": the error has text */
	{ "foo[1,3]", "w", "foo[1-3],-foo2" },
	{ "foo[1,11]", "w", "foo[1-20],/1$/" },
	{ "foo[1-5]", "w", "foo[1-20],/foo.$/", "x", "/[6-9]/" },
	{ "a,b", "w", "a", "w", "b" },
	{ "a,b", "w", "a", "w", "b!a" },
	{ "b", "x", "a", "w", "a,b" },
	{ "n[1-3],t[1-2],last,y", "w", "^DIR/one" },
	{ "y", "w", "^DIR/one,-^DIR/drop" },
	{ "t[1-2]", "w", "^DIR/one , /^t/" },
	{ "n1,t[1-2],last,y", "F", "DIR/one", "x", "n[2-9]" },
	{ "a,c", "w", "a,-u@b,c" },
	{ "b", "w", "a,b", "x", "x@a,a" },
	{ "", "w", "a", "x", "a" },
	{ "h[1-2]", "w", "u@h1,-u@h1,h[1-2]" },
	{ "u@h2", "w", "u@h[1-2]", "x", "h1" },
	{ "a,d", "w", "a,b!b,^DIR/d" },
	{ "b", "w", "a,^DIR/b,c&b" },
	{ "in[1-2]", "w", "-" },
	{ "in[1-2]", "F", "-" },
	{ "a,in2", "w", "a,-,-in1" },
	{ "web[1-3]", "g", "web" },
	{ "web[1-3],db1", "g", "web, @db" },
	{ "web[2-3]", "w", "@web", "x", "web1" },
	{ "web[1-3],db1", "w", "@all!@fanout:old" },
	{ "web[1-3],db1,old[1-2]", "a", "" },
	{ "web[1-3]", "a", "", "X", "db,old" },
	{ "web[1-2],db1", "w", "@nested" },
	{ "rack[1-2]n1", "w", "@rack[1-2]" },
	{ "web,db,old,all,nested,rack[1-2],members,loop[1-2],hurt,empty",
	    "w", "@@" },
	{ "web[1-3]", "w", "web*" },
	{ "web1,db1,old1", "w", "*1" },
	{ "u@web[1-3]:22", "w", "u@w?b*:22" },
	{ "web[1-3]", "w", "@*&web*" },
	{ "", "w", "@empty" },
	{ "m[1-3]", },
	{ "m[2-3]", "x", "m1" },
	{ "m2", "w", "/2/" },
	{ "m[1,3]", "w", "-m2" },
	{ "!no group 'nope'", "w", "@nope" },
	{ "!no group 'nope' in the group source 'fanout'", "w",
	    "@fanout:nope" },
	{ "!no group source 'src'", "w", "@src:web" },
	{ "!defined by itself", "w", "@loop1" },
	{ "!@hurt: this '[' is not closed", "w", "a,@hurt" },
	{ "!expected ','", "w", "a,-b!c" },
	{ "!expected a file name", "w", "a,^" },
	{ "!already", "x", "-a" },
	{ "!expected a host name", "w", "a,,b" },
	{ "!expected a host name", "w", "a," },
	{ "!no-such-file", "w", "^DIR/no-such-file" },
	{ "!/(/: ", "w", "a,/(/" },
	{ "!read already", "w", "-,-" },
	{ "!expected the name", "g", "web," },
	{ "!there is no group", "g", "wev" },
};

/* DIR in a text is our folder. */
static void
fill(char *dst, size_t size, const char *src)
{
	const char *at = strstr(src, "DIR");

	if (at == NULL)
		snprintf(dst, size, "%s", src);
	else {
		snprintf(dst, size, "%.*s%s", (int)(at - src), src, dir);
		fill(strchr(dst, '\0'), size - strlen(dst), at + 3);
	}
}

static void
test_one(const char *const *row)
{
	struct fanout_selection *sel;
	struct fanout_hosts *s = NULL;
	struct fanout_error err = { 0 };
	char text[512], what[600] = "";
	int i, rc = 0;

	fanout_selection_new(&sel);
	input("in");
	for (i = 1; rc == 0 && row[i] != NULL; i += 2) {
		fill(text, sizeof(text), row[i + 1]);
		snprintf(strchr(what, '\0'), sizeof(what) - strlen(what),
		    " -%s %s", row[i], row[i + 1]);
		rc = fanout_selection_add(sel,
		    (enum fanout_select)row[i][0], text, &err);
	}
	if (rc == 0)
		rc = fanout_selection_finish(&s, sel, &err);
	if (*row[0] == '!') {
		ok(rc != 0, "refused:%s", what);
		if (!ok(strstr(err.text, row[0] + 1) != NULL, "why"))
			printf("# %s\n", err.text);
	} else if (ok(rc == 0, "taken:%s", what))
		is_fold(s, row[0], "these");
	else
		printf("# %s\n", err.text);
	fanout_hosts_free(s);
	fanout_selection_free(sel);
}

static void
test_options(void)
{
	size_t i;

	put("drop", "n[1-3],t[1-2],last\n");
	put("d", "d\n");
	put("b", "b\n");
	put("in", "in1\nin2\n");
	put("groups", "# groups\nweb: web[1-2]\nweb: web3\ndb : db1 \n"
	    "old: old1 old2\nall: @web,@db @old\nnested: @web!web3 , @db\n"
	    "rack1: rack1n1\nrack2: rack2n1\nmembers: m[1-3]\n"
	    "loop1: @loop2\nloop2: a,@loop1\nhurt: a[\nempty:\n");
	setenv("FANOUT_GROUPS", in_dir("groups"), 1);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		test_one(options[i]);
}

static void
is_default(const char *want)
{
	const char *const row[] = { want, NULL };

	test_one(row);
}

static void
test_default(void)
{
	put("wcoll", "w[1-2]\n");
	put("dsau", "c1\nc2\n");
	put("nothing", "# no groups\n");
	setenv("WCOLL", in_dir("wcoll"), 1);
	is_default("w[1-2]");
	setenv("CFANOUT_HOSTS", in_dir("dsau"), 1);
	is_default("c[1-2]");
	setenv("CFANOUT_HOSTS", in_dir("no-such-file"), 1);
	is_default("!CFANOUT_HOSTS: cannot open");
	unsetenv("CFANOUT_HOSTS");
	unsetenv("WCOLL");
	setenv("FANOUT_GROUPS", in_dir("nothing"), 1);
	is_default("!no hosts are given: use -w");
}

static void
test_place(void)
{
	static const struct {
		enum fanout_select how;
		const char *text;
		size_t offset;
	} t[] = {
		{ FANOUT_SELECT_HOSTS, "ab,cd[", 5 },
		{ FANOUT_SELECT_HOSTS, "ab,-cd[", 6 },
		{ FANOUT_SELECT_HOSTS, "a,/b/,x[z]", 8 },
		{ FANOUT_SELECT_HOSTS, "a,@nope", 2 },
		{ FANOUT_SELECT_GROUP, "web,nope", 4 },
		{ FANOUT_SELECT_GROUP, "web,@nope", 4 },
		{ FANOUT_SELECT_GROUP, "web[", 3 },
	};
	struct fanout_selection *sel;
	struct fanout_error err;
	size_t i;

	setenv("FANOUT_GROUPS", in_dir("groups"), 1);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		fanout_selection_new(&sel);
		ok(fanout_selection_add(sel, t[i].how, t[i].text, &err) != 0,
		    "wrong: %s", t[i].text);
		is_int(err.offset, t[i].offset, "where");
		fanout_selection_free(sel);
	}
}

static void
test_pick(void)
{
	struct fanout_selection *sel;
	struct fanout_hosts *s;
	const uint64_t seed = 1;

	fanout_selection_new(&sel);
	fanout_selection_pick(sel, 3, &seed);
	fanout_selection_add(sel, FANOUT_SELECT_HOSTS, "n[1-9]", NULL);
	fanout_selection_add(sel, FANOUT_SELECT_NOT_HOSTS, "n[1-7]", NULL);
	is_int(fanout_selection_finish(&s, sel, NULL), 0, "pick");
	is_fold(s, "n[8-9]", "of what is left");
	fanout_hosts_free(s);
	fanout_selection_free(sel);
}

static void
test_explain(void)
{
	static const char *const t[][2] = {
		{ "n1", "named by -w n[1-9]\nleft out by -w -n1\n" },
		{ "n2", "named by -w n[1-9]\ntaken out by -w !n[2-3]\n" },
		{ "n4", "named by -w n[1-9]\n" },
		{ "n5", "named by -w n[1-9]\nleft out by -x n5\n" },
		{ "n9", "named by -w n[1-9]\nleft out by -/9/\n" },
		{ "web2", "named by -g @web\nnamed by -w @web\n"
		    "taken out by -w &@db\n" },
		{ "t1", "named by --hostfile DIR/sub/two:1: t1\n" },
		{ "last", "named by --hostfile DIR/sub/three:1: last\n" },
		{ "deep", "" },
		{ "n3", "named by -w n[1-9]\ntaken out by -w !n[2-3]\n" },
	};
	struct fanout_selection *sel;
	struct fanout_hosts *s;
	char *text, want[512];
	size_t i;

	fanout_selection_new(&sel);
	is_int(fanout_selection_explain(sel, "a", &text), FANOUT_EINVAL,
	    "nothing was traced");
	fanout_selection_trace(sel);
	fanout_selection_add(sel, FANOUT_SELECT_HOSTS,
	    "n[1-9]!n[2-3],-n1,-/9/", NULL);
	fanout_selection_add(sel, FANOUT_SELECT_NOT_HOSTS, "n5", NULL);
	fanout_selection_add(sel, FANOUT_SELECT_GROUP, "web", NULL);
	fanout_selection_add(sel, FANOUT_SELECT_HOSTS, "@web&@db", NULL);
	fanout_selection_add(sel, FANOUT_SELECT_FILE, in_dir("sub/two"), NULL);
	is_int(fanout_selection_finish(&s, sel, NULL), 0, "the selection");
	is_fold(s, "n[4,6-8],web[1-3],t[1-2],last", "is what it is untraced");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		fill(want, sizeof(want), t[i][1]);
		fanout_selection_explain(sel, t[i][0], &text);
		is_str(text, want, "why %s", t[i][0]);
		free(text);
	}
	fanout_hosts_free(s);
	fanout_selection_free(sel);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	unsetenv("CFANOUT_HOSTS");
	unsetenv("WCOLL");
	test_files();
	test_options();
	test_default();
	test_place();
	test_pick();
	test_explain();
	if (fork() == 0)
		execlp("rm", "rm", "-rf", dir, (char *)NULL);
	return test_end();
}
