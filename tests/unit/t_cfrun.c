/*
 * t_cfrun.c - what cfrun makes of bytes: frames and replies of cf-serverd,
 * options for agents, the registry of keys, verdicts.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../cfrun/advice.h"
#include "../../cfrun/frame.h"
#include "../../cfrun/registry.h"
#include "../../cfrun/request.h"
#include "../../cfrun/verdict.h"
#define TMPDIR_NAME "t_cfrun"
#include "tmpdir.h"

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) == EOF)
		abort();
}

static void
test_frames(void)
{
	static const struct {
		const char *bytes;
		size_t	 len;
		int	 want;		/* bytes it takes */
		const char *payload;
	} t[] = {
		{ "t 4\0\0\0\0\0EXEC", 12, 12, "EXEC" },
		{ "m 4\0\0\0\0\0EXECmore", 16, 12, "EXEC" },
		{ "t    4\0\0EXEC", 12, 12, "EXEC" },
		{ "t 4     EXEC", 12, 12, "EXEC" },
		{ "", 0, 0, NULL },
		{ "t 4\0\0\0\0", 7, 0, NULL },
		{ "t 4\0\0\0\0\0EXE", 11, 0, NULL },
		{ "t 4096\0\0", 8, 0, NULL },
		{ "t 4097\0\0", 8, -1, NULL },
		{ "t 999999", 8, -1, NULL },
		{ "t 0\0\0\0\0\0", 8, -1, NULL },
		{ "t -1\0\0\0\0", 8, -1, NULL },
		{ "t      \0", 8, -1, NULL },
		{ "x 4\0\0\0\0\0EXEC", 12, -1, NULL },
		{ "t4\0\0\0\0\0\0EXEC", 12, -1, NULL },
		{ "t 4x\0\0\0\0EXEC", 12, -1, NULL },
		{ "\0\0\0\0\0\0\0\0", 8, -1, NULL }
	};
	char buf[FRAME_HEADER + FRAME_SEND_MAX + 8], big[FRAME_SEND_MAX + 1];
	struct frame f;
	size_t i;
	int n;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		n = frame_parse(t[i].bytes, t[i].len, &f);
		is_int(n, t[i].want, "frame %zu", i);
		if (n > 0)
			ok(f.len == strlen(t[i].payload) && memcmp(f.data,
			    t[i].payload, f.len) == 0, "its payload");
	}
	memset(big, 'x', sizeof(big));
	is_int(frame_build(buf, sizeof(buf), big, FRAME_SEND_MAX), 4096,
	    "the largest one");
	is_int(frame_parse(buf, 4096, &f), 4096, "comes back");
	is_int(frame_build(buf, sizeof(buf), big, sizeof(big)), 0, "too large");
	is_int(frame_build(buf, sizeof(buf), big, 0), 0, "nothing is none");
	is_int(frame_build(buf, 11, "EXEC", 4), 0, "no room");
}

static void
test_greeting(void)
{
	static const struct {
		const char *line;
		int	 want;
		const char *release;
	} t[] = {
		{ "CFE_v3 cf-serverd 3.21.0", 3, "3.21.0" },
		{ "CFE_v2 cf-serverd 3.7.4", 2, "3.7.4" },
		{ "CFE_v12 cf-serverd 4.0.0a.1", 12, "4.0.0a.1" },
		{ "CFE_v1", 1, "" },
		{ "CFE_v", -1, "" },
		{ "CFE_vx", -1, "" },
		{ "SSH-2.0-OpenSSH_9.2", -1, "" },
		{ "CFE_v99999999999999999999 x", 9999999, "" },
		{ "CFE_v3 cf-serverd 3.2\033[1m", 3, "3.2" }
	};
	char release[16], line[2000];
	struct frame f;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		f = (struct frame){ t[i].line, strlen(t[i].line) };
		is_int(frame_greeting(&f, release, sizeof(release)), t[i].want,
		    "%s", t[i].line);
		is_str(release, t[i].release, "its release");
	}
	is_int(frame_line("abc\ndef", 7, &f), 4, "a line");
	is_int(f.len, 3, "without its end");
	is_int(frame_line("abc", 3, &f), 0, "not whole");
	memset(line, 'x', sizeof(line));
	is_int(frame_line(line, sizeof(line), &f), -1, "too long");
}

static void
test_replies(void)
{
	static const struct {
		const char *payload;
		size_t	 len;
		bool	 begun;
		enum reply want;
		const char *text;
		int	 status;
	} t[] = {
#define S(s) s, sizeof(s) - 1
		{ S("> hello\n"), true, REPLY_OUTPUT, "hello", -1 },
		{ S("> hello"), true, REPLY_OUTPUT, "hello", -1 },
		{ S("> \n"), true, REPLY_OUTPUT, "", -1 },
		{ S("> (exit code: 0)\n"), true, REPLY_OUTPUT,
		    "(exit code: 0)", -1 },
		{ S("> " FRAME_TERMINATOR "\n"), true, REPLY_OUTPUT,
		    FRAME_TERMINATOR, -1 },
		{ S("(exit code: 0)\n"), true, REPLY_EXIT, NULL, 0 },
		{ S("(exit code: 255)\n"), true, REPLY_EXIT, NULL, 255 },
		{ S("(exit code: 256)\n"), true, REPLY_OTHER, NULL, -1 },
		{ S("(exit code: 99999)\n"), true, REPLY_OTHER, NULL, -1 },
		{ S("(exit code: -1)\n"), true, REPLY_OTHER, NULL, -1 },
		{ S("(exit code: )\n"), true, REPLY_OTHER, NULL, -1 },
		{ S("(exit code: 0"), true, REPLY_OTHER, NULL, -1 },
		{ S(FRAME_TERMINATOR "\0"), true, REPLY_END, NULL, -1 },
		{ S(FRAME_TERMINATOR), true, REPLY_END, NULL, -1 },
		{ S(FRAME_TERMINATOR "x"), true, REPLY_OTHER, NULL, -1 },
		{ S("BAD: no"), false, REPLY_REFUSED, "no", -1 },
		{ S("BAD: no"), true, REPLY_OTHER, NULL, -1 },
		{ S("cf-serverd executing cfruncommand: /bin/x -D\ny\n"),
		    false, REPLY_BEGUN, "/bin/x -D\ny", -1 },
		{ S("EXEC denied due to failed class match (x)"), false,
		    REPLY_NO_MATCH, NULL, -1 },
		{ S("EXEC denied role activation (x)"), false, REPLY_DENIED,
		    NULL, -1 },
		{ S("Unable to run 'x' (pipe: y)"), false, REPLY_BROKEN, NULL,
		    -1 },
		{ S("OK: 3.21.0"), false, REPLY_VERSION, "3.21.0", -1 },
		{ S("whatever"), false, REPLY_OTHER, "whatever", -1 }
	};
	struct reply_text text;
	struct frame f;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		f = (struct frame){ t[i].payload, t[i].len };
		is_int(frame_reply(&f, t[i].begun, &text), t[i].want, "%.*s",
		    (int)strcspn(t[i].payload, "\n"), t[i].payload);
		if (t[i].text != NULL)
			ok(text.len == strlen(t[i].text) && memcmp(text.text,
			    t[i].text, text.len) == 0, "its text");
		if (t[i].status >= 0)
			is_int(text.status, t[i].status, "its status");
	}
}

static void
test_requests(void)
{
	static const struct {
		const char *line, *want;	/* NULL: an error */
	} t[] = {
		{ "", "EXEC" },
		{ "--inform", "EXEC -D cfrun_opt_inform" },
		{ "-I -v", "EXEC -D cfrun_opt_inform,cfrun_opt_verbose" },
		{ "-Kn", "EXEC -D cfrun_opt_no_lock -b cfrun_opt_dry_run" },
		{ "--dry-run", "EXEC -b cfrun_opt_dry_run" },
		{ "-D a,b --define c -Dd --define=e", "EXEC -D a,b,c,d,e" },
		{ "-b x -n", "EXEC -b x,cfrun_opt_dry_run" },
		{ "--bundlesequence=x --remote-bundles y", "EXEC -b x,y" },
		{ "-- -q --no-splay", "EXEC" },
		{ "-D", NULL },
		{ "-D a;b", NULL },
		{ "-D a$(x)", NULL },
		{ "-f other.cf", NULL },
		{ "--inform=yes", NULL },
		{ "-nf", NULL },
		{ "-IDx", NULL },
		{ "word", NULL },
		{ "-", NULL },
		{ "--", "EXEC" }
	};
	struct request r = { NULL, NULL, NULL, false };
	struct fanout_error e;
	char *text;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		request_clear(&r);
		rc = request_line(&r, t[i].line, true, "file:1: ", &e);
		if (t[i].want == NULL) {
			ok(rc != 0 && strncmp(e.text, "file:1: ", 8) == 0,
			    "\"%s\" is wrong: %s", t[i].line, e.text);
			continue;
		}
		is_int(rc, 0, "\"%s\"", t[i].line);
		is_int(request_text(&r, "linux", &text, &e), 0, "has a text");
		ok(strncmp(text, t[i].want, strlen(t[i].want)) == 0 &&
		    strncmp(text + strlen(t[i].want), "\nlinux\n", 7) == 0,
		    "%.*s", (int)strcspn(text, "\n"), text);
		free(text);
	}
	request_clear(&r);
	is_int(request_line(&r, "-f it's --inform", false, "", &e), 0,
	    "a shell takes all");
	ok(strcmp(r.shell, "'-f' 'it'\\''s' '--inform'") == 0, "%s", r.shell);
	request_clear(&r);
}

static void
test_registry(void)
{
#define A "MD5=00112233445566778899aabbccddeeff"
#define B_ "MD5=ffeeddccbbaa99887766554433221100"
	static const char *const wrong[] = {
		"web1\n", "web1 MD5=12\n", "web1 " A " more\n",
		"web1 SHA=00112233445566778899aabbccddeeff\n",
		"web1 md5=00112233445566778899aabbccddeeff\n"
	};
	struct registry *r;
	struct fanout_error e;
	const char *path;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		put("keys", wrong[i]);
		is_int(registry_read(&r, in_dir("keys"), &e), FANOUT_ECONFIG,
		    "%s", e.text);
		ok(strstr(e.text, "keys:1: ") != NULL && r == NULL,
		    "it says where");
	}
	is_int(registry_read(&r, in_dir("nothing"), &e), 0, "no file: empty");
	ok(registry_digest(r, "web1") == NULL, "nobody");
	registry_free(r);

	put("keys", "# registry\n\nweb2 " A "\n  web1\t" B_ "  # why\n"
	    "Web2 " B_ "\nweb9 " A);
	path = in_dir("keys");
	is_int(registry_add(path, "web10", A), 0, "one more");
	is_int(registry_add(path, "web1", A), 0, "another one");
	is_int(registry_read(&r, path, &e), 0, "reads them");
	is_str(registry_digest(r, "web2"), B_, "the last line counts");
	is_str(registry_digest(r, "WEB1"), A, "case does not");
	is_str(registry_digest(r, "web9"), A, "a line without end is whole");
	is_str(registry_digest(r, "web10"), A, "nor is the next one spoilt");
	is_str(registry_owner(r, B_), "Web2", "whose it is");
	registry_free(r);
}

/* Somebody waits for a lock of this file (Linux tells); ten seconds at most. */
static void
wait_for_waiter(int fd)
{
	struct stat st;
	char line[256], inode[32];
	bool waits = false;
	FILE *f;

	if (fstat(fd, &st) == -1)
		return;
	(void)snprintf(inode, sizeof(inode), ":%llu ",
	    (unsigned long long)st.st_ino);
	for (int i = 0; i < 1000 && !waits; i++) {
		if ((f = fopen("/proc/locks", "re")) == NULL)
			return;
		while (fgets(line, sizeof(line), f) != NULL)
			if (strstr(line, "->") != NULL && strstr(line, inode) != NULL)
				waits = true;
		fclose(f);
		usleep(10000);
	}
}

/* The registry is replaced while somebody waits to add to it. */
static void
test_registry_replaced(void)
{
	char path[256], digest[64] = "MD5=0123456789abcdef0123456789abcdef";
	struct fanout_error e;
	struct registry *r;
	int fd, ready[2];
	char byte;
	pid_t pid;

	put("replaced", "web1 MD5=00000000000000000000000000000000\n");
	(void)snprintf(path, sizeof(path), "%s", in_dir("replaced"));
	put("new", "web2 MD5=00000000000000000000000000000000\n");
	if (pipe(ready) == -1 || (pid = fork()) == -1)
		abort();
	if (pid == 0) {
		fd = open(path, O_RDWR);
		if (flock(fd, LOCK_EX) == -1 || write(ready[1], "x", 1) != 1)
			_exit(1);
		wait_for_waiter(fd);
		_exit(rename(in_dir("new"), path) == -1);
	}
	is_int(read(ready[0], &byte, 1), 1, "somebody has it");
	is_int(registry_add(path, "web3", digest), 0, "added");
	is_int(waitpid(pid, &fd, 0), pid, "and is gone");
	is_int(fd, 0, "having replaced it");
	is_int(registry_read(&r, path, &e), 0, "read");
	ok(registry_digest(r, "web1") == NULL, "not the old one");
	ok(registry_digest(r, "web2") != NULL, "but the new one");
	is_str(registry_digest(r, "web3"), digest, "with what was added");
	registry_free(r);
	close(ready[0]);
	close(ready[1]);
}

static void
said(struct verdict_host *h, const char *text, enum fanout_class cls,
    bool informed, enum verdict want, enum fanout_class becomes)
{
	struct fanout_result r = { .cls = cls };

	memset(h, 0, sizeof(*h));
	/* Byte by byte: lines may come in any pieces. */
	for (size_t i = 0; i < strlen(text); i++)
		verdict_output(h, text + i, 1, NULL, NULL);
	verdict_done(h, &r, informed);
	is_int(h->verdict, want, "\"%.*s\" is %s", (int)strcspn(text, "\n\033"),
	    text, verdict_name(want));
	is_int(r.cls, becomes, "its class");
}

static void
test_verdicts(void)
{
	struct verdict_host h;
	char line[2000];

	said(&h, "", FANOUT_C_OK, false, VERDICT_DONE, FANOUT_C_OK);
	said(&h, "R: hello\n", FANOUT_C_OK, true, VERDICT_KEPT, FANOUT_C_OK);
	said(&h, "    info: Created file\n", FANOUT_C_OK, true,
	    VERDICT_REPAIRED, FANOUT_C_OK);
	said(&h, "   error: no\n", FANOUT_C_OK, true, VERDICT_NOT_KEPT,
	    FANOUT_C_REMOTE);
	said(&h, "   error: \033[31mno", FANOUT_C_OK, true, VERDICT_NOT_KEPT,
	    FANOUT_C_REMOTE);
	ok(strchr(h.first_error, '\033') == NULL, "nothing drives a terminal");
	said(&h, "R: error: no\nQ: \"x\": error: no\n", FANOUT_C_OK, true,
	    VERDICT_KEPT, FANOUT_C_OK);
	said(&h, "", FANOUT_C_EXIT, true, VERDICT_NOT_KEPT, FANOUT_C_EXIT);
	said(&h, "   error: no\n", FANOUT_C_LOST, true, VERDICT_NONE,
	    FANOUT_C_LOST);
	said(&h, "cfrun-agent: kept 100.00%, repaired 0.00%, not kept 0.00%\n",
	    FANOUT_C_OK, false, VERDICT_KEPT, FANOUT_C_OK);
	said(&h, "cfrun-agent: kept 90.00%, repaired 10.00%, not kept 0.00%\n",
	    FANOUT_C_OK, false, VERDICT_REPAIRED, FANOUT_C_OK);
	said(&h, "cfrun-agent: kept 90.00%, repaired 0.00%, not kept 10.00%\n",
	    FANOUT_C_OK, false, VERDICT_NOT_KEPT, FANOUT_C_REMOTE);
	said(&h, " verbose: Nothing promised here [x] (0/1 minutes)\n",
	    FANOUT_C_OK, true, VERDICT_IDLE, FANOUT_C_OK);
	said(&h, " verbose: Logging total compliance, total 'Outcome of "
	    "version x (agent-0): Promises observed to be kept 50.00%, "
	    "Promises repaired 50.00%, Promises not repaired 0.00%'\n",
	    FANOUT_C_OK, false, VERDICT_REPAIRED, FANOUT_C_OK);
	memset(line, 'x', sizeof(line) - 1);
	memcpy(line, "   error: ", 10);
	line[sizeof(line) - 1] = '\0';
	said(&h, line, FANOUT_C_OK, true, VERDICT_NOT_KEPT, FANOUT_C_REMOTE);
	is_int(h.errors, 1, "a long line is one");
}

static void
test_advice(void)
{
	static const struct reply_text plain = { "/usr/bin/cf-agent -I", 20, 0 },
	    locked = { "/usr/bin/cf-agent --no-lock", 27, 0 };

	ok(!advice_tells_exit("3.15.7"), "3.15 does not tell");
	ok(advice_tells_exit("3.18.0"), "3.18 does");
	ok(advice_tells_exit("4.0"), "4.0 does");
	ok(advice_tells_exit(""), "nor is it doubted where unknown");
	ok(advice_may_rest(&plain), "an agent with locks may rest");
	ok(!advice_may_rest(&locked), "one without does not");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		abort();
	test_frames();
	test_greeting();
	test_replies();
	test_requests();
	test_registry();
	test_registry_replaced();
	test_verdicts();
	test_advice();
	shell("rm -rf %s", dir);
	return test_end();
}
