#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verdict.h"

const char *
verdict_name(enum verdict v)
{
	static const char *const names[] = {
#define VERDICT_X(sym, name) name,
		VERDICTS(VERDICT_X)
#undef VERDICT_X
	};

	return names[v];
}

/* ---- a line -------------------------------------------------------------- */

/* "   error: text": what is behind the word; NULL: it is something else. */
static const char *
behind(const char *line, const char *word)
{
	size_t len = strlen(word);

	line += strspn(line, " ");
	return strncmp(line, word, len) == 0 ? line + len : NULL;
}

static void
count(struct verdict_host *h, const char *text, const char *format)
{
	double kept, repaired, not_kept;

	if (sscanf(text, format, &kept, &repaired, &not_kept) != 3)
		return;
	h->counted = true;
	h->kept = kept;
	h->repaired = repaired;
	h->not_kept = not_kept;
}

static bool
judge_line(struct verdict_host *h)
{
	const char *text;

	h->line[h->len] = '\0';
	if ((text = behind(h->line, "error: ")) != NULL) {
		if (h->errors++ == 0)
			(void)strlcpy(h->first_error, text,
			    sizeof(h->first_error));
		return true;
	}
	if (behind(h->line, "info: ") != NULL)
		h->changes++;
	else if ((text = behind(h->line, "verbose: Nothing promised here [")) !=
	    NULL)
		h->rests++;
	else if ((text = behind(h->line, "cfrun-agent: ")) != NULL)
		count(h, text, "kept %lf%%, repaired %lf%%, not kept %lf%%");
	else if (behind(h->line, "verbose: Logging total compliance") != NULL &&
	    (text = strstr(h->line, "Promises observed")) != NULL)
		count(h, text, "Promises observed to be kept %lf%%, Promises "
		    "repaired %lf%%, Promises not repaired %lf%%");
	return false;
}

void
verdict_output(struct verdict_host *h, const char *data, size_t len,
    void (*line)(void *, const struct verdict_host *, bool), void *arg)
{
	const char *end;
	size_t n, fits;
	bool is_error;

	while (len > 0) {
		end = memchr(data, '\n', len);
		n = end == NULL ? len : (size_t)(end - data);
		fits = sizeof(h->line) - 1 - h->len;
		if (fits > n)
			fits = n;
		memcpy(h->line + h->len, data, fits);
		h->len = (unsigned short)(h->len + fits);
		if (end == NULL)
			return;
		is_error = judge_line(h);
		if (line != NULL)
			line(arg, h, is_error);
		h->len = 0;
		data += n + 1;
		len -= n + 1;
	}
}

/* ---- the end ------------------------------------------------------------- */

static enum verdict
decide(const struct verdict_host *h, const struct fanout_result *r,
    bool informed)
{
	if (r->cls != FANOUT_C_OK && r->cls != FANOUT_C_EXIT)
		return VERDICT_NONE;
	if (r->cls == FANOUT_C_EXIT || h->errors > 0 ||
	    (h->counted && h->not_kept > 0))
		return VERDICT_NOT_KEPT;
	if (h->counted ? h->repaired > 0 : h->changes > 0)
		return VERDICT_REPAIRED;
	if (r->text[0] != '\0' || (h->rests > 0 && !h->counted))
		return VERDICT_IDLE;
	if (h->counted && h->kept == 0)
		return VERDICT_IDLE;
	return h->counted || informed ? VERDICT_KEPT : VERDICT_DONE;
}

static void
make_failure(const struct verdict_host *h, struct fanout_result *r)
{
	r->cls = FANOUT_C_REMOTE;
	if (h->errors > 0)
		(void)snprintf(r->text, sizeof(r->text), "not kept: %u error%s"
		    ": %s", h->errors, h->errors == 1 ? "" : "s, the first",
		    h->first_error);
	else
		(void)snprintf(r->text, sizeof(r->text), "not kept: %.2f %% "
		    "of its promises", h->not_kept);
}

/* The text comes from the host: nothing in it may drive a terminal. */
static void
make_safe(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
			*s = '?';
}

void
verdict_done(struct verdict_host *h, struct fanout_result *r, bool informed)
{
	if (h->len > 0)
		(void)judge_line(h);
	h->len = 0;
	make_safe(h->first_error);
	h->verdict = decide(h, r, informed);
	if (h->verdict == VERDICT_NOT_KEPT && r->cls == FANOUT_C_OK)
		make_failure(h, r);
}

/* ---- all ------------------------------------------------------------------ */

static char *
fold(const struct verdict_host *v, size_t n, const struct fanout_hosts *hosts,
    enum verdict which)
{
	struct fanout_hosts *set;
	char *text = NULL;
	size_t i;

	if (fanout_hosts_new(&set) != 0)
		return NULL;
	for (i = 0; i < n; i++)
		if (v[i].verdict == which && fanout_hosts_add(set,
		    fanout_hosts_at(hosts, i), NULL) != 0)
			break;
	if (i < n || fanout_hosts_fold(set, &text) != 0)
		text = NULL;
	fanout_hosts_free(set);
	return text;
}

char *
verdict_summary(const struct verdict_host *v, size_t n,
    const struct fanout_hosts *hosts)
{
	size_t counts[NVERDICTS] = { 0 }, i, size;
	const char *between = "";
	char *text = NULL, *names;
	FILE *f;

	for (i = 0; i < n; i++)
		counts[v[i].verdict]++;
	if (counts[VERDICT_NONE] == n ||
	    (f = open_memstream(&text, &size)) == NULL)
		return NULL;
	for (i = VERDICT_NONE + 1; i < NVERDICTS; i++) {
		if (counts[i] == 0)
			continue;
		fprintf(f, "%s%zu %s", between, counts[i], verdict_name(i));
		between = "; ";
		if (i == VERDICT_KEPT || i == VERDICT_DONE)
			continue;	/* nobody asks for their names */
		names = fold(v, n, hosts, i);
		fprintf(f, ": %s", names != NULL ? names : "(out of memory)");
		free(names);
	}
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}
