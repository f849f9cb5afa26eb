#!/bin/sh
# --delete: what is in the copied directories there and not here goes, and
# nothing else; not before it has been looked at.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/ccp.inc"
bed_up 1
H=127.1.0.1
nocommand=$("$LOOPBACK" sshd nocommand 'ForceCommand internal-sftp')
D=$T/there
S=$T/src
odd_tree "$S"
# fill: the destination as the source, and things that are not in that.
fill() {
	rm -rf "$D" "$T/outside"
	mkdir "$D" "$T/outside"
	cp -a "$S" "$D/tree"
	(cd "$D/tree" && echo x >extra && echo x >sub/deep/extra2 && mkdir -p old/er/est empty/within &&
	    echo x >old/er/file && echo x >"$(printf 'odd\nextra')" && ln -s "$T/outside" link2 && mkfifo pipe)
	echo precious >"$T/outside/precious"
	echo beside >"$D/beside"
}
is_clean() {
	same_trees "$S" "$D/tree" "$@"
	want_equal "$(cat "$T/outside/precious" "$D/beside" | tr '\n' ' ')" 'precious beside ' "what is none of our business"
	no_left_overs "$D"
}

fill
cp_ -w $H -r --delete -T "$S" "$D/tree"
want_status 2
want_err 'look with --dry-run which, then say --yes'
cp_ -w $H --delete --yes "$S/zero" "$D/"
want_status 2
want_err 'goes with -r'
cp_ -w $H -r --yes -T "$S" "$D/tree"
want_status 2
[ -e "$D/tree/extra" ] || fail "removed already"

# Looking changes nothing.
tree_of "$D" times >"$T/before"
cp_ -w $H -r --delete --dry-run -T "$S" "$D/tree"
want_status 0
want_lines 12
for gone in extra sub/deep/extra2 old old/er old/er/est old/er/file empty/within link2 pipe; do
	grep -Fqx "  removed  $D/tree/$gone" "$out" || fail "not told: $gone"
done
cp_ -w $H -r --delete --check -T "$S" "$D/tree"
want_status 1
grep -Fqx "  extra    $D/tree/old/er/file" "$out" || fail "--check does not tell"
cp_ -w $H -r --delete --yes --max-delete 9 -T "$S" "$D/tree"
want_status 1
want_err '10 files would be removed, more than --max-delete 9: nothing was changed'
tree_of "$D" times >"$T/after"
cmp "$T/before" "$T/after" || fail "something was changed"

# And now it goes; with -p times are right, so that the next run has nothing.
cp_ -w $H -r -p --delete --yes --max-delete 10 -T "$S" "$D/tree"
want_status 0
want_quiet
is_clean times
cp_ -w $H -v -r -p --delete --yes -T "$S" "$D/tree"
want_status 0
want_out "$H: the same"

# What is excluded stays, with the folders it is in.
fill
echo new >"$S/new"
cp_ -w $H -r --delete --yes --exclude est --exclude "*/pipe" -T "$S" "$D/tree"
want_status 0
for stays in old/er/est pipe new; do
	[ -e "$D/tree/$stays" ] || fail "removed: $stays"
done
for goes in old/er/file extra link2; do
	[ ! -e "$D/tree/$goes" ] || fail "not removed: $goes"
done
rm -r "$D/tree/old" "$D/tree/pipe"
is_clean

# Where no command can be run; without anything else to do; into a folder.
fill
cp_ -w "$nocommand" -r --delete --yes -T "$S" "$D/tree"
want_status 0
is_clean
fill
rm -rf "$D/src"
mv "$D/tree" "$D/src"
cp_ -w $H -r --delete --yes --exec-after 'echo reload' "$S" "$D"
want_status 0
want_out "$H: reload"
mv "$D/src" "$D/tree"
is_clean

# One that fails to be copied removes nothing.
fill
rm "$D/tree/zero"
mkdir "$D/tree/zero"
cp_ -w $H -r --delete --yes -T "$S" "$D/tree"
want_status 1
[ -e "$D/tree/extra" ] || fail "removed though it failed"

# A host that lies about what it has: nothing is made of it.
mkdir "$T/none" "$T/outside2"
rogue=$("$LOOPBACK" sshd rogue "ForceCommand $B/bed/rogue_sftp $T/outside2")
for lie in escape slash empty nul deep many garbage foreign; do
	cp_ --idle 5 -w "$rogue" -r --delete --yes -T "$T/none" "/$lie"
	want_status 1
	case $lie in
	escape | slash | empty | nul) want_err 'has a name that none can have' ;;
	deep | many) want_err 'more files than are good for anybody' ;;
	esac
done
