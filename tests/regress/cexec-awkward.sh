#!/bin/sh
# What hurried people and scripts do: commands that are too long or empty,
# options with a slip in them, nowhere to write to.
. "$(dirname "$0")/../lib.sh"
bed_up 4
H='127.1.0.[1-4]'

# A command longer than libssh2 can send goes by ssh; never to half of them.
big=$(head -c 100000 /dev/zero | tr '\0' a)
cx -n -w "$H" "echo $big | wc -c"
want_status 0
want_lines 4
[ "$(grep -c ': 100001$' "$out")" -eq 4 ] || fail "the long command came to something else"
cx -n --transport ssh2 -w 127.1.0.1 "echo $big"
want_status 1
want_err 'local: the command is 100005 bytes'

for empty in '' '  '; do
	cx -n -w "$H" "$empty"
	want_status 2
	want_err 'no command is given'
done

# A slip in an option is no wish.
cx -n -o StrictHostKeyCheckin=no -w "$H" true
want_status 2
want_err 'no such keyword'
cx -n --known-hosts "$T/nonexistent" -w "$H" true
want_status 2
want_err 'nonexistent: No such file'

# Nobody reads what is only said: what is printed is still whole.
rc=0
"$CEXEC" -F "$BED/ssh_config" -n -w "$H,127.1.0.1:1" 'sleep 0.2; echo hi; echo e >&2' \
    >"$out" 2>&- || rc=$?
want_status 3
want_lines 4
rc=0
"$CEXEC" -F "$BED/ssh_config" -n -w "$H" 'echo hi; echo e >&2' >"$out" 2>/dev/full || rc=$?
want_lines 4
run sh -c '"$0" --help >/dev/full' "$CEXEC"
want_status 2

# A long line needs room, and finds another place for it.
TMPDIR=/nonexistent cx -n -w 127.1.0.1 'head -c 9000000 /dev/zero | tr "\0" x'
want_status 0
want_no_err 'shown in parts'

# Hosts that were not begun are told from those that were interrupted.
"$CEXEC" -F "$BED/ssh_config" -n -f 1 -w "$H" 'echo a; sleep 30' >"$T/begun" 2>"$err" &
pid=$!
background=$pid
wait_for 10 test -s "$T/begun" || fail "it does not begin"
kill -TERM "$pid"
rc=0
wait "$pid" || rc=$?
want_status 130
want_err 'canceled: 127\.1\.0\.[0-9]; canceled before it began: '
