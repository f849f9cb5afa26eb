#!/bin/sh
# csshsetup --fingerprints: a host that shows another key gets no password, nor
# does one that was trusted before.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 6 --password
right() {
	von "$1" ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 2
}
ssh-keygen -q -t ed25519 -N '' -f "$T/other"
other=$(ssh-keygen -lf "$T/other.pub" | cut -d ' ' -f 2)
{
	echo "# host key"
	echo
	echo "node1 $(right node1)"
	echo "256 $(right node2) node2 (ED25519)"
	echo "node[3,5] $other"
	echo "node3	$other"
	echo "node5 $(right node5)"
} >"$T/prints"

# In the file and right: no question. Not in the file: as ever.
run at_home setsid -w "$CSSHSETUP" --no-passphrase --password-fd 9 --fingerprints "$T/prints" 'root@node[1-5]' 9<"$T/pw"
want_status 3
want_equal "$(sort "$out" | tr '\n' ';')" \
    'root@node1: trusted now;root@node2: trusted now;root@node5: trusted now;'
want_err "node3: hostkey-changed: its ssh-ed25519 key SHA256:.* is not the one in .*: nothing is sent"
want_err 'root@node4: hostkey-unknown'
for i in 1 2 3 4 5; do
	ssh-keygen -F node$i -f "$H/.ssh/known_hosts" >/dev/null && echo node$i
done >"$T/recorded"
want_equal "$(tr '\n' ' ' <"$T/recorded")" "node1 node2 node5 " "recorded"
von node3 test ! -e /root/.ssh/authorized_keys || fail "a key was installed"

# Where the key is known, too; with --accept-new what is not in the file.
setup 'node3'
want_status 0
setup --fingerprints "$T/prints" 'node[1-4,6]'
want_status 3
want_equal "$(sort "$out" | tr '\n' ';')" \
    'node1: already trusted;node2: already trusted;node4: trusted now;node6: trusted now;'
want_err '1 of 5 failed: hostkey-changed: node3$'

# The table is for those that are not in the file.
admin_anew
run at_home "$B/bed/terminal" "$T/tty" 'Is it right' yes 'Password (for all' "$VBED_PASSWORD" -- \
    "$CSSHSETUP" --no-passphrase --fingerprints "$T/prints" 'node[1-4]'
want_status 3
want_lines 3
! grep -q 'SHA256.*node[1-3]' "$T/tty" || fail "asked about what is in the file"

# What cannot be read.
for bad in 'node1 MD5:aa' 'node1' "node[1 $other" "node1 SHA256:short"; do
	{ echo; echo "$bad"; } >"$T/bad"
	setup --fingerprints "$T/bad" node1
	want_status 2
	want_err "csshsetup: --fingerprints: $T/bad:2: "
done
: >"$T/bad"
setup --fingerprints "$T/bad" node1
want_status 2
want_err 'there is none in it'
setup --fingerprints "$T/none" node1
want_status 2
want_err 'No such file'
