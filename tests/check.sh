#!/bin/sh
# Everything: dependencies, build, all tests, both sanitizers, lint.
# The last line is the sum of all: "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.." || exit 2
sh tests/deps.sh </dev/null || exit 2

log=$(mktemp -d "${TMPDIR:-/tmp}/fanout-check.XXXXXX") || exit 2
trap 'rm -rf "$log"' EXIT
trap 'exit 130' INT TERM HUP
jobs=$(nproc 2>/dev/null || echo 2)
failed=0

# step NAME COMMAND...: a step that fails without a count is one failure.
step() {
	name=$1
	shift
	echo "== $name: $*"
	: >"$log/$name"
	{ "$@" </dev/null 2>&1; echo $? >"$log/rc"; } | tee "$log/$name"
	rc=$(cat "$log/rc")
	counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log/$name" | tail -n 1)
	[ "$rc" -eq 0 ] || failed=1
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

step build make -j"$jobs" WERROR=1 tests
step check make WERROR=1 check
step asan make -j"$jobs" WERROR=1 check-asan
step tsan make -j"$jobs" WERROR=1 check-tsan
step lint make lint
echo
awk '{ p += $1; f += $3; s += $5 }
	END { printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$log/counts"
exit $failed
