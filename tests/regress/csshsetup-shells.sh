#!/bin/sh
# csshsetup where accounts have other shells, hosts other tools, and the server
# is dropbear.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 6 --password

# The script goes through whatever shell the account has.
n=0
for shell in /bin/csh /usr/bin/tcsh /usr/bin/fish /usr/bin/zsh /usr/bin/ksh /bin/bash; do
	[ -x $shell ] || continue
	n=$((n + 1))
	von node$n sed -i "s|^\(admin:.*:\)[^:]*$|\1$shell|" /etc/passwd
done
if [ $n -gt 0 ]; then
	setup -l admin "node[1-$n]"
	want_status 0
	want_lines $n
	key=$(cat "$H/.ssh/id_ed25519.pub")
	for i in $(seq $n); do
		want_equal "$(von node$i cat /home/admin/.ssh/authorized_keys)" "$key" "authorized_keys"
	done
fi

# An account that runs no commands, one without a home, one with a file for it.
von node1 sed -i 's|^\(plain:.*:\)[^:]*$|\1/usr/sbin/nologin|' /etc/passwd
von node2 sed -i 's|^\(plain:.*\):[^:]*:\([^:]*\)$|\1:/home/nowhere:\2|' /etc/passwd
von node3 sh -c 'rm -rf /home/plain; echo x >/home/plain'
setup -l plain 'node[1-3]'
want_status 1
want_err 'node1: remote: the login runs no commands of /bin/sh'
want_err 'node2: remote: the home directory /home/nowhere is not there'
want_err 'node3: remote: the home directory /home/plain is not there'
want_err '3 of 3 failed: remote: node\[1-3\]$'

# What it finds busy is waited for; what a crash left is not.
von node4 sh -c 'mkdir -p -m 700 /root/.ssh; exec flock /root/.ssh sh -c "echo x >/tmp/held; while [ ! -e /tmp/go ]; do sleep 0.1; done"' &
background="${background-} $!"
wait_for 5 "$VHOSTS" enter node4 test -e /tmp/held || fail "no lock"
run at_home setsid -w timeout --preserve-status 2 "$CSSHSETUP" --accept-new --no-passphrase --password-fd 9 node4 9<"$T/pw"
want_status 130
von node4 test ! -e /root/.ssh/authorized_keys || fail "written in spite of the lock"
von node4 touch /tmp/go
setup node4
want_status 0

# Nothing but busybox.
if command -v busybox >/dev/null; then
	von node5 sh -c 'for t in "$(readlink -f /bin/sh)" /usr/bin/ls /usr/bin/sed /usr/bin/mkdir /usr/bin/mv /usr/bin/rm \
	    /usr/bin/tail /usr/bin/id /usr/bin/cat /usr/bin/chmod /usr/bin/sleep /usr/bin/sync /usr/bin/flock; do
		busybox mount -o bind "$(command -v busybox)" "$t" || exit 1; done' || fail "no busybox there"
	setup node5
	want_status 0
	want_out 'node5: trusted now'
	want_equal "$(von node5 sh -c 'cat /root/.ssh/authorized_keys')" "$(cat "$H/.ssh/id_ed25519.pub")" "authorized_keys"
fi

# OpenWrt: dropbear, which has a place of its own for root's keys.
dropbear=$(PATH=$PATH:/usr/sbin command -v dropbear) || dropbear=
if [ -n "$dropbear" ]; then
	von node6 sh -c 'echo "DISTRIB_ID=OpenWrt" >/etc/openwrt_release; mkdir -p /etc/dropbear
	    chmod 700 /etc/dropbear
	    sed -i "1i AuthorizedKeysFile /etc/dropbear/authorized_keys" /etc/ssh/sshd_config
	    kill -HUP $(cat /run/sshd.pid)'
	wait_for 5 "$VHOSTS" enter node6 nc -zw1 127.0.0.1 22 || fail "sshd does not come back"
	setup node6
	want_status 0
	want_equal "$(von node6 cat /etc/dropbear/authorized_keys)" "$(cat "$H/.ssh/id_ed25519.pub")" "dropbear's keys"
	want_equal "$(von node6 stat -c %a /etc/dropbear/authorized_keys)" 600 "its mode"
fi
