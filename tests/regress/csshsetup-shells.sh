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
run at_home setsid -w timeout --foreground --preserve-status 2 "$CSSHSETUP" --accept-new --no-passphrase --password-fd 9 node4 9<"$T/pw"
want_status 130
von node4 test ! -e /root/.ssh/authorized_keys || fail "written in spite of the lock"
von node4 touch /tmp/go
setup node4
want_status 0

# Nothing but busybox.
if command -v busybox >/dev/null; then
	von node5 sh -c 'for t in "$(readlink -f /bin/sh)" /usr/bin/ls /usr/bin/sed /usr/bin/mkdir /usr/bin/mv /usr/bin/rm \
	    /usr/bin/tail /usr/bin/id /usr/bin/cat /usr/bin/chmod /usr/bin/sleep /usr/bin/sync /usr/bin/flock \
	    /usr/bin/wc /usr/bin/cp /usr/bin/tr /usr/bin/cut /usr/bin/stat /usr/bin/df; do
		busybox mount -o bind "$(command -v busybox)" "$t" || exit 1; done' || fail "no busybox there"
	setup node5
	want_status 0
	want_out 'node5: trusted now'
	want_equal "$(von node5 sh -c 'cat /root/.ssh/authorized_keys')" "$(cat "$H/.ssh/id_ed25519.pub")" "authorized_keys"
	setup -r 'node[4-5]'
	want_status 0
	want_equal "$(tail -n 1 "$out")" '2 of 2 ways without a password'
	setup --revoke node4 node5
	want_status 0
	want_equal "$(tail -n 1 "$out")" 'node5: gone'
	setup --audit 'node[4-5]'
	want_status 0
fi

# A real dropbear, whatever sshd's settings say.
dropbear=$(PATH=$PATH:/usr/sbin command -v dropbear) || dropbear=
if [ -n "$dropbear" ]; then
	von node6 sh -c 'mkdir -p /etc/ssh/keys; sed -i "1i AuthorizedKeysFile /etc/ssh/keys/%u" /etc/ssh/sshd_config
	    dropbearkey -t ed25519 -f /root/hostkey >/dev/null 2>&1 || dropbearkey -t ecdsa -f /root/hostkey >/dev/null 2>&1
	    PATH=$PATH:/usr/sbin; dropbear -r /root/hostkey -p 2222 -E 2>/dev/null'
	wait_for 5 vctl nc -zw1 node6 2222 || fail "dropbear does not come up"
	setup root@node6:2222
	want_status 0
	want_out 'root@node6:2222: trusted now'
	want_equal "$(von node6 cat /root/.ssh/authorized_keys)" "$(cat "$H/.ssh/id_ed25519.pub")" "authorized_keys"
	setup -r root@node6:2222 node3
	want_status 0
	want_equal "$(tail -n 1 "$out")" '2 of 2 ways without a password'
	von node3 grep -q '^\[node6\]:2222,' /root/.ssh/known_hosts || fail "no port in known_hosts"
	# Asked for the next channel at the end of a command only.
	# shellcheck disable=SC2016
	run at_home env TERM=dumb "$B/bed/terminal" "$T/raw" '1> ' 'echo o"ne"' ': one' 'echo t"wo"' ': two' quit -- sh -c \
	    'exec "$1" --no-report -v -v -w root@node6:2222 </dev/tty >/dev/tty 2>&1' sh "$CEXEC"
	want_status 0
	want_equal "$(grep -c 'asked for before' "$T/raw")" 1 "channels asked for before"
	von node6 rm -r /root/.ssh
	von node6 sed -i 1d /etc/ssh/sshd_config
fi

# OpenWrt: dropbear, which has a place of its own for root's keys.
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

# No keys from files; SELinux, as far as it shows: both files get their context.
von node2 sh -c 'sed -i "1i AuthorizedKeysFile none" /etc/ssh/sshd_config; kill -HUP $(cat /run/sshd.pid)'
wait_for 5 "$VHOSTS" enter node2 nc -zw1 127.0.0.1 22 || fail "sshd does not come back"
setup node2
want_status 1
want_err 'node2: remote: its sshd takes no keys from files: AuthorizedKeysFile none'
von node1 sh -c 'mkdir -p /root/bin; printf "#!/bin/sh\necho \"\$@\" >>/root/context\n" >/root/bin/restorecon; chmod 755 /root/bin/restorecon
    sed -i "1i SetEnv PATH=/root/bin:/usr/bin:/bin" /etc/ssh/sshd_config; kill -HUP $(cat /run/sshd.pid)'
wait_for 5 "$VHOSTS" enter node1 nc -zw1 127.0.0.1 22 || fail "sshd does not come back"
setup -r 'node[1,3]'
want_status 0
for file in authorized_keys known_hosts; do
	von node1 grep -qx "/root/.ssh /root/.ssh/$file" /root/context || fail "no context for $file"
done
