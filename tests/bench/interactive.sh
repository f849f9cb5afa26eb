#!/bin/sh
# What commands of an interactive cexec cost the client: the first logs in to
# all hosts, later ones find the sessions open.
#
#	sh tests/bench/interactive.sh		HOSTS=200 ROUNDS=5
#
# Processor time of all its threads, by /proc/PID/task/*/schedstat (the first
# field, ns), less what asking for it costs; milliseconds, and medians.
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
HOSTS=${HOSTS:-200} ROUNDS=${ROUNDS:-5}
make -s B="$B" tests

T=$(mktemp -d "${TMPDIR:-/tmp}/fanout-bench.XXXXXX")
BED=
cleanup() {
	[ -z "$BED" ] || tests/bed/loopback down
	rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
env=$(tests/bed/loopback up "$HOSTS")
eval "$env"
# shellcheck disable=SC2016
used='!cat /proc/$PPID/task/*/schedstat | awk "{ s += \$1 } END { print \"used\", s }"'
# shellcheck disable=SC2016
echo 'exec "$@" </dev/tty >/dev/tty 2>&1' >"$T/go"

i=0
while [ $i -lt "$ROUNDS" ]; do
	i=$((i + 1))
	set -- '=' groups "$used" used "$used" used
	for command in 1 2 3; do
		set -- "$@" "echo $command" "($HOSTS)" "$used" used
	done
	"$B/bed/terminal" "$T/seen" "$HOSTS> " "$@" quit -- sh "$T/go" "$B/bin/cexec" \
	    -F "$BED/ssh_config" --no-report --hostfile "$BED/hosts" || exit 1
	tr -d '\r' <"$T/seen" | awk '$1 == "used" { at[++n] = $2 / 1e6 }
	END { idle = at[2] - at[1]
		for (i = 3; i <= n; i++) printf "%.1f ", at[i] - at[i - 1] - idle
		print "" }' | tee -a "$T/rounds" | sed 's/^/ms for the first, second, third command: /'
done
awk 'function median(v,  i, j, t) {
	for (i = 1; i <= NR; i++) for (j = i + 1; j <= NR; j++)
		if (v[j] < v[i]) { t = v[i]; v[i] = v[j]; v[j] = t }
	return v[int((NR + 1) / 2)]
}
{ first[NR] = $1; second[NR] = $2; ratio[NR] = $1 / $2 }
END { printf "medians: first %.1f ms, second %.1f ms, which is 1/%.1f\n",
	median(first), median(second), median(ratio) }' "$T/rounds"
