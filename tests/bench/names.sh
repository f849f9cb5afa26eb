#!/bin/sh
# Naming hosts against nodeset, in CPU time: expand, fold and difference of N
# names of several kinds in one process each (NodeSet through its own Python
# API, so that no interpreter start is counted), and how our time grows with
# ten times as many.
#
#	B=build sh tests/bench/names.sh [N]
#
# Exit 1 if we take more than a tenth of nodeset's time in the whole or ten
# times the names take more than 13 times as long; 77 without ClusterShell.
set -u
# shellcheck disable=SC1091
. "$(dirname "$0")/../regress/names.inc"
n=${1:-100000}
PY=
for p in /usr/bin/python3 python3; do
	$p -c 'import ClusterShell.NodeSet' 2>/dev/null && PY=$p && break
done
[ -n "$PY" ] || {
	echo "skipped: needs python3-clustershell"
	exit 77
}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
build_hostexpr || exit 1
cat >"$tmp/make.py" <<'EOF'
import random, sys
tmp, n = sys.argv[1], int(sys.argv[2])
rnd = random.Random(1)
def put(kind, expr, less):
    for name, text in ((kind, expr), (kind + '-', less)):
        with open(tmp + '/' + name, 'w') as f:
            f.write(text + '\n')
def names(kind, l):
    put(kind, ','.join(l), ','.join(l[::3]))
put('range', 'node[%s-%d]' % (str(1).zfill(len(str(n))), n),
    'node[%s-%s]' % (str(n // 4).zfill(len(str(n))), str(n // 3).zfill(len(str(n)))))
put('product', 'r[1-%d]n[1-1000]' % (n // 1000), 'r[1-%d]n[100-200]' % (n // 2000))
names('scattered', ['n%d' % rnd.randrange(n * 100) for _ in range(n)])
names('unfoldable', [''.join(rnd.choice('abcdefghijklmnopqrstuvwxyz') for _ in range(10))
    for _ in range(n)])
# Almost a product: one name in a thousand is missing.
names('holes', ['r%dn%d' % (i // 1000, i % 1000) for i in range(n) if rnd.random() > .001])
EOF
cat >"$tmp/nodeset.py" <<'EOF'
import sys, time
from ClusterShell.NodeSet import NodeSet
a, b = (open(f).read().strip() for f in sys.argv[1:3])
t0 = time.process_time(); s = NodeSet(a); names = list(s); t = NodeSet(b)
t1 = time.process_time(); str(s)
t2 = time.process_time(); s.difference_update(t)
t3 = time.process_time()
print('%.3f %.3f %.3f %d %d' % ((t1-t0)*1e3, (t2-t1)*1e3, (t3-t2)*1e3, len(s), len(str(s))))
EOF
mkdir "$tmp/1" "$tmp/10"
"$PY" "$tmp/make.py" "$tmp/1" "$n" && "$PY" "$tmp/make.py" "$tmp/10" $((n * 10)) || exit 1

# The best of three, by the sum of the three times.
ours() {
	for _ in 1 2 3; do "$HOSTEXPR" -t "$1" "$1-"; done |
	    sort -t ' ' -k 1,1n | awk '{ t = $1 + $2 + $3; if (!m || t < m) { m = t; l = $0 } } END { print l }'
}
echo "CPU milliseconds: expand fold difference, $n names"
bad=0 all=0 theirs=0 all10=0
for kind in range product holes scattered unfoldable; do
	o=$(ours "$tmp/1/$kind")
	o10=$(ours "$tmp/10/$kind")
	# shellcheck disable=SC2086
	c=$(timeout 300 "$PY" "$tmp/nodeset.py" "$tmp/1/$kind" "$tmp/1/$kind-") || c="300000 0 0 0 0"
	echo "$kind|$o|$c|$o10" | awk -F '|' '{
		split($2, o, " "); split($3, c, " "); split($4, t, " ")
		so = o[1] + o[2] + o[3]; sc = c[1] + c[2] + c[3]; st = t[1] + t[2] + t[3]
		printf "%-11s ours %6.1f %6.1f %6.1f  nodeset %7.1f %7.1f %7.1f  ratio 1/%.0f  x10 names: x%.1f  left %s/%s\n",
		    $1, o[1], o[2], o[3], c[1], c[2], c[3], sc / so, st / so, o[4], c[4] }'
	all=$(echo "$all $o" | awk '{ print $1 + $2 + $3 + $4 }')
	all10=$(echo "$all10 $o10" | awk '{ print $1 + $2 + $3 + $4 }')
	theirs=$(echo "$theirs $c" | awk '{ print $1 + $2 + $3 + $4 }')
done
echo "$all $theirs $all10" | awk '{
	printf "together: ours %.0f ms, nodeset %.0f ms, 1/%.0f; ten times the names: x%.1f\n", $1, $2, $2 / $1, $3 / $1
	exit !($2 >= 10 * $1 && $3 <= 13 * $1) }' || bad=1
exit $bad
