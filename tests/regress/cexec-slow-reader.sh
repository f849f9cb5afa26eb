#!/bin/sh
# 1 GiB from one host to a reader that sleeps now and then: all of it arrives,
# and what is not read waits at the host, not in our memory.
. "$(dirname "$0")/../lib.sh"
mib=1024
! $SANITIZED || mib=32
bed_up 2

# A slow reader: hashes, and sleeps a while in between.
reader() {
	for nap in 0.7 0.5 0.3 0; do
		head -c 20000000
		sleep $nap
	done
	cat
}
big="head -c $((mib * 1048576)) /dev/zero"

# $1: what the output is made of; $2...: options
run_big() {
	what=$1
	shift
	mkfifo "$T/fifo.$what"
	reader <"$T/fifo.$what" | sha256sum >"$T/sum.$what" &
	sum=$!
	"$CEXEC" -F "$BED/ssh_config" -n -w 127.1.0.1 "$@" \
	    >"$T/fifo.$what" 2>"$err" &
	pid=$!
	peak $pid "$T/peak.$what"
	rc=0
	wait $pid || rc=$?
	wait $sum
	ran="cexec $*"
	want_status 0
	want_quiet
	kib=$(cat "$T/peak.$what")
	echo "$what: peak memory $kib KiB"
	# 12 MiB and 64 KiB for the one host.
	$SANITIZED || [ "$kib" -le $((12 * 1024 + 64)) ] ||
	    fail "$what: peak memory $kib KiB"
}

run_big bytes -N "$big"
want_equal "$(cat "$T/sum.bytes")" "$($big | sha256sum)" "sha256 of the bytes"

# A quarter of it under labels, in lines of a usual length.
mib=$((mib / 4))
big="head -c $((mib * 1048576)) /dev/zero | tr '\\0' x | fold -w 98; echo"
run_big lines "$big"
want_equal "$(cat "$T/sum.lines")" \
    "$(sh -c "$big" | sed 's/^/127.1.0.1: /' | sha256sum)" "sha256 of the lines"
