#!/bin/sh
# Hosts marked dead are skipped, said to be, and come back.
. "$(dirname "$0")/../lib.sh"
[ -x "$CEXEC" ] || skip "$CEXEC is not built"
[ "$(id -u)" -ne 0 ] || [ ! -e /etc/fanout/dead ] || skip "/etc/fanout/dead exists"
file=$T/xdg/fanout/dead
export XDG_CONFIG_HOME="$T/xdg"
if [ "$(id -u)" -eq 0 ]; then
	file=/etc/fanout/dead
	made=false
	[ -d /etc/fanout ] || made=true
	trap 'rm -f $file; ! $made || rmdir /etc/fanout; cleanup' EXIT
fi

# lo ARGUMENTS...: on this machine.
lo() {
	run "$CEXEC" --transport local -n "$@"
}

run "$CEXEC" --mark-dead 'h[2-3]' --reason 'no power' --until 2099-12-31
want_status 0
run "$CEXEC" --list-dead
want_status 0
grep -q '^h\[2-3\] until 2099-12-31T00:00: marked dead by .* since .*: no power$' "$out" ||
	fail "the mark is not listed"
lo -w 'h[1-4]' echo up
want_status 0
want_lines 2
want_err '^cexec: h2: skipped: marked dead by .*: no power$'
want_err '^cexec: 2 of 4 skipped: h\[2-3\]$'
lo -w 'h[1-3],root@h2:99' 'test "$FANOUT_HOST" != h1'
want_status 1
want_err '^cexec: 1 of 4 failed: exit 1: h1; 3 of 4 skipped: h\[2-3\],root@h2:99$'
lo --json -w 'h[1-2]' true
want_status 0
grep -q '"event":"done","host":"h2".*"class":"skipped"' "$out" || fail "no JSON of it"
grep -q '"event":"summary".*"ok":1,"failed":0,"skipped":1' "$out" || fail "no JSON sum of it"
lo --include-dead -w 'h[1-4]' echo up
want_status 0
want_lines 4

# All of them: nothing is run, and that is said.
lo -w 'h[2-3]' echo up
want_status 0
want_lines 0
want_err '^cexec: 2 of 2 skipped: h\[2-3\]$'

run "$CEXEC" --mark-alive h3
want_status 0
lo -w 'h[2-3]' echo up
want_out 'h3: up'
run "$CEXEC" --mark-alive h2
lo -w h2 echo up
want_out 'h2: up'

# Two at a time lose nothing.
for i in 1 2 3 4 5 6 7 8; do
	"$CEXEC" --mark-dead "x$i" &
done
wait
[ "$(grep -c '^x[1-8] ' "$file")" -eq 8 ] || fail "a mark was lost"

run "$CEXEC" --mark-dead h1 --until soon
want_status 2
run "$CEXEC" --mark-dead h1 --until 2001-01-01
want_status 2
run "$CEXEC" --mark-dead 'h['
want_status 2
echo 'h[' >>"$file"
lo -w h1 true
want_status 2
want_err "$file:9"
