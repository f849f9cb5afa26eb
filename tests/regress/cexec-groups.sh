#!/bin/sh
# Grouped, ordered and compared output; byte for byte what the real clush and
# dshbak make of the same bytes.
. "$(dirname "$0")/../lib.sh"
command -v dshbak >/dev/null || skip "dshbak (pdsh) is not installed"
command -v clush >/dev/null || skip "clush is not installed"
bed_up 12

# Names that fold, on hosts that are one sshd.
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	printf 'Host node%d\n\tHostName 127.1.0.%d\n' $i $i
done >"$T/names"
{ cat "$T/names"; cat "$BED/ssh_config"; } >"$T/ssh_config"
# What host N says is in $HOME/says.N; its status in status.N.
say='n=${SSH_CONNECTION% *}; n=${n##*.}; cat $HOME/says.$n; exit $(cat $HOME/status.$n)'
set_up() {
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		printf 'a\nb\n' >"$BED/home/says.$i"
		echo 0 >"$BED/home/status.$i"
	done
}
nodes() {
	run "$CEXEC" -F "$T/ssh_config" -n -w 'node[1-12]' "$@" "$say"
}
# The real ones, fed by the system's ssh.
their() {
	clush -q -w 'node[1-12]' -o "-F $T/ssh_config -q" "$@" "$say" </dev/null 2>/dev/null
}
same_bytes() {
	cmp "$T/theirs" "$out" || {
		diff "$T/theirs" "$out" >&2
		fail "$1: other bytes"
	}
}
without_names() {
	sed 's/^node[0-9]*: //' "$1"
}

set_up
printf 'other\n' | tee "$BED/home/says.3" >"$BED/home/says.7"
printf 'no newline at the end' >"$BED/home/says.5"
printf '\n\n' >"$BED/home/says.6"
: >"$BED/home/says.9"
echo 3 | tee "$BED/home/status.3" >"$BED/home/status.8"
clush -w 'node[1-12]' -o "-F $T/ssh_config -q" -b "$say" </dev/null >"$T/theirs" 2>/dev/null
[ -s "$T/theirs" ] || fail "clush says nothing"
nodes -b
want_status 1
want_err '^cexec: 2 of 12 failed: exit 3: node\[3,8\]$'
same_bytes "clush -b"
grep -q '^node\[1-2,4,10-12\] (6)$' "$out" || fail "not the header of clush"
their -b >"$T/theirs"
nodes -b --header plain
same_bytes "clush -q -b"

# dshbak knows no status, so all end alike.
echo 0 | tee "$BED/home/status.3" >"$BED/home/status.8"
nodes
dshbak -c <"$out" >"$T/theirs"
nodes -b --header dshbak
want_status 0
want_quiet
same_bytes "dshbak -c"
nodes -L
awk -F '[e:]' '{ if ($3 + 0 < last) exit 1; last = $3 + 0 }' "$out" || fail "-L: not in order"
cp "$out" "$T/ordered"
nodes
sort "$out" >"$T/live"
sort "$T/ordered" | cmp - "$T/live" || fail "-L: not the same lines"
nodes -b -L
want_lines 6
grep -qx 'node\[1-2,4,8,10-12\]: b' "$out" || fail "-b -L: no line of all"

# Live and grouped.
nodes -b
cp "$out" "$T/grouped"
nodes -b --live
tail -n "$(wc -l <"$T/grouped")" "$out" | cmp - "$T/grouped" || fail "--live -b: not grouped"
head -n "$(wc -l <"$T/live")" "$out" | sort | cmp - "$T/live" || fail "--live -b: not live"

# With standard error, and without.
said=$say
say='n=${SSH_CONNECTION% *}; exec cat $HOME/says.${n##*.} >&2'
nodes -b
want_out ''
want_equal "$(sort "$err")" "$(cat "$T/live")" "lines on standard error"
nodes -B
want_quiet
cmp "$T/grouped" "$out" || fail "-B: not as -b of the same on standard output"
say=$said

# Differences: from the largest group, from a golden host.
set_up
seq 1 40 >"$T/long"
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do cp "$T/long" "$BED/home/says.$i"; done
sed -e 's/^7$/seven/' -e '20d' "$T/long" >"$BED/home/says.2"
: >"$BED/home/says.4"
clush -w 'node[1-12]' -o "-F $T/ssh_config -q" --diff "$say" </dev/null >"$T/theirs" 2>/dev/null
nodes --diff
want_status 0

same_bytes "clush --diff"
diff -u "$T/long" "$BED/home/says.2" | tail -n +3 >"$T/diff"
nodes --diff -x node4
tail -n +3 "$out" | cmp - "$T/diff" || fail "--diff: not as diff -u"
nodes --golden node2 -x node4
want_equal "$(sed -n 1,2p "$out" | tr '\n' ' ')" '--- node2 +++ node[1,3,5-12] (10) ' "golden"
cx -n -w 127.1.0.1 --golden nobody true
want_status 2
want_err '^cexec: --golden nobody: it is not one of the hosts$'
nodes --outliers
want_err '^cexec: 10 of 12 agree: node\[1,3,5-12\]$'
grep -qx node4 "$out" || fail "--outliers: who says nothing is one, too"
! grep -q 'node\[1' "$out" || fail "--outliers: the others are shown"

# What is alike but for host, numbers, times and addresses.
set_up
say='n=${SSH_CONNECTION% *}; n=${n##*.}; echo "node$n up $n days, 10:1$((n % 10)) at 10.0.0.$n"; echo fixed 42'
nodes --similar
want_out '---------------
node[1-12] (12)
---------------
<host> up <n> days, <time> at <addr>
fixed <n>'
say='echo fixed 42'
nodes --similar
want_equal "$(tail -n 1 "$out")" 'fixed 42' "what is the same is not masked"

# Colours, by the rules.
say='echo a'
nodes -b --color always
printf '\033[94m---------------\nnode[1-12] (12)\n---------------\033[0m\na\n' | cmp - "$out" || fail "colours"
for env in NO_COLOR=1 CLICOLOR=0 X=1; do
	run env "$env" "$CEXEC" -F "$T/ssh_config" -n -w node1 echo a
	want_out 'node1: a'
done
run env CLICOLOR_FORCE=1 "$CEXEC" -F "$T/ssh_config" -n -w node1 echo a
want_out "$(printf '\033[94mnode1: \033[0ma')"
run env CLICOLOR_FORCE=1 NO_COLOR=1 "$CEXEC" -F "$T/ssh_config" -n -w node1 echo a
want_out 'node1: a'

# What does not fit together.
for wrong in '--json -b' '--live' '--outliers --diff' '--header odd' '--color sometimes' '-L --diff'; do
	# shellcheck disable=SC2086
	cx -n -w 127.1.0.1 $wrong 'touch $HOME/ran'
	want_status 2
	[ ! -e "$BED/home/ran" ] || fail "$wrong: something was run"
done

# Interrupted: what was said so far is shown, in groups.
background="${background-}"
"$B/bed/signals" "$CEXEC" -F "$T/ssh_config" -n -w 'node[1-4]' -b \
    'echo so far; sleep 0.3; touch $HOME/there.$$; sleep 40' >"$out" 2>"$err" &
pid=$!
background="$background $pid"
all_there() { [ "$(find "$BED/home" -name 'there.*' | wc -l)" -eq 4 ]; }
wait_for 10 all_there || fail "the commands do not start"
kill -TERM $pid
rc=0
wait $pid || rc=$?
want_status 130
want_out '---------------
node[1-4] (4)
---------------
so far'
want_err 'canceled: node\[1-4\]$'
