/*
 * t_ccp.c - the parts of ccp that need no host: the SFTP protocol, files read
 * from it in order, local trees, where files may land, lines with digests.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../../ccp/copy.h"
#include "../../ccp/fetch.h"
#include "../../ccp/landing.h"
#include "../../ccp/sftp_wire.h"
#include "../../ccp/words.h"
#include "test.h"
#define TMPDIR_NAME "t_ccp"
#include "tmpdir.h"

/* ---- a server in memory ---- */

static struct wire_out server;

static struct sftp *
session(void *ctx, const char *const *extensions)
{
	struct sftp *s = sftp_new(ctx);
	size_t len;

	(void)sftp_pending(s, &len);
	sftp_sent(s, len);
	wire_begin(&server, FXP_VERSION);
	wire_u32(&server, 3);
	for (; extensions != NULL && *extensions != NULL; extensions++) {
		wire_string(&server, *extensions, strlen(*extensions));
		wire_string(&server, "1", 1);
	}
	wire_end(&server);
	return s;
}

/* What the server has said, in pieces of a size. */
static int
hear(struct sftp *s, size_t piece)
{
	size_t len, n;
	const char *p;
	int rc = 0;

	while ((p = wire_pending(&server, &len)) != NULL && len > 0) {
		n = len < piece ? len : piece;
		rc |= sftp_input(s, p, n);
		wire_sent(&server, n);
	}
	return rc;
}

/* The next request: its type and id; the rest is in *in. */
static int
request(struct sftp *s, struct wire_in *in, uint32_t *id)
{
	static unsigned char copy[300000];
	size_t len;
	const unsigned char *p = sftp_pending(s, &len);
	uint32_t size;

	if (len < 9)
		return -1;
	size = wire_peek_u32(p);
	memcpy(copy, p + 4, size);
	sftp_sent(s, size + 4);
	*in = (struct wire_in){ copy + 1, size - 1 };
	(void)wire_get_u32(in, id);
	return copy[0];
}

static void
say_status(uint32_t id, uint32_t code, const char *text)
{
	wire_begin(&server, FXP_STATUS);
	wire_u32(&server, id);
	wire_u32(&server, code);
	wire_string(&server, text, strlen(text));
	wire_string(&server, "", 0);
	wire_end(&server);
}

/* ---- the protocol ---- */

struct heard {
	unsigned n;
	uint32_t tag;
	enum sftp_kind kind;
	enum sftp_code code;
	char	 text[128];
	struct sftp_attrs attrs;
};

static void
on_answer(void *ctx, uint32_t tag, const struct sftp_answer *a)
{
	struct heard *h = ctx;

	h->n++;
	h->tag = tag;
	h->kind = a->kind;
	h->code = a->code;
	h->attrs = a->attrs;
	if (a->kind == SFTP_STATUS)
		(void)snprintf(h->text, sizeof(h->text), "%s", a->text);
}

static void
test_protocol(void)
{
	static const char *const openssh[] = { "posix-rename@openssh.com",
	    "fsync@openssh.com", "something@else", NULL };
	struct heard h = { 0 };
	struct sftp *s = session(&h, openssh);
	struct wire_in in;
	uint32_t id, other;
	const char *a, *b;
	size_t an, bn;

	ok(!sftp_is_up(s), "not up before the greeting");
	is_int(hear(s, 1), 0, "a greeting byte by byte");
	ok(sftp_is_up(s), "up");
	is_int(sftp_extensions(s), SFTP_X_POSIX_RENAME | SFTP_X_FSYNC |
	    SFTP_X_OPENSSH, "extensions");
	sftp_stat(s, "/a", true, on_answer, 7);
	sftp_stat(s, "/b", false, on_answer, 8);
	is_int(sftp_under_way(s), 2, "two under way");
	is_int(request(s, &in, &id), FXP_STAT, "stat");
	is_int(request(s, &in, &other), FXP_LSTAT, "lstat");
	say_status(other, SFTP_NO_SUCH_FILE, "gone \033[2J");
	is_int(hear(s, 5), 0, "the second is answered first");
	is_int(h.tag, 8, "with its tag");
	is_int(h.code, SFTP_NO_SUCH_FILE, "its code");
	is_str(h.text, "gone ?[2J", "its text, made safe");
	wire_begin(&server, FXP_ATTRS);
	wire_u32(&server, id);
	wire_attrs(&server, &(struct sftp_attrs){ .has = SFTP_HAS_SIZE |
	    SFTP_HAS_MODE, .size = 0x123456789aULL, .mode = 0100644 });
	wire_end(&server);
	hear(s, 100);
	is_int(h.tag, 7, "then the first");
	ok(h.attrs.size == 0x123456789aULL && h.attrs.mode == 0100644,
	    "its attributes");
	/* OpenSSH has the two the other way round. */
	sftp_symlink(s, "link", "target", on_answer, 9);
	is_int(request(s, &in, &id), FXP_SYMLINK, "symlink");
	wire_get_string(&in, &a, &an);
	wire_get_string(&in, &b, &bn);
	ok(an == 6 && memcmp(a, "target", 6) == 0 && bn == 4, "swapped");
	say_status(id, SFTP_OK, "");
	say_status(id, SFTP_OK, "");
	is_int(hear(s, 1000), -1, "an answer too many");
	is_str(sftp_error(s), "an answer to a request never made", "is said");
	is_int(sftp_input(s, "x", 1), -1, "and nothing more is taken");
	sftp_free(s);
	wire_free(&server);
}

static void
test_malformed(void)
{
	static const struct { const char *what, *bytes; size_t len; } bad[] = {
		{ "a line of text", "Welcome to host\n", 16 },
		{ "an empty packet", "\0\0\0\0\0\0\0\0", 8 },
		{ "one that is too large", "\0\x10\0\0\x67", 5 },
		{ "a handle before the greeting", "\0\0\0\x09\x66\0\0\0\0\0\0\0\0",
		    13 },
		{ "a greeting cut short", "\0\0\0\x07\x02\0\0\0\x03\0\0", 11 },
		{ "version 2", "\0\0\0\5\x02\0\0\0\x02", 9 }
	};
	struct sftp *s;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		s = sftp_new(NULL);
		is_int(sftp_input(s, bad[i].bytes, bad[i].len), -1, "%s: %s",
		    bad[i].what, sftp_error(s));
		sftp_free(s);
	}
}

/* ---- a file in order ---- */

struct got {
	struct fetch *f;
	char	 bytes[400000];
	size_t	 len;
	bool	 done;
};

static bool
take(void *arg, const void *data, size_t len)
{
	struct got *g = arg;

	memcpy(g->bytes + g->len, data, len);
	g->len += len;
	return true;
}

static void
done(void *arg, struct fetch *f)
{
	(void)f;
	((struct got *)arg)->done = true;
}

static void
on_fetch(void *ctx, uint32_t tag, const struct sftp_answer *a)
{
	fetch_answer(((struct got *)ctx)->f, tag, a);
}

struct asked {
	uint32_t id, len;
	uint64_t off;
};

/* Answers what is asked in another order, and at most so much at once. */
static void
serve(struct sftp *s, const char *file, size_t size, size_t at_most)
{
	struct asked asked[64];
	struct wire_in in;
	uint32_t id;
	const char *handle;
	size_t n = 0, hn, i, len;
	int type;

	while ((type = request(s, &in, &id)) != -1) {
		if (type == FXP_OPEN) {
			wire_begin(&server, FXP_HANDLE);
			wire_u32(&server, id);
			wire_string(&server, "h", 1);
			wire_end(&server);
		} else if (type == FXP_CLOSE)
			say_status(id, SFTP_OK, "");
		else {
			wire_get_string(&in, &handle, &hn);
			asked[n].id = id;
			wire_get_u64(&in, &asked[n].off);
			wire_get_u32(&in, &asked[n++].len);
		}
	}
	for (i = n; i-- > 0;) {
		if (asked[i].off >= size) {
			say_status(asked[i].id, SFTP_EOF, "");
			continue;
		}
		len = asked[i].len < at_most ? asked[i].len : at_most;
		if (len > size - asked[i].off)
			len = size - asked[i].off;
		wire_begin(&server, FXP_DATA);
		wire_u32(&server, asked[i].id);
		wire_string(&server, file + asked[i].off, len);
		wire_end(&server);
	}
}

static void
fetch_one(const char *file, size_t size, uint64_t said, size_t at_most,
    struct got *g)
{
	struct sftp *s = session(g, NULL);
	struct fetch f = { .sftp = s, .size = said, .take = take,
	    .done = done, .arg = g, .answer = on_fetch };
	int i;

	memset(g, 0, sizeof(*g));
	g->f = &f;
	hear(s, 100);
	fetch_open(&f, "file");
	for (i = 0; i < 1000 && !g->done; i++) {
		serve(s, file, size, at_most);
		hear(s, 7000);
	}
	fetch_free(&f);
	sftp_free(s);
	wire_free(&server);
}

static void
test_fetch(void)
{
	static char file[300001];
	static struct got g;
	size_t i;

	for (i = 0; i < sizeof(file); i++)
		file[i] = (char)(i * 7 + i / 255);
	fetch_one(file, sizeof(file), sizeof(file), SIZE_MAX, &g);
	ok(g.done && g.len == sizeof(file) && memcmp(g.bytes, file, g.len) ==
	    0, "a file, its pieces the last first");
	fetch_one(file, sizeof(file), sizeof(file), 10001, &g);
	ok(g.done && g.len == sizeof(file) && memcmp(g.bytes, file, g.len) ==
	    0, "in smaller pieces than asked for");
	fetch_one(file, 100000, sizeof(file), SIZE_MAX, &g);
	ok(g.done && g.len == 100000, "it ends before its size");
	fetch_one(file, sizeof(file), 1000, SIZE_MAX, &g);
	ok(g.done && g.len == 1000, "it has grown: not further than its size");
	fetch_one(file, 0, 0, SIZE_MAX, &g);
	ok(g.done && g.len == 0, "an empty one");
}

/* ---- trees ---- */

static void
test_source(void)
{
	const struct source_opts tree = { .recursive = true };
	char *paths[] = { strdup(in_dir("tree")), NULL }, *rel, *path;
	struct fanout_error e;
	struct source src;
	uint32_t i, hard = NO_PARENT;
	char buf[8];

	shell("mkdir -p %s/sub/.deep && cd %s && echo one >a && "
	    "echo two >sub/b && ln a sub/hard && ln -s a link", paths[0],
	    paths[0]);
	is_int(source_walk(&src, paths, &(struct source_opts){ 0 }, &e),
	    FANOUT_ECONFIG, "a directory without -r: %s", e.text);
	is_int(source_walk(&src, paths, &tree, &e), 0, "a tree");
	is_int((long)src.count, 7, "all of it");
	for (i = 0; i < src.count; i++)
		if (src.entries[i].kind == ENTRY_HARD)
			hard = i;
	ok(hard != NO_PARENT && src.entries[src.entries[hard].first].linked,
	    "a hard link");
	rel = source_rel(&src, hard, true);
	is_str(rel, "tree/sub/hard", "where it goes");
	free(rel);
	rel = source_rel(&src, hard, false);
	is_str(rel, "/sub/hard", "without the root's name");
	free(rel);
	i = src.entries[hard].first;
	is_int(source_open(&src, i), 0, "open");
	is_int(source_read(&src, i, 0, buf, 2), 0, "the beginning");
	is_int(source_close(&src, i), 0, "close");
	is_int(source_sum(&src, i), 0, "a sum goes on from there");
	ok(src.entries[i].sum[0] == 0x2c && src.entries[i].sum[31] == 0x6,
	    "SHA-256 of \"one\"");
	path = source_path(&src, i);
	shell("echo changed >%s", path);
	is_int(source_open(&src, i), -1, "it has changed");
	is_int(errno, ESTALE, "and that is said");
	free(path);
	source_free(&src);
	shell("touch %s/.fanout-x", paths[0]);
	is_int(source_walk(&src, paths, &tree, &e), FANOUT_ECONFIG,
	    "a reserved name: %s", e.text);
	free(paths[0]);
}

/* ---- landing ---- */

static void
test_landing(void)
{
	static const struct { const char *path; int error; } bad[] = {
		{ "", EINVAL }, { "..", EINVAL }, { "a/../../x", EINVAL },
		{ "../x", EINVAL }, { "./..", EINVAL }, { ".", EINVAL },
		{ "out/x", ENOTDIR }, { "out/y/z", ENOTDIR }
	};
	struct landing l = { .open = false };
	struct stat st;
	size_t i;
	int root, rc;

	shell("mkdir -p %s %s && ln -s %s %s/out", in_dir("land"),
	    in_dir("outside"), in_dir("outside"), in_dir("land"));
	root = open(in_dir("land"), O_RDONLY | O_DIRECTORY);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rc = landing_begin(&l, root, bad[i].path, ".fanout-t");
		is_int(rc, -1, "\"%s\" is no place", bad[i].path);
		ok(errno == bad[i].error || errno == ELOOP, "why: %s",
		    strerror(errno));
		landing_abort(&l);
	}
	is_int(landing_begin(&l, root, "/a//./b/c", ".fanout-t"), 0,
	    "directories are made on the way");
	is_int(landing_write(&l, "hello", 5), 0, "write");
	is_int(stat(in_dir("land/a/b/c"), &st), -1, "not there before its end");
	is_int(landing_finish(&l, 0640, 1000000000), 0, "finish");
	is_int(stat(in_dir("land/a/b/c"), &st), 0, "there");
	ok(st.st_size == 5 && st.st_mtime == 1000000000, "with its time");
	is_int(landing_begin(&l, root, "a/b/c", ".fanout-t"), 0, "over it");
	landing_abort(&l);
	is_int(shell("test -z \"$(find %s -name '.fanout*')\"",
	    in_dir("land")), 0, "nothing is left of what was given up");
	is_int(landing_link(root, "a/l", "/etc/passwd", ".fanout-t"), 0,
	    "a link");
	is_int(landing_begin(&l, root, "a/l/x", ".fanout-t"), -1,
	    "which is not followed");
	is_int(shell("test -z \"$(ls -A %s)\"", in_dir("outside")), 0,
	    "nothing outside");
	close(root);
}

/* ---- lines with digests ---- */

static void
test_digest_lines(void)
{
#define SUM "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806"
	static const struct { const char *line, *name; } good[] = {
		{ SUM "  ./a b", "./a b" },
		{ SUM " */x", "/x" },
		{ "\\" SUM "  ./a\\nb\\\\c", "./a\nb\\c" },
		{ SUM "  ", "" }
	};
	static const char *const bad[] = { "", "tee 0", "end", SUM, SUM "x  a",
	    SUM " a", "2c8b08  a", "\\", ("\\" SUM) };
	unsigned char sum[SHA256_LEN];
	char line[256], *name;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(line, sizeof(line), "%s", good[i].line);
		ok(script_digest(line, sum, &name) && sum[0] == 0x2c &&
		    strcmp(name, good[i].name) == 0, "%s", good[i].line);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(line, sizeof(line), "%s", bad[i]);
		ok(!script_digest(line, sum, &name), "no digest: \"%s\"",
		    bad[i]);
	}
}

/* What a host complains about comes in pieces of any size. */
static void
test_pieces(void)
{
	static const struct { const char *piece[4], *want; } cases[] = {
		{ { "chown: ", "invalid user\n", "more\n", "" },
		    "chown: invalid user" },
		{ { "one\ntwo\n", "three", "", "" }, "one" },
		{ { "", "a ", " b", "\n" }, "a  b" },
		{ { "no end", "", "", "" }, "no end" },
		{ { "\n", "second", "", "" }, "" },
		{ { "\033[1m\xff", "x\n", "", "" }, "?[1m?x" }
	};
	struct host h;
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&h, 0, sizeof(h));
		for (k = 0; k < 4; k++)
			host_words(&h, cases[i].piece[k],
			    strlen(cases[i].piece[k]));
		is_str(h.words, cases[i].want, "words %zu", i);
	}
	memset(&h, 0, sizeof(h));
	for (i = 0; i < 100; i++)
		host_words(&h, "0123456789", 10);
	is_int(strlen(h.words), sizeof(h.words) - 1, "no more than fits");
}

static void
test_words(void)
{
	static const char *const bad[] = { "'x", "x'", "a  b", " a", "$x",
	    "$'\\8'", "$'\\000'", "'a'b", "a\\b", "$'" };
	static const char *const words[] = { "/a/b", "", "it's", "two words", "a\nb\x01",
	    "latin\351", "\303\244 \303", "back\\'slash", "$'x'", "'", NULL };
	struct fanout_error e;
	char *line, **back;
	size_t i;

	line = words_quote((char *const *)(uintptr_t)words);
	is_str(line, "/a/b '' $'it\\047s' 'two words' $'a\\012b\\001' "
	    "$'latin\\351' $'\303\244 \\303' $'back\\134\\047slash' "
	    "$'$\\047x\\047' $'\\047'", "as bash takes it");
	if (words_parse(&back, line, &e) == 0) {
		for (i = 0; words[i] != NULL && back[i] != NULL; i++)
			is_str(back[i], words[i], "word %zu", i);
		ok(words[i] == NULL && back[i] == NULL, "as many");
		free(back);
	} else
		ok(false, "%s", e.text);
	free(line);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_int(words_parse(&back, bad[i], &e), FANOUT_EINVAL,
		    "refused: %s", bad[i]);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		abort();
	test_protocol();
	test_malformed();
	test_fetch();
	test_source();
	test_landing();
	test_digest_lines();
	test_pieces();
	test_words();
	shell("rm -rf %s", dir);
	return test_end();
}
