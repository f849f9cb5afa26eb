#!/bin/sh
# Files and trees arrive with exactly their bytes, names and modes; what is
# right already is left alone; the rules for the destination.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/ccp.inc"
bed_up 8
H=127.1.0.1
D=$T/there
mkdir "$D"
echo hello >"$T/f"
echo other >"$T/g"

# One file, several; into a directory, as a name.
cp_ -v -w $H "$T/f" "$D/"
want_status 0
grep -q "new  *$D/f$" "$out" || fail "what changed is not told"
want_equal "$(cat "$D/f")" hello "$D/f"
cp_ -w $H "$T/f" "$T/g" "$D"
want_status 0
want_quiet
want_equal "$(cat "$D/g")" other "$D/g"
cp_ -w $H "$T/f" "$D/named"
want_equal "$(cat "$D/named")" hello "under another name"
inode=$(stat -c %i "$D/named")
cp_ -v -w $H "$T/f" "$D/named"
want_status 0
want_out "$H: the same"
want_equal "$(stat -c %i "$D/named")" "$inode" "inode of what was right already"
# Same size, other bytes.
echo HELLO >"$D/named"
cp_ -w $H "$T/f" "$D/named"
want_equal "$(cat "$D/named")" hello "same size, other bytes"
# One argument: the same absolute path. In a tree of its own, else it is itself.
mkdir "$T/root"
(cd "$T" && cp_ -w $H f) && want_status 0
# Relative to where the login begins.
cp_ -w $H "$T/f" relative
want_equal "$(cat "$BED/home/relative" 2>/dev/null || cat "$HOME/relative")" hello "a relative destination"
rm -f "$HOME/relative"
# Over a symbolic link: the link is replaced, what it pointed to is not touched.
ln -s named "$D/alias"
cp_ -w $H "$T/g" "$D/alias"
[ ! -L "$D/alias" ] || fail "still a link"
want_equal "$(cat "$D/named")" hello "what the link pointed to"
# A destination that is a link to a directory is that directory.
mkdir "$D/real"
ln -s real "$D/dirlink"
cp_ -w $H "$T/f" "$D/dirlink"
want_equal "$(cat "$D/real/f")" hello "through a link to a directory"
no_left_overs "$D"

# Modes: new ones from here, old ones stay, unless asked.
chmod 640 "$T/f"
rm "$D/f"
cp_ -w $H "$T/f" "$D/"
want_equal "$(stat -c %a "$D/f")" 640 "mode of a new file"
echo changed >"$D/f"
chmod 604 "$D/f"
cp_ -w $H "$T/f" "$D/"
want_equal "$(stat -c %a "$D/f")" 604 "mode of a file that was there"
cp_ -p -w $H "$T/f" "$D/"
want_equal "$(stat -c '%a %Y' "$D/f")" "640 $(stat -c %Y "$T/f")" "with -p"
cp_ --mode 0711 -w $H "$T/f" "$D/"
want_equal "$(stat -c %a "$D/f")" 711 "with --mode"

# What does not fit is refused, and nothing is changed.
mkdir "$D/isdir"
cp_ -T -w $H "$T/f" "$D/isdir"
want_status 1
want_err 'isdir: is a directory there, and will not be replaced by a file'
cp_ -w $H "$T/f" "$D/f/"
want_status 1
want_err 'f/: no such directory'
cp_ -w $H "$T/f" "$D/no/where"
want_status 1
want_err 'no such directory'
cp_ -w $H "$T/f" "$D/new/"
want_err 'no such directory \(--mkdir makes it\)'
cp_ --mkdir -w $H "$T/f" "$D/new/er/"
want_equal "$(cat "$D/new/er/f")" hello "with --mkdir"
cp_ --mkdir -w $H "$T/f" "$D/new/est/name"
want_equal "$(cat "$D/new/est/name")" hello "with --mkdir, as a name"
cp_ -w $H "$T/f" "$T/f" "$D"
want_status 2
want_err 'have the same name'
cp_ -w $H "$T/nothing" "$D"
want_status 2
want_err 'nothing: No such file'
cp_ -w $H --sudo nobody-here "$T/f" "$D/"
want_status 2
want_err 'there is no file nobody-here here; as that user it is --sudo=nobody-here '
cp_ -w $H "$D" "$T/root"
want_status 2
want_err '-r copies it'
cp_ -w $H
want_status 2
cp_ --mode 9 -w $H "$T/f" "$D"
want_err 'octal'
cp_ --owner 'a;b' -w $H "$T/f" "$D"
want_status 2
cp_ -w $H "$T/f" "$D" -v
want_status 2
want_err '^ccp: -v: options come before the files'
# Hosts are not named as for scp, where it would be a file of that name.
for dest in $H: $H:f "$H:$D/" "root@$H:$D"; do
	cp_ -w $H "$T/f" "$dest"
	want_status 2
	want_err '^ccp: [^ ]*: hosts are named by -w, not in DEST'
done
cp_ -w $H $H:/etc/hosts "$T"
want_status 2
want_err "^ccp: $H:/etc/hosts: hosts are named by -w; --get takes files from them"
cp_ -w $H "$T/f" "$D/a:b"
want_status 0
cp_ -w $H "$T/f" ./a:b
want_status 0
echo dash >"$T/-dash"
(cd "$T" && cp_ -w $H -- f -dash "$D") || fail "files after --"
want_equal "$(cat "$D/-dash")" dash "a file named -dash"

if [ "$(id -u)" -eq 0 ]; then
	cp_ --owner nobody:daemon -w $H "$T/f" "$D/owned"
	want_status 0
	want_equal "$(stat -c %U:%G "$D/owned")" nobody:daemon "with --owner"
	echo again >"$D/owned"
	cp_ -w $H "$T/f" "$D/owned"
	want_equal "$(stat -c %U:%G "$D/owned")" nobody:daemon "owner of what was there"
	# A file of another owner is not right, whatever bytes it has; it keeps its mode.
	chmod 640 "$D/owned"
	while read -r given wanted; do
		cp_ --check --owner "$given" -w $H "$T/f" "$D/owned"
		want_status 1
		want_out "$H:
  changed  $D/owned"
		cp_ -v --owner "$given" -w $H "$T/f" "$D/owned"
		want_status 0
		want_equal "$(stat -c %U:%G:%a "$D/owned")" "$wanted:640" "--owner $given"
		cp_ -v --owner "$given" -w $H "$T/f" "$D/owned"
		want_out "$H: the same"
	done <<-EOF
		bin bin:daemon
		daemon:bin daemon:bin
		:nogroup daemon:nogroup
		bin: bin:bin
		1:2 daemon:bin
	EOF
	cp_ --owner nosuch -w $H "$T/f" "$D/owned"
	want_status 1
	want_err "nosuch"
	want_equal "$(stat -c %U:%G "$D/owned")" daemon:bin "owner, where the new one is unknown"
fi

# Backups; what is newer, what is there.
echo old >"$D/f"
cp_ --backup -w $H "$T/f" "$D/"
want_equal "$(cat "$D/f~")" old "the backup"
want_equal "$(cat "$D/f")" hello "what replaced it"
echo mine >"$D/f"
cp_ --no-clobber -w $H "$T/f" "$D/"
want_equal "$(cat "$D/f")" mine "with --no-clobber"
touch -d '2 hours ago' "$T/f"
cp_ --update -w $H "$T/f" "$D/"
want_equal "$(cat "$D/f")" mine "newer there, with --update"
touch -d '1 hour ago' "$T/f"
touch -d '2 hours ago' "$D/f"
cp_ --update -w $H "$T/f" "$D/"
want_equal "$(cat "$D/f")" hello "older there, with --update"

# Trees.
odd_tree "$T/tree"
cp_ -r -p -w $H "$T/tree" "$D/"
want_status 0
want_quiet
same_trees "$T/tree" "$D/tree" times
want_equal "$(stat -c %i "$D/tree/sub/blob")" "$(stat -c %i "$D/tree/sub/deep/hard")" "hard links"
no_left_overs "$D"
cp_ -v -r -p -w $H "$T/tree" "$D"
want_status 0
want_out "$H: the same"
same_trees "$T/tree" "$D/tree" times
echo changed >"$D/tree/many/f7"
rm "$D/tree/link" "$D/tree/many/f8" "$D/tree/odd
name"
ln -s elsewhere "$D/tree/link"
chmod 600 "$D/tree/many/f9"
cp_ -v -r -p -w $H "$T/tree" "$D"
want_status 0
same_trees "$T/tree" "$D/tree" times
no_left_overs "$D"
# A directory under another name; what is there and not here stays.
cp_ -r -w $H "$T/tree/sub" "$D/copy"
want_status 1
want_err 'no such directory \(--mkdir makes it and copies into it, -T copies'
cp_ -r -T -w $H "$T/tree/sub" "$D/copy"
want_status 0
same_trees "$T/tree/sub" "$D/copy"
echo stays >"$D/copy/own"
cp_ -r -T -w $H "$T/tree/sub" "$D/copy"
want_equal "$(cat "$D/copy/own")" stays "a file that is only there"
# Followed, excluded.
mkdir "$T/linked"
ln -s ../tree/sub "$T/linked/dir"
ln -s ../f "$T/linked/file"
cp_ -r -L -w $H "$T/linked" "$D"
if [ -L "$D/linked/dir" ] || [ ! -f "$D/linked/dir/blob" ]; then
	fail "not followed"
fi
cp_ -r --exclude 'f1*' --exclude sub -w $H "$T/tree" "$D/excl"
cp_ -r --mkdir --exclude 'f1*' --exclude sub --exclude hard0 -w $H "$T/tree" "$D/excl"
for gone in many/f10 sub many/hard0; do
	[ ! -e "$D/excl/tree/$gone" ] || fail "$gone is not excluded"
done
[ -e "$D/excl/tree/many/f2" ] || fail "too much is excluded"

# A dry run changes nothing and tells.
echo changed >"$D/tree/many/f7"
cp_ --dry-run -r -w $H "$T/tree" "$D"
want_status 0
want_lines 2
grep -q "^  changed  $D/tree/many/f7$" "$out" || fail "what would change is not told"
want_equal "$(cat "$D/tree/many/f7")" changed "after a dry run"

# Commands where something changes.
rm -f "$T/ran"
cp_ --exec-before "echo before >>$T/ran; test -e $D/f" --exec-after "cat $D/hook; echo after >>$T/ran" \
    -w $H,127.0.0.1:1 "$T/g" "$D/hook"
want_status 3
want_out "$H: other"
want_equal "$(cat "$T/ran")" "before
after" "what ran"
cp_ --exec-before "echo no >>$T/ran" --exec-after "echo no >>$T/ran" -w $H "$T/g" "$D/hook"
want_status 0
want_equal "$(wc -l <"$T/ran")" 2 "nothing changed, nothing runs"
echo third >"$T/g"
cp_ --exec-before 'exit 5' -w $H "$T/g" "$D/hook"
want_status 1
want_err '1 of 1 failed: exit 5'
want_err "^ccp: $H: exit: --exec-before, nothing was changed: exit status 5\$"
want_equal "$(cat "$D/hook")" other "nothing is changed when --exec-before fails"
cp_ --exec-after 'exit 6' -w $H "$T/g" "$D/hook"
want_status 1
want_err '1 of 1 failed: exit 6'
want_err "^ccp: $H: exit: --exec-after, the files are there: exit status 6\$"
want_equal "$(cat "$D/hook")" third "it is there when --exec-after runs"
no_left_overs "$D"

# JSON says how many it were.
echo fourth >"$T/g"
cp_ --json -w $H "$T/g" "$D/json"
want_equal "$(jq -r 'select(.event == "done") | .class + " " + .text' "$out")" "ok 1 changed" "JSON"

# Large files go another way.
head -c 20000000 /dev/urandom >"$T/large"
chmod 631 "$T/large"
cp_ -p -w $H "$T/large" "$T/f" "$D"
want_status 0
cmp "$T/large" "$D/large" || fail "a large file"
want_equal "$(stat -c '%a %Y' "$D/large")" "631 $(stat -c %Y "$T/large")" "its mode and time"
no_left_overs "$D"
printf x | dd of="$D/large" bs=1 seek=10000000 conv=notrunc 2>/dev/null
for transport in ssh2 openssh; do
	cp_ -w $H --transport $transport "$T/large" "$D"
	want_status 0
	cmp "$T/large" "$D/large" || fail "a large file by $transport"
	rm "$D/large"
done

# No room: the server says "Failure", and no more; what was there stays.
if mkdir "$D/small" && mount -t tmpfs -o size=64k none "$D/small" 2>/dev/null; then
	echo old >"$D/small/file"
	head -c 300000 "$T/large" >"$T/file"
	cp_ -w $H "$T/file" "$D/small"
	old=$(cat "$D/small/file")
	left=$(ls -A "$D/small")
	umount "$D/small"
	want_status 1
	want_err 'remote: writing .*/small/file: failure, and its server tells no reason \(is the disk full, or read-only\?\)'
	want_equal "$old, $left" "old, file" "what was there"
fi
