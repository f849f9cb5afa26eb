#!/bin/sh
# Copying: ccp beside scp, clush --copy, parallel-scp and pdcp, in one run, to
# the same virtual hosts (as root: each has a file system of its own).
#
#	sh tests/bench/copy.sh		HOSTS=16 ROUNDS=3 ONE_MIB=256 MIB=64 FILES=100000
#					LINK=60mbit: of each host (all 16: 1 Gbit/s);
#					0 MiB or FILES: that part is left out
#
# Wall clock in seconds, each round and the median; processor time of the client
# with its children beside it. What the others do not do and ccp does is in
# ccp's time: digests of all that arrived, and fsync.
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
HOSTS=${HOSTS:-16} ROUNDS=${ROUNDS:-3} ONE_MIB=${ONE_MIB:-256} MIB=${MIB:-64}
FILES=${FILES:-100000} LINK=${LINK:-}
sh tests/deps.sh --peers || exit 2
make -s B="$B" tests

T=$(mktemp -d "${TMPDIR:-/tmp}/fanout-bench.XXXXXX")
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM HUP
# Disks are not what is measured.
mkdir -p "$T/share"
env=$(tests/bed/vhosts up "$HOSTS" --bind "$T" --with $$ ${LINK:+--rate "$LINK"})
eval "$env"
N=node[1-$HOSTS]
CFG=$VBED/ssh_config
nodes=$(seq -f node%g 1 "$HOSTS")
for n in $nodes; do echo "$n"; done >"$T/hosts"
B=$(cd "$B" && pwd)

# Where copies go: in memory, on each host.
on_all() {
	tests/bed/vhosts control "$B/bin/cexec" -F "$CFG" -n -w "$N" "$@" >/dev/null
}
on_all 'mkdir -p /mem && mount -t tmpfs -o size=2g tmpfs /mem'
empty() {
	on_all 'rm -rf /mem/* /mem/.fanout-*'
}

# timed NAME COMMAND...: on the control host; "wall user+sys" of each round.
timed() {
	name=$1
	shift
	: >"$T/$name.times"
	i=0
	while [ $i -lt "$ROUNDS" ]; do
		${before-empty}
		tests/bed/vhosts control /usr/bin/time -a -o "$T/$name.times" -f '%e %U %S' \
		    "$@" </dev/null >"$T/$name.log" 2>&1 || {
			echo "$name failed: $(tail -n 3 "$T/$name.log")"
			return 0
		}
		i=$((i + 1))
	done
	awk -v name="$name" '{ w[NR] = $1; c[NR] = $2 + $3; all = all " " $1 }
	END {
		for (i = 1; i <= NR; i++) for (j = i + 1; j <= NR; j++) {
			if (w[j] < w[i]) { t = w[i]; w[i] = w[j]; w[j] = t }
			if (c[j] < c[i]) { t = c[i]; c[i] = c[j]; c[j] = t }
		}
		m = int((NR + 1) / 2)
		printf "  %-14s wall %7.2f s   client cpu %6.2f s   (%s )\n", name, w[m], c[m], all
	}' "$T/$name.times"
}

ccp() { name=$1; shift; timed "$name" "$B/bin/ccp" -F "$CFG" "$@"; }

one_file() {
	head -c "${ONE_MIB}M" /dev/urandom >"$T/one"
	echo "$ONE_MIB MiB to one host:"
	ccp ccp -w node1 "$T/one" /mem/
	timed scp scp -q -F "$CFG" "$T/one" node1:/mem/
}
[ "$ONE_MIB" -eq 0 ] || one_file

head -c "${MIB}M" /dev/urandom >"$T/file"
echo "$MIB MiB to $HOSTS hosts:"
ccp ccp -w "$N" "$T/file" /mem/
timed clush clush -o "-F $CFG" -w "$N" --copy "$T/file" --dest /mem/
timed parallel-scp parallel-scp -t 0 -x "-F $CFG" -h "$T/hosts" "$T/file" /mem/
timed pdcp env PDSH_SSH_ARGS_APPEND="-F $CFG" pdcp -R ssh -w "$N" "$T/file" /mem/
empty
tests/bed/vhosts control "$B/bin/ccp" -F "$CFG" -w "$N" "$T/file" /mem/
before=: ccp unchanged -w "$N" "$T/file" /mem/

[ "$FILES" -gt 0 ] || exit 0
mkdir "$T/tree"
awk -v n="$FILES" -v dir="$T/tree" 'BEGIN {
	for (i = 0; i < n; i++) {
		if (i % 1000 == 0) {
			d = dir "/d" i / 1000
			system("mkdir " d)
		}
		f = d "/f" i
		printf "%01000d", i >f
		close(f)
	}
}'
echo "$FILES files of 1000 bytes to 4 hosts (scp -r: four at once):"
ROUNDS=1
ccp ccp-tree -r -w 'node[1-4]' "$T/tree" /mem/
before=: ccp tree-unchanged -r -w 'node[1-4]' "$T/tree" /mem/
timed scp-r sh -c "for n in 1 2 3 4; do scp -q -r -F $CFG $T/tree node\$n:/mem/ & done; wait"
