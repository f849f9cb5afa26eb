#include <sys/resource.h>

#include <err.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/form.h"
#include "cli/roster.h"
#include "cli/signals.h"
#include "cli/summary.h"
#include "cli/visible.h"
#include "lock.h"

#define ANSWER_MS 60000		/* without any event */
#define TAKEN_MS 1000		/* likewise, once it is taken somewhere */
#define RELEASE_MS 5000
#define NAME_MAX_LEN 64
#define WORD "fanout-lock "	/* what an answer begins with */


enum state { LOCK_NONE, LOCK_WAITS, LOCK_HELD, LOCK_TAKEN, LOCK_FAILED,
	LOCK_LOST };

struct lock_host {
	enum state state;
	size_t	 len, err_len;
	char	 line[400];	/* the one that comes; or who has it */
	char	 err[160];
	bool	 told;		/* that it is lost */
	struct fanout_result result;	/* LOCK_FAILED, LOCK_LOST */
};

/*
 * $n name, $t token, $i who we are. What holds it is a descriptor, which is
 * closed when this ends, or a folder. The first line of by.PID is the token
 * and who it is. Two names of one machine are one lock: the token is ours.
 */
static const char script[] =
"umask 0\n"
"d=${FANOUT_LOCK_DIR:-/tmp}/fanout-lock.$n m=\n"
"mkdir -m 1777 \"$d\" 2>/dev/null\n"
"if [ ! -d \"$d\" ] || [ -L \"$d\" ]; then echo \"$d: no folder\" >&2; exit 3; fi\n"
"umask 022\n"
"alive() { kill -0 \"$1\" 2>/dev/null || [ -d \"/proc/$1\" ]; }\n"
"look() {\n"
"  for f in \"$d\"/by.*; do\n"
"    [ -f \"$f\" ] && [ ! -L \"$f\" ] && alive \"${f##*.}\" || continue\n"
"    k= w=\n"
"    read -r k w <\"$f\" || continue\n"
"    [ -n \"$w\" ] && return\n"
"  done\n"
"  return 1\n"
"}\n"
"told() {\n"
"  c=0\n"
"  while ! look; do\n"
"    c=$((c + 1))\n"
"    [ $c -lt 20 ] || { w='somebody who does not say'; break; }\n"
"    sleep 0.1 2>/dev/null || sleep 1\n"
"  done\n"
"  [ \"$k\" = \"$t\" ] || { echo \"" WORD "taken $w\"; exit 0; }\n"
"  echo \"" WORD "held\"\n"
"  while read -r x; do :; done\n"
"  exit 0\n"
"}\n"
"if command -v flock >/dev/null 2>&1; then\n"
"  exec 9<\"$d\" || exit 3\n"
"  flock -n 9 || told\n"
"elif mkdir \"$d/held\" 2>/dev/null; then m=1\n"
"elif look || ! mkdir \"$d/over\" 2>/dev/null; then told\n"
"else\n"	/* whoever made it is gone */
"  look || { rmdir \"$d/held\"; mkdir \"$d/held\" && m=1; }\n"
"  rmdir \"$d/over\"\n"
"  [ -n \"$m\" ] || told\n"
"fi\n"
"gone() { rm -f \"$d/by.$$\"; [ -z \"$m\" ] || rmdir \"$d/held\"; }\n"
"trap 'gone; exit 1' HUP INT TERM\n"
"rm -f \"$d\"/by.* 2>/dev/null\n"
"(set -C; echo \"$t $i\" >\"$d/by.$$\") 2>/dev/null\n"
"echo \"" WORD "held\"\n"
"while read -r x; do :; done\n"
"gone\n";

int
lock_check(const struct lock *l, struct fanout_error *e)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (l->name == NULL || (*l->name != '\0' && *l->name != '.' &&
	    *l->name != '-' && strlen(l->name) <= NAME_MAX_LEN &&
	    l->name[strspn(l->name, good)] == '\0'))
		return 0;
	return cli_error(e, FANOUT_EINVAL, "--lock \"%.80s\": up to %d "
	    "letters, digits and ._-, a letter or digit first", l->name,
	    NAME_MAX_LEN);
}

/* ---- what hosts are sent ----------------------------------------------------- */

static void
put_who(FILE *fp, const char *command)
{
	const struct passwd *pw = getpwuid(getuid());
	char from[256] = "?", when[64] = "?", *line, *p;
	size_t n = strnlen(command, 200);
	time_t now = time(NULL);
	struct tm tm;

	(void)gethostname(from, sizeof(from) - 1);
	if (localtime_r(&now, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S %z", &tm);
	if ((line = malloc(n * CLI_VISIBLE_MAX + 1)) == NULL)
		return;
	line[cli_visible(line, command, n)] = '\0';
	for (p = line; (p = strpbrk(p, "\n\t")) != NULL;)
		*p = ' ';
	fprintf(fp, "%s from %s since %s: %s%s", pw != NULL ? pw->pw_name :
	    "?", from, when, line, command[n] != '\0' ? "..." : "");
	free(line);
}

/* The command line; NULL: no memory. */
static char *
make_command(const struct lock *l, const char *command)
{
	char *who = NULL, *whole = NULL, *line = NULL;
	size_t size;
	FILE *fp;

	if ((fp = open_memstream(&who, &size)) == NULL)
		return NULL;
	put_who(fp, command);
	if (fclose(fp) == 0 && (fp = open_memstream(&whole, &size)) != NULL) {
		fprintf(fp, "n=%s t=%s i=", l->name, l->token);
		cli_form_quote(fp, who);
		fprintf(fp, "\n%s", script);
		if (fclose(fp) == 0 &&
		    (fp = open_memstream(&line, &size)) != NULL) {
			cli_form_line(fp, whole);
			if (fclose(fp) != 0) {
				free(line);
				line = NULL;
			}
		}
	}
	free(who);
	free(whole);
	return line;
}

/* ---- what they answer -------------------------------------------------------- */

static void
decide(struct lock *l, struct lock_host *h, enum state state)
{
	if (h->state == LOCK_WAITS)
		l->undecided--;
	l->held -= h->state == LOCK_HELD;
	h->state = state;
	l->held += state == LOCK_HELD;
	l->taken += state == LOCK_TAKEN;
	l->lost += state == LOCK_LOST;
	l->untold += state == LOCK_LOST;
}

static void
fail(struct lock *l, size_t host, const struct fanout_result *r,
    const char *why)
{
	struct lock_host *h = &l->at[host];

	h->result = *r;
	snprintf(h->result.text, sizeof(h->result.text), "without lock %s "
	    "nothing is run: %.160s", l->name, why);
	l->skip[host] = h->result.text;
	decide(l, h, LOCK_FAILED);
}

/* It was held, and its session ended before we wanted it to. */
static void
lose(struct lock *l, size_t host, const struct fanout_result *r)
{
	struct lock_host *h = &l->at[host];
	char killed[60];
	const char *why = r->text;

	if (r->cls == FANOUT_C_SIGNAL) {
		snprintf(killed, sizeof(killed), "what held it was killed by "
		    "signal %s", r->signal);
		why = killed;
	} else if (r->cls == FANOUT_C_OK || r->cls == FANOUT_C_EXIT)
		why = "what held it has ended";
	h->result = *r;
	h->result.cls = FANOUT_C_LOST;
	h->result.status = -1;
	snprintf(h->result.text, sizeof(h->result.text), "lock %s was lost: "
	    "%.160s", l->name, why);
	l->skip[host] = h->result.text;
	decide(l, h, LOCK_LOST);
}

static void
take_line(struct lock *l, struct lock_host *h)
{
	size_t n = strlen(WORD);

	h->line[h->len] = '\0';
	h->len = 0;
	if (h->state != LOCK_WAITS || strncmp(h->line, WORD, n) != 0)
		return;
	if (strcmp(h->line + n, "held") == 0)
		decide(l, h, LOCK_HELD);
	else if (strncmp(h->line + n, "taken ", 6) == 0) {
		memmove(h->line, h->line + n + 6, strlen(h->line + n + 6) + 1);
		decide(l, h, LOCK_TAKEN);
	}
}

static void
on_output(struct lock *l, struct lock_host *h, const char *p, size_t len)
{
	for (; len > 0 && h->state == LOCK_WAITS; p++, len--)
		if (*p == '\n')
			take_line(l, h);
		else if (h->len < sizeof(h->line) - 1)
			h->line[h->len++] = *p;
}

static void
on_done(struct lock *l, size_t host, const struct fanout_result *r)
{
	struct lock_host *h = &l->at[host];
	struct fanout_result mine = *r;

	if (h->state != LOCK_WAITS && h->state != LOCK_HELD)
		return;
	if ((l->releasing && r->cls == FANOUT_C_OK) ||
	    r->cls == FANOUT_C_CANCELED)
		decide(l, h, LOCK_NONE);
	else if (h->state == LOCK_HELD)
		lose(l, host, r);
	else if (r->cls == FANOUT_C_OK || r->cls == FANOUT_C_EXIT) {
		mine.cls = FANOUT_C_REMOTE;
		h->err[h->err_len] = '\0';
		h->err[strcspn(h->err, "\n")] = '\0';
		fail(l, host, &mine, h->err[0] != '\0' ? h->err :
		    "it takes a POSIX shell there");
	} else
		fail(l, host, r, r->text);
}

/* Such as that a host key is known from now on. */
static void
on_log(const struct fanout_event *ev)
{
	char safe[300 * CLI_VISIBLE_MAX];
	size_t n = ev->len < 300 ? ev->len : 300;

	n = cli_visible(safe, ev->data, n);
	warnx("%s%s%.*s", ev->name, *ev->name != '\0' ? ": " : "", (int)n,
	    safe);
}

static void
on_event(struct lock *l, const struct fanout_event *ev)
{
	struct lock_host *h;

	if (ev->kind == FANOUT_EV_LOG)
		on_log(ev);
	if (ev->kind == FANOUT_EV_LOG || ev->kind == FANOUT_EV_ASK ||
	    ev->job != l->job)
		return;
	h = &l->at[ev->host];
	if (ev->kind == FANOUT_EV_OUT)
		on_output(l, h, ev->data, ev->len);
	else if (ev->kind == FANOUT_EV_ERR) {
		size_t n = sizeof(h->err) - 1 - h->err_len;

		if (n > ev->len)
			n = ev->len;
		memcpy(h->err + h->err_len, ev->data, n);
		h->err_len += n;
	} else if (ev->kind == FANOUT_EV_DONE)
		on_done(l, ev->host, ev->result);
}

/* Before the first answer that has to be given once more for the command. */
static void
warn_of_twice(struct lock *l, const struct cli_ask *ask,
    const struct fanout_event *ev)
{
	if (l->warned || ev->kind != FANOUT_EV_ASK ||
	    ask->terminal.fd == -1 || cli_ask_for_all(ask, ev->ask) ||
	    (ev->ask->kind != FANOUT_ASK_PASSWORD &&
	    ev->ask->kind != FANOUT_ASK_PROMPT))
		return;
	l->warned = true;
	warnx("with --lock hosts are logged in to twice: this is asked for "
	    "the lock, and then again for the command; a code that is good "
	    "for one login will not do for both");
}

/* Until each host has said something. False: the user wants to stop. */
static bool
wait_for_all(struct lock *l, struct cli_ask *ask)
{
	static const struct fanout_result late = { .cls = FANOUT_C_IDLE_TIMEOUT,
	    .stage = FANOUT_S_RUN, .status = -1 };
	struct fanout_event ev;
	size_t i;
	int rc;

	while (l->undecided > 0) {
		if (cli_signals_take() != CLI_GO_ON)
			return false;
		if (cli_ask_busy(ask)) {
			cli_ask_wait(ask, -1);
			rc = fanout_next(l->engine, &ev, 0);
			if (rc == 0)
				continue;
		} else
			rc = fanout_next(l->engine, &ev, l->taken > 0 ?
			    TAKEN_MS : ANSWER_MS);
		if (rc > 0) {
			warn_of_twice(l, ask, &ev);
			cli_ask_event(ask, &ev);
			on_event(l, &ev);
		} else if (cli_signals_take() != CLI_GO_ON)
			return false;
		else
			break;
	}
	for (i = 0; l->taken == 0 && i < fanout_hosts_count(l->hosts); i++)
		if (l->at[i].state == LOCK_WAITS)
			fail(l, i, &late, "no answer for a minute");
	return true;
}

/* ---- taking it ----------------------------------------------------------------- */

/* Hosts with the same holder in one line. */
static void
tell_holders(struct lock *l)
{
	size_t i, k, n = fanout_hosts_count(l->hosts);
	char safe[sizeof(l->at->line) * CLI_VISIBLE_MAX + 1], *names;
	struct fanout_hosts *set;

	for (i = 0; i < n; i++) {
		if (l->at[i].state != LOCK_TAKEN || l->at[i].line[0] == '\0' ||
		    fanout_hosts_new(&set) != 0)
			continue;
		safe[cli_visible(safe, l->at[i].line,
		    strlen(l->at[i].line))] = '\0';
		for (k = n; k-- > i;)
			if (l->at[k].state == LOCK_TAKEN &&
			    strcmp(l->at[k].line, l->at[i].line) == 0) {
				fanout_hosts_add(set,
				    fanout_hosts_at(l->hosts, k), NULL);
				if (k > i)
					l->at[k].line[0] = '\0';
			}
		if (fanout_hosts_fold(set, &names) == 0) {
			warnx("lock %s on %s is taken by %s", l->name, names,
			    safe);
			free(names);
		}
		fanout_hosts_free(set);
	}
	warnx("nothing was run");
}

static int
complain(const char *text)
{
	warnx("%s", text);
	return CLI_EXIT_USAGE;
}

/* A connection and what goes with it for each host, twice. */
static bool
enough_descriptors(size_t hosts)
{
	struct rlimit rl;

	return getrlimit(RLIMIT_NOFILE, &rl) == -1 ||
	    rl.rlim_cur == RLIM_INFINITY || rl.rlim_cur > hosts * 2 + 200;
}

static int
prepare(struct lock *l, const struct fanout_hosts *hosts,
    const char *const *skip)
{
	size_t i, n = fanout_hosts_count(hosts);

	l->at = calloc(n, sizeof(*l->at));
	l->skip = calloc(n, sizeof(*l->skip));
	if (l->at == NULL || l->skip == NULL ||
	    fanout_hosts_copy(&l->hosts, hosts) != 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (skip != NULL)
			l->skip[i] = skip[i];
		if (l->skip[i] == NULL) {
			l->at[i].state = LOCK_WAITS;
			l->undecided++;
		}
	}
	for (i = 0; i < 4; i++)
		snprintf(l->token + 8 * i, 9, "%08x", arc4random());
	return 0;
}

static int
submit(struct lock *l, const struct fanout_opts *opts, const char *command,
    struct fanout_error *e)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct fanout_opts o = *opts;
	char *line = make_command(l, command);
	int rc;

	if (line == NULL)
		return cli_nomem(e);
	/* All at once, for as long as the run takes; it ends by itself. */
	o.window = (unsigned)fanout_hosts_count(l->hosts);
	o.idle_ms = o.command_ms = 0;
	o.grace_ms = -1;
	cmd.command = line;
	cmd.own_input = true;
	cmd.skip = l->skip;
	if ((rc = fanout_new(&l->engine, &o, e)) == 0)
		rc = fanout_submit(l->engine, l->hosts, &cmd, &l->job, e);
	free(line);
	return rc;
}

int
lock_take(struct lock *l, const struct fanout_hosts *hosts,
    const char *const *skip, const struct fanout_opts *opts,
    struct cli_ask *ask, const char *command)
{
	struct fanout_error e;
	bool goes_on;

	if (!enough_descriptors(fanout_hosts_count(hosts)))
		return complain("--lock holds a connection to each host: that "
		    "takes a higher limit of open files (ulimit -n)");
	if (prepare(l, hosts, skip) == -1)
		return complain("out of memory");
	if (submit(l, opts, command, &e) != 0)
		return complain(e.text);
	if (cli_signals_start(l->engine) == -1) {
		warn("signals");
		return CLI_EXIT_USAGE;
	}
	cli_ask_start(ask, l->engine);
	goes_on = wait_for_all(l, ask);
	cli_signals_stop();
	/* Some may not even be there to be told that it is over. */
	if (l->undecided > 0)
		fanout_cancel(l->engine, 0);
	if (!goes_on)
		warnx("interrupted while locking; nothing was run");
	else if (l->taken > 0)
		tell_holders(l);
	return !goes_on ? CLI_EXIT_INTERRUPTED : l->taken > 0 ?
	    CLI_EXIT_USAGE : 0;
}

const struct fanout_result *
lock_failure(const struct lock *l, size_t host)
{
	return l->at != NULL && l->at[host].state == LOCK_FAILED ?
	    &l->at[host].result : NULL;
}

/* ---- while it is held ------------------------------------------------------------ */

static void
take_events(struct lock *l, int timeout_ms)
{
	struct fanout_event ev;

	while (l->engine != NULL && fanout_next(l->engine, &ev,
	    timeout_ms) > 0)
		on_event(l, &ev);
}

bool
lock_watch(struct lock *l, struct fanout_event *ev)
{
	int64_t now = cli_now();
	size_t i;

	if (l->engine == NULL)
		return false;
	if (now - l->watched >= LOCK_WATCH_MS) {
		l->watched = now;
		take_events(l, 0);
	}
	if (l->untold == 0)
		return false;
	for (i = 0; l->at[i].state != LOCK_LOST || l->at[i].told;)
		i++;
	l->at[i].told = true;
	l->untold--;
	*ev = (struct fanout_event){ .kind = FANOUT_EV_LOG,
	    .job = (fanout_job)-1, .host = i,
	    .name = fanout_hosts_at(l->hosts, i), .data = l->at[i].result.text,
	    .len = strlen(l->at[i].result.text) };
	return true;
}

void
lock_judge(struct lock *l, struct fanout_event *ev)
{
	const struct lock_host *h;

	if (l->engine == NULL || ev->kind != FANOUT_EV_DONE)
		return;
	take_events(l, 0);
	h = &l->at[ev->host];
	if (h->state != LOCK_LOST)
		return;
	if (ev->result->cls == FANOUT_C_SKIPPED) {
		l->judged = h->result;
		snprintf(l->judged.text, sizeof(l->judged.text), "nothing was "
		    "run: %.200s", h->result.text);
	} else if (ev->result->cls == FANOUT_C_OK) {
		l->judged = *ev->result;
		l->judged.cls = FANOUT_C_LOST;
		snprintf(l->judged.text, sizeof(l->judged.text), "it ended "
		    "with status 0, but meanwhile %.200s", h->result.text);
	} else
		return;
	ev->result = &l->judged;
}

/* ---- and giving it back ---------------------------------------------------------- */

static void
add_names(FILE *fp, const struct lock *l, enum state state, const char *what)
{
	struct fanout_hosts *set;
	char *names;
	size_t i;

	if (fanout_hosts_new(&set) != 0)
		return;
	for (i = 0; i < fanout_hosts_count(l->hosts); i++)
		if (l->at[i].state == state && !l->at[i].told)
			fanout_hosts_add(set, fanout_hosts_at(l->hosts, i),
			    NULL);
	if (fanout_hosts_count(set) > 0 &&
	    fanout_hosts_fold(set, &names) == 0) {
		fprintf(fp, " %s on %s", what, names);
		free(names);
	}
	fanout_hosts_free(set);
}

/* What was not told of before. A host that does not answer may have lost it
 * long ago. */
static char *
tell_end(struct lock *l)
{
	char *line = NULL;
	size_t size;
	FILE *fp;

	l->lost += l->held;
	if (l->untold + l->held == 0 ||
	    (fp = open_memstream(&line, &size)) == NULL)
		return NULL;
	fprintf(fp, "lock %s", l->name);
	add_names(fp, l, LOCK_LOST, "was lost before the run was over");
	if (l->untold > 0 && l->held > 0)
		fputs(", and", fp);
	add_names(fp, l, LOCK_HELD, "gave no answer at its end");
	if (fclose(fp) != 0) {
		free(line);
		return NULL;
	}
	return line;
}

char *
lock_release(struct lock *l)
{
	size_t i, n = l->hosts != NULL ? fanout_hosts_count(l->hosts) : 0;
	char *line = NULL;

	if (l->engine != NULL) {
		take_events(l, 0);
		l->releasing = true;
		for (i = 0; i < n; i++)
			fanout_write_end(l->engine, l->job, i);
		/* In order it ends with status 0. */
		take_events(l, RELEASE_MS);
		line = tell_end(l);
		fanout_free(l->engine);
	}
	fanout_hosts_free(l->hosts);
	free(l->at);
	free(l->skip);
	*l = (struct lock){ .name = l->name, .lost = l->lost };
	return line;
}
