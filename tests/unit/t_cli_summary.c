/* The end of a run: folded causes, exit status, who still runs. */
#include "cli/summary.h"
#include "test.h"

static void
start(struct cli_roster *r, size_t host)
{
	struct fanout_event ev = { .kind = FANOUT_EV_START, .host = host };

	cli_roster_event(r, &ev);
}

static void
done(struct cli_roster *r, size_t host, const struct fanout_result *res)
{
	struct fanout_event ev = { .kind = FANOUT_EV_DONE, .host = host,
	    .result = res };

	cli_roster_event(r, &ev);
}

#define OK { .cls = FANOUT_C_OK, .stage = FANOUT_S_RUN }
#define EXIT(n) { .cls = FANOUT_C_EXIT, .stage = FANOUT_S_RUN, .status = n }
#define SIG(n) { .cls = FANOUT_C_SIGNAL, .stage = FANOUT_S_RUN, .status = -1, \
	.signal = n }
#define AT(c, s) { .cls = FANOUT_C_##c, .stage = FANOUT_S_##s, .status = -1 }

static const struct {
	struct fanout_result results[4];
	const char *summary;
	int	 status, largest;
} cases[] = {
	{ { OK, OK, OK, OK }, NULL, 0, 0 },
	{ { OK, EXIT(7), OK, OK }, "1 of 4 failed: exit 7: n2", 1, 7 },
	{ { EXIT(1), EXIT(7), EXIT(1), OK },
	    "3 of 4 failed: exit 1: n[1,3]; exit 7: n2", 1, 7 },
	{ { EXIT(255), OK, OK, AT(REFUSED, CONNECT) },
	    "2 of 4 failed: exit 255: n1; refused: n4", 4, 255 },
	{ { AT(REFUSED, CONNECT), OK, OK, AT(REFUSED, CONNECT) },
	    "2 of 4 failed: refused: n[1,4]", 3, 254 },
	{ { SIG("TERM"), SIG("KILL"), SIG("TERM"), OK },
	    "3 of 4 failed: signal KILL: n2; signal TERM: n[1,3]", 1, 143 },
	{ { SIG("odd@example.org"), OK, OK, OK },
	    "1 of 4 failed: signal unknown: n1", 1, 128 },
	{ { AT(RESOLVE, RESOLVE), AT(UNREACHABLE, CONNECT),
	    AT(CONNECT_TIMEOUT, CONNECT), AT(LOGIN_TIMEOUT, KEX) },
	    "4 of 4 failed: resolve: n1; unreachable: n2; "
	    "connect-timeout: n3; login-timeout: n4", 3, 254 },
	{ { AT(HOSTKEY_UNKNOWN, HOSTKEY), AT(HOSTKEY_CHANGED, HOSTKEY),
	    AT(ALGORITHM, KEX), AT(AUTH, AUTH) },
	    "4 of 4 failed: hostkey-unknown: n1; hostkey-changed: n2; "
	    "algorithm: n3; auth: n4", 3, 254 },
	{ { AT(COMMAND_TIMEOUT, RUN), AT(IDLE_TIMEOUT, RUN), AT(REMOTE, RUN),
	    AT(CANCELED, RUN) },
	    "4 of 4 failed: command-timeout: n1; idle-timeout: n2; remote: n3; "
	    "canceled: n4", 1, 254 },
	{ { AT(LOST, RUN), OK, OK, OK }, "1 of 4 failed: lost: n1", 1, 254 },
	{ { AT(LOST, KEX), OK, OK, OK }, "1 of 4 failed: lost: n1", 3, 254 },
	{ { AT(LOST, KEX), AT(LOST, RUN), OK, OK },
	    "2 of 4 failed: lost: n[1-2]", 4, 254 },
};

static void
outcomes(const struct fanout_hosts *hosts)
{
	struct cli_roster r;
	size_t i, k;
	char *text;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cli_roster_init(&r, hosts);
		for (k = 0; k < 4; k++)
			start(&r, k);
		for (k = 0; k < 4; k++)
			done(&r, k, &cases[i].results[k]);
		text = cli_summary(&r);
		is_str(text, cases[i].summary, "summary of case %zu", i);
		free(text);
		is_int(cli_status(&r, false, false), cases[i].status,
		    "status of case %zu", i);
		is_int(cli_status(&r, true, false), cases[i].largest,
		    "largest status of case %zu", i);
		is_int(cli_status(&r, false, true), 130, "interrupted");
		cli_roster_clear(&r);
	}
}

static void
who_runs(const struct fanout_hosts *hosts)
{
	static const struct fanout_result good = OK;
	struct cli_roster r;
	char *text;

	cli_roster_init(&r, hosts);
	start(&r, 0);
	start(&r, 1);
	start(&r, 2);
	done(&r, 0, &good);
	r.places[1].since -= 12000;
	r.places[2].since -= 3000;
	text = cli_who_runs(&r);
	is_str(text, "1 of 4 over, 2 running, 1 waiting\n"
	    "running for 12 s: n2\nrunning for 3 s: n3\nwaiting: n4\n",
	    "who runs");
	free(text);
	cli_roster_give_up(&r);
	text = cli_summary(&r);
	is_str(text, "3 of 4 failed: canceled: n[2-3]; canceled before it began: n4", "given up");
	free(text);
	is_int(r.running, 0, "none runs any more");
	is_int(r.over, 4, "all are over");
	cli_roster_clear(&r);
}

int
main(void)
{
	struct fanout_hosts *hosts;

	if (!ok(fanout_hosts_new(&hosts) == 0 &&
	    fanout_hosts_add(hosts, "n[1-4]", NULL) == 0, "hosts"))
		return test_end();
	outcomes(hosts);
	who_runs(hosts);
	fanout_hosts_free(hosts);
	return test_end();
}
