#!/bin/sh
# Hosts that have the same file system, a home over NFS: all end well, one of
# them copies and the others wait for it; never half a file, nothing left behind.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/ccp.inc"
bed_up 100
D=$T/there
mkdir "$D"
H='127.1.0.[1-100]'
FEW='127.1.0.[1-12]'
N=100
! $SANITIZED || H='127.1.0.[1-20]' N=20

outcomes() {
	jq -r 'select(.event == "done") | .class + " " + .text' "$out" | sort | uniq -c | sed 's/^ *//'
}

# Who looks while it goes on sees the old file or the new one.
head -c 300000 /dev/urandom >"$T/f"
head -c 290000 /dev/urandom >"$D/f"
new=$(sha256sum <"$T/f") old=$(sha256sum <"$D/f")
: >"$T/looking"
while [ -e "$T/looking" ]; do
	now=$(sha256sum <"$D/f")
	case $now in "$old" | "$new") ;; *) echo "$now" >>"$T/half" ;; esac
done &
background=$!
cp_ --json -w "$H" --backup "$T/f" "$D/"
rm "$T/looking"
wait $background
background=
want_status 0
[ ! -s "$err" ] || fail "it said: $(head -n 3 "$err")"
[ ! -e "$T/half" ] || fail "a part of a file was seen"
want_equal "$(jq -r 'select(.event == "done") | .class' "$out" | sort | uniq -c | sed 's/^ *//')" "$N ok" "outcomes"
want_equal "$(sha256sum <"$D/f")" "$new" "the file"
want_equal "$(sha256sum <"$D/f~")" "$old" "the backup: what was there first"
no_left_overs "$D"

# A command runs on each host that saw the change, whoever made it.
cp_ --json -w "$FEW" --exec-before "echo b >>$T/before; sleep 0.5" --exec-after 'echo after' "$T/f" "$D/g"
want_status 0
want_equal "$(outcomes)" "12 ok 1 changed" "a file that is new everywhere"
want_equal "$(jq -j 'select(.event == "out") | .text' "$out" | sort | uniq -c | sed 's/^ *//')" "12 after" "--exec-after"
want_equal "$(wc -l <"$T/before")" 12 "--exec-before, once each"

# Trees: as an archive, one by one; large files; directories that are missing.
odd_tree "$T/tree"
head -c 9000000 /dev/urandom >"$T/tree/huge"
cp_ -r -p -w "$FEW" "$T/tree" "$D/"
want_status 0
same_trees "$T/tree" "$D/tree" times
no_left_overs "$D"
rm "$D/tree/many/f"1* "$D/tree/sub/blob"
echo changed >"$D/tree/many/f7"
mkdir "$T/tree/sub/more"
echo more >"$T/tree/sub/more/f"
cp_ -r -p -w "$FEW" "$T/tree" "$D/"
want_status 0
same_trees "$T/tree" "$D/tree" times
no_left_overs "$D"
cp_ -r -p -T --mkdir -w "$FEW" "$T/tree" "$D/a/b/c"
want_status 0
same_trees "$T/tree" "$D/a/b/c" times
no_left_overs "$D"

# Where no command can be run it is the same.
only=$("$LOOPBACK" sshd only 'ForceCommand internal-sftp') || fail "no sshd of our own"
"$LOOPBACK" trust only "$only" || fail "trust"
printf 'Host only*\n\tHostName %s\n\tPort %s\n' "${only%:*}" "${only##*:}" >"$T/only.conf"
cat "$BED/ssh_config" >>"$T/only.conf"
run "$CCP" -F "$T/only.conf" -r -p -T -w 'only[1-6]' "$T/tree" "$D/only"
want_status 0
same_trees "$T/tree" "$D/only" times
no_left_overs "$D"

# What was made by a host that is lost stands in the way of nobody: folders of
# this very run, that nobody is at work in.
cat >"$T/hook" <<HOOK
while [ ! -s $T/name ]; do sleep 0.05; done
mkdir -p $D/lost/\$(cat $T/name)
HOOK
mkdir "$D/lost"
"$CCP" -F "$BED/ssh_config" -w "$FEW" --exec-before "sh $T/hook" "$T/f" "$D/lost/" >"$out" 2>"$err" &
pid=$!
"$CCP" -F "$BED/ssh_config" -w 127.1.0.1 --exec-after 'sleep 60' "$T/f" "$D/other" >/dev/null 2>&1 &
other=$!
background="$pid $other"
# The name of a run: what it begins with on this machine, process, start.
while ! ls -d "$D"/.fanout-* >"$T/seen" 2>/dev/null; do
	[ -d "/proc/$other" ] || break
done
kill $other
wait $other
machine=$(sed -n '1s/.*\.fanout-\([0-9a-f]*\)-.*/\1/p' "$T/seen")
[ -n "$machine" ] || fail "no folder was seen"
printf '.fanout-%s-%s-%x\n' "$machine" $pid "$(sed 's/.*) //' /proc/$pid/stat | cut -d' ' -f20)" >"$T/name.new"
mv "$T/name.new" "$T/name"
wait $pid || fail "with folders of a host that was lost: $(cat "$err")"
background=
want_equal "$(sha256sum <"$D/lost/f")" "$new" "beside what was left"
[ -d "$D/lost/$(cat "$T/name")" ] || fail "the folder $(cat "$T/name") was not of this run: $(ls -a "$D/lost" "$D"; cat "$T/seen")"
cp_ -w 127.1.0.1 "$T/tree/zero" "$D/lost/f"
want_status 0
no_left_overs "$D/lost"

# Killed at any moment.
for i in $(seq 1 8); do
	mkdir "$T/new$i"
	head -c $((40000 + i)) /dev/urandom >"$T/new$i/f"
	head -c $((50000 + i)) /dev/urandom >"$T/new$i/g"
	"$CCP" -F "$BED/ssh_config" -w "$FEW" "$T/new$i/f" "$T/new$i/g" "$D" >"$out" 2>"$err" &
	pid=$!
	sleep "0.$((i * 4 + 10))"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	for f in f g; do
		# Once: what runs there may replace it between two looks.
		cat "$D/$f" >"$T/seen"
		cmp -s "$T/new$i/$f" "$T/seen" || cmp -s "$T/new$((i - 1))/$f" "$T/seen" || [ $i -eq 1 ] ||
		    fail "$f is neither the old nor the new one, $i"
	done
	cp_ -w "$FEW" "$T/new$i/f" "$T/new$i/g" "$D"
	want_status 0
	cmp -s "$T/new$i/f" "$D/f" || fail "not the new one, $i"
	cmp -s "$T/new$i/g" "$D/g" || fail "not the new one, $i"
done
echo last >"$T/new8/f"
cp_ -w 127.1.0.1 "$T/new8/f" "$D"
no_left_overs "$D"
