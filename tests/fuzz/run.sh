#!/bin/sh
# Run the fuzz targets of a folder, each for some seconds:
#	sh tests/fuzz/run.sh build/fuzz/fuzz 600
# They begin with tests/fuzz/corpus/NAME for f_NAME. What they find new stays
# in a temporary folder; an input that fails is kept in ./crashes.
# Exit 1 if any failed.
set -u
dir=${1:?usage: run.sh folder seconds [target]...}
secs=${2:?usage: run.sh folder seconds [target]...}
shift 2
root=$(dirname "$0")
[ $# -gt 0 ] || for t in "$dir"/f_*; do set -- "$@" "$(basename "$t")"; done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0
for t; do
	corpus=$root/corpus/${t#f_}
	mkdir -p "$work/$t" crashes
	echo "== $t for $secs s"
	set -- "$work/$t"
	[ ! -d "$corpus" ] || set -- "$@" "$corpus"
	if ! "$dir/$t" -max_total_time="$secs" -max_len=4096 -timeout=10 \
	    -rss_limit_mb=1024 -print_final_stats=1 \
	    -artifact_prefix="crashes/$t-" "$@" >"$work/log" 2>&1 </dev/null; then
		bad=1
		tail -n 60 "$work/log"
	else
		grep -E 'number_of_executed|peak_rss' "$work/log"
	fi
done
rmdir crashes 2>/dev/null
exit $bad
