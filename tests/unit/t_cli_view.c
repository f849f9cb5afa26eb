/* What a user sees of a run, as text and as JSON, byte for byte. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "cli/summary.h"
#include "cli/view.h"
#include "test.h"

struct shown {
	struct cli_sink	 out, err;
	struct cli_view	*view;
	struct cli_roster roster;
	char	 text[2][8192];		/* stdout, stderr */
};

static struct fanout_hosts *hosts;	/* n1, n2, n3 */

static int
for_ever(void *ctx, struct cli_sink *s)
{
	(void)ctx;
	(void)s;
	return -1;
}

static int
temporary(void)
{
	char path[] = "/tmp/t_cli_view.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	return fd;
}

static void
begin(struct shown *s, const struct cli_look *look)
{
	const struct cli_patience patience = { for_ever, NULL };

	cli_sink_open(&s->out, temporary(), patience);
	cli_sink_open(&s->err, temporary(), patience);
	cli_roster_init(&s->roster, hosts);
	s->view = look->json ? cli_json_view(3, &s->out, &s->err) :
	    cli_text_view(look, 3, &s->out, &s->err);
}

static void
event(struct shown *s, enum fanout_kind kind, size_t host, const char *data,
    size_t len, const struct fanout_result *result)
{
	struct fanout_event ev = { .kind = kind, .job = 1, .host = host,
	    .name = fanout_hosts_at(hosts, host), .data = data, .len = len,
	    .level = 1, .result = result };

	cli_roster_event(&s->roster, &ev);
	s->view->event(s->view, &ev);
}

static void
say(struct shown *s, enum fanout_kind kind, size_t host, const char *text)
{
	event(s, kind, host, text, strlen(text), NULL);
}

static void
done(struct shown *s, size_t host, enum fanout_class cls, int status,
    const char *text)
{
	struct fanout_result r = { .cls = cls, .stage = FANOUT_S_RUN,
	    .status = status };

	strlcpy(r.text, text, sizeof(r.text));
	event(s, FANOUT_EV_DONE, host, NULL, 0, &r);
}

static void
read_back(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

static void
end(struct shown *s, int status)
{
	if (s->view->rest != NULL)
		s->view->rest(s->view, &s->roster);
	s->view->end(s->view, &s->roster, status);
	s->view->free(s->view);
	cli_sink_close(&s->out);
	cli_sink_close(&s->err);
	read_back(s->out.fd, s->text[0], sizeof(s->text[0]));
	read_back(s->err.fd, s->text[1], sizeof(s->text[1]));
	cli_roster_clear(&s->roster);
}

static void
text_labels(void)
{
	const struct cli_look look = { .verbose = 0 };
	struct shown s;

	begin(&s, &look);
	event(&s, FANOUT_EV_START, 0, NULL, 0, NULL);
	say(&s, FANOUT_EV_OUT, 0, "one\ntw");
	say(&s, FANOUT_EV_OUT, 1, "other\n");
	say(&s, FANOUT_EV_ERR, 0, "oops\n");
	say(&s, FANOUT_EV_OUT, 0, "o");
	done(&s, 0, FANOUT_C_OK, 0, "");
	done(&s, 1, FANOUT_C_EXIT, 7, "exit status 7");
	done(&s, 2, FANOUT_C_REFUSED, -1, "192.0.2.1 port 22: refused");
	end(&s, 4);
	is_str(s.text[0], "n1: one\nn2: other\nn1: two\n", "labelled stdout");
	is_str(s.text[1], "n1: oops\n"
	    "t_cli_view: n3: refused: 192.0.2.1 port 22: refused\n"
	    "t_cli_view: 2 of 3 failed: exit 7: n2; refused: n3\n",
	    "labelled stderr, the cause, the summary");
}

static void
text_verbose(void)
{
	const struct cli_look look = { .verbose = 1 };
	struct shown s;

	begin(&s, &look);
	say(&s, FANOUT_EV_LOG, 0, "a note");
	done(&s, 0, FANOUT_C_EXIT, 7, "exit status 7");
	done(&s, 1, FANOUT_C_OK, 0, "");
	done(&s, 2, FANOUT_C_OK, 0, "");
	end(&s, 1);
	is_str(s.text[1], "t_cli_view: n1: a note\n"
	    "t_cli_view: n1: exit: exit status 7\n"
	    "t_cli_view: 1 of 3 failed: exit 7: n1\n", "-v says more");
}

static void
text_bare(void)
{
	const struct cli_look look = { .no_labels = true };
	struct shown s;

	begin(&s, &look);
	say(&s, FANOUT_EV_OUT, 0, "a\nb");
	say(&s, FANOUT_EV_OUT, 1, "c");
	done(&s, 0, FANOUT_C_OK, 0, "");
	done(&s, 1, FANOUT_C_OK, 0, "");
	done(&s, 2, FANOUT_C_OK, 0, "");
	end(&s, 0);
	is_str(s.text[0], "a\nbc", "without labels no newline is added");
	is_str(s.text[1], "", "nothing to say");
}

static void
text_given_up(void)
{
	const struct cli_look look = { .verbose = 0 };
	struct shown s;

	begin(&s, &look);
	say(&s, FANOUT_EV_OUT, 0, "part");
	done(&s, 1, FANOUT_C_OK, 0, "");
	done(&s, 2, FANOUT_C_OK, 0, "");
	cli_roster_give_up(&s.roster);
	end(&s, 130);
	is_str(s.text[0], "n1: part\n", "output so far is kept");
	is_str(s.text[1], "t_cli_view: 1 of 3 failed: canceled before it began: n1\n",
	    "and the host is named");
}

/* The times are not known: cut them out. */
static void
without_times(char *s)
{
	char *at, *stop;

	while ((at = strstr(s, ",\"time\":")) != NULL) {
		stop = at + 8 + strspn(at + 8, "0123456789.");
		memmove(at, stop, strlen(stop) + 1);
	}
}

static void
json(void)
{
	const struct cli_look look = { .json = true };
	struct shown s;

	begin(&s, &look);
	event(&s, FANOUT_EV_START, 0, NULL, 0, NULL);
	say(&s, FANOUT_EV_OUT, 0, "a\"b\\\n\t\001\177\303");
	say(&s, FANOUT_EV_OUT, 0, "\251\n");
	event(&s, FANOUT_EV_ERR, 0, "\377\0x", 3, NULL);
	event(&s, FANOUT_EV_OUT, 1, "a\0b", 3, NULL);
	say(&s, FANOUT_EV_OUT, 2, "\342\202");
	say(&s, FANOUT_EV_LOG, 0, "note");
	done(&s, 0, FANOUT_C_OK, 0, "");
	done(&s, 1, FANOUT_C_EXIT, 3, "exit status 3");
	done(&s, 2, FANOUT_C_LOST, -1, "gone");
	end(&s, 1);
	without_times(s.text[0]);
	is_str(s.text[0],
	    "{\"event\":\"start\",\"host\":\"n1\"}\n"
	    "{\"event\":\"out\",\"host\":\"n1\",\"text\":"
	    "\"a\\\"b\\\\\\n\\u0009\\u0001\\u007f\"}\n"
	    "{\"event\":\"out\",\"host\":\"n1\",\"text\":\"\303\251\\n\"}\n"
	    "{\"event\":\"err\",\"host\":\"n1\",\"base64\":\"/wB4\"}\n"
	    "{\"event\":\"out\",\"host\":\"n2\",\"text\":\"a\\u0000b\"}\n"
	    "{\"event\":\"log\",\"host\":\"n1\",\"level\":1,\"text\":\"note\"}\n"
	    "{\"event\":\"done\",\"host\":\"n1\",\"class\":\"ok\","
	    "\"stage\":\"run\",\"status\":0,\"signal\":null,\"text\":\"\","
	    "\"errno\":0,\"library_error\":0,\"in_bytes\":0,\"out_bytes\":0,"
	    "\"err_bytes\":0,\"queue_ms\":0,\"login_ms\":0,\"run_ms\":0}\n"
	    "{\"event\":\"done\",\"host\":\"n2\",\"class\":\"exit\","
	    "\"stage\":\"run\",\"status\":3,\"signal\":null,"
	    "\"text\":\"exit status 3\","
	    "\"errno\":0,\"library_error\":0,\"in_bytes\":0,\"out_bytes\":0,"
	    "\"err_bytes\":0,\"queue_ms\":0,\"login_ms\":0,\"run_ms\":0}\n"
	    "{\"event\":\"out\",\"host\":\"n3\",\"base64\":\"4oI=\"}\n"
	    "{\"event\":\"done\",\"host\":\"n3\",\"class\":\"lost\","
	    "\"stage\":\"run\",\"status\":null,\"signal\":null,"
	    "\"text\":\"gone\","
	    "\"errno\":0,\"library_error\":0,\"in_bytes\":0,\"out_bytes\":0,"
	    "\"err_bytes\":0,\"queue_ms\":0,\"login_ms\":0,\"run_ms\":0}\n"
	    "{\"event\":\"summary\",\"hosts\":3,\"ok\":1,\"failed\":2,\"skipped\":0,"
	    "\"exit\":1,\"classes\":{\"ok\":1,\"exit\":1,\"lost\":1}}\n",
	    "every event as JSON");
	is_str(s.text[1], "", "nothing on stderr");
}

/* A reader that sleeps: the sink waits, asks, and gives up when told. */
static int
some_patience(void *ctx, struct cli_sink *s)
{
	int *asked = ctx;

	(void)s;
	return ++*asked < 3 ? 10 : 0;
}

static void
sleeping_reader(void)
{
	static char chunk[65536];
	struct cli_patience patience;
	struct cli_sink s;
	int fd[2], asked = -1000, i;

	if (pipe(fd) == -1)
		return;
	patience = (struct cli_patience){ some_patience, &asked };
	cli_sink_open(&s, fd[1], patience);
	ok(!s.file && !s.tty, "a pipe is no file");
	fcntl(fd[1], F_SETPIPE_SZ, 65536);
	for (i = 0; i < 4 && s.error == 0; i++)
		cli_sink_put(&s, chunk, sizeof(chunk));
	is_int(s.error, ETIMEDOUT, "a full pipe is given up, not waited for");
	is_int(i, 2, "after it was full");
	cli_sink_close(&s);
	close(fd[0]);
	close(fd[1]);
}

static void
no_reader(void)
{
	const struct cli_patience patience = { for_ever, NULL };
	struct cli_sink s;
	int fd[2];

	if (pipe(fd) == -1)
		return;
	close(fd[0]);
	signal(SIGPIPE, SIG_IGN);
	cli_sink_open(&s, fd[1], patience);
	cli_sink_put(&s, "x", 1);
	is_int(s.error, 0, "buffered");
	cli_sink_flush(&s);
	is_int(s.error, EPIPE, "nobody reads");
	cli_sink_close(&s);
	close(fd[1]);
}

int
main(void)
{
	setprogname("t_cli_view");
	if (!ok(fanout_hosts_new(&hosts) == 0 &&
	    fanout_hosts_add(hosts, "n[1-3]", NULL) == 0, "hosts"))
		return test_end();
	text_labels();
	text_verbose();
	text_bare();
	text_given_up();
	json();
	sleeping_reader();
	no_reader();
	fanout_hosts_free(hosts);
	return test_end();
}
