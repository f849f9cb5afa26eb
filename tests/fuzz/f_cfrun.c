/*
 * f_cfrun.c - any bytes as what a cf-serverd and its agent say: lines, frames,
 * replies, output; and as files: the registry of keys, cfrun.hosts, options.
 */
#include "../../cfrun/advice.h"
#include "../../cfrun/frame.h"
#include "../../cfrun/registry.h"
#include "../../cfrun/request.h"
#include "../../cfrun/verdict.h"
#include "fuzz.h"

static void
is_within(const char *p, size_t len, const struct frame *f)
{
	must(p >= f->data && p + len <= f->data + f->len);
}

static void
as_reply(const struct frame *f, bool *begun)
{
	struct reply_text t;
	char text[200];
	enum reply what = frame_reply(f, *begun, &t);

	must(what <= REPLY_OTHER);
	is_within(t.text, t.len, f);
	if (what == REPLY_EXIT)
		must(t.status >= 0 && t.status <= 255);
	if (what == REPLY_BEGUN) {
		*begun = true;
		(void)advice_may_rest(&t);
	}
	if (what == REPLY_REFUSED || what == REPLY_DENIED ||
	    what == REPLY_BROKEN) {
		must(!*begun);
		advice_refusal(what, &t, "EXEC -D x\n", text, sizeof(text));
		must(text[0] != '\0' && strlen(text) < sizeof(text));
	}
}

/* As a session does it: a greeting, a welcome, then frames. */
static void
as_server(const char *p, size_t size)
{
	char release[32];
	struct frame f;
	bool begun = false;
	int n, lines;

	for (lines = 0; lines < 2; lines++) {
		if ((n = frame_line(p, size, &f)) <= 0)
			break;
		must((size_t)n <= size && memchr(f.data, '\n', f.len) == NULL);
		(void)frame_greeting(&f, release, sizeof(release));
		must(strpbrk(release, "\033\n ") == NULL);
		p += n;
		size -= (size_t)n;
	}
	while ((n = frame_parse(p, size, &f)) > 0) {
		must((size_t)n <= size && f.len >= 1 && f.len <= FRAME_MAX);
		as_reply(&f, &begun);
		p += n;
		size -= (size_t)n;
	}
}

static void
as_output(const char *p, size_t size)
{
	static struct verdict_host h;
	struct fanout_result r = { .cls = FANOUT_C_OK };
	size_t half = size / 2;

	memset(&h, 0, sizeof(h));
	verdict_output(&h, p, half, NULL, NULL);
	verdict_output(&h, p + half, size - half, NULL, NULL);
	verdict_done(&h, &r, size % 2 == 0);
	must(strpbrk(r.text, "\033\n") == NULL);
	must(h.verdict != VERDICT_NONE);
}

static void
as_options(const char *p, size_t size)
{
	struct request r = { NULL, NULL, NULL, false };
	struct fanout_error e = { 0 };
	char line[512], *text;

	(void)snprintf(line, sizeof(line), "%.*s", (int)(size < 400 ? size :
	    400), p);
	if (request_line(&r, line, size % 2 == 0, "", &e) != 0)
		must(e.text[0] != '\0');
	else if (request_text(&r, "", &text, &e) == 0) {
		must(strncmp(text, "EXEC", 4) == 0);
		free(text);
	}
	request_clear(&r);
}

static void
as_files(const uint8_t *data, size_t size)
{
	struct fanout_error e = { 0 };
	struct fanout_cfhosts *cf;
	struct registry *reg;
	char path[64];
	size_t i;
	int fd = fuzz_file(data, size, path, sizeof(path));

	if (registry_read(&reg, path, &e) == 0) {
		(void)registry_digest(reg, "web1");
		(void)registry_owner(reg, "MD5=");
		registry_free(reg);
	} else
		must(e.text[0] != '\0');
	/* Files that it names are not ours to read. */
	if (memmem(data, size, "include", 7) == NULL) {
		if (fanout_cfhosts_load(&cf, path, &e) == 0) {
			for (i = 0; i < fanout_cfhosts_count(cf); i++)
				must(fanout_cfhosts_at(cf, i)->name[0] != '\0');
			fanout_cfhosts_free(cf);
		} else
			must(e.text[0] != '\0');
	}
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;

	as_server(p, size);
	as_output(p, size);
	as_options(p, size);
	as_files(data, size);
	return 0;
}
