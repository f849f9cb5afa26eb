/*
 * sess_kill.c - the end of a command that is given up: states SETTLE,
 * KILL_OPEN, KILL_EXEC, KILL_WAIT.
 *
 * Closing a session does not end what it runs, and the protocol's signals are
 * not in every libssh2 nor in every server. So a second session on the same
 * connection sends them. It needs no help from the command, which was sent as
 * it was given: both have the same parent, the server's process of this
 * connection, and each leads a session of its own (setsid(2)). What the
 * command moved to another session, it moved out of our reach on purpose.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sess.h"

/*
 * For any login shell: between the quotes are no quotes, backslashes,
 * exclamation marks or newlines (csh, fish). On Linux /proc is read, which
 * takes no process; elsewhere ps, with process groups for sessions.
 *
 * K prints pid:parent:session of all that are no zombies, A is whether one is.
 * L are the leaders of the command's session (some kernels list children), M
 * sets m to their members. Each gets a signal once.
 * As long as one of those is there we only wait; then comes another look, for
 * what was forked meanwhile.
 * It says "gone", or "left" and the pids. The numbers: tenths of a second from
 * TERM to the last look, and to KILL.
 */
static const char killer[] =
    "exec /bin/sh -c '"
    "K() { if [ -r /proc/self/stat ]; then for f in /proc/[0-9]*/stat; do "
	"read -r l 2>/dev/null <$f || continue; p=${l%%%% *}; "
	"set -- ${l##*\")\"}; "
	"case $1 in Z|X) ;; *) echo $p:$2:$4;; esac; done; "
    "else ps -A -o pid= -o ppid= -o pgid= | "
	"while read -r p d s; do echo $p:$d:$s; done; fi; }; "
    "A() { if [ -r /proc/self/stat ]; then "
	"read -r l 2>/dev/null </proc/$1/stat || return 1; "
	"set -- ${l##*\")\"}; case $1 in Z|X) return 1;; esac; "
    "else kill -0 $1 2>/dev/null; fi; }; "
    "M() { m=; for x in $(K); do case \"$L\" in "
	"*\" ${x##*:} \"*) m=\"$m ${x%%%%:*}\";; esac; done; }; "
    "L=; c=; read -r c 2>/dev/null </proc/$PPID/task/$PPID/children; "
    "if [ -n \"$c\" ]; then "
	"for p in $c; do [ $p = $$ ] || L=\"$L $p \"; done; "
    "else for x in $(K); do p=${x%%%%:*}; "
	"case $x in $$:*) ;; $p:$PPID:$p) L=\"$L $p \";; esac; done; fi; "
    "n=0; t=; M; while [ -n \"$m\" ] && [ $n -lt %d ]; do "
	"s=TERM; [ $n -lt %d ] || s=KILL; "
	"for p in $m; do case \"$t\" in *\" $p:$s \"*) ;; "
	    "*) kill -$s $p 2>/dev/null; t=\"$t $p:$s \";; esac; done; "
	"n=$((n + 1)); sleep 0.1 2>/dev/null || sleep 1; "
	"for p in $m; do A $p && continue 2; done; M; "
    "done; "
    "if [ -z \"$m\" ]; then echo gone; else echo left$m; fi'";

/* Not before it was sent, and a subsystem ends with its input. */
void
sess_cancel(void *peer)
{
	struct sess *s = peer;
	bool spare = s->subsystem || fanout_io_grace(s->io) < 0;

	s->canceled = true;
	s->sealed = false;
	if (s->state == SESS_RUN && s->saw_status) {
		fanout_io_fate(s->io, FANOUT_F_RUNNING, 0, "the command itself "
		    "ended, what it left behind holds its output");
		spare = true;
	}
	if (spare || (s->state != SESS_EXEC && s->state != SESS_RUN)) {
		sess_close(peer);
		return;
	}
	s->doomed = true;
	if (s->state == SESS_RUN)
		(void)sess_goto(s, SESS_SETTLE);
}

static enum sess_res
unknown(struct sess *s, const char *why)
{
	fanout_io_fate(s->io, FANOUT_F_UNKNOWN, 0, why);
	return sess_goto(s, SESS_BYE);
}

/* libssh2 first wants back the call that could not send its packet whole. */
enum sess_res
sess_settle(struct sess *s)
{
	enum sess_res res = sess_finish_pending(s);

	if (res == RES_FAIL)
		return unknown(s, "the connection was lost");
	if (s->pending != PEND_NONE)
		return res;
	return sess_goto(s, SESS_KILL_OPEN);
}

enum sess_res
sess_kill_open(struct sess *s)
{
	/* The next command's channel, or if that was asked for the same call. */
	s->killer = s->next != NULL && libssh2_channel_eof(s->next) != 1 ?
	    s->next : sess_channel(s, SESS_WINDOW);
	s->next = NULL;
	if (s->killer != NULL)
		return sess_goto(s, SESS_KILL_EXEC);
	if (libssh2_session_last_errno(s->ssh) == LIBSSH2_ERROR_EAGAIN)
		return sess_again(s);
	return unknown(s, "the server opens no second session");
}

enum sess_res
sess_kill_exec(struct sess *s)
{
	char command[sizeof(killer) + 32];
	int rc, grace = fanout_io_grace(s->io) / 100;

	(void)snprintf(command, sizeof(command), killer, grace + 8, grace);
	rc = libssh2_channel_exec(s->killer, command);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return sess_again(s);
	if (rc != 0)
		return unknown(s, "the server runs no second command");
	return sess_goto(s, SESS_KILL_WAIT);
}

static void
read_verdict(struct sess *s)
{
	char text[sizeof(s->verdict)];
	long long pid = 0;

	s->verdict[s->verdict_len] = '\0';
	if (strcmp(s->verdict, "gone\n") == 0)
		fanout_io_fate(s->io, FANOUT_F_KILLED, 0, "");
	else if (sscanf(s->verdict, "left %lld", &pid) == 1) {
		(void)snprintf(text, sizeof(text), "pid %s", s->verdict + 5);
		text[strcspn(text, "\n")] = '\0';
		fanout_io_fate(s->io, FANOUT_F_RUNNING, pid, text);
	} else
		fanout_io_fate(s->io, FANOUT_F_UNKNOWN, 0,
		    "no answer as to its processes");
}

enum sess_res
sess_kill_wait(struct sess *s)
{
	char rest[256];
	size_t room = sizeof(s->verdict) - 1 - s->verdict_len;
	ssize_t n;

	do {
		n = libssh2_channel_read(s->killer, room > 0 ? s->verdict +
		    s->verdict_len : rest, room > 0 ? room : sizeof(rest));
		if (n > 0 && room > 0) {
			s->verdict_len += (size_t)n;
			room -= (size_t)n;
		}
	} while (n > 0);
	if (n == LIBSSH2_ERROR_EAGAIN)
		return sess_again(s);
	read_verdict(s);
	sess_drain(s);		/* what it said in the end */
	return sess_goto(s, SESS_BYE);
}
