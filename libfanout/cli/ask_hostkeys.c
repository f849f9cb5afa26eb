/*
 * ask_hostkeys.c - new host keys: a table of all of them, and one question.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "roster.h"

/* More may come while hosts log in: not before it has been quiet for so long,
 * or so long after the first one. */
#define QUIET_MS 1000
#define GATHER_MS 5000

/* Nobody is to come, and whoever logs in has asked. */
static bool
all_asked(const struct cli_ask *a)
{
	const struct cli_question *q;
	struct fanout_stats st;
	size_t n = 0;

	TAILQ_FOREACH(q, &a->queue, link)
		n += q->answer == NULL;
	fanout_stats(a->f, &st);
	return st.pending == 0 && st.logging_in <= n;
}

int
cli_hostkeys_wait(const struct cli_ask *a)
{
	int64_t now = cli_now(), quiet = a->last + QUIET_MS - now,
	    gather = a->since + GATHER_MS - now;

	if (a->one_by_one || quiet <= 0 || gather <= 0 || all_asked(a))
		return 0;
	return (int)(quiet < gather ? quiet : gather);
}

static bool
is_key(const struct cli_question *q)
{
	return q->ask.kind == FANOUT_ASK_HOSTKEY;
}

static bool
same_key(const struct cli_question *x, const struct cli_question *y)
{
	return is_key(x) && strcmp(x->ask.fingerprint, y->ask.fingerprint) ==
	    0 && strcmp(x->ask.key_type, y->ask.key_type) == 0;
}

/* All that show this key, folded; free(3). NULL: no memory. */
static char *
who_shows(const struct cli_ask *a, const struct cli_question *key)
{
	const struct cli_question *q;
	struct fanout_hosts *set;
	char *text = NULL;

	if (fanout_hosts_new(&set) != 0)
		return NULL;
	TAILQ_FOREACH(q, &a->queue, link)
		if (same_key(q, key))
			(void)fanout_hosts_add(set, q->name, NULL);
	if (fanout_hosts_fold(set, &text) != 0)
		text = NULL;
	fanout_hosts_free(set);
	return text;
}

static bool
shown_before(const struct cli_ask *a, const struct cli_question *key)
{
	const struct cli_question *q;

	TAILQ_FOREACH(q, &a->queue, link) {
		if (q == key)
			return false;
		if (same_key(q, key))
			return true;
	}
	return false;
}

static void
show_one(const struct cli_ask *a, const struct cli_question *key,
    const char *who)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "  %s %s  ", key->ask.key_type,
	    key->ask.fingerprint);
	cli_terminal_say(&a->terminal, line);
	cli_terminal_say(&a->terminal, who != NULL ? who : key->name);
	cli_terminal_say(&a->terminal, "\n");
}

void
cli_hostkeys_show(struct cli_ask *a)
{
	const struct cli_question *q;
	char *who;
	size_t n = 0;

	cli_terminal_hide(&a->terminal, false);
	TAILQ_FOREACH(q, &a->queue, link)
		n += is_key(q);
	cli_terminal_say(&a->terminal, a->one_by_one || n == 1 ?
	    "The key of this host is not known:\n" :
	    "The keys of these hosts are not known:\n");
	TAILQ_FOREACH(q, &a->queue, link) {
		if (a->one_by_one) {
			show_one(a, a->shown, a->shown->name);
			break;
		}
		if (!is_key(q) || shown_before(a, q))
			continue;
		who = who_shows(a, q);
		show_one(a, q, who);
		free(who);
	}
	cli_terminal_say(&a->terminal, a->one_by_one || n == 1 ?
	    "Is it right? Then it will be recorded (yes/no/fingerprint): " :
	    "Are they right? Then they will be recorded "
	    "(yes/no/each/fingerprint): ");
}

/* Answer those that show this fingerprint (NULL: all). */
static size_t
answer_all(struct cli_ask *a, const char *fingerprint, const char *text)
{
	struct cli_question *q, *next;
	size_t n = 0;

	for (q = TAILQ_FIRST(&a->queue); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		if (!is_key(q) || (fingerprint != NULL &&
		    strcmp(q->ask.fingerprint, fingerprint) != 0))
			continue;
		n++;
		cli_ask_answer(a, q, text);
	}
	return n;
}

static struct cli_question *
first_key(const struct cli_ask *a)
{
	struct cli_question *q;

	TAILQ_FOREACH(q, &a->queue, link)
		if (is_key(q))
			break;
	return q;
}

void
cli_hostkeys_answer(struct cli_ask *a, const char *line)
{
	struct cli_question *first = first_key(a);
	bool one = a->one_by_one;

	if (line == NULL || strcasecmp(line, "no") == 0) {
		if (one && line != NULL)
			cli_ask_answer(a, first, NULL);
		else
			(void)answer_all(a, NULL, NULL);
	} else if (strcasecmp(line, "yes") == 0) {
		if (one)
			cli_ask_answer(a, first, "yes");
		else
			(void)answer_all(a, NULL, "yes");
	} else if (strcasecmp(line, "each") == 0) {
		a->one_by_one = true;
	} else if (strpbrk(line, ":=") != NULL) {
		if (answer_all(a, line, "yes") == 0)
			cli_terminal_say(&a->terminal, "No host shows this "
			    "fingerprint.\n");
	} else
		cli_terminal_say(&a->terminal, "Please type yes, no, each, or "
		    "the fingerprint of the right key.\n");
	if (first_key(a) == NULL) {
		a->one_by_one = false;
		a->since = 0;
	}
}
