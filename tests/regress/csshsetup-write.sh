#!/bin/sh
# csshsetup ended while a host is in the middle of writing: it has the old file,
# whole, and nothing else; or, if only we are gone, perhaps the new one.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 2 --password
disk=$VBED/disk/node1
ak=/root/.ssh/authorized_keys
ssh-keygen -q -t ed25519 -N '' -f "$T/other"
seq -f '# line %g' 3000 >"$T/old"
cat "$T/other.pub" >>"$T/old"
anew() {
	von node1 sh -c "cat >$ak && chmod 600 $ak && rm -f /root/.ssh/known_hosts /tmp/here /tmp/go" <"$T/old"
}
# A tool that waits at the moment when it is run, and is itself then.
von node1 sh -c 'for t in sync mv; do cp /usr/bin/$t /tmp/$t; printf "#!/bin/sh\n: >/tmp/here\nwhile [ ! -e /tmp/go ]; do sleep 0.05; done\nexec /tmp/$t \"\$@\"\n" >/tmp/slow-$t; chmod 755 /tmp/slow-$t; done'
slow() {
	von node1 mount --bind "/tmp/slow-$1" "/usr/bin/$1"
}
fast() {
	von node1 sh -c 'touch /tmp/go; umount /usr/bin/sync 2>/dev/null; umount /usr/bin/mv 2>/dev/null; true'
}
# Nothing but what was there.
clean() {
	want_equal "$(von node1 sh -c 'ls -A /root/.ssh | grep -v -e known_hosts$ -e id_ | tr "\n" " "')" "authorized_keys " "left ($1)"
}
# in_write ARGUMENTS...: ^C, as often as it takes, when the host waits there.
in_write() {
	run at_home "$B/bed/terminal" "$T/tty" IN-THE-WRITE '^C' 'interrupt twice' '^C' -- sh -c '
	    (while [ ! -e "$0/tmp/here" ]; do sleep 0.05; done; echo IN-THE-WRITE >/dev/tty) &
	    exec "$@" 2>/dev/tty' "$disk" "$CSSHSETUP" --accept-new --no-passphrase --password-fd 9 "$@" 9<"$T/pw"
	want_status 130
	grep -q 'ending what runs on' "$T/tty" || fail "not in the middle of it"
}

# The key by password; all keys of a member; a key that goes.
for tool in sync mv; do
	anew
	slow $tool
	in_write node1
	von node1 cat $ak | cmp - "$T/old" || fail "not the old file (install, $tool)"
	clean "install, $tool"
	fast
done
setup 'node[1-2]'
want_status 0
cat "$T/old" "$H/.ssh/id_ed25519.pub" >"$T/new"
von node1 cat $ak | cmp - "$T/new" || fail "not the new file"
cp "$T/new" "$T/old"
for tool in sync mv; do
	anew
	slow $tool
	in_write -r 'node[1-2]'
	von node1 cat $ak | cmp - "$T/old" || fail "not the old file (mesh, $tool)"
	clean "mesh, $tool"
	fast
	anew
	slow $tool
	in_write --revoke "$T/other" node1
	von node1 cat $ak | cmp - "$T/old" || fail "not the old file (revoke, $tool)"
	clean "revoke, $tool"
	fast
done

# We are killed, and the host goes on alone: it comes to its end, or it does not.
anew
slow sync
at_home setsid -w sh -c 'echo $$ >"$0"; exec "$@"' "$T/pid" "$CSSHSETUP" --revoke "$T/other" node1 >/dev/null 2>&1 &
wait_for 10 vctl test -e "$disk/tmp/here" || fail "it does not come to the write"
kill -KILL "$(cat "$T/pid")"
wait
von node1 cat $ak | cmp - "$T/old" || fail "not the old file (killed)"
fast
grep -vxFf "$T/other.pub" "$T/old" >"$T/new"
settled() {
	von node1 sh -c '! pgrep -f "[c]sshsetup: " >/dev/null'
}
wait_for 10 settled || fail "the host does not come to an end"
von node1 cat $ak >"$T/is"
cmp -s "$T/is" "$T/old" || cmp "$T/is" "$T/new" || fail "neither the old nor the new file"
clean killed

# What a host that lost its power left goes with the next run.
von node1 sh -c "echo half >$ak.csshsetup.4711"
run at_home setsid -w "$CSSHSETUP" --revoke "$T/other" node1
want_status 0
von node1 cat $ak | cmp - "$T/new" || fail "not the new file (in the end)"
clean "in the end"
