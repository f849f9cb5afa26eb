/* SSH's data types and base64. */
#include "base/base64.h"
#include "base/wire.h"
#include "test.h"

static void
test_read(void)
{
	static const unsigned char in[] = {
		7, 0, 0, 1, 2, 0, 0, 0, 3, 'a', 'b', 'c',
		0, 0, 0, 3, 0, 0x80, 1, 0, 0, 0, 9, 'x'
	};
	const unsigned char *p;
	struct fo_rd r;
	size_t len;

	fo_rd_init(&r, in, sizeof(in));
	is_int(fo_rd_u8(&r), 7, "a byte");
	is_int(fo_rd_u32(&r), 258, "a number");
	ok(fo_rd_is(&r, "abc"), "a string that is what was wanted");
	p = fo_rd_mpint(&r, &len);
	ok(p != NULL && len == 2 && p[0] == 0x80, "an mpint loses its zero");
	ok(!r.bad, "all is well so far");
	p = fo_rd_str(&r, &len);
	ok(p == NULL && len == 0 && r.bad, "a length beyond the end");
	is_int(fo_rd_u8(&r), 0, "nothing more is read after that");
	is_int(r.len, 1, "and nothing taken");
	fo_rd_init(&r, "\377\377\377\377abc", 7);
	ok(fo_rd_str(&r, &len) == NULL && r.bad, "the largest length");
	fo_rd_init(&r, "\0\0\0\1\200", 5);
	ok(fo_rd_mpint(&r, &len) == NULL && r.bad, "a negative mpint");
	fo_rd_init(&r, "\0\0\0", 3);
	ok(fo_rd_u32(&r) == 0 && r.bad, "three bytes are no number");
	fo_rd_init(&r, NULL, 0);
	ok(fo_rd_u8(&r) == 0 && r.bad, "an empty input");
	fo_rd_init(&r, "\0\0\0\0", 4);
	ok(fo_rd_is(&r, "") && !r.bad, "an empty string");
}

static void
test_write(void)
{
	static const unsigned char want[] = {
		1, 0, 0, 1, 0, 0, 0, 0, 2, 'h', 'i', 0, 0, 0, 2, 0, 0x80,
		0, 0, 0, 1, 0x7f, 0, 0, 0, 0
	};
	static const char big[100000];
	unsigned char *p;
	struct fo_wr w;
	size_t len;
	int i;

	fo_wr_init(&w);
	fo_wr_u8(&w, 1);
	fo_wr_u32(&w, 256);
	fo_wr_cstr(&w, "hi");
	fo_wr_mpint(&w, "\0\0\200", 3);
	fo_wr_mpint(&w, "\177", 1);
	fo_wr_mpint(&w, "\0\0", 2);
	p = fo_wr_take(&w, &len);
	ok(p != NULL && len == sizeof(want) && memcmp(p, want, len) == 0,
	    "what was written");
	free(p);
	fo_wr_init(&w);
	for (i = 0; i < 20 && !w.bad; i++)
		fo_wr_str(&w, big, sizeof(big));
	ok(w.bad && i == 11, "a limit holds (%d)", i);
	ok(w.len <= FO_WR_MAX, "within it");
	ok(fo_wr_take(&w, &len) == NULL && len == 0, "nothing comes of it");
	fo_wr_str(&w, big, (size_t)1 << 33);
	ok(w.bad, "a string that no length can say");
	fo_wr_free(&w);
}

static void
test_base64(void)
{
	static const struct {
		const char *plain, *coded;
	} t[] = {	/* RFC 4648 section 10 */
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\377\376\375", "//79" }, { "\373\357", "++8=" },
	};
	static const char *const bad[] = {
		"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zh==", "Zm9=",
		"Zm 9", "Zm9v\n", "Zm9*", "Z=m9", "=m9v"
	};
	char buf[64];
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		is_int(fo_b64_encode(t[i].plain, strlen(t[i].plain), buf,
		    sizeof(buf)), (long)strlen(t[i].coded), "case %zu", i);
		is_str(buf, t[i].coded, "case %zu encodes", i);
		is_int(fo_b64_decode(buf, strlen(buf), buf, sizeof(buf)),
		    (long)strlen(t[i].plain), "case %zu decodes in place", i);
		ok(memcmp(buf, t[i].plain, strlen(t[i].plain)) == 0,
		    "case %zu: the same bytes", i);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_int(fo_b64_decode(bad[i], strlen(bad[i]), buf,
		    sizeof(buf)), -1, "\"%.4s\" is no base64", bad[i]);
	is_int(fo_b64_decode("Zm9v", 4, buf, 2), -1, "no room to decode");
	is_int(fo_b64_encode("foo", 3, buf, 4), -1, "no room to encode");
	is_str(buf, "", "and then an empty string");
}

static void
test_long(void)
{
	unsigned char in[1000], out[1000];
	char text[FO_B64_SIZE(sizeof(in))];
	size_t len, i;
	bool same = true;

	for (i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * 31 + i / 7);
	for (len = 0; len < sizeof(in); len++)
		if (fo_b64_encode(in, len, text, FO_B64_SIZE(len)) == -1 ||
		    fo_b64_decode(text, strlen(text), out, len) !=
		    (ssize_t)len || memcmp(in, out, len) != 0)
			same = false;
	ok(same, "all lengths to 1000 come back");
}

int
main(void)
{
	test_read();
	test_write();
	test_base64();
	test_long();
	return test_end();
}
