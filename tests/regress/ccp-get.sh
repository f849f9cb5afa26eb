#!/bin/sh
# Gathering: files of all hosts, each in a folder of its own; and a server that
# lies writes nothing elsewhere, fills nothing and keeps nobody.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/ccp.inc"
bed_up 3
H='127.1.0.[1-3]'
odd_tree "$T/there"
# What gives rights to others is not taken over, nor modes of directories.
chmod 755 "$T/there/many/f1" "$T/there/sub/deep"
D=$T/here

cp_ --get -r -p -w $H "$T/there" "$D"
want_status 2
want_err 'No such file or directory \(--mkdir makes it\)'
cp_ --get --mkdir -r -p -w $H "$T/there" "$D"
want_status 0
want_quiet
for i in 1 2 3; do
	same_trees "$T/there" "$D/127.1.0.$i$T/there"
	want_equal "$(stat -c %Y "$D/127.1.0.$i$T/there/many/f3")" "$(stat -c %Y "$T/there/many/f3")" "time of a file"
done
no_left_overs "$D"
# Again, over what is there; one changed.
echo changed >"$T/there/many/f5"
cp_ --get -r -w $H "$T/there" "$D"
same_trees "$T/there" "$D/127.1.0.2$T/there"

# Patterns, flat, what is no file.
mkdir "$T/flat"
cp_ --get --flat -w $H "$T/there/many/f10*" "$T/there/-dash" "$T/flat"
want_status 0
want_equal "$(ls "$T/flat" | wc -l)" 36 "files"
want_equal "$(cat "$T/flat/f100.127.1.0.2")" "file 100" "one of them"
cp_ --get -w $H "$T/there" "$D"
want_status 1
want_err 'is a directory: -r gets it'
cp_ --get -w $H "$T/there/none" "$D"
want_err 'there/none: no such file or directory'
cp_ --get -w $H "$T/there/none*" "$D"
want_err 'there/none\*: no such file'
cp_ --get -w $H /dev/zero "$D"
want_err '/dev/zero: is not a file'
# What a pattern or a tree has of these is left out.
mkdir "$T/odd"
mkfifo "$T/odd/fifo"
echo one >"$T/odd/file"
for what in "$T/odd/*" "$T/odd"; do
	cp_ --get -r --mkdir -w $H "$what" "$T/in"
	want_status 0
	want_equal "$(ls "$T/in/127.1.0.1$T/odd")" file "got"
	rm -r "$T/in"
done
# Places are relative to that where the login begins, however that is said; none
# leads out of the folder of the host.
own=fanout-test.$$ login='~'
cp_ -w 127.1.0.1 "$T/odd/file" "$own"
for what in "$own" "./$own" "$login/$own"; do
	cp_ --get --mkdir -w 127.1.0.1 "$what" "$T/in"
	[ $rc -eq 0 ] || break
	want_equal "$(cat "$T/in/127.1.0.1/$own")" one "$what"
	rm -r "$T/in"
done
rm -f "$HOME/$own" "$BED/home/$own"
want_status 0
for what in ../own /etc/../own own/.. $login/..; do
	cp_ --get --mkdir -w 127.1.0.1 "$what" "$T/in"
	want_status 2
	want_err 'a path with \.\. leads out of the folder of its host'
done
cp_ --get --expand --mkdir -w 127.1.0.1 '../%h' "$T/in"
want_status 2
cp_ --get --flat --mkdir -w 127.1.0.1 "$T/odd/../odd/file" "$T/in"
want_status 0
cp_ --get --max-size 100k -w $H "$T/there/sub/blob" "$D"
want_status 1
want_err 'more than --max-size allows'
cp_ --get --max-size x -w $H "$T/there/sub/blob" "$D"
want_status 2
# A folder in the way; a link in the way is not followed.
mkdir -p "$T/way/127.1.0.1$T/there/zero" "$T/outside"
cp_ --get -w 127.1.0.1 "$T/there/zero" "$T/way"
want_status 1
ln -s "$T/outside" "$T/way/127.1.0.2"
cp_ --get -w 127.1.0.2 "$T/there/many/f7" "$T/way"
want_status 1
want_err 'links are not followed'
want_equal "$(ls -A "$T/outside")" "" "behind the link"

# The liar.
[ -x "$B/bed/rogue_sftp" ] || skip "$B/bed/rogue_sftp is not built"
rogue=$("$LOOPBACK" sshd rogue "ForceCommand $B/bed/rogue_sftp $T/outside") || fail "no sshd of our own"
"$LOOPBACK" trust rogue "$rogue" || fail "trust"
mkdir "$T/r"
cp_ --get -w "$rogue" /good "$T/r"
want_status 0
want_equal "$(cat "$T/r/$rogue/good")" good /good
liar() {
	cp_ --get -r "${2---color=never}" -w "$rogue" "/$1" "$T/r"
	want_status "${3-1}"
	no_left_overs "$T/r"
	[ ! -e "$T/r/$rogue/$1" ] || [ -d "$T/r/$rogue/$1" ] || fail "/$1 is there"
}
liar endless
want_err 'more than --max-size allows'
liar short
want_err 'ended before its length'
liar growing
want_err 'reading /growing: an answer that does not fit'
for dir in escape slash empty nul; do
	liar $dir
	want_err 'has a name that none can have'
done
liar swap
want_err 'links are not followed|Is a directory'
liar deep
want_err 'without end'
liar many
want_err 'more files than are good'
liar garbage
want_err 'remote: '
liar foreign
want_err 'an answer to a request never made'
liar silent --idle=1
want_err 'idle-timeout'
want_equal "$(ls -A "$T/outside")" "" "outside"
[ -z "$(find "$T" -name evil)" ] || fail "it escaped"
