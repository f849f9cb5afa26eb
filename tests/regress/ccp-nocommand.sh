#!/bin/sh
# Accounts that may do nothing but SFTP: digests by reading back.
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
# Same size, other bytes; a large file, too.
printf 'FILE 7\n' >"$D/tree/many/f7"
printf x | dd of="$D/tree/large" bs=1 seek=5000000 conv=notrunc 2>/dev/null
touch -r "$T/tree/many/f7" "$D/tree/many/f7"
cp_ -v -r -p -w "$only" "$T/tree" "$D/"
want_status 0
same_trees "$T/tree" "$D/tree" times
no_left_overs "$D"
