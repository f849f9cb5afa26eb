#!/bin/sh
# How long a run takes when every host is 50 ms away: N hosts, all in flight,
# against one host. The line is a proxy that holds each byte back for 25 ms.
#
#	sh tests/bench/latency.sh [N [ROUNDS]]
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
n=${1:-30} rounds=${2:-5}
dir=$(mktemp -d "${TMPDIR:-/tmp}/fanout-bench.XXXXXX")
eval "$(sh tests/bed/loopback up "$n")"
finish() {
	exec 9>&-
	sh tests/bed/loopback down
	rm -rf "$dir"
}
trap finish EXIT
port=$((BED_PORT > 40000 ? BED_PORT - 777 : BED_PORT + 777))
mkfifo "$dir/hold"
"$B/bed/faultproxy" -d 25 "$port" "$BED_PORT" <"$dir/hold" >"$dir/ready" &
exec 9>"$dir/hold"
while [ ! -s "$dir/ready" ]; do sleep 0.05; done
sed "s/^\[\{0,1\}\(127[^] ]*\)\]\{0,1\}:$BED_PORT /[\1]:$port /" "$BED/known_hosts" >"$dir/kh"

# took HOSTS: milliseconds of one run.
took() {
	start=$(date +%s%N)
	"$B/bin/cexec" -n -F "$BED/ssh_config" --port "$port" --known-hosts "$dir/kh" -w "$1" true
	echo $((($(date +%s%N) - start) / 1000000))
}

last=127.1.0.$n
took 127.1.0.1 >/dev/null
i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	echo "$(took 127.1.0.1) $(took "127.1.0.[1-${last##*.}]")"
done | tee "$dir/rounds" | sed 's/^/ms for one host, and for all: /'
awk -v n="$n" 'function median(v, k,  i, j, t) {
	for (i = 1; i <= k; i++) for (j = i + 1; j <= k; j++)
		if (v[j] < v[i]) { t = v[i]; v[i] = v[j]; v[j] = t }
	return v[int((k + 1) / 2)]
}
{ one[NR] = $1; all[NR] = $2 }
END {
	a = median(one, NR); b = median(all, NR)
	printf "1 host %d ms, %d hosts %d ms, ratio %.2f (medians of %d)\n", a, n, b, b / a, NR
}' "$dir/rounds"
