#include <sys/queue.h>
#include <stdlib.h>
#include <string.h>

#include "set.h"
#include "trace.h"

struct note {
	STAILQ_ENTRY(note) link;
	const char *where;	/* of the argument */
	unsigned argument;	/* its number */
	bool	 exclude;
	char	*place;
	char	 op;
	char	*operand;
	struct fanout_hosts *set;
};

struct argument {
	SLIST_ENTRY(argument) link;
	char	*where;
};

struct fo_trace {
	STAILQ_HEAD(, note) notes;
	SLIST_HEAD(, argument) arguments;	/* the current one first */
	unsigned count;
	bool	 exclude;
};

struct fo_trace *
fo_trace_new(void)
{
	struct fo_trace *t = calloc(1, sizeof(*t));

	if (t != NULL)
		STAILQ_INIT(&t->notes);
	return t;
}

static void
note_free(struct note *n)
{
	fanout_hosts_free(n->set);
	free(n->place);
	free(n->operand);
	free(n);
}

void
fo_trace_free(struct fo_trace *t)
{
	struct argument *a;
	struct note *n;

	if (t == NULL)
		return;
	while ((n = STAILQ_FIRST(&t->notes)) != NULL) {
		STAILQ_REMOVE_HEAD(&t->notes, link);
		note_free(n);
	}
	while ((a = SLIST_FIRST(&t->arguments)) != NULL) {
		SLIST_REMOVE_HEAD(&t->arguments, link);
		free(a->where);
		free(a);
	}
	free(t);
}

int
fo_trace_begin(struct fo_trace *t, const char *where, bool exclude)
{
	struct argument *a = calloc(1, sizeof(*a));

	if (a == NULL || (a->where = strdup(where)) == NULL) {
		free(a);
		return FANOUT_ENOMEM;
	}
	SLIST_INSERT_HEAD(&t->arguments, a, link);
	t->count++;
	t->exclude = exclude;
	return 0;
}

int
fo_trace_note(struct fo_trace *t, const char *place, char op,
    const char *operand, size_t len, struct fanout_hosts *set)
{
	struct note *n = calloc(1, sizeof(*n));

	if (n == NULL) {
		fanout_hosts_free(set);
		return FANOUT_ENOMEM;
	}
	n->set = set;
	n->where = SLIST_FIRST(&t->arguments)->where;
	n->argument = t->count;
	n->exclude = t->exclude || op == '-';
	n->op = op;
	if ((place != NULL && (n->place = strdup(place)) == NULL) ||
	    (n->operand = strndup(operand, len)) == NULL) {
		note_free(n);
		return FANOUT_ENOMEM;
	}
	STAILQ_INSERT_TAIL(&t->notes, n, link);
	return 0;
}

static void
print(FILE *f, const struct note *n, const char *verb)
{
	fprintf(f, "%s by %s ", verb, n->where);
	if (n->place != NULL)
		fprintf(f, "%s: ", n->place);
	if (n->op != ',')
		putc(n->op, f);
	fprintf(f, "%s\n", n->operand);
}

/* What a note does to a host that its argument has, or has not, so far. */
static bool
step(FILE *f, const struct note *n, bool in, bool named)
{
	const char *out = n->exclude ? "not left out" : "taken out";

	switch (n->op) {
	case '!':
		if (in && named)
			print(f, n, out);
		return in && !named;
	case '&':
		if (in && !named)
			print(f, n, out);
		return in && named;
	case '^':
		if (named)
			print(f, n, in ? out : n->exclude ? "left out" :
			    "named");
		return in != named;
	default:
		if (named)
			print(f, n, n->exclude ? "left out" : "named");
		return in || named;
	}
}

void
fo_trace_print(const struct fo_trace *t, const char *host, FILE *f)
{
	struct fo_entry e = { .name = host, .len = (uint32_t)strlen(host) };
	const struct note *n;
	unsigned argument = 0;
	bool in = false, named;

	STAILQ_FOREACH(n, &t->notes, link) {
		if (n->argument != argument)
			in = false;
		argument = n->argument;
		/* What is added is meant exactly, what is taken out widely. */
		named = (n->op == ',' || n->op == '^') && !n->exclude ?
		    fo_set_find(n->set, e.name, e.len) != FANOUT_NOHOST :
		    fo_set_covers(n->set, &e);
		if (n->op == '-') {
			if (named)
				print(f, n, "left out");
		} else
			in = step(f, n, in, named);
	}
}
