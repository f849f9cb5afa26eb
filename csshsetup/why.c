#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dialog.h"
#include "keyline.h"
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
	size_t n;

	(void)reply;
	(void)out;
	while (answer_next(&a, &r)) {
		if (record_is(&r, "file") && w->file != NULL)
			w->file(w->ctx, host, &r);
		if (!record_is(&r, "why"))
			continue;
		record_text(&r, text, sizeof(text));
		for (n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
			text[n - 1] = '\0';
		if (*w->text[host] != '\0')
			strlcat(w->text[host], "; ", WHY_MAX);
		strlcat(w->text[host], text, WHY_MAX);
	}
}

int
why_ask(struct why *w)
{
	static const char *const by_password[] = { "BatchMode=no",
	    "PubkeyAuthentication=no", NULL };
	struct dialog d = { .setup = w->setup, .want = setup_is_marked,
	    .turn = on_turn, .passes = true, .ctx = w,
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

/* ---- our own key --------------------------------------------------------- */

struct refused {
	struct setup *s;
	bool	*has;		/* one a host: our key is in a file */
	char	(*options)[WHY_MAX];	/* of it */
};

static void
take_options(const struct keyline *k, char text[WHY_MAX])
{
	struct record r = { .rest = k->options, .len = k->options_len };

	if (keyline_expired(k, time(NULL)))
		strlcpy(text, "it has expired", WHY_MAX);
	else if (k->options_len > 0) {
		record_text(&r, text, WHY_MAX - 30);
		memmove(text + 12, text, strlen(text) + 1);
		memcpy(text, "its options ", 12);
	}
}

static void
on_file(void *ctx, size_t host, const struct record *r)
{
	struct refused *x = ctx;
	const char *p = r->body, *end = p + r->size, *eol;
	const char *word = x->s->key.word;
	struct keyline k;
	size_t n;

	for (; p != NULL && p < end; p = eol + 1) {
		if ((eol = memchr(p, '\n', (size_t)(end - p))) == NULL)
			eol = end;
		if (!keyline_parse(&k, p, (size_t)(eol - p)))
			continue;
		n = (size_t)(k.blob + k.blob_len - k.type);
		if (n != strlen(word) || memcmp(k.type, word, n) != 0)
			continue;
		x->has[host] = true;
		take_options(&k, x->options[host]);
	}
}

static void
amend(struct refused *x, const struct why *w)
{
	struct host *h;
	size_t i;

	for (i = 0; i < x->s->count; i++) {
		h = &x->s->host[i];
		if (!h->marked)
			continue;
		if (!x->has[i])
			strlcpy(h->result.text, "the key is refused: its "
			    "AuthorizedKeysFile does not have it",
			    sizeof(h->result.text));
		else if (*w->text[i] != '\0' || *x->options[i] != '\0')
			snprintf(h->result.text, sizeof(h->result.text), "the "
			    "key is there, and refused: %s%s%.80s", w->text[i],
			    *w->text[i] != '\0' && *x->options[i] != '\0' ?
			    "; " : "", x->options[i]);
	}
}

static bool
any_marked(const struct setup *s)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (s->host[i].marked)
			return true;
	return false;
}

int
why_refused(struct setup *s)
{
	struct refused x = { .s = s };
	struct why w = { .setup = s, .passwords = true, .file = on_file,
	    .ctx = &x };
	const struct cli_ask *a = &s->c->connect.ask;
	int status = CLI_EXIT_USAGE;

	if (!any_marked(s) || s->key.word == NULL ||
	    (s->secrets.password == NULL && !a->once && !a->each &&
	    a->password_fd == 0))
		return 0;
	x.has = calloc(s->count, sizeof(*x.has));
	x.options = calloc(s->count, sizeof(*x.options));
	if (x.has == NULL || x.options == NULL)
		warnx("out of memory");
	else if ((status = why_ask(&w)) == 0)
		amend(&x, &w);
	why_clear(&w);
	free(x.has);
	free(x.options);
	return status;
}
