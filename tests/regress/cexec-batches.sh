#!/bin/sh
# Canaries, batches, checks, limits: no more hosts are touched than should be,
# those that are not are named, and the retry goes on with them.
. "$(dirname "$0")/../lib.sh"
bed_up 100
me='h=${SSH_CONNECTION% *}; h=${h##*.}; touch $HOME/ran.$h'
all="--hostfile $BED/hosts"
H='127.1.0.[1-10]'
clean() { rm -f "$BED/home"/ran.* "$BED/home"/log; }
ran() { find "$BED/home" -name 'ran.*' | wc -l; }
want_ran() {
	want_equal "$(cd "$BED/home" && ls -d ran.* 2>/dev/null | cut -d. -f2 | sort -n | tr '\n' ' ')" "$1" "who ran it"
}

# Two canaries of a hundred: exactly two are touched.
cx -n $all --canary 2 "$me; exit 3"
want_status 1
want_ran '1 2 '
want_err '^cexec: stopped: 2 of 2 canaries failed; "cexec --retry skipped" goes on$'
want_err '^cexec: 2 of 100 failed: exit 3: 127\.1\.0\.\[1-2\]; 98 of 100 skipped: 127\.1\.0\.\[3-100\]$'
clean
# The rest, once it is mended.
run "$CEXEC" --retry skipped --fold
want_out '127.1.0.[3-100]'
cx -n $all --canary 2 --json "$me; exit 3"
want_equal "$(jq -r 'select(.event == "done").class' "$out" | sort | uniq -c | awk '{ print $2 $1 }' | tr '\n' ' ')" \
    'exit2 skipped98 ' "as JSON"
want_equal "$(jq -r 'select(.event == "done" and .host == "127.1.0.9").text' "$out")" \
    'not begun: 2 of 2 canaries failed' "why it was skipped"
clean
cx -n $all --canary '127.1.0.[50-51]' "$me"
want_status 0
want_equal "$(ran)" 100 "who ran it"
clean
cx -n $all --canary 127.1.0.50 "$me; exit 1"
want_ran '50 '
clean
cx -n $all --canary 127.9.9.9 "$me"
want_status 2
want_err '^cexec: --canary 127.9.9.9: none of the hosts is one of these'
want_ran ''

# Batches, one after the other: 1, 3, then 30% at a time.
cx -n -w $H --batch 1,3,30% 'h=${SSH_CONNECTION% *}; echo begin ${h##*.} >>$HOME/log; sleep 0.3; echo end >>$HOME/log'
want_status 0
awk '$1 == "begin" { if (!open++) { batch[++n] = 0 } batch[n]++ } $1 == "end" { open-- }
	END { for (i = 1; i <= n; i++) printf "%d ", batch[i] }' "$BED/home/log" >"$T/sizes"
want_equal "$(cat "$T/sizes")" '1 3 3 3 ' "sizes of the batches"
clean
# It stops behind the batch in which one failed; or only behind too many.
cx -n -w $H --batch 3 "$me; [ \$h != 5 ]"
want_status 1
want_ran '1 2 3 4 5 6 '
want_err '^cexec: stopped: 1 failed in batch 2; '
clean
run "$CEXEC" --retry skipped
want_ran '7 8 9 10 '
clean
cx -n -w $H --batch 3 --max-fail 1 "$me; [ \$h != 5 ]"
want_equal "$(ran)" 10 "who ran it"
clean
cx -n -w $H,127.0.0.1:1 --batch 2 --max-fail 20% "$me; [ \$h -lt 4 ]"
want_status 1
want_err '^cexec: stopped: 3 of 11 failed, more than --max-fail 20%; '
want_ran '1 2 3 4 5 6 '
clean

# In the middle: what runs is ended, what waits is skipped.
cx -n -w $H -f 4 -k "$me; case \$h in 2) exit 1;; *) exec sleep 30;; esac"
want_status 1
want_err '^cexec: stopped: 127\.1\.0\.2 failed; '
want_err 'failed: exit 1: 127\.1\.0\.2; canceled: 127\.1\.0\.\[1,3-[45]\]; [56] of 10 skipped: 127\.1\.0\.\[[56]-10\]$'
clean
cx -n -w $H -f 2 --max-fail 0 "$me; case \$h in 2) exit 1;; *) exec sleep 30;; esac"
want_status 1
want_err '^cexec: stopped: 1 of 10 failed, more than --max-fail 0; '
clean

# The health command, in the session that is there.
cx -n -v -w $H --batch 5 --max-fail 1 --check 'h=${SSH_CONNECTION% *}; echo "looks at ${h##*.}"; [ ${h##*.} != 3 ]' \
    "$me; [ \$h != 4 ]"
want_status 1
want_ran '1 2 3 4 5 '
want_err '^cexec: check: 1 of 4 failed: exit 1: 127\.1\.0\.3$'
want_err '^cexec: stopped: 2 of 10 failed, more than --max-fail 1; '
want_equal "$(grep -c ': looks at [1235]$' "$err")" 4 "hosts that were looked at"
! grep -q 'looks at' "$out" || fail "the check's output is among the command's"
want_equal "$(grep -c 'logged in' "$err")" 5 "logins"
clean
cx -n -w $H --batch 5 --check 'exit 1' --json true
want_status 1
want_equal "$(jq -r 'select(.event == "check") | "\(.class) \(.status)"' "$out" | sort | uniq -c | awk '{ print $1, $2, $3 }')" \
    '5 exit 1' "checks as JSON"
# Without batches: all are looked at in the end.
cx -n -w $H --check 'exit 1' true
want_status 1
want_no_err stopped
cx -n -w $H --check true true
want_status 0
want_quiet

# Standard input goes to all batches.
printf 'fed\n%0100000d\n' 0 >"$T/input"
for in in "$T/input" pipe; do
	if [ $in = pipe ]; then
		{ cat "$T/input"; } | "$CEXEC" -F "$BED/ssh_config" -w $H --batch 4 'cksum' >"$out" 2>"$err"
	else
		"$CEXEC" -F "$BED/ssh_config" -w $H --batch 4 'cksum' <$in >"$out" 2>"$err"
	fi
	want_equal "$(cut -d' ' -f2- "$out" | sort | uniq -c | awk '{ print $1, $2, $3 }')" \
	    "10 $(cksum <"$T/input")" "input from $in"
done

# In random order, the same with the same seed.
for i in 1 2 3; do
	set -- --seed 7
	[ $i -lt 3 ] || set --
	cx -n -w $H --random "$@" --batch 1 'h=${SSH_CONNECTION% *}; echo ${h##*.}'
	cut -d' ' -f2 "$out" | tr '\n' ' ' >"$T/order$i"
	want_lines 10
done
cmp "$T/order1" "$T/order2" || fail "not the same with the same seed"
! cmp -s "$T/order1" "$T/order3" || fail "no random order"

# A pause, and ^C in it: what is left is named.
"$B/bed/signals" "$CEXEC" -F "$BED/ssh_config" -n -w $H --batch 3 --pause 30 "$me" >"$out" 2>"$err" &
pid=$!
background="${background-} $pid"
three() { [ "$(ran)" -eq 3 ]; }
wait_for 10 three || fail "no first batch"
sleep 1
want_equal "$(ran)" 3 "who ran it before the pause"
kill -TERM $pid
rc=0
wait $pid || rc=$?
want_status 130
want_err 'canceled before it began: 127\.1\.0\.\[4-10\]$'
clean

# Asked, on a terminal.
terminal=$B/bed/terminal
run "$terminal" "$T/tty" 'll: ' maybe 'll: ' y 'll: ' n -- "$CEXEC" -F "$BED/ssh_config" -n -w $H --batch 3 --confirm "$me"
want_status 130
want_ran '1 2 3 4 5 6 '
want_err '^cexec: stopped: not confirmed; '
want_err '4 of 10 skipped: 127\.1\.0\.\[7-10\]$'
grep -q 'cexec: 3 of 10 over, 0 failed. Go on with 3: 127.1.0.\[4-6\]?' "$T/tty" || fail "no question"
clean
run "$terminal" "$T/tty" 'll: ' all -- "$CEXEC" -F "$BED/ssh_config" -n -w $H --batch 3 --confirm "$me"
want_status 0
want_equal "$(ran)" 10 "who ran it"
clean
# ^C once tells who runs, and the question is there again.
run "$terminal" "$T/tty" 'll: ' ^C 'll: ' y 'll: ' n -- "$CEXEC" -F "$BED/ssh_config" -n -w $H --batch 3 --confirm "$me"
want_status 130
want_ran '1 2 3 4 5 6 '
want_err '^cexec: interrupt twice within a second to cancel$'
clean
run "$terminal" "$T/tty" 'll: ' n -- "$CEXEC" -F "$BED/ssh_config" -n -w $H --confirm "$me"
want_ran ''
run "$terminal" "$T/tty" 'll: ' ^D -- "$CEXEC" -F "$BED/ssh_config" -n -w $H --confirm "$me"
want_ran ''
run setsid "$CEXEC" -F "$BED/ssh_config" -n -w $H --batch 3 --confirm "$me"
want_status 2
want_err '^cexec: --confirm: there is no terminal to ask on$'
want_ran ''

# What makes no sense.
for wrong in '--batch 0' '--batch x' '--batch 1,,2' '--batch 101%' '--max-fail -1' '--max-fail 5x' \
    '--canary 0' '--pause 5' '-k --max-fail 1'; do
	cx -n -w $H $wrong "$me"
	want_status 2
	want_ran ''
done

# Who did not stand the check is tried again, with the check.
cx -n -w $H --check 'h=${SSH_CONNECTION% *}; [ "${h##*.}" != 3 ]' "$me"
want_status 1
clean
run "$CEXEC" --retry failed
want_status 1
want_ran '3 '
want_err '^cexec: check: 1 of 1 failed: exit 1: 127\.1\.0\.3$'
