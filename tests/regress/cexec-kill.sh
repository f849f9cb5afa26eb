#!/bin/sh
# What is given up is really gone: at the deadline and at ^C^C the processes of
# the command end on the host, what it put into a session of its own stays, and
# the outcome says which. The command is sent as it was given.
. "$(dirname "$0")/../lib.sh"
# Sanitizers make fifty servers, clients and looks at /proc too much for the time.
N=50
! $SANITIZED || N=10
bed_up $N
H="127.1.0.[1-$N]"
# A number that only our processes have on their command line.
mark=$((100000 + $$))

# alive ARGUMENT: how many processes of one argument there are.
alive() {
	ps -A -o args= | awk -v arg="$1" 'NF == 2 && $2 == arg { n++ } END { print n + 0 }'
}

none_alive() {
	[ "$(alive "$1")" -eq 0 ]
}

ended() {
	! kill -0 $pid 2>/dev/null || [ "$(ps -o stat= -p $pid | cut -c1)" = Z ]
}

tree="sleep 1$mark & (sleep 2$mark; true) & (setsid sleep 3$mark </dev/null >/dev/null 2>&1 &); wait"

# At the deadline: 50 trees of it, on one machine.
cx -n -u 3 -w "$H" "$tree"
want_status 1
none_alive "1$mark" || fail "$(alive "1$mark") processes are left"
none_alive "2$mark" || fail "$(alive "2$mark") children are left"
want_equal "$(alive "3$mark")" $N "processes in a session of their own"
ps -A -o pid=,args= | awk -v s="3$mark" '$2 == "sleep" && $3 == s { print $1 }' | xargs kill
want_err '^cexec: 127\.1\.0\.[0-9]+: command-timeout: the command took more than 3 s; killed$'
want_err "^cexec: $N of $N failed: command-timeout: 127\\.1\\.0\\.\\[1-$N\\]\$"

# At ^C^C, within three seconds.
"$B/bed/signals" "$CEXEC" -F "$BED/ssh_config" -n -w "$H" \
    "echo begun; sleep 4$mark & sleep 5$mark" >"$out" 2>"$err" &
pid=$!
background="${background-} $pid"
begun() { [ "$(wc -l <"$out")" -eq $N ]; }
wait_for 30 begun || fail "the commands do not start"
kill -INT $pid
sleep 0.1
kill -INT $pid
limit=3
! $SANITIZED || limit=20
wait_for $limit ended || fail "still there after $limit s"
rc=0
wait $pid || rc=$?
want_status 130
none_alive "4$mark" || fail "$(alive "4$mark") processes are left after ^C"
none_alive "5$mark" || fail "$(alive "5$mark") children are left after ^C"
want_err "^cexec: ending what runs on $N hosts; interrupt once more"
want_err "^cexec: $N of $N failed: canceled: "

# What does not mind TERM gets KILL after its time; what was forked in between
# is found; what it says in the end is kept.
cx -n -u 1 --grace 0.5 -w 127.1.0.1 "trap '' TERM; while :; do sleep 6$mark; done"
want_status 1
none_alive "6$mark" || fail "TERM was ignored, and nothing followed"
want_err 'killed$'
cx -n -u 1 -w 127.1.0.1 "trap 'echo farewell; exit 3' TERM; sleep 7$mark & wait"
want_err 'killed$'
want_out '127.1.0.1: farewell'

# Not with --raw, and not when the command itself has ended.
cx -n -u 1 --raw -w 127.1.0.1 "sleep 8$mark"
want_err 'more than 1 s; it may still be running$'
want_equal "$(alive "8$mark")" 1 "processes left alone"
cx -n -u 1 -w 127.1.0.1 "sleep 9$mark & exit 0"
want_err 'still running \(the command itself ended, what it left behind holds its output\)$'
ps -A -o pid=,args= | awk -v s="^[89]$mark\$" '$2 == "sleep" && $3 ~ s { print $1 }' | xargs kill

# Where the server allows no second session, that is said.
one=$("$LOOPBACK" sshd one 'MaxSessions 1') || fail "no sshd of our own"
"$LOOPBACK" trust one "$one" || fail "trust"
cx -n -u 1 -w "$one" "sleep 10"
want_err 'it may still be running \(the server opens no second session\)$'

# JSON has it too.
cx -n -u 1 --json -w 127.1.0.1 'sleep 20'
want_equal "$(jq -r 'select(.event == "done") | .fate' "$out")" killed fate

# Input in full flow, output in full flow: the session is settled first.
yes | cx -u 1 -w 127.1.0.1 "sleep 11$mark; cat"
want_err 'killed$'
none_alive "11$mark" || fail "with input that waits"
run sh -c "'$CEXEC' -F '$BED/ssh_config' -u 1 -w 127.1.0.1 'yes 12$mark | cat' >/dev/null"
want_err 'killed$'
none_alive "12$mark" || fail "with output in full flow"
# Whoever reads us goes away: so does what runs.
run sh -c "'$CEXEC' -F '$BED/ssh_config' -w 127.1.0.1 'yes 13$mark | cat' | head -n 9 >/dev/null"
wait_for 5 none_alive "13$mark" || fail "it goes on though nobody reads it"
