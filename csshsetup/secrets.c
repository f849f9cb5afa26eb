#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secrets.h"

static char *
copy(const char *text)
{
	char *secret = cli_secret_new();

	if (secret != NULL)
		(void)strlcpy(secret, text, CLI_LINE_MAX + 1);
	return secret;
}

static struct secret *
find(struct secrets *s, const char *path)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (strcmp(s->key[i].path, path) == 0)
			return &s->key[i];
	return NULL;
}

static void
keep(struct secrets *s, const char *path, const char *text)
{
	struct secret *x = find(s, path);

	if (x == NULL && s->count < SECRETS_MAX) {
		x = &s->key[s->count];
		if ((x->path = strdup(path)) == NULL)
			return;
		x->text = NULL;
		s->count++;
	}
	if (x != NULL) {
		cli_secret_free(x->text);
		x->text = copy(text);
	}
}

static void
on_answer(void *ctx, const char *text)
{
	struct secrets *s = ctx;

	if (text != NULL)
		keep(s, s->path, text);
	(void)fanout_answer(s->engine, s->ask, text);
	free(s->path);
	s->path = NULL;
}

bool
secrets_key(struct secrets *s, struct fanout *f, struct cli_ask *ask,
    const struct fanout_ask *q)
{
	const struct secret *x = find(s, q->path);
	char prompt[1200];

	if (q->attempt == 1 && x != NULL && x->text != NULL) {
		s->remembered = true;
		return fanout_answer(f, q->id, x->text) == 0;
	}
	/* One at a time; others as ever. */
	if (ask == NULL || s->path != NULL ||
	    (s->path = strdup(q->path)) == NULL)
		return false;
	s->engine = f;
	s->ask = q->id;
	/* What was remembered may be that of another key. */
	snprintf(prompt, sizeof(prompt), "%s%s", q->attempt > 1 &&
	    !s->remembered ? "That is not its passphrase.\n" : "", q->prompt);
	s->remembered = false;
	cli_ask_put(ask, prompt, on_answer, s);
	return true;
}

bool
secrets_password(struct secrets *s, struct fanout *f,
    const struct fanout_ask *q)
{
	if (s->password == NULL || q->attempt > 1 || q->echo)
		return false;
	return fanout_answer(f, q->id, s->password) == 0;
}

void
secrets_move(struct secrets *s, const char *from, const char *to)
{
	struct secret *x = find(s, from);
	char *path = x != NULL ? strdup(to) : NULL;

	if (path == NULL)
		return;
	free(x->path);
	x->path = path;
}

void
secrets_keep(struct secrets *s, const struct cli_ask *ask)
{
	if (ask->password == NULL)
		return;
	cli_secret_free(s->password);
	s->password = copy(ask->password);
}

void
secrets_clear(struct secrets *s)
{
	for (; s->count > 0; s->count--) {
		free(s->key[s->count - 1].path);
		cli_secret_free(s->key[s->count - 1].text);
	}
	cli_secret_free(s->password);
	free(s->path);
	*s = (struct secrets){ .count = 0 };
}
