#!/bin/sh
# cfrun beside cf-runagent -b: wall time for N agents at once, in one run.
# The agents cost next to nothing, so that it is the callers that are compared.
#
#	sh tests/bench/cfrun.sh [N [ROUNDS]]
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
n=${1:-30} rounds=${2:-7}
eval "$(sh tests/bed/cfserverd up "$n")"
dir=$(mktemp -d "${TMPDIR:-/tmp}/fanout-bench.XXXXXX")
finish() {
	sh tests/bed/cfserverd down
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
for i in $(seq "$n"); do
	printf '#!/bin/sh\necho hello\n' >"$CFBED/$i/agent"
done
cat >"$CFBED/hub/inputs/promises.cf" <<'POLICY'
body common control
{
  bundlesequence => { "main" };
}
bundle agent main
{
  reports:
    any::
      "nothing";
}
POLICY
chmod 600 "$CFBED/hub/inputs/promises.cf"
hosts=$(paste -sd, "$CFBED/cfrun.hosts")

ms() {
	start=$(date +%s%N)
	rc=0
	"$@" >"$dir/out" 2>&1 || rc=$?
	echo "$((($(date +%s%N) - start) / 1000000)) $rc"
}
ours() {
	ms "$B/bin/cfrun" --workdir "$CFBED/hub" -f "$CFBED/cfrun.hosts" --background "$n" --no-report
}
theirs() {
	ms env CFENGINE_TEST_OVERRIDE_WORKDIR="$CFBED/hub" cf-runagent -b -H "$hosts"
}
ours >/dev/null
i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	echo "$(ours) $(theirs)"
done | tee "$dir/rounds" | sed 's/^/ms and exit status, cfrun and cf-runagent -b: /'
awk -v n="$n" 'function median(v, k,  i, j, t) {
	for (i = 1; i <= k; i++) for (j = i + 1; j <= k; j++)
		if (v[j] < v[i]) { t = v[i]; v[i] = v[j]; v[j] = t }
	return v[int((k + 1) / 2)]
}
{ a[NR] = $1; b[NR] = $3 }
END {
	x = median(a, NR); y = median(b, NR)
	printf "%d agents: cfrun %d ms, cf-runagent -b %d ms, ratio %.2f (medians of %d)\n", n, x, y, x / y, NR
}' "$dir/rounds"
