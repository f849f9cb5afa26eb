#!/bin/sh
# --xattrs: extended attributes are there with the file, whatever way it goes.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/ccp.inc"
command -v setfattr >/dev/null || skip "setfattr is not installed"
bed_up 1
H=127.1.0.1
D=$T/there
S=$T/src
mkdir -p "$D" "$S/dir" "$S/many"
echo f >"$S/f"
head -c 9000000 /dev/urandom >"$S/dir/large"
echo odd >"$S/odd
name \\ x"
for i in $(seq 100); do echo "$i" >"$S/many/$i"; done
setfattr -n user.one -v 'a value' "$S/f" || skip "no extended attributes here"
setfattr -n user.two -v 0x00ff0a22 "$S/dir/large"
setfattr -n user.dir -v yes "$S/dir"
setfattr -n user.odd -v '' "$S/odd
name \\ x"
setfattr -n user.many -v 7 "$S/many/7"
[ "$(id -u)" -ne 0 ] || setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 "$S/f"
attributes() {
	(cd "$1" && getfattr -R -P -h -d -m - -e base64 . | grep -v '^security.selinux=')
}
same_attributes() {
	attributes "$S" >"$T/a"
	attributes "$D/tree" >"$T/b"
	cmp -s "$T/a" "$T/b" || {
		diff "$T/a" "$T/b"
		fail "not the same attributes"
	}
}
cp_ -w $H -r -T "$S" "$D/tree"
want_status 0
want_equal "$(attributes "$D/tree")" '' "attributes without --xattrs"
# On what is there already; on what is new; on what changes.
cp_ -w $H --xattrs -r -T "$S" "$D/tree"
want_status 0
same_attributes
rm -r "$D/tree"
cp_ -w $H --xattrs -r -p -T "$S" "$D/tree"
want_status 0
want_quiet
same_trees "$S" "$D/tree" times
same_attributes
echo changed >"$S/f"
setfattr -n user.one -v other "$S/f"
cp_ -w $H --xattrs -r -T "$S" "$D/tree"
want_status 0
same_attributes
no_left_overs "$D"
# Where setfattr is missing the file is not put there.
mkdir "$T/bin"
for tool in sh bash cat grep mkdir rm mv find xargs sha256sum openssl tee chmod env id printf rmdir tar sync; do
	ln -s "$(command -v $tool)" "$T/bin/" 2>/dev/null
done
bare=$("$LOOPBACK" sshd bare "SetEnv PATH=$T/bin")
cp_ -w "$bare" --xattrs "$S/f" "$D/g"
want_status 1
want_err 'setfattr is not installed there'
[ ! -e "$D/g" ] || fail "it is there"
no_left_overs "$D"
