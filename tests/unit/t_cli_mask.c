/* What is masked of a text, and what is not. */
#include "cli/mask.h"
#include "test.h"

static const struct {
	const char *host, *text, *want;
} cases[] = {
	{ "n1", "plain text\n", "plain text\n" },
	{ "n1", "n1 is n10, not n1x, but n1.", "<host> is n10, not n1x, but <host>." },
	{ "n1", "my-n1 n1-eth0 N1", "my-n1 n1-eth0 <host>" },
	{ "web3.example.org", "web3.example.org web3 web33",
	    "<host> <host> web33" },
	{ "root@web3:2222", "web3", "<host>" },
	{ "10.0.0.3", "10.0.0.3 10 10.0.0.4", "<host> <n> <addr>" },
	{ NULL, "n1", "n1" },
	/* numbers */
	{ "h", "5 42 3.14 0x1f -7", "<n> <n> <n> <n> -<n>" },
	{ "h", "10ms 3G 99%", "<n>ms <n>G <n>%" },
	{ "h", "eth0 el9 sha256 v1", "eth0 el9 sha256 v1" },
	{ "h", "5.10.0-28-amd64", "<n>.<n>-<n>-amd64" },
	{ "h", "a   1\t 22", "a <n> <n>" },
	{ "h", "1,234", "<n>,<n>" },
	/* addresses */
	{ "h", "1.2.3.4 1.2.3.4:80 1.2.3 1.2.3.4.5",
	    "<addr> <addr>:<n> <n>.<n> <n>.<n>.<n>" },
	{ "h", "52:54:00:12:34:56", "<addr>" },
	{ "h", "fe80::1 ::1 2001:db8:0:0:0:0:0:1 fe80::1%eth0",
	    "<addr> <addr> <addr> <addr>%eth0" },
	{ "h", "std::string a: b::c :: be:ad", "std::string a: <addr> :: be:ad" },
	/* times */
	{ "h", "12:34 12:34:56 1:02:03.456", "<time> <time> <time>" },
	{ "h", "2026-12-24 2026/12/24 2026-12-24T18:00:00Z",
	    "<time> <time> <time>" },
	{ "h", "2026-12-24T18:00:00.123+01:00 2026-1-2", "<time> <n>-<n>-<n>" },
	{ "h", "Wed Nov 25 09:31:41 UTC 2026",
	    "<time> <time> <n> <time> UTC <n>" },
	{ "h", "Monday Marx May", "Monday Marx <time>" },
	{ "h", "", "" },
	{ "h", "\303\251t\303\251 5", "\303\251t\303\251 <n>" },
};

int
main(void)
{
	char out[1024];
	size_t i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = cli_mask(out, cases[i].text, strlen(cases[i].text),
		    cases[i].host);
		out[n] = '\0';
		is_str(out, cases[i].want, "%s", cases[i].text);
	}
	/* Nothing grows more than is said. */
	n = cli_mask(out, "1 1 1 1", 7, "1");
	ok(n <= 7 * CLI_MASK_MAX, "growth");
	return test_end();
}
