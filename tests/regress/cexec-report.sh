#!/bin/sh
# Each run is saved: whatever ended it, for the user alone, without secrets; and
# can be shown, listed, compared, tried again.
. "$(dirname "$0")/../lib.sh"
bed_up 6
H='127.1.0.[1-6]'
me='h=${SSH_CONNECTION% *}; h=${h##*.}'
RUNS=$T/state/fanout/runs
mine() { run "$CEXEC" "$@"; }

# Nothing saved yet.
mine --runs
want_status 0
want_out ''
mine --show
want_status 2
want_err '^cexec: no run of cexec is saved$'
mine --retry failed
want_status 2

umask 022
cx -n -w "$H,127.0.0.1:1" "$me; case \$h in 3) exit 3;; esac; echo said \$h"
want_status 4
want_equal "$(stat -c %a "$RUNS" "$RUNS"/* | tr '\n' ' ')" '700 600 ' "modes"
mine --report-loc
file=$(cat "$out")
jq -e . <"$file" >/dev/null || fail "that is no JSON"
want_equal "$(jq -r 'select(.event == "run") | [.tool, .command] | join(" ")' "$file")" \
    "cexec $me; case \$h in 3) exit 3;; esac; echo said \$h" "about the run"
want_equal "$(jq -r 'select(.event == "done") | "\(.host) \(.class)"' "$file" | sort | tr '\n' ' ')" \
    '127.0.0.1:1 refused 127.1.0.1 ok 127.1.0.2 ok 127.1.0.3 exit 127.1.0.4 ok 127.1.0.5 ok 127.1.0.6 ok ' outcomes
! grep -q '"event":"out"' "$file" || fail "output is saved unasked"
mine --show
want_status 0
grep -qx 'ok: 127.1.0.\[1-2,4-6\]' "$out" || fail "--show: who is ok"
grep -qx 'exit 3: 127.1.0.3' "$out" || fail "--show: who failed"
grep -qx 'refused: 127.0.0.1:1' "$out" || fail "--show: who was not reached"
grep -q '^7 hosts: 5 ok, 2 failed, 0 skipped$' "$out" || fail "--show: how many"
mine --show -b
want_status 2
want_err 'there is no output in it: run it with --report-output$'
first=$(basename "$file" .cexec.jsonl)

# Again, on those that failed and no others; with its options, and more.
mine --retry failed --json
want_status 4
want_err "^cexec: again, as in run $first: failed: 127.1.0.3,127.0.0.1:1 \\(2 of 7\\): "
want_equal "$(jq -r 'select(.event == "start").host' "$out" | sort | tr '\n' ' ')" \
    '127.0.0.1:1 127.1.0.3 ' "hosts of the retry"
mine --show
grep -qx "retry of $first" "$out" || fail "nothing about what it is a retry of"
for which in unreachable refused; do
	mine --retry $which "$first"
	want_status 3
	want_err ' 127\.0\.0\.1:1 \(1 of 7\)'
done
mine --retry exit=3 "$first"
want_status 1
mine --retry succeeded "$first" -x 127.1.0.1
want_status 2
want_err 'takes the ID of a run, not a command'
mine --retry succeeded -x 127.1.0.1 "$first"
want_status 0
want_lines 4
mine --retry all --list "$first"
want_lines 7
mine --retry timeout "$first"
want_status 0
want_err "^cexec: run $first: no host of it is timeout\$"
mine --retry odd "$first"
want_status 2
want_err '^cexec: --retry odd: it is failed, unreachable'
mine --retry exit=300 "$first"
want_status 2
mine --retry failed -w 127.1.0.1 "$first"
want_status 2
want_err 'names the hosts itself'
mine --retry failed 19990101
want_status 2
want_err 'no saved run has the ID 19990101; see --runs$'
mine --show 2
want_status 2
want_err 'a part of more than one ID'
mine --show "${first#*T}"
want_status 0

# A command fed to a shell is not tried again without what was fed.
echo 'echo fed; exit 1' >"$T/script"
"$CEXEC" -F "$BED/ssh_config" -w 127.1.0.1 sh -s <"$T/script" >"$out" 2>"$err"
run "$CEXEC" --retry failed -n
want_status 2
want_err 'had standard input: give it again'
rc=0
"$CEXEC" --retry failed </dev/null >"$out" 2>"$err" || rc=$?
want_status 2
rc=0
"$CEXEC" --retry failed <"$T/script" >"$out" 2>"$err" || rc=$?
want_status 1
want_out '127.1.0.1: fed'

# An option that is given with a retry goes before the one that was saved, and
# holds for the next retry: also those that stand for a line of ssh_config(5).
on_top() {
	mine -F "$BED/ssh_config" -w 127.1.0.1 "$1" 'echo $LOGNAME'
	want_status 3
	shift
	while [ $# -gt 1 ]; do
		mine --retry failed "$1"
		want_status 3
		want_err "$2"
		mine --retry failed
		want_err "$2"
		shift 2
	done
	mine --retry failed "$1"
	want_status 0
	mine --retry all
	want_status 0
}
on_top --port=1 --port=2 'port 2: ' --port="$BED_PORT"
on_top --option=Port=1 --option=Port=2 'port 2: ' --port=3 'port 3: ' --port="$BED_PORT"
on_top --option=Port=1 --option=Port=2 'port 2: ' --option=Port="$BED_PORT"
on_top --user=nobody-1 --user=nobody-2 'user nobody-2 is refused' --user="$(id -un)"
on_top --jump=127.0.0.1:1 --jump=127.0.0.1:2 'via 127.0.0.1:2: ' --jump=none

# What became different.
rm -f "$RUNS"/*
echo 0 >"$BED/home/n"
go="$me; [ \$h != 2 ] || exit \$(cat \$HOME/n); [ \$h != 4 ] || cat \$HOME/n"
cx -n --report-output -w '127.1.0.[1-5]' "$go"
mine --compare
want_status 2
echo 7 >"$BED/home/n"
cx -n --report-output -w '127.1.0.[2-6]' "$go"
mine --compare
want_status 1
want_out 'not there -> ok: 127.1.0.6
ok -> not there: 127.1.0.1
ok -> exit 7: 127.1.0.2
ok, but said something else: 127.1.0.4'
last=$("$CEXEC" --runs | tail -n 1 | cut -d' ' -f1)
mine --compare "$last" "$last"
want_status 0
want_out ''
# What was said, by any view.
mine --show -b
want_status 0
want_out '---------------
127.1.0.4
---------------
7'
mine --show --json
want_equal "$(jq -r 'select(.event == "out").text' "$out" | tr -d '\n')" 7 "output of a report"

# Killed outright: all that was over is there, the others are named.
mkfifo "$T/never"
"$CEXEC" -F "$BED/ssh_config" -n -f 4 -w $H "$me; [ \$h != 1 ] || exit 5; sleep 50" >"$out" 2>"$err" &
pid=$!
background="${background-} $pid"
# over N: one host is over, N began.
over() {
	file=$("$CEXEC" --report-loc) && grep -q '"status":5' "$file" &&
	    [ "$(grep -c '"event":"start"' "$file")" -eq "$1" ]
}
wait_for 10 over 5 || fail "the report does not grow while the run goes on"
mine --runs
grep -q 'running' "$out" || fail "--runs: nothing is running"
kill -KILL $pid
wait $pid 2>/dev/null
mine --show
want_status 0
grep -q 'which came to no end$' "$out" || fail "--show: it came to its end"
grep -qx 'exit 5: 127.1.0.1' "$out" || fail "what was over is lost"
grep -qx 'unfinished: 127.1.0.\[2-5\]' "$out" || fail "the unfinished are not named"
grep -qx 'not begun: 127.1.0.6' "$out" || fail "who had not begun is not named"
mine --retry unfinished --fold
want_out '127.1.0.[2-6]'
# A line that is torn makes no difference.
printf '{"event":"done","host":"127.1.' >>"$("$CEXEC" --report-loc)"
mine --retry unfinished --fold
want_out '127.1.0.[2-6]'
echo '{"event":"done","host":"127.1.' >>"$("$CEXEC" --report-loc)"
mine --retry unfinished --fold
want_status 2
want_err 'jsonl, line [0-9]*: not what a report has there$'

# The terminal dies.
"$B/bed/signals" "$CEXEC" -F "$BED/ssh_config" -n -w $H "$me; [ \$h != 1 ] || exit 5; sleep 50" >"$out" 2>"$err" &
pid=$!
background="$background $pid"
wait_for 10 over 6 || fail "no report"
kill -HUP $pid
wait $pid 2>/dev/null
mine --show
grep -q 'exit status 130$' "$out" || fail "no end of a run that was hung up"
grep -qx 'canceled: 127.1.0.\[2-6\]' "$out" || fail "the canceled are not named"
# Nobody reads.
"$CEXEC" -F "$BED/ssh_config" -n -w 127.1.0.1 yes 2>/dev/null | head -n 1 >/dev/null
mine --show
grep -q 'exit status 141$' "$out" || fail "no end of a run whose reader went away"

# So many are kept; one that is being written is not removed.
rm -f "$RUNS"/*
for i in 1 2 3 4 5; do
	cx -n --transport local -w h$i true
done
touch -d '2 hours ago' "$RUNS"/*
keep=$(ls "$RUNS" | head -n 1)
flock -o "$RUNS/$keep" sleep 20 &
background="$background $!"
locked() { ! flock -n "$RUNS/$keep" true; }
wait_for 5 locked || fail "cannot lock"
cx -n --keep 3 --transport local -w h6 true
want_equal "$(ls "$RUNS" | wc -l)" 4 "runs kept"
[ -e "$RUNS/$keep" ] || fail "a report in use was removed"
run env FANOUT_KEEP=1 "$CEXEC" -n --transport local -w h7 true
want_equal "$(ls "$RUNS" | wc -l)" 3 "runs kept (one is young)"
mv "$RUNS/$keep" "$RUNS/20200101T000000Z-001.cexec.jsonl"
for job in $background; do kill "$job" 2>/dev/null; done
wait_for 5 flock -n "$RUNS/20200101T000000Z-001.cexec.jsonl" true || fail "still locked"
cx -n --keep 30d --transport local -w h8 true
[ ! -e "$RUNS/20200101T000000Z-001.cexec.jsonl" ] || fail "an old one is kept"
cx -n --keep 0 --transport local -w h true
want_status 2
run env FANOUT_KEEP=all "$CEXEC" -n --transport local -w h true
want_status 2
want_err '^cexec: FANOUT_KEEP: all is neither'
cx -n --no-report --transport local -w h9 true
mine --runs
! grep -q h9 "$RUNS"/* || fail "--no-report: there is one"

# Side by side, many at once: each has its own.
rm -f "$RUNS"/*
pids=
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	"$CEXEC" -n --keep 2 --transport local -w h$i true &
	pids="$pids $!"
done
for pid in $pids; do wait $pid || fail "one of many at once fails"; done
want_equal "$(cat "$RUNS"/* | jq -r 'select(.event == "summary").ok' | grep -c 1)" 12 "reports"

# Where nothing can be saved: a warning, and the run goes on.
: >"$T/file"
run env XDG_STATE_HOME="$T/file" "$CEXEC" -n --transport local -w h true
want_status 0
want_err "^cexec: this run is not saved: $T/file/fanout/runs: Not a directory\$"
run env XDG_STATE_HOME="$T/file" "$CEXEC" -n --no-report --transport local -w h true
want_quiet
run env -u XDG_STATE_HOME HOME="$T/nobody" "$CEXEC" -n --transport local -w h true
want_status 0
want_err "^cexec: this run is not saved: $T/nobody/.local/state/fanout/runs: No such file"
[ ! -e "$T/nobody" ] || fail "a home was made"
if mkdir "$T/full" && mount -t tmpfs -o size=16k none "$T/full" 2>/dev/null; then
	run env XDG_STATE_HOME="$T/full" "$CEXEC" -n -F "$BED/ssh_config" --report-output -w $H \
	    'head -c 100000 /dev/zero; echo end'
	umount "$T/full"
	want_status 0
	want_equal "$(grep -c 'the report of this run is not whole: .*No space left' "$err")" 1 warnings
	want_equal "$(grep -ac 'end$' "$out")" 6 "hosts that ended"
fi
