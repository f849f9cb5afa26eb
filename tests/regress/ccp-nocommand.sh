#!/bin/sh
# Accounts that may do nothing but SFTP: digests by reading back. Hosts that lack
# some of the commands.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/ccp.inc"
bed_up 1
only=$("$LOOPBACK" sshd only 'ForceCommand internal-sftp') || fail "no sshd of our own"
"$LOOPBACK" trust only "$only" || fail "trust"
D=$T/there
mkdir "$D"
odd_tree "$T/tree"
head -c 10000000 /dev/urandom >"$T/tree/large"
cp_ -r -p -w "$only" "$T/tree" "$D/"
want_status 0
want_quiet
same_trees "$T/tree" "$D/tree" times
no_left_overs "$D"
cp_ -v -r -p -w "$only" "$T/tree" "$D/"
want_status 0
want_out "$only: the same"
# By SFTP alone nobody is given a file by name.
for where in tree/zero new; do
	cp_ --owner "$(id -un)" -w "$only" "$T/tree/zero" "$D/$where"
	want_status 1
	want_err 'remote: --owner is set by commands there, and it runs none'
done
[ ! -e "$D/new" ] || fail "it is there"
no_left_overs "$D"
# Same size, other bytes; a large file, too.
printf 'FILE 7\n' >"$D/tree/many/f7"
printf x | dd of="$D/tree/large" bs=1 seek=5000000 conv=notrunc 2>/dev/null
touch -r "$T/tree/many/f7" "$D/tree/many/f7"
cp_ -v -r -p -w "$only" "$T/tree" "$D/"
want_status 0
same_trees "$T/tree" "$D/tree" times
no_left_overs "$D"

# Without tar files go one by one; with no command for digests by SFTP alone.
lacking() {
	mkdir -p "$T/bin.$1"
	for tool in sh find xargs mv rm rmdir cat chmod tee sync sha256sum openssl tar touch chown cp ln; do
		case " $2 " in
		*" $tool "*) ;;
		*) ln -s "$(command -v $tool)" "$T/bin.$1/$tool" ;;
		esac
	done
	host=$("$LOOPBACK" sshd "lack$1" "SetEnv PATH=$T/bin.$1") || fail "no sshd of our own"
	"$LOOPBACK" trust "lack$1" "$host" || fail "trust"
	rm -rf "$D"
	mkdir "$D"
	cp_ -r -p -w "$host" "$T/tree" "$D/"
	want_status 0
	want_quiet
	same_trees "$T/tree" "$D/tree" times
	no_left_overs "$D"
	cp_ -v -r -p -w "$host" "$T/tree" "$D/"
	want_out "$host: the same"
}
lacking tar "tar"
lacking openssl "openssl"
lacking sums "openssl sha256sum"
lacking xargs "xargs"
lacking tee "tee"
