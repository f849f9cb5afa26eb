#!/bin/sh
# A reader that does not read for long, as a pager: a server that probes its
# clients gets its answers, and what came is given out even if it is lost then.
. "$(dirname "$0")/../lib.sh"
bed_up 1
probes=$("$LOOPBACK" sshd probes 'ClientAliveInterval 3' 'ClientAliveCountMax 2')
bytes=8000000
export TERM=dumb

# held NAME COMMAND...: nobody reads what it says for 20 s; $T/NAME, its messages
# in NAME.err and its status in NAME.rc.
held() {
	name=$1
	shift
	mkfifo "$T/$name.fifo"
	{ sleep 20; cat >"$T/$name"; } <"$T/$name.fifo" &
	reader=$!
	rc=0
	"$CEXEC" -F "$BED/ssh_config" -n -N "$@" >"$T/$name.fifo" 2>"$T/$name.err" || rc=$?
	echo $rc >"$T/$name.rc"
	wait $reader
}
# was NAME STATUS BYTES
was() {
	cp "$T/$1.err" "$err"
	ran="cexec ($1)"
	rc=$(cat "$T/$1.rc")
	want_status "$2"
	want_equal "$(wc -c <"$T/$1")" "$3" "bytes ($1)"
}

held probed -w "$probes" "head -c $bytes /dev/zero" &
first=$!
# Over, or killed, long before it is read.
held over -w "$probes" 'head -c 400000 /dev/zero; exit 3' &
second=$!
held closed -w 127.1.0.1 'head -c 250000 /dev/zero; exec >&- 2>&-; sleep 7; kill -9 $PPID' &
third=$!
held lost -w 127.1.0.1 'head -c 250000 /dev/zero; sleep 7; kill -9 $PPID'
wait $first
wait $second
wait $third
was probed 0 $bytes
want_quiet
was over 1 400000
want_err 'failed: exit 3'
was lost 1 250000
want_err 'failed: lost'
was closed 1 250000
want_err 'failed: lost'
