#!/bin/sh
# A server that never stops talking holds up nobody, is over at its deadline,
# and does not fill our memory.
. "$(dirname "$0")/../lib.sh"
bed_up 4

for mode in lines packets; do
	"$B/bed/rogue" $mode 127.0.0.1:0 >"$T/rogue.$mode" &
	background="${background-} $!"
	wait_for 5 test -s "$T/rogue.$mode" || fail "rogue does not start"
	hole=$(cat "$T/rogue.$mode")
	start=$(date +%s)
	timeout 20 "$CEXEC" -F "$BED/ssh_config" --transport ssh2 -n \
	    --login-timeout 3 -w "$hole,127.1.0.[1-4]" echo fine >"$out" 2>"$err" &
	limit=$!
	wait_for 5 pgrep -P $limit || fail "cexec does not start"
	peak "$(pgrep -P $limit)" "$T/peak" &
	wait $limit || rc=$?
	took=$(($(date +%s) - start))
	want_status 3
	want_lines 4
	want_err "^cexec: 1 of 5 failed: [a-z-]*: $hole\$"
	[ $took -lt 15 ] || fail "$mode: took $took s"
	kib=$(cat "$T/peak")
	$SANITIZED || [ "$kib" -lt 100000 ] || fail "$mode: $kib KiB"
	rc=0
done
