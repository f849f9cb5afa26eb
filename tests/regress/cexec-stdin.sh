#!/bin/sh
# Standard input goes to all hosts, whole, in bounded memory; a host that does
# not read it holds nobody back.
. "$(dirname "$0")/../lib.sh"
bed_up 20
H='127.1.0.[1-20]'
bytes=100000000
! $SANITIZED || bytes=3000000
head -c $bytes /dev/urandom >"$T/in"
sum=$(sha256sum <"$T/in")

"$CEXEC" -F "$BED/ssh_config" -w $H sha256sum <"$T/in" >"$out" 2>"$err" &
pid=$!
peak $pid "$T/peak"
wait $pid || rc=$?
ran="cexec sha256sum of $bytes bytes"
want_status 0
want_lines 20
want_equal "$(cut -d' ' -f2- "$out" | sort -u)" "$sum" "sha256"
kib=$(cat "$T/peak")
echo "peak memory $kib KiB"
$SANITIZED || [ "$kib" -le $((12 * 1024 + 64 * 20)) ] ||
    fail "peak memory $kib KiB"

# From a pipe that comes slowly.
{ echo a; sleep 0.3; echo b; } | "$CEXEC" -F "$BED/ssh_config" -N -w 127.1.0.1 cat >"$out"
want_out "a
b"

# Nothing: -n, and an empty input. The command sees the end at once.
run sh -c 'exec "$0" -F "$1" -n -w "$2" wc -c <"$3"' "$CEXEC" "$BED/ssh_config" 127.1.0.1 "$T/in"
want_out "127.1.0.1: 0"
run sh -c 'exec "$0" -F "$1" -w "$2" wc -c </dev/null' "$CEXEC" "$BED/ssh_config" 127.1.0.1
want_out "127.1.0.1: 0"
run sh -c 'exec "$0" -F "$1" -w "$2" wc -c <&-' "$CEXEC" "$BED/ssh_config" 127.1.0.1
want_out "127.1.0.1: 0"

# One host does not read for a while, one ends without reading: the others
# have all of it meanwhile.
head -c 2000000 "$T/in" >"$T/short"
sum=$(sha256sum <"$T/short" | cut -d' ' -f1)
run sh -c 'exec "$0" -F "$1" -w "127.1.0.[1-4]" "$2" <"$3"' "$CEXEC" "$BED/ssh_config" \
    'case $SSH_CONNECTION in
	*" 127.1.0.1 "*) sleep 3; echo late $(sha256sum);;
	*" 127.1.0.2 "*) exit 0;;
	*) echo early $(sha256sum);;
    esac' "$T/short"
want_status 0
want_equal "$(grep -c "early $sum" "$out")" 2 "hosts that did not wait"
want_equal "$(grep -c "late $sum" "$out")" 1 "hosts that read late"
