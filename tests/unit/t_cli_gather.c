/* Hosts that said the same, found whatever their number and the size of what
 * they said. */
#include <sys/resource.h>

#include <signal.h>
#include <unistd.h>

#include "cli/pile.h"
#include "cli/view.h"
#include "test.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

struct shown {
	struct cli_look	 look;
	struct fanout_hosts *hosts;
	struct cli_sink	 out, err;
	struct cli_view	*view;
	struct cli_roster roster;
};

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
	char path[] = "/tmp/t_cli_gather.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	return fd;
}

static void
begin(struct shown *s, const char *expr, const struct cli_look *look)
{
	const struct cli_patience patience = { for_ever, NULL };
	struct fanout_error e;

	s->look = *look;
	if (fanout_hosts_new(&s->hosts) != 0 ||
	    fanout_hosts_add(s->hosts, expr, NULL) != 0 ||
	    cli_look_check(&s->look, s->hosts, &e) != 0 ||
	    cli_sink_open(&s->out, temporary(), patience) == -1 ||
	    cli_sink_open(&s->err, temporary(), patience) == -1 ||
	    cli_roster_init(&s->roster, s->hosts) == -1)
		abort();
	s->view = cli_gather_view(&s->look, &s->roster, &s->out, &s->err);
}

static void
event(struct shown *s, enum fanout_kind kind, size_t host, const char *data,
    size_t len, const struct fanout_result *result)
{
	const struct fanout_event ev = { .kind = kind, .job = 1, .host = host,
	    .name = fanout_hosts_at(s->hosts, host), .data = data, .len = len,
	    .result = result };

	cli_roster_event(&s->roster, &ev);
	s->view->event(s->view, &ev);
}

static void
out(struct shown *s, size_t host, const char *text)
{
	event(s, FANOUT_EV_OUT, host, text, strlen(text), NULL);
}

static void
done(struct shown *s, size_t host, enum fanout_class cls, int status)
{
	const struct fanout_result r = { .cls = cls, .stage = FANOUT_S_RUN,
	    .status = status };

	event(s, FANOUT_EV_DONE, host, NULL, 0, &r);
}

/* What is on stdout then; free(3). */
static char *
end(struct shown *s)
{
	off_t size;
	char *text;

	cli_roster_give_up(&s->roster);
	s->view->rest(s->view, &s->roster);
	s->view->end(s->view, &s->roster, 0);
	s->view->free(s->view);
	cli_sink_close(&s->out);
	cli_sink_close(&s->err);
	size = lseek(s->out.fd, 0, SEEK_END);
	text = calloc(1, (size_t)size + 1);
	if (pread(s->out.fd, text, (size_t)size, 0) != size)
		abort();
	close(s->out.fd);
	close(s->err.fd);
	cli_roster_clear(&s->roster);
	fanout_hosts_free(s->hosts);
	return text;
}

static const struct cli_look gather = { .gather = true };

static void
groups(void)
{
	struct shown s;
	char *text;

	begin(&s, "n[1-6]", &gather);
	out(&s, 0, "a\nb");
	out(&s, 1, "a\n");
	out(&s, 2, "a\nb\n");
	out(&s, 1, "b\n");
	out(&s, 3, "a\nb\n");
	out(&s, 4, "part");
	done(&s, 1, FANOUT_C_OK, 0);
	done(&s, 3, FANOUT_C_EXIT, 2);
	done(&s, 0, FANOUT_C_OK, 0);
	done(&s, 2, FANOUT_C_OK, 0);
	done(&s, 5, FANOUT_C_OK, 0);
	text = end(&s);
	is_str(text, "---------------\nn[1-3] (3)\n---------------\na\nb\n"
	    "---------------\nn4\n---------------\na\nb\n"
	    "---------------\nn5\n---------------\npart\n",
	    "by what was said and how it ended; what was canceled is there");
	free(text);
}

static void
ordered(void)
{
	const struct cli_look look = { .ordered = true, .merge = true };
	struct shown s;
	char *text;

	begin(&s, "n[1-3]", &look);
	out(&s, 2, "three\n");
	done(&s, 2, FANOUT_C_OK, 0);
	out(&s, 0, "o");
	event(&s, FANOUT_EV_ERR, 0, "oops\n", 5, NULL);
	out(&s, 0, "ne");
	out(&s, 1, "two");
	done(&s, 0, FANOUT_C_OK, 0);
	cli_sink_flush(&s.out);
	is_int(lseek(s.out.fd, 0, SEEK_END), strlen("n1: oops\nn1: one\n"),
	    "a host is shown once all before it are");
	text = end(&s);
	is_str(text, "n1: oops\nn1: one\nn2: two\nn3: three\n",
	    "host after host, lines whole");
	free(text);
}

/* So many piles that any search through all of them would be seen. */
static void
many(void)
{
	const size_t n = SANITIZED ? 4000 : 100000;
	struct shown s;
	char line[32], *text, *p;
	size_t i, blocks = 0;

	begin(&s, "n[1-100000]", &gather);
	for (i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "%zu\n", i % 2 == 0 ? i : n + i / 4);
		out(&s, i, line);
		done(&s, i, FANOUT_C_OK, 0);
	}
	text = end(&s);
	for (p = text; (p = strstr(p, "---------------\nn")) != NULL; p++)
		blocks++;
	is_int(blocks, n / 2 + n / 4, "groups of many");
	free(text);
}

/* Four times what may be in memory: on disk, and the same when it is read. */
static void
big(void)
{
	enum { HOSTS = 32, SIZE = 1024 * 1024 };
	struct rusage before, after;
	struct shown s;
	char *chunk = malloc(SIZE), *text;
	size_t i, k;
	bool right = true;

	getrusage(RUSAGE_SELF, &before);
	begin(&s, "n[1-32]", &gather);
	for (k = 0; k < 16; k++)
		for (i = 0; i < HOSTS; i++) {
			memset(chunk, (int)('a' + (i + k) % 26), SIZE / 16);
			event(&s, FANOUT_EV_OUT, i, chunk, SIZE / 16, NULL);
		}
	for (i = 0; i < HOSTS; i++)
		done(&s, i, FANOUT_C_OK, 0);
	getrusage(RUSAGE_SELF, &after);
	if (SANITIZED)
		skip(1, "memory is not measured under sanitizers");
	else
		ok(after.ru_maxrss - before.ru_maxrss < 14 * 1024,
		    "memory grew by %ld KiB", after.ru_maxrss - before.ru_maxrss);
	text = end(&s);
	/* 26 different ones: n1 and n27 said the same. */
	ok(strstr(text, "\nn[1,27] (2)\n") != NULL, "large ones are grouped");
	for (i = 0, k = 0; text[i] != '\0'; i++)
		k += text[i] == 'a';
	right = k == 16 * (SIZE / 16);
	ok(right, "and all there: %zu", k);
	free(text);
	free(chunk);
}

static void
no_room(void)
{
	struct rlimit none = { 0, 0 }, old;
	struct cli_store s;
	char chunk[1000] = { 0 };

	getrlimit(RLIMIT_FSIZE, &old);
	none.rlim_max = old.rlim_max;
	cli_store_init(&s, 2, 0);
	is_int(cli_store_add(&s, 0, "x", 1), 0, "a little always fits");
	if (setrlimit(RLIMIT_FSIZE, &none) == 0) {
		is_int(cli_store_add(&s, 0, chunk, sizeof(chunk)), -1,
		    "no room for more");
		is_int(cli_store_len(&s, 0), 1, "then nothing was kept");
		s.budget = SIZE_MAX;
		is_int(cli_store_add(&s, 0, chunk, sizeof(chunk)), 0,
		    "unless memory may be used");
		is_int(cli_store_len(&s, 0), 1001, "all is there");
		setrlimit(RLIMIT_FSIZE, &old);
	}
	cli_store_clear(&s);
}

int
main(void)
{
	setprogname("t_cli_gather");
	signal(SIGXFSZ, SIG_IGN);
	groups();
	ordered();
	big();
	many();
	no_room();
	return test_end();
}
