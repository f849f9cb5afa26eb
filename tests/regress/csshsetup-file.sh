#!/bin/sh
# csshsetup on the host: what stood in authorized_keys stays byte for byte,
# nothing is written through links or for others, nothing is half done.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 9 --password
setup node9
want_status 0
key=$(cat "$H/.ssh/id_ed25519.pub")
blob=$(echo "$key" | cut -d ' ' -f 2)
ak=/root/.ssh/authorized_keys
ready() {
	von "$1" sh -c 'rm -rf /root/.ssh && mkdir -m 755 /root/.ssh'
}

# 2,000 odd lines, the last without its newline, and a mode that is too wide.
ready node1
awk -v blob="${blob%????}" 'BEGIN {
	for (i = 0; i < 2000; i += 5) {
		printf "# ssh-ed25519 %sAAAA not this one\n", blob
		printf "from=\"10.0.0.%d\",command=\"echo \\\"a  b\\\"\\\\n $HOME `x` \047y\047\" ssh-rsa AAAAB3Nza%d a*b?c\n", i % 250, i
		printf "\t  ssh-dss AAAA%dZ  two  blanks \r\n\n", i
		printf "\\n \\t ! %%s -n \303\251\377 ~root $(id) ; # %d\n", i
	}
	printf "no newline here"
}' >"$T/odd"
{ cat "$T/odd"; echo; echo "$key"; } >"$T/want"
von node1 sh -c "cat >$ak; chmod 644 $ak" <"$T/odd"

# It is there, behind options; and only as a comment.
ready node2
echo "from=\"10.88.0.0/16\",no-pty  $key" >"$T/there"
von node2 sh -c "cat >$ak; chmod 666 $ak" <"$T/there"
ready node3
echo "#$key" | von node3 sh -c "cat >$ak"

# Not ours, not what it seems.
ready node4
von node4 sh -c "echo precious >/root/other; ln -s ../other $ak"
von node5 sh -c 'mkdir /root/elsewhere; rm -rf /root/.ssh; ln -s elsewhere /root/.ssh'
ready node6
von node6 sh -c "mkdir $ak"
ready node7
von node7 sh -c "echo '# mine' >$ak; chown 12345 $ak"
von node8 sh -c 'mkdir -p /root/.ssh && mount -t tmpfs -o ro none /root/.ssh'

setup 'node[1-8]'
want_status 1
want_equal "$(sort "$out")" "node1: trusted now
node2: trusted now
node3: trusted now"
want_err "node4: remote: /root/.ssh/authorized_keys is a symbolic link"
want_err "node5: remote: /root/.ssh is a symbolic link"
want_err "node6: remote: /root/.ssh/authorized_keys is no file"
want_err "node7: remote: /root/.ssh/authorized_keys belongs to somebody else"
want_err "node8: remote: .*Read-only file system"
want_err '5 of 8 failed: remote: node\[4-8\]$'
von node1 cat $ak | cmp - "$T/want" || fail "authorized_keys is not what it was and the key"
von node2 cat $ak | cmp - "$T/there" || fail "a key that was there was added"
for i in 1 2 3; do
	want_equal "$(von node$i stat -c '%a %u' /root/.ssh $ak | tr '\n' ' ')" "700 0 600 0 " "modes"
done
want_equal "$(von node4 cat /root/other)" precious
want_equal "$(von node5 ls /root/elsewhere)" ""
want_equal "$(von node7 cat $ak)" '# mine'

# A disk that is full, and one that nearly is.
von node8 sh -c "umount /root/.ssh; mount -t tmpfs -o size=160k,mode=700 none /root/.ssh && cat >$ak;
    chmod 600 $ak; cat /dev/zero >/root/.ssh/fill 2>/dev/null; rm -f /root/.ssh/none" <"$T/odd"
kept=$(von node8 sha256sum $ak)
setup node8
want_status 1
want_err 'node8: remote: .*No space left on device'
want_equal "$(von node8 sha256sum $ak)" "$kept" "authorized_keys on a full disk"
want_equal "$(von node8 ls -A /root/.ssh | tr '\n' ' ')" "authorized_keys fill " "what is left behind"

# Where flock(1) is not to be had.
von node6 sh -c "rmdir $ak; mkdir -p /root/bin; mount --bind /dev/null /usr/bin/flock"
setup node6
want_status 0
want_equal "$(von node6 ls -A /root/.ssh)" authorized_keys "what is left behind"

# Where the server says that keys are, and what they may do.
von node5 sh -c 'rm /root/.ssh; mkdir -p /etc/ssh/keys
    sed -i "1i AuthorizedKeysFile /etc/ssh/keys/%u" /etc/ssh/sshd_config; kill -HUP $(cat /run/sshd.pid)'
wait_for 5 sh -c "'$VHOSTS' enter node5 nc -zw1 127.0.0.1 22" || fail "sshd does not come back"
setup --options 'no-pty,command="echo  only this"' --expiry 20991231 node5
want_status 0
want_equal "$(von node5 cat /etc/ssh/keys/root)" \
    "no-pty,command=\"echo  only this\",expiry-time=\"20991231\" $key" "the line"

# Two at once, and two keys: nothing is lost.
ready node4
von node4 sh -c "echo '# first' >$ak"
ssh-keygen -q -t ed25519 -N '' -f "$T/other"
for i in 1 2 3 4 5 6; do
	cp "$H/.ssh/id_ed25519" "$T/k$i"
	echo "ssh-ed25519 $(printf 'AAAAC3NzaC1lZDI1NTE5AAAAIA%042d' $i) key$i" >"$T/k$i.pub"
	at_home setsid -w "$CSSHSETUP" --accept-new --password-fd 9 \
	    -o PubkeyAuthentication=no --key "$T/k$i" node4 9<"$T/pw" >/dev/null 2>&1 &
	jobs="${jobs-} $!"
done
for job in $jobs; do
	wait "$job"
done
want_equal "$(von node4 sort $ak | cut -d ' ' -f 2- | sed 's/.* //' | tr '\n' ' ')" \
    "first key1 key2 key3 key4 key5 key6 " "keys of six runs at once"
