#!/bin/sh
# A script that is sent: run by its interpreter, with its arguments and its
# standard input, and gone afterwards, however it ends.
. "$(dirname "$0")/../lib.sh"
bed_up 3
H='127.1.0.[1-3]'
cd "$T" || exit 1

left() {
	ls -d /tmp/.cexec-* /var/tmp/.cexec-* /dev/shm/.cexec-* "$BED"/home/.cexec-* 2>/dev/null
}
none_left() {
	[ -z "$(left)" ]
}

cat >show <<-'SCRIPT'
	#!/usr/bin/env bash
	[[ $BASH_VERSION ]] && echo "${0##*/} $# <$1> <$2>"
	cat
	exit 3
SCRIPT
printf 'one\ntwo\n' | "$CEXEC" -F "$BED/ssh_config" -b -w "$H" --script show "a b'c" '*' >"$out" 2>"$err"
want_out "---------------
$H (3)
---------------
show 2 <a b'c> <*>
one
two"
want_err '3 of 3 failed: exit 3: '
none_left || fail "left: $(left)"
# A retry sends it again, with its arguments and the input.
run sh -c "echo again | '$CEXEC' --retry 'exit=3' -b"
want_out "---------------
$H (3)
---------------
show 2 <a b'c> <*>
again"
want_err 'again, as in run .*show'

# By any interpreter, with its option; without one by sh; a program.
printf '#!/usr/bin/awk -f\nBEGIN { print "awk", ARGV[1] }\n' >by-awk
cx -n -w 127.1.0.1 --script by-awk x
want_out '127.1.0.1: awk x'
printf 'echo plain $1' >plain
cx -n -w 127.1.0.1 --script plain --expand '%h'
want_out '127.1.0.1: plain 127.1.0.1'
cx -n -w 127.1.0.1 --script plain --shell /bin/bash --env A=b --chdir /usr y
want_out '127.1.0.1: plain y'
cp "$(command -v printf || echo /usr/bin/printf)" prog 2>/dev/null || cp /usr/bin/printf prog
cx -n -w 127.1.0.1 --script prog '%s.' a 'b c'
want_out '127.1.0.1: a.b c.'
run sh -c "echo 'echo from a pipe' | '$CEXEC' -F '$BED/ssh_config' -n -w 127.1.0.1 --script /dev/stdin"
want_out '127.1.0.1: from a pipe'

# Of any size, beside any input; every byte of both.
{ cat show; head -c 3000000 /dev/zero | tr '\0' '#'; } >big
head -c 2000000 /dev/urandom >data
printf 'wc -c <"$0"; exec md5sum\n' >sums
{ cat sums; head -c 3000000 /dev/zero | tr '\0' '#'; echo; } >bigsums
cx -L -N -w "$H" --script bigsums --stdin-file data
want_equal "$(sort -u "$out")" "$(printf '%s\n' "$(wc -c <bigsums)" "$(md5sum <data)" | sort)" "script and input"
for i in 1 2 3; do echo "mine $i" >"in.127.1.0.$i"; done
cx -L -w "$H" --batch 1 --script sums --expand --stdin-file 'in.%h'
want_status 0
want_equal "$(grep -c '  -$' "$out")" 3 "inputs of their own"
none_left || fail "left: $(left)"

# Where /tmp lets nothing be executed, it is none the worse.
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	one=$("$LOOPBACK" sshd noexec 'SetEnv TMPDIR='"$T/noexec") || fail "no sshd of our own"
	"$LOOPBACK" trust noexec "$one" || fail "trust"
	mkdir -p "$T/noexec"
	mount -t tmpfs -o noexec tmpfs "$T/noexec" 2>/dev/null && {
		cx -n -w "$one" --script by-awk 'noexec'
		rc2=$rc
		cx -n -w "$one" --script plain 'df . | tail -n 1'
		umount "$T/noexec"
		want_equal $rc2 0 "on noexec"
	}
fi

# Ended, it leaves nothing.
mark=$((200000 + $$))
gone() {
	! pgrep -xf "sleep 1$mark" >/dev/null
}
echo "trap '' TERM; sleep 1$mark; sleep 1$mark" >long
cx -n -u 1 --grace 0.5 -w "$H" --script long
want_status 1
want_err 'killed$'
gone || fail "it goes on"
wait_for 3 none_left || fail "left: $(left)"
# Also when what is sent never comes to its end.
mkfifo never
exec 7<>never
"$B/bed/signals" "$CEXEC" -F "$BED/ssh_config" -w 127.1.0.1 --script sums <never >"$out" 2>"$err" &
pid=$!
background="${background-} $pid"
began() { [ -n "$(left)" ]; }
wait_for 10 began || fail "it does not begin"
kill -INT $pid
sleep 0.1
kill -INT $pid
rc=0
wait $pid || rc=$?
want_status 130
wait_for 5 none_left || fail "left: $(left)"
exec 7>&-

: >empty
for wrong in empty /no/such "$T"; do
	cx -n -w 127.1.0.1 --script "$wrong"
	want_status 2
done
printf '#!/bin/sh\r\necho\r\n' >dos
cx -n -w 127.1.0.1 --script dos
want_err '^cexec: dos: its lines end with CR LF$'
cx -n --raw -w 127.1.0.1 --script plain
want_status 2
# An interpreter that is not there.
printf '#!/no/such\n' >nothing
cx -n -w 127.1.0.1 --script nothing
want_err '1 of 1 failed: exit 127: '
