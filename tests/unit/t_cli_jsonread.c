/* Objects of our own, read strictly. */
#include "cli/jsonread.h"
#include "test.h"

static char seen[1024];

static int
note(void *ctx, const char *key, const struct cli_json_value *v)
{
	size_t n = strlen(seen);
	char *at = seen + n;

	(void)ctx;
	n = sizeof(seen) - n;
	switch (v->kind) {
	case CLI_JSON_NULL:
		snprintf(at, n, "%s%s=null;", key, v->item ? "[]" : "");
		break;
	case CLI_JSON_BOOL:
		snprintf(at, n, "%s=%s;", key, v->number != 0 ? "true" : "false");
		break;
	case CLI_JSON_NUMBER:
		snprintf(at, n, "%s%s=%g;", key, v->item ? "[]" : "", v->number);
		break;
	case CLI_JSON_STRING:
		snprintf(at, n, "%s%s=%zu:%s;", key, v->item ? "[]" : "",
		    v->len, v->text);
		break;
	}
	return strcmp(key, "stop") == 0 ? 7 : 0;
}

static const struct {
	const char *line;
	int	 rc;
	const char *seen;	/* NULL: whatever */
} cases[] = {
	{ "{}", 0, "" },
	{ " { } ", 0, "" },
	{ "{\"a\":1}", 0, "a=1;" },
	{ "{\"a\":-1.5e2 ,\"b\":null, \"c\":true,\"d\":false}", 0,
	    "a=-150;b=null;c=true;d=false;" },
	{ "{\"a\":\"x\\n\\t\\\"\\\\\\/\"}", 0, "a=6:x\n\t\"\\/;" },
	{ "{\"a\":\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"}", 0,
	    "a=10:A\303\251\342\202\254\360\237\230\200;" },
	{ "{\"a\":\"\303\251\"}", 0, "a=2:\303\251;" },
	{ "{\"a\":[\"x\",\"y\",3,null]}", 0, "a[]=1:x;a[]=1:y;a[]=3;a[]=null;" },
	{ "{\"a\":[],\"b\":1}", 0, "b=1;" },
	{ "{\"a\":{\"x\":[1,{\"y\":\"]}\"}]},\"b\":1}", 0, "b=1;" },
	{ "{\"a\":[[1],{\"x\":2}],\"b\":1}", 0, "b=1;" },
	{ "{\"stop\":1,\"b\":2}", 7, "stop=1;" },
	{ "", -1, "" },
	{ "[]", -1, "" },
	{ "{", -1, "" },
	{ "{\"a\"", -1, "" },
	{ "{\"a\":", -1, "" },
	{ "{\"a\":1", -1, NULL },
	{ "{\"a\":1}x", -1, NULL },
	{ "{\"a\":1,}", -1, NULL },
	{ "{a:1}", -1, "" },
	{ "{\"a\":1x}", -1, NULL },
	{ "{\"a\":+1}", -1, "" },
	{ "{\"a\":nul}", -1, "" },
	{ "{\"a\":\"x}", -1, "" },
	{ "{\"a\":\"\\x\"}", -1, "" },
	{ "{\"a\":\"\\u12\"}", -1, "" },
	{ "{\"a\":\"\\ud83d\"}", -1, "" },
	{ "{\"a\":\"\\udc00\"}", -1, "" },
	{ "{\"a\":\"\001\"}", -1, "" },
	{ "{\"a\":\"\377\"}", -1, "" },
	{ "{\"a\":[1}", -1, NULL },
	{ "{\"a\":{\"b\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}}", -1, "" },
};

static const struct {
	const char *text, *want;	/* NULL: it is none */
} base64[] = {
	{ "", "" }, { "YQ==", "a" }, { "YWI=", "ab" }, { "YWJj", "abc" },
	{ "YWJjZA==", "abcd" }, { "/+8=", "\377\357" },
	{ "YQ=", NULL }, { "YQ", NULL }, { "Y===", NULL }, { "Y!==", NULL },
	{ "=", NULL },
};

/* Whatever a line is changed to, it is read within its bounds. */
static void
mutants(void)
{
	static const char from[] = "{}[]\",:\\u0dnt-1e\377\0 ";
	unsigned seed = 1;
	char *line;
	size_t i, k, n, len;

	for (i = 0; i < 200000; i++) {
		seed = seed * 1103515245 + 12345;
		k = seed / 65536 % (sizeof(cases) / sizeof(cases[0]));
		len = strlen(cases[k].line);
		/* So that a sanitizer sees one byte too many. */
		if ((line = malloc(len + 1)) == NULL)
			abort();
		memcpy(line, cases[k].line, len + 1);
		for (n = 0; n < 3 && len > 0; n++) {
			seed = seed * 1103515245 + 12345;
			line[seed / 65536 % len] =
			    from[seed / 256 % (sizeof(from) - 1)];
		}
		seen[0] = '\0';
		cli_json_each(line, len, note, NULL);
		free(line);
	}
	ok(true, "mutants");
}

int
main(void)
{
	char line[256];
	size_t i;
	long n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		seen[0] = '\0';
		strlcpy(line, cases[i].line, sizeof(line));
		is_int(cli_json_each(line, strlen(line), note, NULL),
		    cases[i].rc, "%s", cases[i].line);
		if (cases[i].seen != NULL)
			is_str(seen, cases[i].seen, "and its fields");
	}
	for (i = 0; i < sizeof(base64) / sizeof(base64[0]); i++) {
		strlcpy(line, base64[i].text, sizeof(line));
		n = cli_base64_decode(line, strlen(line));
		if (base64[i].want == NULL)
			is_int(n, -1, "\"%s\" is no base64", base64[i].text);
		else
			ok(n == (long)strlen(base64[i].want) && memcmp(line,
			    base64[i].want, (size_t)n) == 0, "base64 \"%s\"",
			    base64[i].text);
	}
	mutants();
	return test_end();
}
