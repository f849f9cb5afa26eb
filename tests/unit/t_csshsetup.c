/*
 * t_csshsetup.c - the parts of csshsetup that need no host: lines with keys,
 * what its script says, files with fingerprints.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../csshsetup/answer.h"
#include "../../csshsetup/csshsetup.h"
#include "../../csshsetup/edit.h"
#include "../../csshsetup/fingerprints.h"
#include "../../csshsetup/identity.h"
#include "../../csshsetup/index.h"
#include "../../csshsetup/keyline.h"
#include "../../csshsetup/knownline.h"
#include "../../csshsetup/script.h"
#define TMPDIR_NAME "t_csshsetup"
#include "tmpdir.h"

#define ED \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEnV6morCONV/Iyaj/Lmn3GX" \
	"5hiB4K9745NJ5/tDvaVy"
#define RSA1 \
	"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDTipJjcZZDkBKMTCXsQS9f" \
	"/MAFwP9xPZqZHq1lGmYccObPJNOCn+QA/0lQ3Xlf6QH8uU2hEUqUYyEPlNT6" \
	"qbul3fM6EqvZN4gjDsM7Exe2GWwc5jHCmgMvJUzmBB3gM7sGkFRKFVbH2p1U" \
	"kfY5/OitI3Fk06iuHeg1CDs5wDafuQ=="
#define RSA2 \
	"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQClWGUVNfToPKIsjqZiO7eS" \
	"7pL99SYwLIK/qY0cMpTTgdPvB4Fyaw3eP8XvAz61a9RoXOsIj5mEJxuIMt2f" \
	"VQOXMfZp/mdahvEuFqZYKYAmWEbUbymn/cfbDljA7b7q7ubLKM6f7XgndRYx" \
	"8aRxSnXHTPVDdL7a+g5USGXZmLe/m06MBT/viOryCBBCQsiR8yEAOIP9jrD2" \
	"23Xy3gnaEHZQFMlpGonevYQINRwtrWNagIjfqm8eY8VEDI5UL80gDBNz9KEE" \
	"jgUdHwE6aZzAnsZNMNf8eWU4fzBcv3jWhjW9p1OeYfStevok6zRP1Sk2BaDF" \
	"Dma4LcV9c8wo7nSYrG9l"
#define EC \
	"ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlz" \
	"dHAzODQAAABhBF8xY1+7sQWtc07sPVAsiqzb8H00djar2ijCuJ0rrBotXjpV" \
	"eAlKN8J9pT1GNUZygcUPiFhlQKjWllBMQ0jpoLa8LJdWVRHqCO6K3P9DPIwZ" \
	"KIMZkduClUkanNd7221p7A=="
#define DSA \
	"ssh-dss AAAAB3NzaC1kc3MAAACBAM2lDsqU4OZsnI3fejqVD3HUi2wkbitt" \
	"NiBFQlPkFUkNBWhFRsTThN0lbHRkXm2emXR1sXVJ8GcdUweLim/e2FQLv6OL" \
	"PGTsFAG9uEXV/eCtLug6fNB9YWF72rpQYHC9lPe0KI321zF8uKWS2PZguRMs" \
	"uN22Jd8MDnysciDhK78fAAAAFQC/B72+26CzZqWEFlEjOs1cTWN/swAAAIEA" \
	"tfwswlsKXUtzB2z17RYDAe0FZY9teEqpKpS9KZd93J8feSuPtLPZIjTXAwrO" \
	"0N4cOdfX9o53Hipq+A2/b/dqbZ0201w+wkeWKKTTLWUsFjWnftEtBecwhzB8" \
	"n7uTRoTtxgUmZroN4WrGUT1OiYfkP6BYLZrfi46qFlK+AUNO1vwAAACAQDEE" \
	"51yEYTz4R/EKjgksWzCnkrxszBNumT/1t1n8Lk0059xjRp+/yYrvN9nvVHsF" \
	"F9MiFqzqRPzFadJkaTNGvgDityeJ/Z3nl5G2y+4nn2FLoGsdNRIZ6CZ4Tfet" \
	"+EYNgICrpGYjQiUaKyol83HNu92xxpDYPGvf2r5yya6sp1E="
#define ED_BLOB (ED + strlen("ssh-ed25519 "))

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) == EOF)
		abort();
}

/* ---- lines ---- */

static void
test_lines(void)
{
	static const struct {
		const char *line;
		bool	 is_key;
		const char *options, *comment;
	} t[] = {
		{ ED, true, "", "" },
		{ ED " a comment \r\n", true, "", "a comment" },
		{ "\t " ED "\tx", true, "", "x" },
		{ EC " ", true, "", "" },
		{ DSA, true, "", "" },
		{ "no-pty " ED " x", true, "no-pty", "x" },
		{ "from=\"10.0.0.0/8\",command=\"a \\\"b\\\" c\"  " RSA2, true,
		    "from=\"10.0.0.0/8\",command=\"a \\\"b\\\" c\"", "" },
		{ "command=\"" ED "\" " RSA2 " y", true,
		    "command=\"" ED "\"", "y" },
		{ "", false, NULL, NULL },
		{ " \t\n", false, NULL, NULL },
		{ "#" ED, false, NULL, NULL },
		{ "  # " ED, false, NULL, NULL },
		{ "x y " ED, false, NULL, NULL },
		{ "command=\"" ED, false, NULL, NULL },
		{ "ssh-ed25519", false, NULL, NULL },
		{ "ssh-ed25519 AAAA", false, NULL, NULL },
		{ "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIEnV6morCONV/Iyaj/Lmn3GX5hiB4"
		    "K9745NJ5/tDvaVy", false, NULL, NULL },
		{ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEnV6morCONV/Iyaj/Lmn3GX5"
		    "hiB4K9745NJ5/tDva==", false, NULL, NULL },
		{ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEnV*morCONV/Iyaj/Lmn3GX5"
		    "hiB4K9745NJ5/tDvaVy", false, NULL, NULL },
		{ "1024 35 1234567 old", false, NULL, NULL }
	};
	struct keyline k;
	char text[200];
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (!ok(keyline_parse(&k, t[i].line, strlen(t[i].line)) ==
		    t[i].is_key, "line %zu", i) || !t[i].is_key)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)k.options_len,
		    k.options);
		is_str(text, t[i].options, "its options");
		snprintf(text, sizeof(text), "%.*s", (int)k.comment_len,
		    k.comment);
		is_str(text, t[i].comment, "its comment");
	}
}

static void
test_strength(void)
{
	static const struct {
		const char *line, *print, *weak;
		unsigned bits;
	} t[] = {
		{ ED, "SHA256:u7uEpb2M4zKQ0iiilATCaXrUFKPhTujc7CuAgV8BDnc",
		    NULL, 256 },
		{ EC, "SHA256:ZeP95Dh9qQOCHWwh9Jgdnt521vexBTKCOkQaa3T/Gv8",
		    NULL, 384 },
		{ RSA1, "SHA256:QASXwH+Nefd+w9kBcDuPQriOvR/1JCGkkZ0u/AbJP6M",
		    "RSA under 2048 bits", 1024 },
		{ RSA2, "SHA256:tOmyLkDVDsjHjDqFzwXcLLm9uXUGcABcsSZ6DUpjKK4",
		    NULL, 2048 },
		{ DSA, "SHA256:+8OQX9V1DBL93lE6bhuqk4xbFhDUn0UG3t2ZsiKNEhs",
		    "DSA", 1024 }
	};
	char print[KEYLINE_PRINT_SIZE];
	struct keyline k;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (!ok(keyline_parse(&k, t[i].line, strlen(t[i].line)),
		    "key %zu", i))
			continue;
		keyline_fingerprint(&k, print);
		is_str(print, t[i].print, "its fingerprint");
		is_int(k.bits, t[i].bits, "its bits");
		is_str(keyline_weak(&k), t[i].weak, "its weakness");
	}
}

static void
test_limit(void)
{
	static const struct {
		const char *old, *options, *until, *new;
	} t[] = {
		{ "", NULL, NULL, "" },
		{ "", "no-pty", NULL, "no-pty" },
		{ "", "none", "never", "" },
		{ "", NULL, "20991231", "expiry-time=\"20991231\"" },
		{ "no-pty,from=\"a,b\"", NULL, NULL, "no-pty,from=\"a,b\"" },
		{ "no-pty,from=\"a,b\"", "restrict", NULL, "restrict" },
		{ "no-pty,from=\"a,b\"", "none", NULL, "" },
		{ "from=\"a\"", NULL, "20991231",
		    "from=\"a\",expiry-time=\"20991231\"" },
		{ "Expiry-Time=\"20200101\",no-pty", NULL, "20991231",
		    "no-pty,expiry-time=\"20991231\"" },
		{ "expiry-time=\"20200101\",no-pty", "restrict", NULL,
		    "restrict,expiry-time=\"20200101\"" },
		{ "expiry-time=\"20200101\",no-pty", "none", NULL,
		    "expiry-time=\"20200101\"" },
		{ "expiry-time=\"20200101\",no-pty", NULL, "never", "no-pty" },
		{ "expiry-time=\"20200101\"",
		    "expiry-time=\"20300101\",pty", NULL,
		    "pty,expiry-time=\"20300101\"" },
		{ "", "expiry-time=\"20300101\",pty", "20400101",
		    "pty,expiry-time=\"20400101\"" },
		{ "command=\"a,expiry-time=\\\"1\\\",b\",x", NULL, "never",
		    "command=\"a,expiry-time=\\\"1\\\",b\",x" },
		{ "command=\"not closed, at all\\", NULL, "20300101",
		    "command=\"not closed, at all\\,expiry-time=\"20300101\"" },
		{ ",,a,", NULL, NULL, "a" }
	};
	size_t i;
	char *new;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		new = keyline_limit(t[i].old, strlen(t[i].old), t[i].options,
		    t[i].until);
		is_str(new, t[i].new, "%s", t[i].new);
		free(new);
	}
}

static void
test_expiry(void)
{
	static const struct {
		const char *line;
		bool	 over;		/* on 2026-11-25, 12:00 UTC */
	} t[] = {
		{ ED, false },
		{ "expiry-time=\"20261124\" " ED, true },
		{ "expiry-time=\"20261125\" " ED, true },
		{ "expiry-time=\"20261126\" " ED, false },
		{ "EXPIRY-TIME=\"202611251159\" " ED, true },
		{ "no-pty,expiry-time=\"202611251201\" " ED, false },
		{ "no-pty,expiry-time=\"202611251200Z\" " ED, true },
		{ "command=\"a,expiry-time=\\\"20200101\\\"\" " ED, false },
		{ "expiry-time=\"2026\" " ED, false },
		{ "expiry-time=\"\" " ED, false }
	};
	struct keyline k;
	size_t i;

	setenv("TZ", "UTC", 1);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (ok(keyline_parse(&k, t[i].line, strlen(t[i].line)),
		    "line %zu", i))
			ok(keyline_expired(&k, 1795608000) == t[i].over,
			    "is over: %d", t[i].over);
}

/* ---- what the script says ---- */

static void
test_said(void)
{
	static const struct {
		const char *output;
		enum script_said said;
		const char *why;
	} t[] = {
		{ "csshsetup: there\n", SAID_THERE, "" },
		{ "csshsetup: done /root/x y\n", SAID_DONE, "/root/x y" },
		{ "csshsetup: no disk full\nmore", SAID_NO, "disk full" },
		{ "hello\ncsshsetup: done f", SAID_DONE, "f" },
		{ "hello csshsetup: done f\n", SAID_NOTHING,
		    "hello csshsetup: done f" },
		{ "csshsetup: donee f\n", SAID_NOTHING, "f" },
		{ "csshsetup: \n", SAID_NOTHING, "" },
		{ "not \033[31mred\r\n", SAID_NOTHING, NULL },
		{ "", SAID_NOTHING, "" }
	};
	char why[256];
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		is_int(script_read(t[i].output, why, sizeof(why)), t[i].said,
		    "output %zu", i);
		if (t[i].why != NULL)
			is_str(why, t[i].why, "why");
		ok(strpbrk(why, "\033\n\r") == NULL, "drives no terminal");
	}
}

/* ---- fingerprints ---- */

#define P1 "SHA256:u7uEpb2M4zKQ0iiilATCaXrUFKPhTujc7CuAgV8BDnc"
#define P2 "SHA256:ZeP95Dh9qQOCHWwh9Jgdnt521vexBTKCOkQaa3T/Gv8"

static void
test_fingerprints(void)
{
	static const struct {
		const char *host, *print;
		enum fingerprint_verdict v;
	} t[] = {
		{ "a1", P1, PRINT_RIGHT },
		{ "a2", P2, PRINT_RIGHT },
		{ "a2", P1, PRINT_RIGHT },
		{ "a1", P2, PRINT_WRONG },
		{ "root@a1:22", P1, PRINT_RIGHT },
		{ "b", P2, PRINT_RIGHT },
		{ "b", P1, PRINT_WRONG },
		{ "a3", P1, PRINT_UNKNOWN },
		{ "a1", "nothing", PRINT_WRONG },
		{ "a1", "", PRINT_WRONG }
	};
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "there is none in it" },
		{ "# only\n\n", "there is none in it" },
		{ "a1\n", ":1: not HOST" },
		{ "a1 " P1 "\na2 SHA256:x\n", ":2: not HOST" },
		{ "a[1 " P1 "\n", ":1: " }
	};
	struct fingerprints *f;
	struct fanout_error e;
	size_t i;

	put("good", "# keys\n\na[1-2]\t" P1 "\r\na2 " P2 "\n"
	    "384 " P2 " b (ECDSA)\n");
	if (!ok(fingerprints_load(&f, in_dir("good"), &e) == 0, "a file"))
		return;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		is_int(fingerprints_check(f, t[i].host, t[i].print), t[i].v,
		    "print %zu", i);
	fingerprints_free(f);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put("bad", bad[i].text);
		ok(fingerprints_load(&f, in_dir("bad"), &e) != 0, "bad %zu", i);
		ok(strstr(e.text, bad[i].says) != NULL, "says %s", e.text);
	}
}

/* ---- what a host says, record by record ---- */

static void
test_answers(void)
{
	static const struct {
		const char *text;
		const char *words;	/* "word:rest|..."; a file with its body */
		bool	 ready;
	} t[] = {
		{ "", "", false },
		{ "motd\ncsshsetup: user root\ncsshsetup: ready\n",
		    "user:root|ready:|", true },
		{ "no newline csshsetup: user root\n", "", false },
		{ "csshsetup: user root", "", false },
		{ "csshsetup: file 0 3 /a b\nx\ny\ncsshsetup: ready\n",
		    "file:/a b=x\ny|ready:|", true },
		{ "csshsetup: file 9 - /k\n\ncsshsetup: ready\n",
		    "file:/k=-|ready:|", true },
		/* Said in a file it is not said by the host. */
		{ "csshsetup: file 0 17 /a\ncsshsetup: ready\n", "", false },
		{ "csshsetup: file 0 17 /a\ncsshsetup: ready\n\n"
		    "csshsetup: done\n", "file:/a=csshsetup: ready\n|done:|",
		    false },
		{ "csshsetup: file 0 99 /a\nshort\ncsshsetup: ready\n", "",
		    false },
		{ "csshsetup: file 0 9999999999 /a\ncsshsetup: ready\n", "",
		    false },
		{ "csshsetup: file 12 1 /a\nx\ncsshsetup: ready\n", "", false },
		{ "csshsetup: file 0 -1 /a\nx\ncsshsetup: ready\n", "", false },
		{ "csshsetup: aVeryLongWordIndeed x\r\ncsshsetup: no disk\r\n",
		    ":x|no:disk|", false }
	};
	struct answer a;
	struct record r;
	char words[200];
	size_t i, n;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		answer_begin(&a, t[i].text, strlen(t[i].text));
		for (n = 0; answer_next(&a, &r); )
			n += (size_t)snprintf(words + n, sizeof(words) - n,
			    "%s:%.*s%s%.*s|", r.word, (int)r.len, r.rest,
			    !record_is(&r, "file") ? "" : r.body != NULL ? "=" :
			    "=-", (int)r.size, r.body != NULL ? r.body : "");
		words[n] = '\0';
		is_str(words, t[i].words, "answer %zu", i);
		ok(answer_ends(t[i].text, strlen(t[i].text), "ready") ==
		    t[i].ready, "is it ready");
	}
}

/* ---- what is made of a file ---- */

static void
test_edits(void)
{
	static const struct {
		const char *old, *drop, *add[3], *sends;
	} t[] = {
		{ NULL, "", { NULL }, "edit 0 - 0 0\n" },
		{ NULL, "", { "new", NULL }, "edit 0 - 1 4\nnew\n" },
		{ "a\nb\nc\n", "", { "new", "x", NULL },
		    "edit 0 - 2 12\nnew\nx\n" },
		{ "a\nb\nc", "", { "new", NULL }, "edit 0 - 1 10\nnew\n" },
		{ "a\nb\nc", "c", { NULL }, "edit 0 3d 0 4\n" },
		{ "a\nb\nc", "a", { NULL }, "edit 0 1d 0 4\n" },
		{ "a\na\nb\na\na\na\n", "a", { "a", NULL },
		    "edit 0 1,2d;4,6d 1 4\na\n" },
		{ "\n\na\n", "", { NULL }, "edit 0 - 0 4\n" },
		{ "a", "a", { NULL }, "edit 0 1d 0 0\n" }
	};
	struct record r;
	struct edit e;
	const char *line;
	char *text;
	size_t i, j, len;
	FILE *f;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		r = (struct record){ .rest = "/f", .len = 2, .body = t[i].old,
		    .size = t[i].old != NULL ? strlen(t[i].old) : 0 };
		edit_begin(&e, &r);
		while (edit_next(&e, &line, &len))
			if (len > 0 && len == strlen(t[i].drop) &&
			    memcmp(line, t[i].drop, len) == 0)
				edit_drop(&e);
		for (j = 0; t[i].add[j] != NULL; j++)
			edit_add(&e, t[i].add[j]);
		ok(edit_changes(&e) == (*t[i].drop != '\0' || j > 0),
		    "does edit %zu change anything", i);
		f = open_memstream(&text, &len);
		edit_send(&e, f);
		fclose(f);
		is_str(text, t[i].sends, "edit %zu", i);
		free(text);
		edit_clear(&e);
	}
}

/* ---- lines of known hosts ---- */

#define HASHED "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg="

static void
test_known_lines(void)
{
	static const struct {
		const char *line;
		bool	 is_line, has, names, only;
	} t[] = {
		{ "a,a.example,10.0.0.1 " ED, true, true, true, true },
		{ "a,b " ED " comment", true, true, true, false },
		{ "A\t" ED "\r", true, true, true, true },
		{ "b " ED, true, true, false, false },
		{ "a " EC, true, false, true, true },
		{ "*a " ED, true, true, false, false },
		{ "aa " ED, true, true, false, false },
		{ HASHED " " ED, true, true, false, false },
		{ "|1|short|short " ED, true, true, false, false },
		{ "@revoked a " ED, true, true, true, true },
		{ "a ssh-ed25519", false, false, false, false },
		{ "# a " ED, false, false, false, false },
		{ "", false, false, false, false }
	};
	struct knownline k;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (!ok(knownline_parse(&k, t[i].line, strlen(t[i].line)) ==
		    t[i].is_line, "known line %zu", i) || !t[i].is_line)
			continue;
		ok(knownline_has_key(&k, ED) == t[i].has, "has it the key");
		ok(knownline_names(&k, "a") == t[i].names, "names it the host");
		ok(knownline_only(&k, "a a.example 10.0.0.1") == t[i].only,
		    "and no other");
	}
	/* By ssh-keygen -H, of 192.168.1.61. */
	ok(knownline_parse(&k, HASHED " " ED, strlen(HASHED " " ED)),
	    "a hashed name");
	ok(knownline_names(&k, "192.168.1.61"), "is this one");
	ok(knownline_only(&k, "x 192.168.1.61"), "among others");
}

static void
test_index(void)
{
	static const char *const words[] = { "b", "a", "c", "a", "ab", "a" };
	struct index x = { .list = NULL };
	struct entry *e;
	size_t i, n = 0, sum = 0;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		index_add(&x, words[i], strlen(words[i]), i, 0);
	index_sort(&x);
	for (e = index_find(&x, "axx", 1); e != NULL; e = index_again(&x, e)) {
		n++;
		sum += e->member;
	}
	is_int(n, 3, "as many as there are");
	is_int(sum, 1 + 3 + 5, "and these");
	ok(index_find(&x, "", 0) == NULL, "nothing is none of them");
	ok(index_find(&x, "abc", 3) == NULL, "nor is more");
	index_clear(&x);
	ok(index_find(&x, "a", 1) == NULL, "and of none there is none");
}

/* ---- which key ---- */

static void
test_identity(void)
{
	static const struct {
		const char *said, *files;
	} t[] = {
		{ "", NULL },
		{ "connects to a port 22, logs in as b\nno key to try\n", NULL },
		{ "key 1: /h/.ssh/id_rsa ssh-ed25519\n", NULL },
		{ "/c:2: identityfile ~/x\nkey 1: /h/x ssh-ed25519\n", "/h/x\n" },
		{ "/c:2: identityfile ~/x\nkey not tried: /h/x: no such file",
		    "/h/x\n" },
		{ "/c:2: identityfile none\nno key to try\n", NULL },
		{ "/c:2: identityfile ~/x\nkey 1: /h/a b: c/x ssh-ed25519\n"
		    "key not tried: /h/y (ssh-rsa): servers want: more\n"
		    "key not tried: /h/x-cert.pub: certificates need ssh itself\n"
		    "key not tried: no agent answers\n"
		    "key 2: comment ssh-rsa (agent)\n"
		    "key not tried: /h/z.pub: only its public half is here\n",
		    "/h/a b: c/x\n/h/y\n/h/z.pub\n" },
		{ "/c:2: identityfile ~/x\nkey not tried: /\nkey 1: /\nkey : /a b\n"
		    "key not tried: )\nkey not tried: /): x\n", "/)\n" }
	};
	size_t i;
	char *files;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		files = identity_files(t[i].said);
		is_str(files != NULL ? files : "-", t[i].files != NULL ?
		    t[i].files : "-", "files %zu", i);
		free(files);
	}
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		abort();
	test_lines();
	test_strength();
	test_limit();
	test_expiry();
	test_said();
	test_fingerprints();
	test_answers();
	test_edits();
	test_known_lines();
	test_index();
	test_identity();
	shell("rm -rf %s", dir);
	return test_end();
}
