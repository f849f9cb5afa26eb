/*
 * The expression language and the set behind it.
 */
#include "fanout.h"
#include "test.h"

struct good {
	const char *expr, *fold;
	size_t	 count;
};

static const struct good good[] = {
	{ "a", "a", 1 },
	{ "a,b,a", "a,b", 2 },
	{ " a , b ", "a,b", 2 },
	{ "b,a", "b,a", 2 },
	{ "foo[1-5,7]", "foo[1-5,7]", 6 },
	{ "foo[01-10]", "foo[01-10]", 10 },
	{ "foo[9-11]", "foo[9-11]", 3 },
	{ "foo[08-11]", "foo[08-11]", 4 },
	{ "foo[99-101]", "foo[99-101]", 3 },
	{ "foo[098-101]", "foo[098-101]", 4 },
	{ "foo[1,1,2]", "foo[1-2]", 2 },
	{ "foo[0-6/2]", "foo[0,2,4,6]", 4 },
	{ "foo[1-10/4]", "foo[1,5,9]", 3 },
	{ "foo[1-2]-[0-3]", "foo[1-2]-[0-3]", 8 },
	{ "a[1-2]b[1-2]c[1-2]", "a[1-2]b[1-2]c[1-2]", 8 },
	{ "foo[19]", "foo19", 1 },
	{ "foo1,foo01", "foo[1,01]", 2 },
	{ "n2,n01,n001", "n[2,01,001]", 3 },
	{ "n[9,10],n[09,10]", "n[9,09-10]", 3 },
	{ "n[1-20],n021", "n[1-20,021]", 21 },
	{ "n[08-99],n100", "n[08-99,100]", 93 },
	{ "h[1-2].x.com", "h[1-2].x.com", 2 },
	{ "node[ 1 - 3 , 5 ]", "node[1-3,5]", 4 },
	{ "12[1-2]", "[121-122]", 2 },
	{ "[1-3]", "[1-3]", 3 },
	{ "123", "123", 1 },
	{ "1node[1-3]", "1node[1-3]", 3 },
	{ "node-00[1-6]0", "node-[0010,0020,0030,0040,0050,0060]", 6 },
	{ "n[8-12]0", "n[80,90,100,110,120]", 5 },
	{ "node[1-9]!node6", "node[1-5,7-9]", 8 },
	{ "node[1-9]&node[6-12]", "node[6-9]", 4 },
	{ "node[1-9]^node[6-11]", "node[1-5,10-11]", 7 },
	{ "node[1-4],node[6-9]!node[3-7]&node[1-2]", "node[1-2]", 2 },
	{ "a!a", "", 0 },
	{ "u@h[1-2]", "u@h[1-2]", 2 },
	{ "u@d.com@h", "u@d.com@h", 1 },
	{ "h[1-2]:22", "h[1-2]:22", 2 },
	{ "h:[22-23]", "h:[22-23]", 2 },
	{ "[2001:db8::1]:22", "[2001:db8::1]:22", 1 },
	{ "u@[2001:db8::1]:22", "u@[2001:db8::1]:22", 1 },
	{ "[::1]", "::1", 1 },
	{ "u@[::1]", "u@::1", 1 },
	{ "::1,[::1]", "::1", 1 },
	{ "fe80::1%eth0", "fe80::1%eth0", 1 },
	{ "2001:db8::[1-3]", "2001:db8::[1-3]", 3 },
	{ "10.0.[0-1].[1-2]", "10.0.[0-1].[1-2]", 4 },
	{ "a1x1,a2x2", "a1x1,a2x2", 2 },
	{ "a[1-3]x[1-3]!a2x2", "a[1,3]x[1-3],a2x[1,3]", 8 },
	{ "n[1-3]-eth0", "n[1-3]-eth0", 3 },
	/* a mask without user and port covers every user and port */
	{ "u@h1,h1:2222,u@h1:22,h2!h1", "h2", 1 },
	{ "u@h1,v@h1,h1!u@h1", "v@h1,h1", 2 },
	{ "u@h1:22,u@h1:23!u@h1", "", 0 },
	{ "h1:22,h1:23!h1:22", "h1:23", 1 },
	{ "u@h1:22,u@h1:23!h1:22", "u@h1:23", 1 },
	{ "[::1]:22,::1!::1", "", 0 },
	{ "u@h[1-9]&h[2-3]", "u@h[2-3]", 2 },
	{ "x12345678901234567890,x12345678901234567891",
	    "x12345678901234567890,x12345678901234567891", 2 },
	{ "n[99999999999999998-99999999999999999]",
	    "n[99999999999999998-99999999999999999]", 2 },
};

struct bad {
	const char *expr;
	int	 code;
	size_t	 offset;
	const char *text;	/* part of the message */
};

static const struct bad bad[] = {
	{ "", FANOUT_EPARSE, 0, "expected a host name or @group" },
	{ "  ", FANOUT_EPARSE, 2, "expected a host name" },
	{ "a,,b", FANOUT_EPARSE, 2, "expected a host name" },
	{ "a,", FANOUT_EPARSE, 2, "expected a host name" },
	{ ",a", FANOUT_EPARSE, 0, "expected a host name" },
	{ "a!", FANOUT_EPARSE, 2, "expected a host name" },
	{ "a b", FANOUT_EPARSE, 2, "expected an operator" },
	{ "n [1-2]", FANOUT_EPARSE, 2, "expected an operator" },
	{ "foo[5-1]", FANOUT_EPARSE, 4, "backwards" },
	{ "foo[a-c]", FANOUT_EPARSE, 4, "expected a number" },
	{ "foo[]", FANOUT_EPARSE, 4, "expected a number" },
	{ "foo[1-2,]", FANOUT_EPARSE, 8, "expected a number" },
	{ "foo[1-]", FANOUT_EPARSE, 6, "end of the range" },
	{ "foo[1-", FANOUT_EPARSE, 3, "not closed" },
	{ "foo[1 2]", FANOUT_EPARSE, 6, "expected ',' or ']'" },
	{ "foo1-2]", FANOUT_EPARSE, 6, "without its '['" },
	{ "foo[1-2]]", FANOUT_EPARSE, 8, "without its '['" },
	{ "foo[5/2]", FANOUT_EPARSE, 5, "expected ',' or ']'" },
	{ "foo[1-3/0]", FANOUT_EPARSE, 8, "never ends" },
	{ "foo[1-3/]", FANOUT_EPARSE, 8, "expected a step" },
	{ "foo[-1-2]", FANOUT_EPARSE, 4, "expected a number" },
	{ "a,foo[9-011]", FANOUT_EPARSE, 6, "equally long" },
	{ "foo[01-100]", FANOUT_EPARSE, 4, "equally long" },
	{ "n1[9-10]", FANOUT_EPARSE, 2, "beside digits" },
	{ "n[0-10]0", FANOUT_EPARSE, 1, "beside digits" },
	{ "n[0-6/2]0", FANOUT_EPARSE, 1, "step" },
	{ "a[1-2][3-4]", FANOUT_EPARSE, 6, "between two brackets" },
	{ "a[1-2]0[3-4]", FANOUT_EPARSE, 7, "between two brackets" },
	{ "a;b", FANOUT_EPARSE, 1, "cannot stand" },
	{ "a/b", FANOUT_EPARSE, 1, "cannot stand" },
	{ "a$(x)", FANOUT_EPARSE, 1, "cannot stand" },
	{ "x,-a", FANOUT_EPARSE, 2, "begin with '-'" },
	{ "u@-a", FANOUT_EPARSE, 0, "begin with '-'" },
	{ "-u@a", FANOUT_EPARSE, 0, "begin with '-'" },
	{ "..", FANOUT_EPARSE, 0, "begin with '.'" },
	{ "h:0", FANOUT_EPARSE, 0, "65535" },
	{ "h:65536", FANOUT_EPARSE, 0, "65535" },
	{ "h:", FANOUT_EPARSE, 0, "65535" },
	{ "h:ssh", FANOUT_EPARSE, 0, "65535" },
	{ "u@", FANOUT_EPARSE, 0, "empty" },
	{ "[::1]x", FANOUT_EPARSE, 0, ":port" },
	{ "[::1]:0", FANOUT_EPARSE, 0, "65535" },
	{ "n[1-1000000000000]", FANOUT_ELIMIT, 0, "1000000000000 hosts" },
	{ "n[1-1000]x[1-1000]y[1-2]", FANOUT_ELIMIT, 0, "limit" },
	{ "a[1-9]b[0-9999999999999999]c[0-9999999999999999]"
	    "d[0-9999999999999999]", FANOUT_ELIMIT, 0, "limit" },
	{ "n[0-999999999999999999]", FANOUT_ELIMIT, 4, "digits" },
	{ "@web", FANOUT_ECONFIG, 0, "no group source" },
	{ "a,web*", FANOUT_ECONFIG, 2, "no group source" },
};

static void
test_good(void)
{
	struct fanout_hosts *s, *again;
	struct fanout_error err;
	char *fold;
	size_t i, k, same;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		fanout_hosts_new(&s);
		if (!ok(fanout_hosts_add(s, good[i].expr, &err) == 0,
		    "\"%s\" parses", good[i].expr)) {
			printf("# %s\n", err.text);
			fanout_hosts_free(s);
			continue;
		}
		is_int(fanout_hosts_count(s), good[i].count, "its count");
		fanout_hosts_fold(s, &fold);
		is_str(fold, good[i].fold, "its fold");
		fanout_hosts_new(&again);
		for (k = same = 0; *fold != '\0' && fanout_hosts_add(again,
		    fold, &err) == 0 && k < fanout_hosts_count(s); k++)
			same += fanout_hosts_find(again,
			    fanout_hosts_at(s, k)) != FANOUT_NOHOST;
		ok(same == fanout_hosts_count(s) &&
		    fanout_hosts_count(again) == same, "the fold is the set");
		free(fold);
		fanout_hosts_free(again);
		fanout_hosts_free(s);
	}
}

static void
test_bad(void)
{
	struct fanout_hosts *s;
	struct fanout_error err;
	size_t i;

	fanout_hosts_new(&s);
	fanout_hosts_add(s, "keep[1-3]", NULL);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&err, 0, sizeof(err));
		is_int(fanout_hosts_add(s, bad[i].expr, &err), bad[i].code,
		    "\"%s\" is refused", bad[i].expr);
		is_int(err.offset, bad[i].offset, "where");
		if (!ok(strstr(err.text, bad[i].text) != NULL, "why"))
			printf("# %s\n", err.text);
	}
	is_int(fanout_hosts_count(s), 3, "the set is as it was");
	is_int(fanout_hosts_find(s, "keep2"), 1, "its index too");
	ok(fanout_hosts_add(s, "a,b", NULL) == 0 &&
	    fanout_hosts_add(s, "x[1-2],-y", NULL) == FANOUT_EPARSE &&
	    fanout_hosts_find(s, "x1") == FANOUT_NOHOST &&
	    fanout_hosts_find(s, "b") == 4, "a failed addition leaves nothing");
	fanout_hosts_free(s);
}

static void
test_set(void)
{
	struct fanout_hosts *a, *b;
	struct fanout_error err;
	char *fold;
	size_t i, n;

	fanout_hosts_new(&a);
	fanout_hosts_new(&b);
	fanout_hosts_limit(a, 10);
	is_int(fanout_hosts_add(a, "n[1-10]", &err), 0, "a full set");
	is_int(fanout_hosts_add(a, "n[5-10]", &err), 0, "nothing new");
	is_int(fanout_hosts_add(a, "x", &err), FANOUT_ELIMIT, "one too many");
	ok(strstr(err.text, "10 hosts") != NULL, "names the limit");
	is_int(fanout_hosts_remove(a, "n[2-9]", &err), 0, "remove");
	is_str(fanout_hosts_at(a, 1), "n10", "order kept");
	ok(fanout_hosts_at(a, 2) == NULL, "nothing behind the end");
	is_int(fanout_hosts_remove(a, "n[", &err), FANOUT_EPARSE, "bad remove");
	is_int(fanout_hosts_count(a), 2, "changed nothing");
	fanout_hosts_add(b, "n[1-3]", &err);
	is_int(fanout_hosts_xor(a, b), 0, "xor");
	fanout_hosts_fold(a, &fold);
	is_str(fold, "n[2-3,10]", "of both");
	free(fold);
	is_int(fanout_hosts_xor(a, a), 0, "xor with itself");
	is_int(fanout_hosts_count(a), 0, "is empty");
	fanout_hosts_free(a);

	fanout_hosts_new(&a);
	is_int(fanout_hosts_add(a, "r[1-100]n[1-1000]", &err), 0, "100,000");
	is_int(fanout_hosts_remove(a, "r[1-50]n[1-1000]", &err), 0, "half");
	n = fanout_hosts_count(a);
	is_int(n, 50000, "are left");
	for (i = 0; i < n; i++)
		if (fanout_hosts_find(a, fanout_hosts_at(a, i)) != i)
			break;
	is_int(i, n, "each is found where it stands");
	fanout_hosts_fold(a, &fold);
	is_str(fold, "r[51-100]n[1-1000]", "and they fold");
	free(fold);
	fanout_hosts_free(a);
	fanout_hosts_free(b);
}

static void
test_parts(void)
{
	static const size_t want[] = { 4, 3, 3 };
	const uint64_t seed = 7;
	struct fanout_hosts *a, *b, *c;
	struct fanout_error err;
	char *fold;
	size_t i;

	fanout_hosts_new(&a);
	fanout_hosts_add(a, "n[1-10]", &err);
	is_int(fanout_hosts_slice(&b, a, "0,2-8/3,9-99", &err), 0, "slice");
	fanout_hosts_fold(b, &fold);
	is_str(fold, "n[1,3,6,9-10]", "takes these");
	free(fold);
	fanout_hosts_free(b);
	is_int(fanout_hosts_slice(&b, a, "2-x", &err), FANOUT_EPARSE,
	    "a bad slice");
	is_int(err.offset, 2, "where");
	ok(b == NULL, "no set");
	for (i = 0; i < 3; i++) {
		is_int(fanout_hosts_share(&b, a, 3, i), 0, "share %zu", i);
		is_int(fanout_hosts_count(b), want[i], "its size");
		fanout_hosts_free(b);
	}
	is_int(fanout_hosts_share(&b, a, 3, 3), FANOUT_EINVAL, "no share 3");
	fanout_hosts_pick(&b, a, 4, &seed);
	fanout_hosts_pick(&c, a, 4, &seed);
	is_int(fanout_hosts_count(b), 4, "pick 4");
	fanout_hosts_xor(b, c);
	is_int(fanout_hosts_count(b), 0, "the same seed, the same hosts");
	fanout_hosts_free(b);
	fanout_hosts_free(c);
	fanout_hosts_pick(&b, a, 99, NULL);
	is_int(fanout_hosts_count(b), 10, "pick more than there are");
	fanout_hosts_free(b);
	fanout_hosts_free(a);
}

static void
test_split(void)
{
	static const struct {
		const char *host, *user, *name;
		unsigned port;
	} t[] = {
		{ "h", "", "h", 0 },
		{ "u@h", "u", "h", 0 },
		{ "u@h:22", "u", "h", 22 },
		{ "u@x@h:22", "u@x", "h", 22 },
		{ "::1", "", "::1", 0 },
		{ "[::1]:2222", "", "::1", 2222 },
		{ "u@[fe80::1%lo]:1", "u", "fe80::1%lo", 1 },
	};
	struct fanout_hostspec hs;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		is_int(fanout_host_split(t[i].host, &hs), 0, "%s", t[i].host);
		ok(hs.user_len == strlen(t[i].user) && memcmp(hs.user == NULL ?
		    "" : hs.user, t[i].user, hs.user_len) == 0, "its user");
		ok(hs.name_len == strlen(t[i].name) &&
		    memcmp(hs.name, t[i].name, hs.name_len) == 0, "its name");
		is_int(hs.port, t[i].port, "its port");
	}
	ok(fanout_host_split("a b", &hs) != 0, "a blank");
	ok(fanout_host_split("", &hs) != 0, "nothing");
	ok(fanout_host_split("a:1:", &hs) == 0, "taken for an address");
}

static void
test_caret(void)
{
	struct fanout_error err = { .code = FANOUT_EPARSE, .offset = 4 };
	char big[301], *s;

	s = fanout_error_caret(&err, "foo[x]");
	is_str(s, "    foo[x]\n        ^\n", "below the place");
	free(s);
	s = fanout_error_caret(&err, "a\033[\n\xff]");
	is_str(s, "    a?[??]\n        ^\n", "nothing drives the terminal");
	free(s);
	memset(big, 'a', 300);
	big[300] = '\0';
	big[200] = 'X';
	err.offset = 200;
	s = fanout_error_caret(&err, big);
	ok(s != NULL && s[strcspn(s, "^") - 75] == 'X', "a long expression");
	free(s);
	err.line = 3;
	ok(fanout_error_caret(&err, big) == NULL, "the place is in a file");
}

int
main(void)
{
	test_good();
	test_bad();
	test_set();
	test_parts();
	test_split();
	test_caret();
	return test_end();
}
