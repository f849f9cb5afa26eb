#!/bin/sh
# --lock: held by one at a time, on all hosts or on none; who holds it is told;
# free again whatever ends the holder.
. "$(dirname "$0")/../lib.sh"
bed_up 5
mkdir "$T/locks"
# Two more, with locks of their own: the others are one machine.
own() {
	mkdir "$T/$1"
	address=$("$LOOPBACK" sshd "$1" "SetEnv HOME=$BED/home FANOUT_LOCK_DIR=$T/$1${2-}")
	printf 'Host %s\n\tHostName %s\n\tPort %s\n' "$1" "${address%:*}" "${address#*:}" >>"$T/conf"
}
own one
own two
mkdir "$T/bin"
for tool in sh mkdir rm rmdir sleep cat touch printf; do
	ln -s "$(command -v $tool)" "$T/bin/$tool"
done
# One without flock.
own three " PATH=$T/bin"
cat "$BED/ssh_config" >>"$T/conf"
l() {
	run "$CEXEC" -F "$T/conf" -n "$@"
}

# hold NAME ARGUMENTS...: in the background, until $T/go is there; its number in $holder.
hold() {
	rm -f "$T/go" "$T/holds"
	name=$1
	shift
	"$CEXEC" -F "$T/conf" -n --lock "$name" "$@" "touch $T/holds; while [ ! -e $T/go ]; do sleep 0.1; done" \
	    >"$T/holder.out" 2>"$T/holder.err" &
	holder=$!
	background="${background-} $holder"
	wait_for 10 test -e "$T/holds" || fail "the holder does not begin: $(cat "$T/holder.err")"
}
let_go() {
	touch "$T/go"
	wait "$holder" || fail "the holder failed: $(cat "$T/holder.err")"
	[ ! -s "$T/holder.err" ] || fail "the holder says: $(cat "$T/holder.err")"
}

l -w one,two,three --lock t.1 echo ran
want_status 0
want_quiet
want_lines 3
[ -z "$(find "$T/one" "$T/two" "$T/three" -name 'by.*' -o -name held)" ] || fail "something is left behind"

# All or none; who holds it.
hold t.1 -w two,three
l -w one,two,three --lock t.1 "touch $T/ran"
want_status 2
want_err "^cexec: lock t.1 on (two,three|three,two) is taken by $(id -un) from $(hostname) since 20[0-9-]+ [0-9:]+ [+-][0-9]{4}: touch .*/holds; while"
want_err '^cexec: nothing was run$'
want_no_err ' one|,one'
[ ! -e "$T/ran" ] || fail "something was run"
# What was locked is free at once; another lock is another.
l -w one --lock t.1 true
want_status 0
l -w two --lock t.2 true
want_status 0
let_go
l -w two,three --lock t.1 true
want_status 0
want_quiet

# Killed, it is free.
for host in one three; do
	hold t.1 -w $host
	[ $host != three ] || [ -d "$T/three/fanout-lock.t.1/held" ] || fail "three has flock after all"
	l -w $host --lock t.1 true
	want_status 2
	kill -9 "$holder"
	wait "$holder" 2>/dev/null
	wait_for 5 "$CEXEC" -F "$T/conf" -n -w $host --lock t.1 true ||
	    fail "$host: not free after the holder was killed"
	touch "$T/go"
done
# And what a holder leaves that was killed there is in nobody's way.
mkdir -p "$T/three/fanout-lock.t.3/held"
echo 'token somebody' >"$T/three/fanout-lock.t.3/by.999999999"
l -w three --lock t.3 true
want_status 0
want_quiet

# Who cannot be reached, or not locked, has failed, and nothing is run there.
mkdir "$T/two/fanout-lock.t.5x"
ln -s /etc "$T/two/fanout-lock.t.5"
printf 'Host down\n\tHostName 127.0.0.1\n\tPort 1\n' >"$T/conf2"
cat "$T/conf" >>"$T/conf2"
run "$CEXEC" -F "$T/conf2" -n -w one,down,two --lock t.5 echo ran
want_status 4
want_out 'one: ran'
want_err 'down: refused: without lock t.5 nothing is run: connect to 127.0.0.1 port 1'
want_err 'two: remote: without lock t.5 nothing is run: .*no folder'
want_err '2 of 3 failed: '
run "$CEXEC" --show
grep -q '^refused: down$' "$out" || fail "not in the report"

# lose NAME HOST SIGNAL: end what holds it there, as the shell or as sshd has it.
lose() {
	at=$(cd "$T/$2/fanout-lock.$1" && ls | sed -n 's/^by\.//p')
	[ "$3" != cut ] || at=$(ps -o ppid= -p "$at")
	kill -9 $at
}
# runs NAME ARGUMENTS...: as hold, with a command of its own; lost_on HOST waits for the word.
runs() {
	rm -f "$T/go" "$T/began".*
	"$CEXEC" -F "$T/conf" --lock "$@" </dev/null >"$out" 2>"$err" &
	holder=$!
	background="$background $holder"
}
lost_on() {
	wait_for 5 grep -q "^cexec: $1: lock .* was lost: $2" "$err" || fail "not told at once"
	kill -0 "$holder" || fail "it was over before"
}
ended() {
	touch "$T/go"
	rc=0
	wait "$holder" || rc=$?
}
waits="touch $T/began.\${FANOUT_LOCK_DIR##*/}; while [ ! -e $T/go ]; do sleep 0.05; done; echo ran"

# Lost while the run goes on: said at once, and the host is not ok.
runs t.7 -w one,two "$waits"
wait_for 10 test -e "$T/began.one" -a -e "$T/began.two" || fail "does not begin"
lose t.7 one kill
lost_on one 'what held it was killed by signal KILL'
ended
want_status 1
want_lines 2
want_err 'cexec: one: lost: it ended with status 0, but meanwhile lock t.7 was lost'
want_err '1 of 2 failed: lost: one$'
run "$CEXEC" --show
grep -q '^lost: one$' "$out" || fail "not in the report"
# What fails anyway fails as it did; the connection is gone this time.
runs t.7 -w one --json "$waits; exit 3"
wait_for 10 test -e "$T/began.one" || fail "does not begin"
lose t.7 one cut
wait_for 5 grep -q '"event":"log","host":"one","level":0,"text":"lock t.7 was lost' "$out" || fail "not told at once"
ended
want_status 1
grep -q '"class":"exit".*"status":3' "$out" || fail "it did not fail as it does"

# In batches nothing is begun where it is lost; also with inputs of each.
echo in >"$T/in.one"
echo in >"$T/in.two"
for more in '' "--expand --stdin-file $T/in.%h"; do
	# shellcheck disable=SC2086
	runs t.7 -w one,two --batch 1 $more "$waits"
	wait_for 10 test -e "$T/began.one" || fail "does not begin"
	lose t.7 two cut
	lost_on two ''
	ended
	want_status 1
	want_equal "$(cat "$out")" 'one: ran' "what ran"
	want_err 'cexec: two: lost: nothing was run: lock t.7 was lost'
	[ ! -e "$T/began.two" ] || fail "two was begun"
done

# Nor is what waits for its turn, behind others.
mkdir -p "$T/three"
runs t.7 -w one,two,three -f 1 "$waits"
wait_for 10 test -e "$T/began.one" || fail "does not begin"
lose t.7 three cut
lost_on three ''
ended
want_status 1
want_equal "$(sort "$out")" 'one: ran
two: ran' "what ran"
want_err 'cexec: three: lost: nothing was run: lock t.7 was lost'
[ ! -e "$T/began.three" ] || fail "three was begun"

# Whenever it is lost, the exit status tells.
for i in 1 2 3; do
	l -w one,two -f 1 --lock t.7 "[ \${FANOUT_LOCK_DIR##*/} = two ] || kill -9 \$(cd $T/one/fanout-lock.t.7 && ls | sed -n s/by.//p)"
	want_status 1
	want_err 'lock t.7 was lost.* on one|one: (lock t.7 was lost|lost: it ended with status 0, but)'
done
# Nor is it taken for granted where nobody answers any more.
runs t.7 -w one,two "$waits"
wait_for 10 test -e "$T/began.one" -a -e "$T/began.two" || fail "does not begin"
asleep=$(cd "$T/one/fanout-lock.t.7" && ls | sed -n 's/^by\.//p')
asleep=$(ps -o ppid= -p "$asleep")
kill -STOP $asleep
ended
kill -9 $asleep
want_status 1
want_err '^cexec: lock t.7 gave no answer at its end on one$'
wait_for 5 "$CEXEC" -F "$T/conf" -n -w one,two --lock t.7 true || fail "not free"
l -w one,two --lock t.7 true
want_status 0
want_quiet

# Taken somewhere, nobody waits for a host that hangs. Ended while one lets us
# wait: what was locked is free.
blackhole silent
printf 'Host hangs\n\tHostName 127.0.0.1\n\tPort %s\n' "${hole#*:}" >"$T/conf3"
cat "$T/conf" >>"$T/conf3"
hold t.8 -w two
run timeout 15 "$CEXEC" -F "$T/conf3" -n -w one,two,hangs --lock t.8 --login-timeout 60 -t 60 true
want_status 2
want_err 'lock t.8 on two is taken'
let_go
"$CEXEC" -F "$T/conf3" -n -w one,hangs --lock t.8 "touch $T/ran" 2>"$err" &
locking=$!
background="$background $locking"
wait_for 10 sh -c "ls $T/one/fanout-lock.t.8/by.*" || fail "no lock"
kill -TERM "$locking"
rc=0
wait "$locking" || rc=$?
want_status 130
want_err 'interrupted while locking; nothing was run'
wait_for 5 "$CEXEC" -F "$T/conf" -n -w one --lock t.8 true || fail "not free"
[ ! -e "$T/ran" ] || fail "something was run"

# Names of one machine are one lock. With a script, and once more.
mkdir "$T/same"
cat >"$T/script" <<'SCRIPT'
read -r x; echo "$x"
SCRIPT
echo in | "$CEXEC" -F "$T/conf" -w 127.1.0.[1-5] --lock "t.$$" --script "$T/script" >"$out" 2>"$err" ||
    fail "one machine by several names"
want_lines 5
want_quiet
rm -rf "/tmp/fanout-lock.t.$$"
# With retries the lock holds, too.
l -w one,two --lock t.1 exit 3
want_status 1
hold t.1 -w one
run "$CEXEC" --retry failed -F "$T/conf" -n
want_status 2
want_err 'lock t.1 on one is taken'
let_go

# In batches; what is no name.
l -w one,two --lock t.1 --batch 1 echo ran
want_lines 2
for bad in '' a/b .. -x 'a b' "$(printf '%070d' 1)"; do
	l -w one --lock "$bad" true
	want_status 2
	want_err 'lock ".*letters'
done
l -w one --lock t --detach true
want_status 2
exit 0
