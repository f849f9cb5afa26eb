#!/bin/sh
# A thousand hosts: all ok, nothing lost or doubled, memory within its budget.
. "$(dirname "$0")/../lib.sh"

n=1000
! $SANITIZED || n=200
bed_up $n
"$CEXEC" -F "$BED/ssh_config" -n --hostfile "$BED/hosts" 'echo "$SSH_CONNECTION"' \
    >"$out" 2>"$err" &
pid=$!
peak $pid "$T/peak"
wait $pid || rc=$?
ran="cexec on $n hosts"
want_status 0
want_quiet
want_lines $n
# Each line is of the host that its label names.
awk -F '[: ]+' '$1 != $4 { print "label " $1 ", host " $4; bad = 1 } END { exit bad }' "$out" ||
    fail "lines under the wrong name"
want_equal "$(cut -d: -f1 "$out" | sort -u | wc -l)" $n "hosts that answered"
cut -d: -f1 "$out" | sort >"$T/got"
sort "$BED/hosts" | diff - "$T/got" || fail "not the hosts that were named"

# 12 MiB and 64 KiB for each of the 256 in flight.
if ! $SANITIZED; then
	budget=$((12 * 1024 + 64 * 256))
	kib=$(cat "$T/peak")
	echo "peak memory $kib KiB of $budget"
	[ "$kib" -le $budget ] || fail "peak memory $kib KiB, budget $budget"
fi
