#!/bin/sh
# So many bytes a second, in all and to each host, whatever way they go; and
# the progress line that counts them.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/ccp.inc"
vhosts_up 3
cp_() {
	run "$VHOSTS" control "$CCP" -F "$VBED/ssh_config" "$@"
}
head -c 3000000 /dev/urandom >"$T/small"
head -c 12000000 /dev/urandom >"$T/large"
mkdir "$T/many"
for i in $(seq 300); do head -c 6000 "$T/small" >"$T/many/$i"; done
# slowly MIN MAX ARGUMENTS...: takes so many ms.
slowly() {
	begin=$(date +%s%N)
	min=$1 max=$2
	shift 2
	cp_ "$@"
	ms=$((($(date +%s%N) - begin) / 1000000))
	want_status 0
	if [ $ms -lt "$min" ] || [ $ms -gt "$max" ]; then
		fail "$ms ms, wanted $min to $max: $*"
	fi
}

M=1000000
# By SFTP, as an archive, by a command, and back.
slowly 2700 20000 -w node1 --bwlimit-host ${M} "$T/small" /root/
slowly 1700 20000 -w node1 --bwlimit ${M} -r "$T/many" /root/
slowly 1900 20000 -w node1 --bwlimit-host 6${M#1} "$T/large" /root/
slowly 1800 20000 -w node1 --bwlimit 1500k --get /root/small "$T"
cmp "$T/small" "$T/node1/root/small" || fail "what came back"
# Three hosts together; each of them.
slowly 4200 20000 -w 'node[1-3]' --bwlimit 2${M#1} "$T/small" /root/second
slowly 1400 20000 -w 'node[1-3]' --bwlimit-host 2${M#1} "$T/small" /root/third
want_equal "$("$VHOSTS" enter node3 sha256sum </dev/null /root/third | cut -d' ' -f1)" \
    "$(sha256sum <"$T/small" | cut -d' ' -f1)" "what arrived"

# A progress line: bytes of how many, the rate, what is left.
run "$B/bed/terminal" "$T/raw" -- "$VHOSTS" control sh -c 'exec "$@" 2>/dev/tty' sh \
    "$CCP" -F "$VBED/ssh_config" -w 'node[1-2]' --bwlimit 6${M#1} "$T/large" /root/fourth
want_status 0
tr '\r' '\n' <"$T/raw" >"$out"
grep -Eq '0/2 done, 2 running, 0 failed, [0-9]+ of 23 MiB, [0-9]+ KiB/s, 0:0[0-9] left' "$out" ||
    fail "no such progress"

for bad in 0 -5 x 5z ''; do
	cp_ -w node1 --bwlimit "$bad" "$T/small" /root/
	want_status 2
	want_err 'a number of bytes'
done
