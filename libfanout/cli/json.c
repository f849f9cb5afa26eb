/*
 * The run as JSON (RFC 8259), one object a line on stdout; cexec(1) has the
 * schema. Output comes as "text" where it is UTF-8, else as "base64"; the
 * pieces of one host and stream, put together, are its bytes exactly.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "progress.h"
#include "summary.h"
#include "view.h"
#include "visible.h"

/* The beginning of a character whose rest is still to come. */
struct tail {
	unsigned char len;
	char	bytes[3];
};

struct json_view {
	struct cli_view	 view;
	struct tail	*tails;		/* 2 * host + (stderr) */
	uint64_t	*sums;		/* so, of the bytes; NULL: not wanted */
	bool		 no_output, no_remarks;
	size_t		 over;		/* at the last progress */
	int64_t		 ticked;	/* when that was */
};

static void
put(struct json_view *j, const char *s)
{
	cli_sink_put(j->view.out, s, strlen(s));
}

static void __attribute__((__format__(printf, 2, 3)))
putf(struct json_view *j, const char *fmt, ...)
{
	char buf[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	put(j, buf);
}

/* A JSON string; what is no UTF-8 becomes U+FFFD (names, never output). */
static void
put_string(struct json_view *j, const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n;

	put(j, "\"");
	for (; len > 0; p += n, len -= n) {
		if ((n = cli_utf8(p, len)) == 0) {
			put(j, "\xef\xbf\xbd");
			n = 1;
		} else if (*p == '"' || *p == '\\')
			putf(j, "\\%c", *p);
		else if (*p == '\n')
			put(j, "\\n");
		else if (*p < ' ' || *p == 0x7f)
			putf(j, "\\u%04x", *p);
		else
			cli_sink_put(j->view.out, p, n);
	}
	put(j, "\"");
}

static void
put_base64(struct json_view *j, const char *data, size_t len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)data;
	char out[4];
	unsigned v;

	put(j, "\"");
	for (; len > 0; p += 3, len -= len < 3 ? len : 3) {
		v = (unsigned)p[0] << 16 | (len > 1 ? (unsigned)p[1] << 8 : 0) |
		    (len > 2 ? (unsigned)p[2] : 0);
		out[0] = digits[v >> 18];
		out[1] = digits[v >> 12 & 63];
		out[2] = len > 1 ? digits[v >> 6 & 63] : '=';
		out[3] = len > 2 ? digits[v & 63] : '=';
		cli_sink_put(j->view.out, out, 4);
	}
	put(j, "\"");
}

static void
put_head(struct json_view *j, const char *event, const char *host)
{
	putf(j, "{\"event\":\"%s\"", event);
	if (*host != '\0') {
		put(j, ",\"host\":");
		put_string(j, host, strlen(host));
	}
}

static void
put_time(struct json_view *j)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	putf(j, ",\"time\":%lld.%03ld", (long long)ts.tv_sec,
	    ts.tv_nsec / 1000000);
}

static bool
all_utf8(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n;

	for (; len > 0; p += n, len -= n)
		if ((n = cli_utf8(p, len)) == 0)
			return false;
	return true;
}

static void
put_output(struct json_view *j, const char *event, const char *host,
    const char *data, size_t len)
{
	put_head(j, event, host);
	if (all_utf8(data, len)) {
		put(j, ",\"text\":");
		put_string(j, data, len);
	} else {
		put(j, ",\"base64\":");
		put_base64(j, data, len);
	}
	put(j, "}\n");
}

/* How many of the last bytes could be the beginning of a character. */
static size_t
unfinished(const char *s, size_t len)
{
	size_t back, want;
	unsigned char c;

	for (back = 1; back <= 3 && back <= len; back++) {
		c = (unsigned char)s[len - back];
		if ((c & 0xc0) == 0x80)
			continue;
		want = c >= 0xf0 && c <= 0xf4 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 :
		    c >= 0xc2 && c < 0xe0 ? 2 : 1;
		return want > back ? back : 0;
	}
	return 0;
}

static const char *
event_name(enum fanout_kind kind)
{
	return kind == FANOUT_EV_ERR ? "err" : "out";
}

/* FNV-1a: to see whether something else was said, not to trust. */
static void
add_sum(uint64_t *sum, const char *data, size_t len)
{
	for (; len > 0; len--)
		*sum = (*sum ^ (unsigned char)*data++) * 0x100000001b3;
}

static void
on_output(struct json_view *j, const struct fanout_event *ev)
{
	size_t slot = 2 * ev->host + (ev->kind == FANOUT_EV_ERR);
	struct tail *t = &j->tails[slot];
	const char *data = ev->data;
	size_t len = ev->len, held;
	char *joined = NULL;

	if (j->sums != NULL)
		add_sum(&j->sums[slot], data, len);
	if (j->no_output)
		return;
	if (t->len > 0 && (joined = malloc(t->len + len)) != NULL) {
		memcpy(joined, t->bytes, t->len);
		memcpy(joined + t->len, data, len);
		data = joined;
		len += t->len;
	} else if (t->len > 0)
		put_output(j, event_name(ev->kind), ev->name, t->bytes, t->len);
	held = unfinished(data, len);
	memcpy(t->bytes, data + len - held, held);
	t->len = (unsigned char)held;
	if (len > held)
		put_output(j, event_name(ev->kind), ev->name, data, len - held);
	free(joined);
}

static void
flush_tails(struct json_view *j, size_t host, const char *name)
{
	struct tail *t;
	size_t i;

	for (i = 0; i < 2; i++) {
		t = &j->tails[2 * host + i];
		if (t->len > 0)
			put_output(j, i == 0 ? "out" : "err", name, t->bytes,
			    t->len);
		t->len = 0;
	}
}

/* What became of a command that was given up. */
static const char *const fates[] = {
	[FANOUT_F_KILLED] = "killed",
	[FANOUT_F_RUNNING] = "running",
	[FANOUT_F_UNKNOWN] = "unknown"
};

static void
on_done(struct json_view *j, const struct fanout_event *ev)
{
	const struct fanout_result *r = ev->result;

	flush_tails(j, ev->host, ev->name);
	put_head(j, "done", ev->name);
	put_time(j);
	putf(j, ",\"class\":\"%s\",\"stage\":\"%s\"",
	    fanout_class_name(r->cls), fanout_stage_name(r->stage));
	if (r->status >= 0)
		putf(j, ",\"status\":%d", r->status);
	else
		put(j, ",\"status\":null");
	put(j, ",\"signal\":");
	if (r->signal[0] != '\0')
		put_string(j, r->signal, strlen(r->signal));
	else
		put(j, "null");
	put(j, ",\"text\":");
	put_string(j, r->text, strlen(r->text));
	putf(j, ",\"errno\":%d,\"library_error\":%d", r->sys_errno, r->lib_err);
	putf(j, ",\"in_bytes\":%llu,\"out_bytes\":%llu,\"err_bytes\":%llu",
	    (unsigned long long)r->in_bytes, (unsigned long long)r->out_bytes,
	    (unsigned long long)r->err_bytes);
	if (r->fate != FANOUT_F_NONE)
		putf(j, ",\"fate\":\"%s\"", fates[r->fate]);
	if (r->pid != 0)
		putf(j, ",\"pid\":%lld", (long long)r->pid);
	if (j->sums != NULL)
		putf(j, ",\"out_sum\":\"%016llx\",\"err_sum\":\"%016llx\"",
		    (unsigned long long)j->sums[2 * ev->host],
		    (unsigned long long)j->sums[2 * ev->host + 1]);
	putf(j, ",\"queue_ms\":%u,\"login_ms\":%u,\"run_ms\":%u}\n",
	    r->queue_ms, r->login_ms, r->run_ms);
}

static void
on_event(struct cli_view *v, const struct fanout_event *ev)
{
	struct json_view *j = (struct json_view *)v;

	switch (ev->kind) {
	case FANOUT_EV_START:
		put_head(j, "start", ev->name);
		put_time(j);
		put(j, "}\n");
		break;
	case FANOUT_EV_OUT:
	case FANOUT_EV_ERR:
		on_output(j, ev);
		break;
	case FANOUT_EV_LOG:
		if (j->no_remarks)
			break;
		put_head(j, "log", ev->name);
		putf(j, ",\"level\":%d,\"text\":", ev->level);
		put_string(j, ev->data, ev->len);
		put(j, "}\n");
		break;
	case FANOUT_EV_DONE:
		on_done(j, ev);
		break;
	case FANOUT_EV_ROOM:
		break;
	case FANOUT_EV_ASK:
		break;		/* a person's affair */
	}
}

static void
on_check(struct cli_view *v, const struct fanout_event *ev)
{
	struct json_view *j = (struct json_view *)v;
	const struct fanout_result *r = ev->result;

	put_head(j, "check", ev->name);
	put_time(j);
	putf(j, ",\"class\":\"%s\"", fanout_class_name(r->cls));
	if (r->status >= 0)
		putf(j, ",\"status\":%d", r->status);
	put(j, ",\"text\":");
	put_string(j, r->text, strlen(r->text));
	put(j, "}\n");
}

/* At most once a second, and only if a host is over since. */
static void
on_tick(struct cli_view *v, const struct cli_roster *r, int64_t ms)
{
	struct json_view *j = (struct json_view *)v;
	int64_t left = cli_progress_left(r, ms);

	if (r->over == j->over || ms - j->ticked < 1000)
		return;
	j->over = r->over;
	j->ticked = ms;
	put(j, "{\"event\":\"progress\"");
	put_time(j);
	putf(j, ",\"hosts\":%zu,\"done\":%zu,\"running\":%zu,\"failed\":%zu,"
	    "\"skipped\":%zu", r->count, r->over, r->running, r->failed,
	    r->skipped);
	if (left >= 0)
		putf(j, ",\"left_ms\":%lld}\n", (long long)left);
	else
		put(j, ",\"left_ms\":null}\n");
}

static void
on_end(struct cli_view *v, const struct cli_roster *r, int status)
{
	struct json_view *j = (struct json_view *)v;
	size_t counts[FANOUT_NCLASSES] = { 0 }, i;
	const char *comma = "";

	for (i = 0; i < r->count; i++) {
		flush_tails(j, i, fanout_hosts_at(r->hosts, i));
		counts[r->places[i].cls]++;
	}
	put(j, "{\"event\":\"summary\"");
	put_time(j);
	putf(j, ",\"hosts\":%zu,\"ok\":%zu,\"failed\":%zu,\"skipped\":%zu,"
	    "\"exit\":%d", r->count, r->over - r->failed - r->skipped, r->failed,
	    r->skipped, status);
	put(j, ",\"classes\":{");
	for (i = 0; i < FANOUT_NCLASSES; i++) {
		if (counts[i] == 0)
			continue;
		putf(j, "%s\"%s\":%zu", comma, fanout_class_name(i), counts[i]);
		comma = ",";
	}
	put(j, "}}\n");
	cli_sink_flush(v->out);
	cli_sink_flush(v->err);
}

static void
free_view(struct cli_view *v)
{
	struct json_view *j = (struct json_view *)v;

	free(j->tails);
	free(j->sums);
	free(j);
}

struct cli_view *
cli_json_view(size_t hosts, struct cli_sink *out, struct cli_sink *err)
{
	struct json_view *j;

	if ((j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	j->view = (struct cli_view){ .event = on_event,
	    .check = on_check, .tick = on_tick, .end = on_end,
	    .free = free_view, .out = out, .err = err };
	if ((j->tails = calloc(2 * hosts, sizeof(*j->tails))) == NULL) {
		free(j);
		return NULL;
	}
	return &j->view;
}

struct cli_view *
cli_json_record(size_t hosts, bool outputs, struct cli_sink *out)
{
	struct json_view *j;
	size_t i;

	j = (struct json_view *)cli_json_view(hosts, out, out);
	if (j == NULL)
		return NULL;
	j->view.tick = NULL;
	j->no_output = !outputs;
	j->no_remarks = true;
	j->sums = reallocarray(NULL, 2 * hosts, sizeof(*j->sums));
	if (j->sums == NULL) {
		free_view(&j->view);
		return NULL;
	}
	for (i = 0; i < 2 * hosts; i++)
		j->sums[i] = 0xcbf29ce484222325;
	return &j->view;
}

void
cli_json_string(struct cli_sink *s, const char *text)
{
	struct json_view j = { .view = { .out = s } };

	put_string(&j, text, strlen(text));
}
