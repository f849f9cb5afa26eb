#!/bin/sh
# Output that has nowhere to go ends the run, and is told.
. "$(dirname "$0")/../lib.sh"
bed_up 4
H='127.1.0.[1-4]'

# Nobody reads any more: ended by SIGPIPE, as any filter, the hosts too.
{
	rc=0
	"$CEXEC" -F "$BED/ssh_config" -n -w $H 'echo $$ >>$HOME/pids; exec yes' 2>"$err" || rc=$?
	echo $rc >"$T/rc"
} | head -n 2 >"$out"
want_lines 2
want_equal "$(cat "$T/rc")" 141 "exit status"
want_quiet
all_gone() {
	while read -r p; do
		! kill -0 "$p" 2>/dev/null || return 1
	done <"$BED/home/pids"
}
wait_for 5 all_gone || fail "the commands live on"

# A full disk.
if [ -c /dev/full ]; then
	rc=0
	"$CEXEC" -F "$BED/ssh_config" -n -w $H yes >/dev/full 2>"$err" || rc=$?
	want_status 1
	want_err '^cexec: standard output: No space left on device$'
fi
# Closed from the start.
rc=0
"$CEXEC" -F "$BED/ssh_config" -n -w $H 'echo x' >&- 2>"$err" || rc=$?
want_status 1
want_err '^cexec: standard output: Bad file descriptor$'

# On a terminal what drives it is made visible; elsewhere bytes are bytes.
if command -v script >/dev/null; then
	script -qec "'$CEXEC' -F '$BED/ssh_config' -n -w 127.1.0.1 'printf \"a\\033[31mb\\rc\\n\"'" \
	    /dev/null </dev/null >"$out" 2>"$err"
	grep -qF 'a\033[31mb\rc' "$out" || fail "a remote host drives the terminal"
fi
cx -n -w 127.1.0.1 'printf "a\033[31mb\n"'
want_out "$(printf '127.1.0.1: a\033[31mb')"
