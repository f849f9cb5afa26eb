#!/bin/sh
# csshsetup where another host, or DNS, knows the keys of hosts: what is right
# needs no question, what is wrong gets no password.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 5 --password --no-pam
ask_nobody() {
	run at_home setsid -w "$CSSHSETUP" --no-passphrase --password-fd 9 "$@" 9<"$T/pw"
}
ssh-keygen -q -t ed25519 -N '' -f "$T/other"
setup node1
want_status 0

# By node1: one hashed, one of another key, one of a port, one not there.
hostkey() {
	von "$1" cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub
}
{
	echo "node2 $(hostkey node2)"
	echo "node3,10.88.0.3 $(cut -d ' ' -f 1,2 "$T/other.pub")"
	echo "node5 $(hostkey node5)"
} | von node1 sh -c 'cat >/root/.ssh/known_hosts; ssh-keygen -q -H -f /root/.ssh/known_hosts 2>/dev/null'
echo "node4 $(hostkey node4)" | von node1 sh -c 'cat >/etc/ssh/ssh_known_hosts'
ask_nobody --known-from node1 'node[2-4]'
want_status 3
want_equal "$(sort "$out" | tr '\n' ';')" 'node2: trusted now;node4: trusted now;'
want_err 'node3: hostkey-changed: its ssh-ed25519 key SHA256:.* is not the one that node1 knows: nothing is sent'
von node3 test ! -e /root/.ssh/authorized_keys || fail "a key was installed"
ask_nobody --known-from node3 node5
want_status 3
want_err 'csshsetup: --known-from node3: '
von node5 test ! -e /root/.ssh/authorized_keys || fail "a key was installed"

# By DNS, if it is validated, and if the system trusts who says so.
print() {
	awk '{ print $2 }' | base64 -d | sha256sum | cut -d ' ' -f 1
}
{
	echo "node5 4 2 $(hostkey node5 | print)"
	echo "node3 4 2 $(print <"$T/other.pub")"
} >"$T/zone"
mkfifo "$T/hold"
# The descriptor keeps it.
"$VHOSTS" control "$B/bed/dnsd" 127.0.0.53 53 "$T/zone" <"$T/hold" >"$T/dnsd" &
background="${background-} $!"
exec 8>"$T/hold"
wait_for 5 test -s "$T/dnsd" || fail "no name server"
by_dns() {
	printf 'nameserver 127.0.0.53\noptions timeout:1 attempts:1 %s\n' "$1" >"$T/resolv"
	shift
	run at_home unshare -m sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$T/resolv" \
	    setsid -w "$CSSHSETUP" --no-passphrase --password-fd 9 --sshfp "$@" 9<"$T/pw"
}
by_dns '' 'node[3,5]'
want_status 3
want_err '2 of 2 failed: hostkey-unknown: node\[3,5\]$'
by_dns trust-ad 'node[3,5]'
want_status 3
want_out 'node5: trusted now'
want_err 'node3: hostkey-changed: .* is not the one that DNS has: nothing is sent'
