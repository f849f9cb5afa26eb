#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "dialog.h"
#include "script.h"
#include "why.h"

static void
on_turn(void *ctx, size_t host, const struct answer *said, FILE *reply,
    struct cli_sink *out)
{
	struct why *w = ctx;
	struct answer a = *said;
	struct record r;
	char text[WHY_MAX];

	(void)reply;
	(void)out;
	while (answer_next(&a, &r)) {
		if (record_is(&r, "file") && w->file != NULL)
			w->file(w->ctx, host, &r);
		if (!record_is(&r, "why"))
			continue;
		record_text(&r, text, sizeof(text));
		if (*w->text[host] != '\0')
			strlcat(w->text[host], "; ", WHY_MAX);
		strlcat(w->text[host], text, WHY_MAX);
	}
}

static void
on_failed(void *ctx, size_t host, const struct fanout_result *r,
    struct cli_sink *out)
{
	(void)ctx;
	(void)host;
	(void)r;
	(void)out;
}

int
why_ask(struct why *w)
{
	static const char *const by_password[] = { "BatchMode=no",
	    "PubkeyAuthentication=no", NULL };
	struct dialog d = { .setup = w->setup, .want = setup_is_marked,
	    .turn = on_turn, .failed = on_failed, .ctx = w,
	    .passwords = w->passwords,
	    .options = w->passwords ? by_password : NULL };

	w->text = calloc(w->setup->count, sizeof(*w->text));
	if (w->text == NULL) {
		warnx("out of memory");
		return CLI_EXIT_USAGE;
	}
	d.script = script_why();
	return dialog_run(&d);
}

void
why_clear(struct why *w)
{
	free(w->text);
	w->text = NULL;
}
