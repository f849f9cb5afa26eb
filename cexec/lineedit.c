#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "lineedit.h"

#define HISTORY_LINES 2000

struct lineedit {
	EditLine *el;
	History	*history;
	char	*path, *fresh;	/* of the history; its next version */
	const char *prompt;
	char	*line;
	size_t	 cap;
	lineedit_complete complete;
	void	*ctx;
	struct sigaction before;	/* of SIGINT */
	int	 early;		/* a byte of the next line; -1: none */
};

/* ---- keys ---------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int signo)
{
	(void)signo;
	interrupted = 1;
}

/* Also between two lines: it must not end us just before a run begins. */
static void
catch_interrupt(struct lineedit *l)
{
	struct sigaction sa = { .sa_handler = on_interrupt };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, &l->before);
}

/* Until there is something to read: a ^C that comes just before the waiting
 * begins must end it, too. */
static void
wait_key(void)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	sigset_t block, before;
	int n;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &before);
	do
		n = interrupted ? 0 : ppoll(&pfd, 1, NULL, &before);
	while (n == -1 && errno == EINTR);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* One byte, or what read(2) has instead. What was typed just behind a ^C is of
 * the next line. */
static ssize_t
get_byte(struct lineedit *l, char *byte)
{
	ssize_t n = 1;

	if (l->early != -1) {
		*byte = (char)l->early;
		l->early = -1;
		return 1;
	}
	wait_key();
	if (interrupted)
		return -1;
	do
		n = read(STDIN_FILENO, byte, 1);
	while (n == -1 && errno == EINTR && !interrupted);
	if (n == 1 && interrupted) {
		l->early = (unsigned char)*byte;
		return -1;
	}
	return n;
}

/* libedit's own would take the first ^C for nothing. */
static int
get_char(EditLine *el, wchar_t *c)
{
	mbstate_t state = { 0 };
	struct lineedit *l;
	char byte;
	ssize_t n;

	el_get(el, EL_CLIENTDATA, &l);
	for (;;) {
		if ((n = get_byte(l, &byte)) <= 0)
			return (int)n;
		switch (mbrtowc(c, &byte, 1, &state)) {
		case (size_t)-2:
			continue;
		case (size_t)-1:
			memset(&state, 0, sizeof(state));
			continue;
		default:
			return 1;
		}
	}
}

static char *
get_prompt(EditLine *el)
{
	struct lineedit *l;

	el_get(el, EL_CLIENTDATA, &l);
	return (char *)(uintptr_t)l->prompt;
}

/* ---- completion ---------------------------------------------------------- */

/* How far all words begin alike. */
static size_t
common(char *const *words)
{
	size_t i, n = strlen(words[0]);

	for (i = 1; words[i] != NULL; i++)
		while (strncmp(words[0], words[i], n) != 0)
			n--;
	return n;
}

#define LIST_MAX 100	/* more would only fill the screen */
#define LIST_WIDTH 78

static void
show_list(char *const *words)
{
	size_t i, width = 0, at = 0;

	for (i = 0; words[i] != NULL; i++)
		if (strlen(words[i]) > width)
			width = strlen(words[i]);
	width += 2;
	putchar('\n');
	for (i = 0; words[i] != NULL && i < LIST_MAX; i++) {
		if (at > 0 && at + width > LIST_WIDTH) {
			putchar('\n');
			at = 0;
		}
		printf("%-*s", (int)width, words[i]);
		at += width;
	}
	printf("%s\n", words[i] != NULL ? "..." : "");
	fflush(stdout);
}

static void
free_list(char **words)
{
	size_t i;

	for (i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

static unsigned char
on_tab(EditLine *el, int ch)
{
	const LineInfo *li = el_line(el);
	size_t len = (size_t)(li->cursor - li->buffer), start = 0, typed, n;
	unsigned char rc = CC_ERROR;
	bool whole;
	char *line, *more, **words = NULL;
	struct lineedit *l;

	(void)ch;
	el_get(el, EL_CLIENTDATA, &l);
	if ((line = strndup(li->buffer, len)) == NULL)
		return CC_ERROR;
	if (l->complete != NULL)
		words = l->complete(l->ctx, line, len, &start);
	typed = len - start;
	if (words == NULL || words[0] == NULL || (n = common(words)) < typed) {
		/* nothing */
	} else if (n > typed || words[1] == NULL) {
		whole = words[1] == NULL && n > 0 && words[0][n - 1] != '/';
		if (asprintf(&more, "%.*s%s", (int)(n - typed),
		    words[0] + typed, whole ? " " : "") != -1) {
			rc = el_insertstr(el, more) == 0 ? CC_REFRESH :
			    CC_ERROR;
			free(more);
		}
	} else {
		show_list(words);
		rc = CC_REDISPLAY;
	}
	free_list(words);
	free(line);
	return rc;
}

/* ---- the history --------------------------------------------------------- */

static void
load_history(struct lineedit *l)
{
	HistEvent ev;

	(void)history(l->history, &ev, H_SETSIZE, HISTORY_LINES);
	(void)history(l->history, &ev, H_SETUNIQUE, 1);
	if (l->path != NULL)
		(void)history(l->history, &ev, H_LOAD, l->path);
}

/* Whole or not at all; that it cannot be kept is no matter for a run. */
static void
add_history(struct lineedit *l)
{
	HistEvent ev;

	if (l->line[0] == '\0' || l->line[0] == ' ')
		return;
	(void)history(l->history, &ev, H_ENTER, l->line);
	if (l->fresh != NULL && history(l->history, &ev, H_SAVE, l->fresh) !=
	    -1)
		(void)rename(l->fresh, l->path);
}

/* ---- lines --------------------------------------------------------------- */

static void
set_up(struct lineedit *l)
{
	el_set(l->el, EL_CLIENTDATA, l);
	el_set(l->el, EL_PROMPT, get_prompt);
	el_set(l->el, EL_EDITOR, "emacs");
	el_set(l->el, EL_SIGNAL, 1);
	el_set(l->el, EL_HIST, history, l->history);
	el_set(l->el, EL_GETCFN, get_char);
	el_wset(l->el, EL_ADDFN, L"complete", L"what may stand here", on_tab);
	el_set(l->el, EL_BIND, "^I", "complete", NULL);
	el_set(l->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	el_source(l->el, NULL);
}

struct lineedit *
lineedit_new(const char *path, lineedit_complete complete, void *ctx)
{
	struct lineedit *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	setlocale(LC_CTYPE, "");
	catch_interrupt(l);
	l->early = -1;
	l->complete = complete;
	l->ctx = ctx;
	l->history = history_init();
	l->el = el_init(getprogname(), stdin, stdout, stderr);
	if (path != NULL) {
		l->path = strdup(path);
		if (asprintf(&l->fresh, "%s.%ld", path, (long)getpid()) == -1)
			l->fresh = NULL;
	}
	if (l->history == NULL || l->el == NULL ||
	    (path != NULL && (l->path == NULL || l->fresh == NULL))) {
		lineedit_free(l);
		return NULL;
	}
	set_up(l);
	load_history(l);
	return l;
}

void
lineedit_free(struct lineedit *l)
{
	if (l == NULL)
		return;
	sigaction(SIGINT, &l->before, NULL);
	if (l->el != NULL)
		el_end(l->el);
	if (l->history != NULL)
		history_end(l->history);
	free(l->path);
	free(l->fresh);
	free(l->line);
	free(l);
}

/* -1: the end; 0: interrupted; 1: l->line has one. */
static int
get_line(struct lineedit *l)
{
	const char *text;
	char *room;
	int n = 0;

	interrupted = 0;
	/* el_gets() does so too, but after its prompt: a ^D that comes in
	 * between would be nothing. */
	el_set(l->el, EL_PREP_TERM, 1);
	text = el_gets(l->el, &n);
	if (text == NULL || n <= 0)
		return interrupted ? 0 : -1;
	if (text[n - 1] == '\n')
		n--;
	if ((size_t)n >= l->cap) {
		if ((room = realloc(l->line, (size_t)n + 1)) == NULL)
			return -1;
		l->line = room;
		l->cap = (size_t)n + 1;
	}
	memcpy(l->line, text, (size_t)n);
	l->line[n] = '\0';
	return 1;
}

const char *
lineedit_read(struct lineedit *l, const char *prompt)
{
	int rc;

	l->prompt = prompt;
	el_resize(l->el);
	while ((rc = get_line(l)) == 0)
		printf("^C\n");
	if (rc == -1)
		return NULL;
	add_history(l);
	return l->line;
}
