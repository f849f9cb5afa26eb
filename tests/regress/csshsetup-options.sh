#!/bin/sh
# csshsetup --options and --expiry where the key is there already: they are put in
# force, on one host first, and what else stands in the file stays.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 5 --password
by_key() {
	run at_home setsid -w "$CSSHSETUP" "$@"
}
ak=/root/.ssh/authorized_keys
all='node1 node2 node3 node4 node5'
setup 'node[1-5]'
want_status 0
key=$(cat "$H/.ssh/id_ed25519.pub")
blob=${key% *}
from='from="10.0.0.0/8",no-pty'
von node2 sh -c "printf '# odd\\n\\nno-pty %s mine\\nlast' '$blob' >$ak"
von node3 sh -c "{ echo 'expiry-time=\"20991231\",no-x11-forwarding $key'; echo '$key'; } >$ak; cp $ak ${ak}2"

# Tried out: each change, and nothing done.
before=$(digests $all)
by_key --options "$from" --dry-run 'node[1-5]'
want_status 0
want_equal "$(digests $all)" "$before" "files after a dry run"
want_equal "$(grep -c "^node[0-9]: the key's options would be changed, it had none\$" "$out")" 3 "hosts"
grep -qx "node2: the key's options would be changed, it had no-pty" "$out" || fail "not what it had"
grep -qx -- '-no-pty .* mine' "$out" || fail "not what would go"
grep -qx -- "+$from .* mine" "$out" || fail "not what would come"

# What locks us out does so on one host only, where it is taken back; that is told.
locked_out() {
	want_status 4
	want_err 'node2: remote: the key is there with other options, and keeps them \(no-pty\): with the new ones node1 does not let it in$'
	want_equal "$(digests node2 node3 node4 node5)" "$(echo "$before" | grep -v '^node1 ')" "files of the others"
	want_equal "$(von node1 cat $ak)" "$1" "of the first"
}
by_key --options 'from="192.0.2.1"' 'node[1-4]'
locked_out "$key"
want_err 'node1: auth: it has its old options again, as with the new ones: the key is there with its new options, but is refused'
setup --options 'from="192.0.2.1"' 'node[1-4]'
locked_out "$key"
want_err 'node1: auth: it has its old options again, as with the new ones: the key is there, and refused: .*its options from="192.0.2.1"$'
# Whatever lines there were.
von node1 sh -c "printf 'no-pty %s one\n# between\n%s two\nlast' '$blob' '$blob' >$ak"
by_key --options 'from="192.0.2.1"' 'node[1-4]'
locked_out "# between
last
no-pty $blob one
$blob two"
# By a session that a password opened.
von node1 sh -c "echo 'from=\"192.0.2.9\" $key' >$ak"
setup --options 'from="192.0.2.1"' 'node[1-4]'
locked_out "from=\"192.0.2.9\" $key"
# Where the session runs no second command it is told, and has to be mended.
von node1 sh -c "echo '$key' >$ak"
# shellcheck disable=SC2016
von node1 sh -c 'cp -p /etc/ssh/sshd_config /root/sshd_config
    echo "Match all
    ForceCommand mkdir /root/by.\$PPID && exec sh -c \"\$SSH_ORIGINAL_COMMAND\"" >>/etc/ssh/sshd_config
    kill -HUP $(cat /run/sshd.pid)'
wait_for 5 "$VHOSTS" enter node1 nc -zw1 127.0.0.1 22 || fail "sshd does not come back"
by_key --options 'from="192.0.2.1"' 'node[1-4]'
locked_out "from=\"192.0.2.1\" $key"
want_err 'node1: auth: with its new options, which could not be taken back: the key is there'
# shellcheck disable=SC2016
von node1 sh -c 'cp -p /root/sshd_config /etc/ssh/; rm -r /root/by.* /root/sshd_config; kill -HUP $(cat /run/sshd.pid)'
wait_for 5 "$VHOSTS" enter node1 nc -zw1 127.0.0.1 22 || fail "sshd does not come back"

# A password mends that, too.
setup --options "$from" 'node[1-5]'
want_status 0
want_equal "$(grep -c ': trusted now$' "$out")" 5 "hosts"
want_equal "$(von node1 cat $ak)" "$from $key" "of node1"
want_equal "$(von node2 cat $ak | tr '\n' '|')" "# odd||last|$from $blob mine|" "of node2"
want_equal "$(von node3 cat $ak)" "$from,expiry-time=\"20991231\" $key" "of node3"
want_equal "$(von node3 cat ${ak}2)" '' "of its second file"

# Again: not a byte, not a time.
before=$(digests $all)
by_key --options "$from" 'node[1-2,4-5]'
want_status 0
want_equal "$(sort "$out" | tr '\n' ';')" 'node1: already trusted;node2: already trusted;node4: already trusted;node5: already trusted;'
by_key --expiry 20991231 node3
want_out 'node3: already trusted'
want_equal "$(digests $all)" "$before" "files after a second run"

# Each of the two leaves the other alone; both can be taken away.
by_key --expiry 20980101 node1
want_status 0
want_equal "$(von node1 cat $ak)" "$from,expiry-time=\"20980101\" $key" "with another end"
by_key --options none node1
want_equal "$(von node1 cat $ak)" "expiry-time=\"20980101\" $key" "without options"
by_key --options no-pty --expiry never node1
want_equal "$(von node1 cat $ak)" "no-pty $key" "without an end"

# One that has expired.
von node4 sh -c "echo 'expiry-time=\"20200101\" $key' >$ak"
by_key --expiry 20991231 node4
want_status 3
setup --expiry 20991231 node4
want_status 0
want_equal "$(von node4 cat $ak)" "expiry-time=\"20991231\" $key" "with another end"

# Where a login runs one command only it cannot be seen.
setup --options 'command="echo only"' node5
want_status 0
by_key --options no-pty node5
want_status 0
want_out 'node5: already trusted; what the key may do cannot be seen: the login runs no commands of /bin/sh'

# With -r it is about the keys of the members.
setup -r 'node[1-3]'
want_status 0
von node3 sh -c "sed -n /root@node2/p $ak >${ak}2; sed -i /root@node2/d $ak"
before=$(digests node1 node2 node3)
by_key -r --options 'from="10.88.0.0/16"' --dry-run 'node[1-3]'
want_status 0
want_equal "$(grep -c ': 0 keys and 0 lines of known hosts would be added, the options of 2 keys changed$' "$out")" 3 hosts
want_equal "$(grep -c '^+from="10.88.0.0/16" .* root@node' "$out")" 6 keys
want_equal "$(digests node1 node2 node3)" "$before" "files after a dry run"
by_key -r --options 'from="10.88.0.0/16"' 'node[1-3]'
want_status 0
want_err 'our own key keeps the options that it has on node\[1-3\]: .* with -r$'
grep -qx '6 of 6 ways without a password' "$out" || fail "not all of them"
want_equal "$(von node1 grep -v root@node $ak)" "no-pty $key" "our own"
want_equal "$(von node1 grep -c '^from="10.88.0.0/16" .* root@node[23]$' $ak)" 2 "keys of others"
want_equal "$(von node3 sed 's/ ssh.* / /' ${ak}2)" 'from="10.88.0.0/16" root@node2' "in a second file"
by_key -r --options 'from="10.88.0.0/16"' 'node[1-3]'
want_equal "$(grep -c ': knows and trusts all members$' "$out")" 3 members
