#!/bin/sh
# Everything: dependencies, build, all tests, both sanitizers, lint.
# The last line is the sum of all: "N passed, N failed, N skipped"; what failed
# is said again before it, so that the end of a long log tells.
set -u
cd "$(dirname "$0")/.." || exit 2
sh tests/deps.sh </dev/null || exit 2

log=$(mktemp -d "${TMPDIR:-/tmp}/fanout-check.XXXXXX") || exit 2
trap 'rm -rf "$log"' EXIT
trap 'exit 130' INT TERM HUP
jobs=$(nproc 2>/dev/null || echo 2)
failed=

# step NAME COMMAND...: a step that fails without a count is one failure.
step() {
	name=$1
	shift
	echo "== $name: $*"
	: >"$log/$name"
	{ "$@" </dev/null 2>&1; echo $? >"$log/rc"; } | tee "$log/$name"
	rc=$(cat "$log/rc")
	counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log/$name" | tail -n 1)
	[ "$rc" -eq 0 ] || failed="$failed $name"
	case $rc,$counts in
	0,) ;;
	0,* | *", 0 failed,"*)
		[ "$rc" -eq 0 ] || echo "0 passed, 1 failed, 0 skipped" >>"$log/counts"
		[ -z "$counts" ] || echo "$counts" >>"$log/counts"
		;;
	*,) echo "0 passed, 1 failed, 0 skipped" >>"$log/counts" ;;
	*) echo "$counts" >>"$log/counts" ;;
	esac
}

# failures NAME: the tests of a step that failed, with the end of what they said;
# of a step that failed without one, the end of its log.
failures() {
	awk -v step="$1" '
		function out(i) {
			for (i = n > 25 ? n - 24 : 1; i <= n; i++)
				print said[i]
			n = 0
		}
		/^failed  / || /^not ok / { out(); print step ": " $0; found = on = 1; next }
		on && /^  / { said[++n] = $0; next }
		{ out(); on = 0; last[NR % 25] = $0 }
		END {
			out()
			for (i = NR + 1; !found && i <= NR + 25; i++)
				if (i % 25 in last)
					print step ": " last[i % 25]
		}' "$log/$1"
}

step build make -j"$jobs" WERROR=1 tests
step check make WERROR=1 check
step asan make -j"$jobs" WERROR=1 check-asan
step tsan make -j"$jobs" WERROR=1 check-tsan
step lint make lint
echo
for name in $failed; do
	failures "$name"
done
awk '{ p += $1; f += $3; s += $5 }
	END { printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$log/counts"
[ -z "$failed" ]
