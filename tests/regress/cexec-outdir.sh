#!/bin/sh
# A file for each host, and the line that says how far the run is.
. "$(dirname "$0")/../lib.sh"
bed_up 4
H='127.1.0.[1-4]'
me="$(id -un)"

# Bytes as they come; a file for all that were tried, nothing else.
head -c 300000 /dev/urandom >"$BED/home/random"
mkdir "$T/old"
cp "$BED/home/random" "$T/old/127.0.0.1:1"
cx -n -w "$H,$me@127.1.0.1:$BED_PORT,127.0.0.1:1" --outdir "$T/old" --errdir "$T/errs" \
    'cat $HOME/random; printf oops >&2'
want_status 3
for host in 127.1.0.1 127.1.0.2 127.1.0.3 127.1.0.4 "$me@127.1.0.1:$BED_PORT"; do
	cmp "$T/old/$host" "$BED/home/random" || fail "$host: other bytes"
	want_equal "$(cat "$T/errs/$host")" oops "standard error of $host"
done
[ ! -s "$T/old/127.0.0.1:1" ] || fail "what an earlier run had is still there"
want_equal "$(ls -A "$T/old" | wc -l)" 6 "files"

# Canceled: what was said so far; of hosts that never began nothing.
"$B/bed/signals" "$CEXEC" -F "$BED/ssh_config" -n -w $H -f 2 --outdir "$T/part" \
    'echo so far; sleep 40' >"$out" 2>"$err" &
pid=$!
background="${background-} $pid"
part_there() { [ "$(cat "$T"/part/.*.part 2>/dev/null | wc -l)" -eq 2 ]; }
wait_for 10 part_there || fail "no output comes"
kill -TERM $pid
rc=0
wait $pid || rc=$?
want_status 130
want_equal "$(ls -A "$T/part" | tr '\n' ' ')" '127.1.0.1 127.1.0.2 ' "files of a canceled run"
want_equal "$(cat "$T/part/127.1.0.1")" 'so far' "what was said"

# A link where a file should be is replaced, what it points to is not touched.
mkdir "$T/trap"
echo precious >"$T/precious"
ln -s "$T/precious" "$T/trap/127.1.0.1"
ln -s "$T/precious" "$T/trap/.127.1.0.1.part"
cx -n -w 127.1.0.1 --outdir "$T/trap" echo new
want_status 0
want_equal "$(cat "$T/precious")" precious "what a link points to"
want_equal "$(cat "$T/trap/127.1.0.1")" new "the file"

# What cannot be: said before anything is run.
no_run() {
	want_status 2
	want_err "$1"
	[ ! -e "$BED/home/ran" ] || fail "something was run"
}
cx -n -w $H --outdir "$T/precious" 'touch $HOME/ran'
no_run "^cexec: cannot write into $T/precious: Not a directory\$"
cx -n -w $H --outdir "$T/none/none" 'touch $HOME/ran'
no_run "^cexec: cannot make $T/none/none: No such file or directory\$"
cx -n -w $H --outdir "$T/old" --errdir "$T/old/." 'touch $HOME/ran'
no_run '^cexec: --outdir and --errdir are the same folder$'

# No room: one warning, the run goes on, the status tells; what an earlier run
# had stays, and no file that lacks its end has the name of a whole one.
if mkdir "$T/full" && mount -t tmpfs -o size=64k none "$T/full" 2>/dev/null; then
	echo yesterday >"$T/full/127.1.0.1"
	cx -n -w $H --outdir "$T/full" 'cat $HOME/random; echo end >&2'
	files=$(cd "$T/full" && echo [!.]*)
	old=$(cat "$T/full/127.1.0.1")
	umount "$T/full"
	want_status 1
	want_equal "$(grep -c 'No space left' "$err")" 1 "warnings"
	want_equal "$(grep -c ': end$' "$err")" 4 "hosts that ended"
	want_equal "$files: $old" "127.1.0.1: yesterday" "files"
fi

# How far it is: on a terminal only, and gone before anything else is written.
command -v script >/dev/null || exit 0
cat >"$T/go" <<GO
exec '$CEXEC' -F '$BED/ssh_config' -n "\$@" -w '$H' 'h=\${SSH_CONNECTION% *}; sleep 1.\${h##*.}; echo said'
GO
script -qec "sh $T/go -f 3" /dev/null </dev/null >"$out" 2>"$err"
grep -qE "cexec: [0-3]/4 done, [1-4] running, 0 failed" "$out" || fail "no progress"
grep -qE "cexec: [1-3]/4 done, .* 0:0[0-9] left" "$out" || fail "nothing about what is left"
# Each line of output begins behind an erased line.
want_equal "$(tr '\r' '\n' <"$out" | sed 's/^.*\[K//' | grep -c 'cexec: .*said')" 0 "torn lines"
want_equal "$(grep -c 'said' "$out")" 4 "lines"
script -qec "sh $T/go --no-progress" /dev/null </dev/null >"$out" 2>"$err"
! grep -q 'done,' "$out" || fail "--no-progress: there is one"
run sh "$T/go"
want_quiet
want_lines 4
run sh "$T/go" --json
want_equal "$(jq -c 'select(.event == "progress") | [.hosts, .done + .running > 0]' "$out" | sort -u)" \
    '[4,true]' "progress as JSON"
