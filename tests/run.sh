#!/bin/sh
# Run tests: sh tests/run.sh [unit|regress|engine|NAME]...
#
#	unit     every $B/unit/t_*
#	regress  every tests/regress/*.sh (exit 0: passed, 77: skipped)
#	engine   the unit tests that have threads to race, and the regress
#	         scripts named in tests/regress/threads (what a TSan build runs)
#	NAME     one of them: t_clock, cexec-exit
#
# One line a test, the output of those that failed, and at the end the line
# "N passed, N failed, N skipped" with all cases added up. Exit 1 if any failed.
# B is the build folder, JOBS how many run at once (2), LIMIT how many seconds
# one test may take (120, or what a line "# limit: N" of a script says; sanitizer
# builds get three times that).
set -u
cd "$(dirname "$0")/.." || exit 2
B=${B:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
JOBS=${JOBS:-2}
case $B in
*san*) LIMIT=${LIMIT:-360} ;;
*) LIMIT=${LIMIT:-120} ;;
esac
export B LIMIT
export LC_ALL=C.UTF-8
export ASAN_OPTIONS="abort_on_error=0:detect_leaks=1:detect_stack_use_after_return=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}"

# One test in its own process: run.sh --one DIR NAME. Writes DIR/NAME.count.
if [ "${1-}" = --one ]; then
	dir=$2 name=$3
	case $name in
	t_*) set -- "$B/unit/$name" ;;
	*)
		set -- sh "tests/regress/$name.sh"
		more=$(sed -n 's/^# limit: \([0-9]*\)$/\1/p' "$2")
		[ "${more:-0}" -le "$LIMIT" ] || LIMIT=$more
		;;
	esac
	start=$(date +%s)
	timeout -k 10 "$LIMIT" "$@" </dev/null >"$dir/$name.out" 2>&1
	rc=$?
	secs=$(($(date +%s) - start))
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$dir/$name.out" | tail -n 1)
	verdict=failed p=0 f=1 s=0
	case $name in
	t_*)
		if [ -n "$last" ]; then
			# shellcheck disable=SC2086
			set -- $last
			p=$1 f=$3 s=$5
		fi
		if [ $rc -ne 0 ]; then
			[ "$f" -gt 0 ] || f=1
		elif [ -z "$last" ]; then
			echo "ended without a count" >>"$dir/$name.out"
		fi
		[ "$f" -gt 0 ] || verdict=ok
		[ "$verdict" != ok ] || [ $((p + s)) -ne "$s" ] || verdict=skipped
		;;
	*)
		case $rc in
		0) verdict=ok p=1 f=0 ;;
		77) verdict=skipped f=0 s=1 ;;
		esac
		;;
	esac
	why=
	[ $rc -ne 124 ] && [ $rc -ne 137 ] || why=" (over the limit of $LIMIT s)"
	[ $verdict != skipped ] || why=" ($(tail -n 1 "$dir/$name.out"))"
	[ "$f" -eq 0 ] || why="$why (exit $rc)"
	echo "$p $f $s" >"$dir/$name.count"
	printf '%-8s %-28s %4d s  %s/%s%s\n' $verdict "$name" $secs "$p" $((p + f)) "$why"
	[ "$f" -eq 0 ] || sed 's/^/    | /' "$dir/$name.out" | grep -av '| ok [0-9]' | cut -c 1-400 | tail -n 80
	exit 0
fi

list_unit() {
	for t in "$B"/unit/t_*; do
		[ ! -x "$t" ] || basename "$t"
	done
}
list_regress() {
	for t in tests/regress/*.sh; do
		[ ! -f "$t" ] || basename "$t" .sh
	done
}

[ $# -gt 0 ] || set -- unit regress
names=
for kind; do
	case $kind in
	unit) names="$names $(list_unit)" ;;
	regress) names="$names $(list_regress)" ;;
	engine)
		names="$names $(list_unit | grep -E '^t_(engine|queue|resolve|feed|worker|loop|contract|local)')"
		[ ! -f tests/regress/threads ] || names="$names $(grep -v '^#' tests/regress/threads)"
		;;
	*) names="$names $kind" ;;
	esac
done
names=$(for n in $names; do echo "$n"; done | awk '!seen[$0]++')
if [ -z "$names" ]; then
	echo "0 passed, 0 failed, 0 skipped"
	exit 0
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/fanout-run.XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP
# Scripts named in tests/regress/alone measure something: nothing beside them.
alone=
[ ! -f tests/regress/alone ] || alone=$(grep -v '^#' tests/regress/alone)
for n in $names; do
	if echo "$alone" | grep -qx "$n"; then
		echo "$n" >>"$dir/+alone"
	else
		echo "$n" >>"$dir/+many"
	fi
done
[ ! -f "$dir/+many" ] || xargs -P "$JOBS" -n 1 sh tests/run.sh --one "$dir" <"$dir/+many"
[ ! -f "$dir/+alone" ] || xargs -P 1 -n 1 sh tests/run.sh --one "$dir" <"$dir/+alone"
want=$(echo "$names" | wc -l)
cat "$dir"/*.count | awk -v want="$want" '
	{ p += $1; f += $2; s += $3; n++ }
	END {
		if (n != want)
			f += want - n
		printf "%d passed, %d failed, %d skipped\n", p, f, s
		exit f > 0
	}'
