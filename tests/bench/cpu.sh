#!/bin/sh
# What the client costs for a host: cexec beside pdsh, clush and parallel-ssh,
# in one run, on the same hosts (one sshd on 127.0.0.0/8), with the same window
# and curve25519-sha256 pinned on both sides.
#
#	sh tests/bench/cpu.sh		HOSTS=200 ROUNDS=3 WINDOW=64
#
# Processor time is user and system, all children included, the median of the
# rounds; memory is sampled in a round of its own (tests/bed/usage.c says how).
# Beside it the floor: the arithmetic that no client can do without, by
# `openssl speed`. Times are compared within one run, never kept as a test.
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
HOSTS=${HOSTS:-200} ROUNDS=${ROUNDS:-3} WINDOW=${WINDOW:-64}
sh tests/deps.sh --peers || exit 2
make -s B="$B" tests

T=$(mktemp -d "${TMPDIR:-/tmp}/fanout-bench.XXXXXX")
BED=
cleanup() {
	[ -z "$BED" ] || tests/bed/loopback down
	rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
unset SSH_AUTH_SOCK PDSH_SSH_ARGS 2>/dev/null || :
env=$(tests/bed/loopback up "$HOSTS")
eval "$env"
# One command line for all; what differs is how each is told the same.
# shellcheck disable=SC2086
tool() {
	how=$1 name=$2 command=$3
	case $name in
	cexec)
		set -- "$B/bin/cexec" -F "$BED/ssh_config" -n -f "$WINDOW" \
		    --hostfile "$BED/hosts" "$command"
		;;
	cexec-256)
		set -- "$B/bin/cexec" -F "$BED/ssh_config" -n \
		    --hostfile "$BED/hosts" "$command"
		;;
	pdsh)
		set -- env PDSH_SSH_ARGS_APPEND="-F $BED/ssh_config" \
		    pdsh -R ssh -f "$WINDOW" -w "^$BED/hosts" "$command"
		;;
	clush)
		set -- clush -n -f "$WINDOW" -o "-F $BED/ssh_config" \
		    --hostfile "$BED/hosts" "$command"
		;;
	parallel-ssh)
		set -- parallel-ssh -P -t 0 -p "$WINDOW" -h "$BED/hosts" \
		    -x "-F $BED/ssh_config" "$command"
		;;
	esac
	"$B/bed/usage" $how "$@" </dev/null
}

tools="cexec cexec-256 pdsh clush parallel-ssh"
echo "$HOSTS hosts, window $WINDOW, $ROUNDS rounds of \`true\`, $(nproc) cores"
for name in $tools; do
	# Also warms up; nobody is measured who does not do the work.
	tool "-m $T/$name.mem" "$name" "echo it-\$((40 + 2))" >"$T/out" 2>"$T/err" || :
	got=$(grep -c 'it-42' "$T/out" || :)
	[ "$got" -eq "$HOSTS" ] || {
		echo "cpu: $name: $got of $HOSTS hosts answered" >&2
		head -n 5 "$T/err" >&2
		exit 1
	}
done
round=0
while [ $round -lt "$ROUNDS" ]; do
	round=$((round + 1))
	for name in $tools; do
		tool "$T/$name.cpu" "$name" true >/dev/null 2>&1 || :
	done
done

# median FILE FIELD
median() {
	sort -n -k "$2,$2" "$1" | awk -v f="$2" '{ v[NR] = $f }
		END { print v[int((NR + 1) / 2)] }'
}

ours=$(median "$T/cexec.cpu" 2)
printf '\n%-14s %12s %8s %10s %10s %8s\n' tool "CPU ms/host" ratio "peak MiB" processes "wall s"
for name in $tools; do
	cpu=$(median "$T/$name.cpu" 2)
	wall=$(median "$T/$name.cpu" 1)
	read -r _ _ kib procs <"$T/$name.mem"
	awk -v name="$name" -v cpu="$cpu" -v ours="$ours" -v wall="$wall" \
	    -v kib="$kib" -v procs="$procs" -v n="$HOSTS" 'BEGIN {
		printf "%-14s %12.3f %8.1f %10.1f %10d %8.2f\n", name, cpu / n,
		    cpu / ours, kib / 1024, procs, wall / 1000 }'
done

# Each login: X25519 twice (own key, shared secret), one Ed25519 signature
# (ours) and one verification (the host's).
openssl speed -seconds 1 ecdhx25519 ed25519 2>/dev/null >"$T/speed"
awk -v n="$HOSTS" -v ours="$ours" '
	/X25519/ && /ecdh/ { x = $NF }
	/Ed25519/ && /EdDSA/ { s = $(NF - 1); v = $NF }
	END {
		if (x == 0 || s == 0 || v == 0)
			exit
		floor = 1000 * (2 / x + 1 / s + 1 / v)
		printf "%-14s %12.3f   2 x X25519 %.3f, sign %.3f, verify %.3f\n",
		    "floor", floor, 2000 / x, 1000 / s, 1000 / v
		printf "\ncexec is at %.1f times the floor\n", ours / n / floor
	}' "$T/speed"
