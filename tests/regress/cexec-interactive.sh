#!/bin/sh
# Without a command, on a terminal: one command after the other, sessions stay
# open, hosts that cannot be reached are left out from then on.
. "$(dirname "$0")/../lib.sh"
bed_up 20
export XDG_STATE_HOME="$T/state" TERM=dumb
hosts='127.1.0.[1-20]'
# A person who waits for what the terminal shows: talk OPTION... -- [WAIT-FOR
# ANSWER]... All that is shown is in $out.
talk() {
	: >"$T/options"
	while [ "$1" != -- ]; do
		printf '%s\n' "$1" >>"$T/options"
		shift
	done
	shift
	# shellcheck disable=SC2016
	run "$B/bed/terminal" "$T/raw" "$@" -- sh -c '
		set -- "$1" -F "$2" --no-progress $(cat "$3")
		exec "$@" </dev/tty >/dev/tty 2>&1' sh "$CEXEC" "$BED/ssh_config" "$T/options"
	tr -d '\r' <"$T/raw" >"$out"
}
shows() {
	grep -Eq -e "$1" "$out" || fail "not shown: $1"
}

talk -w "$hosts" -- '20> ' 'echo one; exit 3' '20> ' '-127.1.0.[11-20]' '10> ' '+127.1.0.[19-20]' \
    '12> ' '@127.1.0.[1-3]' '3> ' '=' 'groups' 'echo same' '3> ' '!echo here $((6 * 7))' '3> ' '?' \
    '3> ' '@127.1.0.1,oops[' 'oops' '-10.0.0.1' 'none of these' ' ! true' '3> ' 'quit'
want_status 1
shows '^20 hosts|on 20 hosts'
shows '20 of 20 failed: exit 3'
shows '^127.1.0.\[1-3\] \(3\)$'
shows '^here 42$'
shows '20 sessions are open; output is shown in groups'
shows "this '\[' is not closed"
shows '3 of 3 failed: exit 1'
want_equal "$(grep -c '^127.*: one$' "$out")" 20 "hosts that ran it"

# A slip is told, and becomes no command on all hosts; "exit N" is not one either.
talk -w '127.1.0.[1-3]' -- '3> ' '@127.1.0.1 uptime' 'done' '' '3> ' '-127.1.0.1  df -h, x' 'done' '' '3> ' \
    '@127.1.0.1 ,127.1.0.2, oops[' 'not closed' '' '3> ' '? ' 'sessions' '' '3> ' '?x' 'on a line' '' '3> ' \
    '= x' 'on a line' '' '3> ' '= ' 'in groups' '' '3> ' '!' 'by sh' '' '3> ' 'exit x; true' '3> ' 'exit 7 '
want_status 7
shows '^cexec: a command goes on a line of its own: first "@127.1.0.1", then "uptime"; nothing was done$'
shows 'first "-127.1.0.1", then "df -h, x"'
shows '\? stands on a line of its own'
shows '= stands on a line of its own'
want_equal "$(grep -c '[0-9] failed' "$out")" 1 "commands that failed"
talk -w 127.1.0.1 -- '1> ' 'exit 3; true' '1> ' 'exit'
want_status 1

# Sessions stay open: one login each, whatever the number of commands.
talk -w "$hosts" -- '20> ' 'echo $PPID' '20> ' 'echo $PPID' '20> ' quit
want_status 0
want_equal "$(grep '^127' "$out" | sort | uniq -c | awk '{ print $1 }' | sort -u)" 2 "processes of one session"

# What cannot be reached is left out from then on, and may come back.
"$LOOPBACK" sshd late >"$T/late"
late=$(cat "$T/late")
kill "$(cat "$BED/late.pid")"
talk -w "127.1.0.[1-3],$late" -- '4> ' 'echo first' '3 of 4> ' 'echo second' '3 of 4> ' "+$late" \
    '4> ' 'echo third' '3 of 4> ' '?' '3 of 4> ' quit
want_status 3
shows "left out from now on: $late \(\+$late takes it in again\)"
want_equal "$(grep -c "^cexec: $late: refused" "$out")" 2 "tries"
shows "but not, as they could not be reached, on 1 host: $late"
want_equal "$(grep -c '^127.*: second$' "$out")" 3 "hosts"

# Keys that were changed meanwhile: what is open goes on, who is taken in again is
# logged in to with what is there now.
ssh-keygen -q -t ed25519 -N '' -f "$T/fresh" || fail "ssh-keygen"
cp "$BED/id_ed25519" "$T/id"
cp "$BED/authorized_keys" "$T/authorized_keys"
sed "s|IdentityFile.*|IdentityFile $T/id|" "$BED/ssh_config" >"$T/ssh_config"
talk -F "$T/ssh_config" -w '127.1.0.[1-3]' -- '3> ' 'echo first' '3> ' \
    "!cp $T/fresh $T/id; cp $T/fresh.pub $BED/authorized_keys; echo rotated" '3> ' 'echo second' '3> ' \
    '-127.1.0.3' '2> ' '+127.1.0.3,127.1.0.4' '4> ' 'echo third' '3 of 4> ' '+127.1.0.4' '4> ' 'echo fourth' '4> ' quit
cp "$T/authorized_keys" "$BED/authorized_keys"
want_status 0
shows '127.1.0.4: auth: user .* is refused'
shows '^keys, known hosts and configuration are read anew, and all hosts logged in to$'
want_equal "$(for word in second third fourth; do grep -c "^127.*: $word\$" "$out"; done | tr '\n' ' ')" "3 3 4 " "hosts"

# Bytes that are no characters are not dropped: the name would be another one.
talk -w 127.1.0.1 -- '1> ' "$(printf 'echo a\351b\377 \303\251 | od -An -tx1')" '1> ' quit
shows '^127.1.0.1:  61 ef bf bd 62 ef bf bd 20 c3 a9 0a$'

# ^C at the prompt begins a new line; twice in a run it ends that run, not us.
talk -w "$hosts" -- '20> ' 'echo on; sleep 60' ': on' '^C' 'twice' '^C' '20> ' \
    'echo again' '20> ' '^C' '^C' 'echo alive' '20> ' quit
want_status 0
shows '20 of 20 failed: canceled'
want_equal "$(grep -c '^127.*: alive$' "$out")" 20 "hosts"

# ^Z stops it, at the prompt and in a run, as often as wanted; then it goes on, and
# the prompt is there again.
# shellcheck disable=SC2016
run "$B/bed/terminal" "$T/raw" '3> ' ^Z 'stopped' '' '3> ' ^Z 'stopped' '' '3> ' 'echo on; sleep 1; echo still' ': on' ^Z \
    'stopped' '' 'still' 'echo here' '3> ' quit -- sh -c 'set -m
	exec </dev/tty >/dev/tty 2>&1
	"$@"
	while s=$? && [ $s -gt 128 ]; do echo stopped; read -r x; fg; done
	exit $s' sh "$CEXEC" -F "$BED/ssh_config" --no-progress -w '127.1.0.[1-3]'
want_status 0
tr -d '\r' <"$T/raw" >"$out"
want_equal "$(grep -c '127.*: still$' "$out") $(grep -c '^127.*: here$' "$out")" "3 3" "hosts"

# A session that ended meanwhile is begun anew.
talk -w '127.1.0.[1-5]' -- '5> ' 'kill -9 $PPID' '5> ' 'echo back' '5> ' quit
want_status 0
want_equal "$(grep -c '^127.*: back$' "$out")" 5 "hosts"

# Tab completes hosts; the history outlives us, but for what begins with a blank.
tab=$(printf '\t')
talk -w '127.1.0.5,127.1.0.20' -- '2> ' "@127.1.0.2$tab" '1> ' ' echo secret' '1> ' 'echo kept' '1> ' '^D'
want_status 0
shows '^1 host: 127.1.0.20'
h=$XDG_STATE_HOME/fanout/history
grep -q kept "$h" || fail "no history"
! grep -q secret "$h" || fail "a line with a blank in front is in the history"
want_equal "$(stat -c %a "$h")" 600 "mode of the history"
talk -w 127.1.0.1 -- '1> ' "$(printf '\020')" '1> ' quit
shows '^127.1.0.1: kept$'

# Each command is a run that is saved.
run "$CEXEC" --runs
want_status 0
want_equal "$(grep -c 'echo back' "$out")" 1 "saved runs"

# Fifty commands leave nothing open.
fds='!ls /proc/$PPID/fd | wc -l | sed s/^/open:/'
set -- '3> ' 'true' '3> ' "$fds"
for i in 1 2 3 4 5 6 7 8 9 10; do
	set -- "$@" '3> ' "echo $i; echo e >&2" '3> ' "(exit $i)" '3> ' 'echo x | sed q' '3> ' '=' '3> ' '!true'
done
talk -w '127.1.0.[1-3]' -- "$@" '3> ' "$fds" '3> ' 'exit 0'
want_status 0
want_equal "$(grep '^open:' "$out" | sort -u | wc -l)" 1 "numbers of open files"

# Nothing to do there.
talk --lock x -w 127.1.0.1 --
want_status 2
shows 'lock is held for one command'
run "$CEXEC" -w 127.1.0.1 </dev/null
want_status 2
want_err 'no command is given'

# The second command over 200 hosts costs us a fraction of the first, which logs
# in. (The first field of schedstat is a thread's time, in ns.)
"$LOOPBACK" down
bed_up 200
cpu='!cat /proc/$PPID/task/*/schedstat | awk "{ s += \$1 } END { print \"used\", s }"'
talk --no-report -w "127.1.0.[1-200]" -- '200> ' "$cpu" 'used' '=' 'groups' 'echo 1' '(200)' "$cpu" 'used' \
    'echo 2' '(200)' "$cpu" used quit
want_status 0
sed -n 's/^used //p' "$out" >"$T/used"
{ read -r before && read -r once && read -r twice; } <"$T/used"
set -- "$before" "$once" "$twice"
echo "first $((($2 - $1) / 1000)) us, second $((($3 - $2) / 1000)) us"
[ $((($3 - $2) * 4)) -lt $(($2 - $1)) ] || fail "the second costs $(($3 - $2)) ns, the first $(($2 - $1))"
