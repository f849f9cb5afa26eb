#!/bin/sh
# ^C once: who still runs. Twice: the end, within a second, with what was said
# so far. TERM and HUP as twice.
. "$(dirname "$0")/../lib.sh"
bed_up 6
H='127.1.0.[1-6]'
work='case $SSH_CONNECTION in *" 127.1.0.1 "*) echo done; exit 0;; esac
echo $$ >>$HOME/pids; echo begun; printf part; sleep 40; echo late'

# start OPTION...: in the background, until 5 hosts work; $pid
start() {
	rm -f "$BED/home/pids"
	# In the background a shell lets ^C be ignored: not here.
	"$B/bed/signals" "$CEXEC" -F "$BED/ssh_config" -n "$@" "$work" \
	    >"$out" 2>"$err" &
	pid=$!
	background="${background-} $pid"
	wait_for 20 has_lines "$BED/home/pids" 5 || fail "the commands do not start"
	wait_for 10 has_lines "$out" "${lines-6}" || fail "no output of the commands"
	ran="cexec $*, interrupted"
}

has_lines() {
	[ -f "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

ended() {
	! kill -0 $pid 2>/dev/null || [ "$(ps -o stat= -p $pid | cut -c1)" = Z ]
}

# ends_with STATUS: within a second or so (sanitizers are slow).
ends_with() {
	limit=1
	! $SANITIZED || limit=10
	wait_for $limit ended || fail "still there after $limit s"
	rc=0
	wait $pid || rc=$?
	want_status "$1"
	! grep -Eq 'Sanitizer:|runtime error:' "$err" || fail "a sanitizer speaks up"
}

start -w $H
kill -INT $pid
wait_for 5 grep -q 'interrupt' "$err" || fail "nothing is said"
want_err '^cexec: 1 of 6 over, 5 running, 0 waiting$'
want_err '^cexec: .*running.* 127\.1\.0\.\[2-6\]$'
sleep 1.5
! ended || fail "ended after one ^C"
# Much later is no second time.
kill -INT $pid
sleep 1.2
! ended || fail "ended after two ^C that were apart"
kill -INT $pid
sleep 0.2
kill -INT $pid
ends_with 130
# Partial output is kept, the unfinished line too.
want_equal "$(grep -c ': begun$' "$out")" 5 "hosts that began"
want_equal "$(grep -c ': part$' "$out")" 5 "unfinished lines"
want_err '^cexec: 5 of 6 failed: canceled: 127\.1\.0\.\[2-6\]$'

for sig in TERM HUP; do
	start -w $H
	kill -$sig $pid
	ends_with 130
done

# As timeout(1) does it, at once twice: the end is still in order.
start -w $H
kill -TERM $pid
sleep 0.05
kill -TERM $pid
ends_with 130
want_err '^cexec: 5 of 6 failed: canceled: 127\.1\.0\.\[2-6\]$'

# Hosts that wait are named too, and never start.
lines=5
start -f 5 -w 127.1.0.[2-6],127.1.0.[2-6]:"$BED_PORT"
kill -INT $pid
wait_for 5 grep -q 'interrupt' "$err" || fail "nothing is said"
want_err '^cexec: 0 of 10 over, 5 running, 5 waiting$'
want_err "^cexec: waiting: 127\\.1\\.0\\.\\[2-6\\]:$BED_PORT\$"
kill -INT $pid
ends_with 130
want_err '^cexec: 10 of 10 failed: canceled: '
want_equal "$(wc -l <"$BED/home/pids")" 5 "commands begun"

# While nobody reads: stdout is full, and we still listen.
mkfifo "$T/fifo"
{ sleep 60; cat >/dev/null; } <"$T/fifo" &
background="$background $!"
"$B/bed/signals" "$CEXEC" -F "$BED/ssh_config" -n -w 127.1.0.1 yes >"$T/fifo" 2>"$err" &
pid=$!
background="$background $pid"
sleep 1
before=$(ls "/proc/$pid/fd" | wc -l)
kill -INT $pid
wait_for 3 grep -q 'interrupt' "$err" || fail "deaf while stdout is full"
want_equal "$(ls "/proc/$pid/fd" | wc -l)" "$before" "open descriptors"
kill -INT $pid
limit=1
ends_with 130
