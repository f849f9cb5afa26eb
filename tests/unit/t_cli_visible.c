/* Remote text for a terminal: what stays, what is made visible. */
#include "cli/visible.h"
#include "test.h"

static const struct {
	const char *name, *in, *want;
} cases[] = {
	{ "plain", "hello, world", "hello, world" },
	{ "newline and tab stay", "a\tb\n", "a\tb\n" },
	{ "escape", "\033[31mred", "\\033[31mred" },
	{ "carriage return", "a\rb", "a\\rb" },
	{ "bell, delete", "\a\177", "\\007\\177" },
	{ "UTF-8 stays", "h\303\251 \342\202\254 \360\237\230\200",
	    "h\303\251 \342\202\254 \360\237\230\200" },
	{ "C1 control", "\302\233[31m", "\\302\\233[31m" },
	{ "first after C1", "\302\240", "\302\240" },
	{ "lone byte", "a\377b", "a\\377b" },
	{ "cut short", "a\342\202", "a\\342\\202" },
	{ "overlong", "\300\257", "\\300\\257" },
	{ "overlong of three", "\340\200\257", "\\340\\200\\257" },
	{ "surrogate", "\355\240\200", "\\355\\240\\200" },
	{ "above U+10FFFF", "\364\220\200\200", "\\364\\220\\200\\200" },
	{ "right-to-left override", "\342\200\256", "\\342\\200\\256" },
	{ "isolate", "\342\201\246", "\\342\\201\\246" },
	{ "dash of that block stays", "\342\200\224", "\342\200\224" },
	{ "backslash stays", "\\033", "\\033" },
};

int
main(void)
{
	char out[256];
	size_t i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = cli_visible(out, cases[i].in, strlen(cases[i].in));
		out[n] = '\0';
		is_str(out, cases[i].want, "%s", cases[i].name);
	}
	n = cli_visible(out, "a\0b", 3);
	out[n] = '\0';
	is_str(out, "a\\000b", "a NUL");
	return test_end();
}
