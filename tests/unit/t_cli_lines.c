/* Whole lines out of pieces: nothing torn, added, dropped or out of order. */
#include <sys/resource.h>

#include <errno.h>
#include <signal.h>

#include "cli/lines.h"
#include "test.h"

#define SLOTS 8

/* What came out: all of it, with a label where a line starts; and for each
 * slot its own bytes. */
struct sink {
	char	*all;
	size_t	 len, size;
	char	*own[SLOTS];
	size_t	 own_len[SLOTS];
	int	 torn;		/* a piece of another slot within a line */
	size_t	 open;		/* slot whose line is not finished; SLOTS: none */
	bool	 labels;
};

/* The next power of two, so that a buffer is moved seldom. */
static size_t
room_for(size_t len)
{
	size_t size = 1024;

	while (size < len)
		size *= 2;
	return size;
}

static void
append(char **buf, size_t *len, const char *data, size_t n)
{
	if (*buf == NULL || room_for(*len + 1) < *len + n + 1)
		*buf = realloc(*buf, room_for(*len + n + 1));
	memcpy(*buf + *len, data, n);
	*len += n;
	(*buf)[*len] = '\0';
}

static void
take(void *ctx, size_t slot, bool starts, const char *data, size_t len)
{
	struct sink *s = ctx;
	char label[] = { (char)('0' + (int)slot), ':', '\0' };

	if (starts ? s->open != SLOTS : s->open != slot)
		s->torn++;
	if (starts && s->labels)
		append(&s->all, &s->len, label, 2);
	append(&s->all, &s->len, data, len);
	append(&s->own[slot], &s->own_len[slot], data, len);
	s->open = data[len - 1] == '\n' ? SLOTS : slot;
}

static void
clear(struct sink *s, bool labels)
{
	int i;

	free(s->all);
	for (i = 0; i < SLOTS; i++)
		free(s->own[i]);
	*s = (struct sink){ .open = SLOTS, .labels = labels };
}

struct step {
	size_t	 slot;
	const char *text;	/* NULL: the slot ends */
};

static const struct {
	const char *name;
	struct step steps[8];
	const char *want;
} cases[] = {
	{ "one line", { { 0, "a\n" } }, "0:a\n" },
	{ "two in one", { { 0, "a\nb\n" } }, "0:a\n0:b\n" },
	{ "in three parts", { { 0, "a" }, { 0, "b" }, { 0, "c\n" } },
	    "0:abc\n" },
	{ "interleaved", { { 0, "a" }, { 1, "x" }, { 0, "b\n" }, { 1, "y\n" } },
	    "0:ab\n1:xy\n" },
	{ "the rest waits", { { 0, "a\nb" }, { 1, "x\n" }, { 0, "c\n" } },
	    "0:a\n1:x\n0:bc\n" },
	{ "no newline at the end", { { 0, "a\nb" }, { 0, NULL } },
	    "0:a\n0:b" },
	{ "empty lines", { { 0, "\n\n" }, { 1, "\n" } }, "0:\n0:\n1:\n" },
	{ "nothing", { { 0, NULL } }, NULL },
	{ "end of a finished one", { { 0, "a\n" }, { 0, NULL } }, "0:a\n" },
	{ "newline alone ends it", { { 0, "a" }, { 0, "\n" } }, "0:a\n" },
};

static void
tables(void)
{
	struct sink s = { .open = SLOTS };
	struct cli_lines *l;
	const struct step *p;
	size_t i;
	bool left;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		clear(&s, true);
		l = cli_lines_new(SLOTS, 4096, true, take, &s);
		left = false;
		for (p = cases[i].steps; p < cases[i].steps + 8; p++)
			if (p->text != NULL)
				cli_lines_add(l, p->slot, p->text,
				    strlen(p->text));
			else if (p > cases[i].steps && p[-1].text != NULL)
				left = cli_lines_end(l, p->slot);
		is_str(s.all, cases[i].want, "%s", cases[i].name);
		is_int(left, s.len > 0 && s.all[s.len - 1] != '\n',
		    "%s: unfinished is said", cases[i].name);
		cli_lines_free(l);
	}
	clear(&s, false);
}

/* A fixed order of numbers, the same each time. */
static unsigned
next_number(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

/* Random pieces of all slots; lines longer than the budget go by the disk. */
static void
random_pieces(size_t budget, bool one_by_one, unsigned seed, size_t longest)
{
	struct sink s = { .open = SLOTS };
	char *in[SLOTS] = { NULL }, *piece = malloc(longest);
	size_t in_len[SLOTS] = { 0 }, slot, n, i;
	struct cli_lines *l = cli_lines_new(SLOTS, budget, one_by_one, take,
	    &s);
	bool same = true;
	int round;

	for (round = 0; round < 600; round++) {
		slot = next_number(&seed) % SLOTS;
		n = 1 + next_number(&seed) % longest;
		for (i = 0; i < n; i++) {
			piece[i] = (char)next_number(&seed);
			if (piece[i] == '\n' && next_number(&seed) % 64 != 0)
				piece[i] = '\0';
		}
		append(&in[slot], &in_len[slot], piece, n);
		if (cli_lines_add(l, slot, piece, n) != 0)
			same = false;
	}
	for (slot = 0; slot < SLOTS; slot++) {
		if (cli_lines_end(l, slot))
			s.open = SLOTS;
		if (s.own_len[slot] != in_len[slot] || (in_len[slot] > 0 &&
		    memcmp(s.own[slot], in[slot], in_len[slot]) != 0))
			same = false;
		free(in[slot]);
	}
	ok(same, "budget %zu, pieces to %zu, seed %u: every byte in order",
	    budget, longest, seed);
	is_int(s.torn, 0, "budget %zu: no line torn", budget);
	cli_lines_free(l);
	clear(&s, false);
	free(piece);
}

/* Without room on disk a line is handed out in parts, and nothing is lost. */
static void
no_room(void)
{
	struct sink s = { .open = SLOTS };
	struct cli_lines *l;
	struct rlimit full = { 0, RLIM_INFINITY }, old;
	char *big = malloc(100000);
	int error, kept, rc;

	memset(big, 'x', 100000);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	full.rlim_max = old.rlim_max;
	fflush(stdout);
	setrlimit(RLIMIT_FSIZE, &full);
	l = cli_lines_new(SLOTS, 4096, true, take, &s);
	kept = cli_lines_add(l, 0, "begin ", 6);
	rc = cli_lines_add(l, 0, big, 100000);
	error = errno;
	setrlimit(RLIMIT_FSIZE, &old);
	is_int(kept, 0, "a short part is kept");
	is_int(rc, -1, "a long one cannot be kept");
	is_int(error, EFBIG, "and says why");
	is_int(s.own_len[0], 100006, "all of it was handed out");
	cli_lines_free(l);
	clear(&s, false);
	free(big);
}

int
main(void)
{
	tables();
	random_pieces(1 << 20, true, 1, 300);
	random_pieces(4096, true, 2, 300);
	random_pieces(4096, true, 3, 9000);
	random_pieces(0, true, 4, 9000);
	random_pieces(4096, false, 5, 9000);
	random_pieces(100000, false, 6, 60000);
	no_room();
	return test_end();
}
