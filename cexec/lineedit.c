#include <errno.h>
#include <histedit.h>
#include <langinfo.h>
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
	struct sigaction others[6];	/* of signals[] */
	int	 early;		/* a byte that is to be read again; -1: none */
};

/* ---- signals ------------------------------------------------------------- */

/*
 * libedit would do these within the handler, and each only once a line. Here
 * they are attended to where nothing else is under way: before a key is read.
 */
static const int signals[] = { SIGWINCH, SIGCONT, SIGTSTP, SIGTERM, SIGHUP,
    SIGQUIT };
#define NSIGNALS (sizeof(signals) / sizeof(signals[0]))

static volatile sig_atomic_t interrupted, came[NSIGNALS];

static void
on_interrupt(int signo)
{
	(void)signo;
	interrupted = 1;
}

static void
on_signal(int signo)
{
	size_t i;

	for (i = 0; i < NSIGNALS; i++)
		if (signals[i] == signo)
			came[i] = 1;
}

/* Also between two lines: it must not end us just before a run begins. */
static void
catch_interrupt(struct lineedit *l)
{
	struct sigaction sa = { .sa_handler = on_interrupt };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, &l->before);
}

/* While there is a line to edit. What is ignored stays so. */
static void
catch_signals(struct lineedit *l)
{
	struct sigaction sa = { .sa_handler = on_signal };
	size_t i;

	sigemptyset(&sa.sa_mask);
	for (i = 0; i < NSIGNALS; i++) {
		came[i] = 0;
		sigaction(signals[i], &sa, &l->others[i]);
		if (l->others[i].sa_handler == SIG_IGN)
			sigaction(signals[i], &l->others[i], NULL);
	}
}

static void
leave_signals(struct lineedit *l)
{
	size_t i;

	for (i = 0; i < NSIGNALS; i++)
		sigaction(signals[i], &l->others[i], NULL);
	/* What came behind the last key is not lost. */
	for (i = 0; i < NSIGNALS; i++)
		if (came[i] && signals[i] != SIGWINCH && signals[i] != SIGCONT)
			raise(signals[i]);
}

/* It stops or ends us, with the terminal as it was before. */
static void
suffer(struct lineedit *l, size_t i)
{
	struct sigaction mine;
	sigset_t one, mask;

	el_set(l->el, EL_PREP_TERM, 0);
	sigaction(signals[i], &l->others[i], &mine);
	sigemptyset(&one);
	sigaddset(&one, signals[i]);
	raise(signals[i]);
	sigprocmask(SIG_UNBLOCK, &one, &mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(signals[i], &mine, NULL);
	el_set(l->el, EL_PREP_TERM, 1);
}

static void
attend(struct lineedit *l, size_t i)
{
	came[i] = 0;
	if (signals[i] == SIGWINCH)
		el_resize(l->el);
	else if (signals[i] != SIGCONT)
		suffer(l, i);
	else {
		/* The shell had the terminal meanwhile. */
		el_set(l->el, EL_PREP_TERM, 0);
		el_set(l->el, EL_PREP_TERM, 1);
	}
	putchar('\r');
	el_set(l->el, EL_REFRESH);
	fflush(stdout);
}

/* Until there is a key to read, or ^C was one. */
static void
wait_for_key(struct lineedit *l)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	sigset_t all, before;
	size_t i;
	int rc;

	sigfillset(&all);
	/* In the background the terminal is not ours to set: these stop us. */
	sigdelset(&all, SIGTTOU);
	sigdelset(&all, SIGTTIN);
	sigprocmask(SIG_BLOCK, &all, &before);
	do {
		for (i = 0; i < NSIGNALS; i++)
			if (came[i])
				attend(l, i);
		rc = interrupted ? 1 : ppoll(&pfd, 1, NULL, &before);
	} while (rc == -1 && errno == EINTR);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* ---- keys ---------------------------------------------------------------- */

/*
 * One byte, or what read(2) has instead. ^C throws away what was typed before:
 * a byte that was just read, too. What was typed behind it has not been read,
 * as nothing is once it is known.
 */
static ssize_t
get_byte(struct lineedit *l, char *byte)
{
	ssize_t n;

	if (l->early != -1) {
		*byte = (char)l->early;
		l->early = -1;
		return 1;
	}
	do {
		wait_for_key(l);
		n = interrupted ? -1 : read(STDIN_FILENO, byte, 1);
	} while (n == -1 && errno == EINTR && !interrupted);
	return n == 1 && interrupted ? -1 : n;
}

/* What was no character is seen to have been one: a name that merely lost it
 * might be that of something else. */
#define NO_CHARACTER 0xfffd

/* libedit's own would take the first ^C for nothing. */
static int
get_char(EditLine *el, wchar_t *c)
{
	mbstate_t state = { 0 };
	struct lineedit *l;
	bool within;
	char byte;
	ssize_t n;

	el_get(el, EL_CLIENTDATA, &l);
	for (;;) {
		within = !mbsinit(&state);
		if ((n = get_byte(l, &byte)) <= 0)
			return (int)n;
		switch (mbrtowc(c, &byte, 1, &state)) {
		case (size_t)-2:
			continue;
		case (size_t)-1:
			if (within)
				l->early = (unsigned char)byte;
			*c = NO_CHARACTER;
			return 1;
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
	/* Where the locale knows ASCII only, the terminal knows UTF-8. */
	if (setlocale(LC_CTYPE, "") == NULL ||
	    strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0)
		setlocale(LC_CTYPE, "C.UTF-8");
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
	l->early = -1;
	/* Before the prompt: who sees that may type at once, keys and not lines. */
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
	catch_signals(l);
	el_resize(l->el);
	while ((rc = get_line(l)) == 0)
		printf("^C\n");
	leave_signals(l);
	if (rc == -1)
		return NULL;
	add_history(l);
	return l->line;
}
