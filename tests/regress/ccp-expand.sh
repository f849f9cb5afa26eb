#!/bin/sh
# --expand: a file, a place and a command of its own for each host; who has no
# file fails alone.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/ccp.inc"
bed_up 8
D=$T/there
mkdir "$D" "$T/keys"
printf '127.1.0.[1-2] # rack=a1\n127.1.0.[3-4] # rack="b 2"\n' >"$T/hosts"
for i in 1 2 3 4; do echo "key of $i" >"$T/keys/127.1.0.$i.pub"; done

# Each its own, in a place of its own.
cp_ --expand --hostfile "$T/hosts" "$T/keys/%h.pub" "$D/%h-%u"
want_status 0
want_quiet
for i in 1 2 3 4; do
	want_equal "$(cat "$D/127.1.0.$i-$(id -un)")" "key of $i" "file of $i"
done

# Columns; the same file for those with the same words, and what to do then.
mkdir -p "$T/conf/a1" "$T/conf/b 2"
echo one >"$T/conf/a1/x"
echo two >"$T/conf/b 2/x"
cp_ --expand --mkdir --hostfile "$T/hosts" -r --exec-after 'echo %h %{rack}' "$T/conf/%{rack}" "$D/%h/"
want_status 0
sort -o "$out" "$out"
want_out "$(printf '127.1.0.%s\n' '1: 127.1.0.1 a1' '2: 127.1.0.2 a1' '3: 127.1.0.3 b 2' '4: 127.1.0.4 b 2')"
want_equal "$(cat "$D/127.1.0.2/a1/x" "$D/127.1.0.3/b 2/x" | tr '\n' ' ')" 'one two ' "what arrived"
[ ! -e "$D/127.1.0.3/a1" ] || fail "a directory of another rack"

# Many files each: as archives of their own.
for i in 1 2; do
	mkdir "$T/tree$i"
	for j in $(seq 120); do echo "$i $j" >"$T/tree$i/$j"; done
done
cp_ --expand -w '127.1.0.[1-2]' -r -T "$T/tree%{n}" "$D/x"
want_status 2
want_err 'n'
cp_ --expand --mkdir --hostfile "$T/hosts" -w '127.1.0.[1-2]' -x '127.1.0.[3-4]' -r -p -T "$T/tree1" "$D/%h/same"
want_status 0
same_trees "$T/tree1" "$D/127.1.0.2/same" times

# One is missing: its host fails, before it is reached, and may be tried again.
rm "$T/keys/127.1.0.3.pub"
export XDG_STATE_HOME="$T/state"
cp_ --expand --hostfile "$T/hosts" "$T/keys/%h.pub" "$D/%h.again"
want_status 1
want_err "^ccp: 127.1.0.3: local: .*keys/127.1.0.3.pub"
want_err '1 of 4 failed: local: 127.1.0.3$'
want_equal "$(find "$D" -name '*.again' | wc -l)" 3 "files"
echo late >"$T/keys/127.1.0.3.pub"
rm "$D"/*.again
cp_ --retry failed
want_status 0
want_equal "$(cd "$D" && echo *.again)" 127.1.0.3.again "what was tried again"
# Missing for all: they all fail. What is not to be expanded is what it is.
cp_ --expand --hostfile "$T/hosts" "$T/none/%h" "$D/"
want_status 1
want_err '4 of 4 failed: local'
echo percent >"$T/100%h"
cp_ -w 127.1.0.1 "$T/100%h" "$D/"
want_status 0
want_equal "$(cat "$D/100%h")" percent "a file with a % in its name"

# And back.
mkdir "$T/got"
cp_ --expand --hostfile "$T/hosts" --get "$D/%h.again" --flat "$T/got"
want_status 2
cp_ --expand --hostfile "$T/hosts" --flat --get "$D/%h-%u" "$T/got"
want_status 0
want_equal "$(cat "$T/got/127.1.0.4-$(id -un).127.1.0.4")" 'key of 4' "what came back"
