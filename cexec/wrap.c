#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/error.h"
#include "wrap.h"

void
wrap_init(struct wrap *w)
{
	snprintf(w->nonce, sizeof(w->nonce), "%08x%08x%08x%08x",
	    arc4random(), arc4random(), arc4random(), arc4random());
	snprintf(w->mark, sizeof(w->mark), "fanout-%08x%08x%08x-",
	    arc4random(), arc4random(), arc4random());
}

bool
wrap_used(const struct wrap *w)
{
	return w->how != BECOME_NOBODY || w->script != NULL || w->detach;
}

const char *
wrap_name(const struct wrap *w)
{
	static const char *const names[] = { "", "sudo", "su", "doas" };

	return names[w->how];
}

/* ---- what runs in the end ------------------------------------------------ */

/* As the kernel reads it: a program and at most one argument. */
static void
put_interpreter(FILE *fp, const char *first)
{
	size_t n;
	char *word;

	first += 2 + strspn(first + 2, " \t");
	n = strcspn(first, " \t");
	if ((word = strndup(first, n)) != NULL)
		cli_form_quote(fp, word);
	free(word);
	first += n + strspn(first + n, " \t");
	if (*first == '\0')
		return;
	putc(' ', fp);
	cli_form_quote(fp, first);
}

/* Named, the interpreter needs no file that may be executed (noexec). */
static void
put_script(FILE *fp, const struct wrap *w, const char *arguments)
{
	cli_form_surround(fp, w->form);
	fputs("exec ", fp);
	if (w->form->shell != NULL)
		cli_form_quote(fp, w->form->shell);
	else if (strncmp(w->first, "#!", 2) == 0)
		put_interpreter(fp, w->first);
	else if (*w->first != '\0')
		fputs("/bin/sh", fp);
	fprintf(fp, " \"$f\" %s", arguments);
}

static void
put_run(FILE *fp, const struct wrap *w, const char *command)
{
	if (w->script != NULL)
		put_script(fp, w, command);
	else
		cli_form_exec(fp, w->form, w->how != BECOME_NOBODY ?
		    "/bin/sh" : "\"${SHELL:-/bin/sh}\"", command);
}

/* The text of another writer as one word of sh. */
static int
put_word_of(FILE *fp, const struct wrap *w, const char *command,
    void (*put)(FILE *, const struct wrap *, const char *))
{
	char *text = NULL;
	size_t size;
	FILE *inner;

	if ((inner = open_memstream(&text, &size)) == NULL)
		return -1;
	put(inner, w, command);
	if (fclose(inner) != 0) {
		free(text);
		return -1;
	}
	cli_form_quote(fp, text);
	free(text);
	return 0;
}

/* In a session of its own; its output, status and pid in files. */
static void
put_left(FILE *fp, const struct wrap *w, const char *command)
{
	fputs("o=$1 f=$2\n(\n", fp);
	put_run(fp, w, command);
	fputs("\n)\ns=$?; echo $s >\"$o/status\"; "
	    "rm -f \"$o/script\" \"$o/input\"; exit $s", fp);
}

static void
put_detached(FILE *fp, const struct wrap *w, const char *command)
{
	time_t now = time(NULL);
	struct tm tm;
	char id[40] = "";

	if (gmtime_r(&now, &tm) != NULL)
		strftime(id, sizeof(id), "%Y%m%dT%H%M%SZ", &tm);
	fprintf(fp, "o=${XDG_STATE_HOME:-$HOME/.local/state}/fanout/detached/"
	    "%s-%.8s\n", id, w->nonce);
	fputs("(umask 077; mkdir -p \"$o\" && : >\"$o/output\") || exit 126\n",
	    fp);
	if (w->script != NULL)
		fputs("(umask 077; cat \"$f\" >\"$o/script\") || exit 126\n"
		    "chmod u+x \"$o/script\"; f=$o/script\n", fp);
	fputs(w->input ? "(umask 077; cat >\"$o/input\") || exit 126\n"
	    "i=$o/input\n" : "i=/dev/null\n", fp);
	fputs("x=nohup; ! command -v setsid >/dev/null || x=setsid\n"
	    "$x /bin/sh -c ", fp);
	(void)put_word_of(fp, w, command, put_left);
	fputs(" sh \"$o\" \"${f-}\" <\"$i\" >\"$o/output\" 2>&1 &\n"
	    "echo $! >\"$o/pid\"\n"
	    "echo \"pid $!, output in $o/output\"\nexit 0", fp);
}

static void
put_inner(FILE *fp, const struct wrap *w, const char *command)
{
	if (w->detach)
		put_detached(fp, w, command);
	else
		put_run(fp, w, command);
}

/* ---- as another user ----------------------------------------------------- */

/*
 * What runs as another user cannot be ended by who logged in. So one process
 * of that user waits for the end of a FIFO that the shell of the login holds
 * open: a line is the usual end; nothing means that this shell was killed, and
 * then all of the session is, as the killer of a command would.
 */
static const char watcher[] =
    "read x <&6 && exit 0\n"
    "[ -r /proc/self/stat ] || { trap \"\" TERM; kill -TERM 0; exit; }\n"
    "read -r l </proc/$$/stat; set -- ${l##*\")\"}; sid=$4 n=0 t=\n"
    "while [ $n -lt %d ]; do m=\n"
	"for f in /proc/[0-9]*/stat; do read -r l 2>/dev/null <$f || continue\n"
	    "p=${l%%%% *}; set -- ${l##*\")\"}\n"
	    "[ \"$4\" != $sid ] || [ $p = $$ ] || [ \"$1\" = Z ] || m=\"$m $p\"\n"
	"done\n"
	"[ -n \"$m\" ] || exit 0\n"
	"s=TERM; [ $n -lt %d ] || s=KILL\n"
	"for p in $m; do case \"$t\" in *\" $p:$s \"*) ;; "
	    "*) kill -$s $p 2>/dev/null; t=\"$t $p:$s \";; esac; done\n"
	"n=$((n + 1)); sleep 0.1 2>/dev/null || sleep 1\n"
    "done";

static void
put_as_other(FILE *fp, const struct wrap *w, const char *command)
{
	int grace = w->grace_ms / 100;
	char *text;

	fputs("d=$2\n", fp);
	if (w->script != NULL)
		fprintf(fp, "f=$d/%s/%s\n", w->nonce, w->script);
	if (w->grace_ms >= 0 &&
	    asprintf(&text, watcher, grace + 10, grace) != -1) {
		fputs("if [ -p \"$d/k\" ]; then exec 6<\"$d/k\"\n/bin/sh -c ",
		    fp);
		cli_form_quote(fp, text);
		fputs(" </dev/null >/dev/null 2>&1 &\nexec 6<&-; fi\n", fp);
		free(text);
	}
	fprintf(fp, "printf %%s %s%c >&2\n", w->mark, WRAP_RUNS);
	put_inner(fp, w, command);
}

/* The line for a login shell that runs it, which ends with where "$d" goes. */
static char *
line_as_other(const struct wrap *w, const char *command)
{
	char *text = NULL, *line = NULL;
	size_t size;
	FILE *fp;

	if ((fp = open_memstream(&text, &size)) == NULL)
		return NULL;
	put_as_other(fp, w, command);
	if (fclose(fp) == 0 && (fp = open_memstream(&line, &size)) != NULL) {
		cli_form_line(fp, text);
		putc(' ', fp);
		if (fclose(fp) != 0) {
			free(line);
			line = NULL;
		}
	}
	free(text);
	return line;
}

static void
put_become(FILE *fp, const struct wrap *w, const char *command)
{
	char *line = line_as_other(w, command);
	const char *words = line != NULL ? line + strlen("exec ") : "false ";

	switch (w->how) {
	case BECOME_SUDO:
		fprintf(fp, "sudo -H -S -p %s%c -u ", w->mark, WRAP_ASKS);
		cli_form_quote(fp, w->user);
		fprintf(fp, " -- %s\"$d\"", words);
		break;
	case BECOME_DOAS:
		fputs("doas -u ", fp);
		cli_form_quote(fp, w->user);
		fprintf(fp, " -- %s\"$d\"", words);
		break;
	default:
		fputs("LC_ALL=C su ", fp);
		cli_form_quote(fp, w->user);
		fputs(" -c ", fp);
		cli_form_quote(fp, line != NULL ? line : "false ");
		fputs("\"$d\"", fp);
	}
	free(line);
}

/* ---- around it ----------------------------------------------------------- */

/*
 * A folder of ours, which goes away whatever happens: one process waits until
 * this shell has ended, or is told to end itself. Its name must not need
 * quotes. Who we become may go through it, not list it.
 */
static const char place[] =
    "for t in \"${TMPDIR-}\" /tmp /var/tmp /dev/shm \"$HOME\"; do\n"
	"case $t in \"\"|[!/]*|*[!A-Za-z0-9/._-]*) continue;; esac\n"
	"d=$t/.cexec-%s-$$; mkdir -m 711 \"$d\" 2>/dev/null && break; d=\n"
    "done\n"
    "[ -n \"$d\" ] || { echo \"cexec: there is no folder for temporary "
	"files\" >&2; exit 126; }\n"
    "mkfifo -m 600 \"$d/c\" && mkfifo -m 644 \"$d/k\" && "
	"exec 8<>\"$d/c\" 9<>\"$d/k\" || "
	"{ rm -rf \"$d\"; exit 126; }\n"
    "(trap 'rm -rf \"$d\"; exit' TERM HUP INT; exec 6<\"$d/c\" 8>&- 9>&-; "
	"read x <&6; rm -rf \"$d\") </dev/null >/dev/null 2>&1 &\n";

static const char receive[] =
    "mkdir -m 711 \"$d/%s\"; f=$d/%s/%s\n"
    "head -c %zu >\"$f\"\n"
    "[ \"$(wc -c <\"$f\")\" -eq %zu ] || { rm -rf \"$d\"; "
	"echo \"cexec: the script did not come whole to ${d%%/*}\" >&2; "
	"exit 126; }\n"
    "chmod %s \"$f\"\n"
    "printf %%s %s%c >&2\n";

static void
put_outer(FILE *fp, const struct wrap *w, const char *command)
{
	bool other = w->how != BECOME_NOBODY;

	fprintf(fp, place, w->nonce);
	if (w->script != NULL)
		fprintf(fp, receive, w->nonce, w->nonce, w->script, w->size,
		    w->size,
		    other && strcmp(w->user, "root") != 0 ? "755" : "700",
		    w->mark, WRAP_GOT);
	if (other)
		put_become(fp, w, command);
	else {
		fputs("(\n", fp);
		put_inner(fp, w, command);
		fputs("\n)", fp);
	}
	fputs(" 8>&- 9>&-\ns=$?; echo >&9; rm -rf \"$d\"; exit $s", fp);
}

int
wrap_command(const struct wrap *w, const char *command, char **out,
    struct fanout_error *e)
{
	char *text = NULL;
	size_t size;
	FILE *fp;

	if (!wrap_used(w))
		return cli_form_wrap(w->form, command, out, e);
	*out = NULL;
	if ((fp = open_memstream(&text, &size)) == NULL)
		return cli_nomem(e);
	if (w->how == BECOME_NOBODY && w->script == NULL)
		put_detached(fp, w, command);
	else
		put_outer(fp, w, command);
	if (fclose(fp) == 0 && (fp = open_memstream(out, &size)) != NULL) {
		cli_form_line(fp, text);
		if (fclose(fp) == 0) {
			free(text);
			return 0;
		}
	}
	free(text);
	free(*out);
	*out = NULL;
	return cli_nomem(e);
}
