#!/bin/sh
# csshsetup with hosts that lie, talk without end, hang, and are full: each harms
# itself alone.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 7 --password
ak=/root/.ssh/authorized_keys
shell_is() {
	von "$1" sh -c 'cat >/root/shell; chmod 755 /root/shell; sed -i "s|^root:\(.*\):[^:]*$|root:\1:/root/shell|" /etc/passwd'
}

# Noise at login, without a newline, is none.
shell_is node1 <<'SHELL'
#!/bin/sh
printf 'Welcome!\ncsshsetup: \nno newline'
exec /bin/sh "$@"
SHELL
setup 'node[1-7]'
want_status 0
want_lines 7

shell_is node2 <<'SHELL'
#!/bin/sh
exec yes 'csshsetup: file 0 999999999 /x'
SHELL
ssh-keygen -q -t ed25519 -N '' -f "$T/other"
other=$(cut -d ' ' -f 1,2 "$T/other.pub")
# The host key of another, a user that is an option, files that are not there.
shell_is node3 <<SHELL
#!/bin/sh
echo 'csshsetup: user -oProxyCommand=false'
echo 'csshsetup: user root'
printf 'csshsetup: mine $other \033]0;x\007 evil\n'
echo 'csshsetup: host $other'
printf 'csshsetup: file 0 - /x\n\ncsshsetup: file 9 - /y\n\ncsshsetup: cell 4711 0 x\n'
echo 'csshsetup: ready'
cat >/dev/null
echo 'csshsetup: done'
SHELL
shell_is node4 <<SHELL
#!/bin/sh
echo 'csshsetup: user root'
echo 'csshsetup: mine $other'
echo "csshsetup: host \$(cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub)"
echo 'csshsetup: ready'
exec sleep 1000
SHELL
# Nothing more fits there, and nothing can be written there.
von node5 sh -c "cp -p $ak /tmp/ak; mount -t tmpfs -o size=32k,mode=700 none /root/.ssh; cp -p /tmp/ak $ak
    ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519; cat /dev/zero >/root/.ssh/fill 2>/dev/null; true"
full=$(von node5 sha256sum $ak)
von node6 mount --bind /root/.ssh /root/.ssh
von node6 mount -o remount,ro,bind /root/.ssh

setup -u 8 --grace 0.2 -r 'node[1-7]'
want_status 1
want_err 'node2: command-timeout: '
want_err 'node3: remote: (none of the host keys that it tells of|the name of its user)'
want_err '7 of 7 failed: command-timeout: node\[2,4\]; remote: node\[1,3,5-7\]$'
grep -q '^node\[1,7\] -> node5: the key is refused: its AuthorizedKeysFile does not have it$' "$out" || fail "the full one is not told"
want_err 'node5: remote: .*No space left on device'
want_err 'node6: remote: .*Read-only file system'
want_equal "$(von node5 sha256sum $ak)" "$full" "a file on a full disk"
want_equal "$(von node5 ls /root/.ssh | tr '\n' ' ')" "authorized_keys fill id_ed25519 id_ed25519.pub " "left on a full disk"
for host in node1 node7; do
	! von $host grep -q -e node3 -e evil $ak /root/.ssh/known_hosts || fail "$host believes node3"
	von $host grep -q 'root@node' $ak || fail "$host has no key of the other"
done
grep -q '^node1: reaches 1 of 6$' "$out" || fail "node1 does not reach node7"
setup -u 6 --grace 0.2 --rotate 'node[1,4]'
want_status 1
want_err 'the old key stays everywhere'
