#!/bin/sh
# The package csync on three real nodes: it comes up, clients fetch policy through
# its address; cf-serverd is killed, the node that it runs on is killed, it is
# stopped; each time what the guide promises still works.
# limit: 360
. "$(dirname "$0")/csync-ha.inc"
ha_up 3 1

# From the wizard's questions to the package, with a client that is no member.
begin=$(now)
run von node1 "$B/bed/terminal" "$VBED/share/seen" 'to continue' '' 'Enter choice: ' 1 '(HA) [Y]: ' '' \
    'manage clients? [N]: ' y 'name of a client' node4 'name of a client' '' 'is missing? [Y]: ' n \
    'Enter the Volume group [' none 'Logical Volume []: ' nothing 'full path' /dev/shared \
    'Mount Point) [/csync]: ' '' 'Options [-o rw]: ' '-o rw,noatime' 'Type [ext4]: ' '' \
    'IP address []: ' 10.88.0.100 'Subnet [10.88.0.0/16]: ' '' 'that address [csync.bed.example]: ' '' \
    'fingerprint): ' yes 'assword' "$VBED_PASSWORD" 'fingerprint): ' yes 'assword' "$VBED_PASSWORD" \
    'to continue' '' 'to continue' '' 'choice: ' 9 -- sh -c 'exec csync_wizard </dev/tty >/dev/tty 2>&1'
tr -d '\r' <"$VBED/share/seen" >"$out"
want_status 0
echo "the package is up, and has a client, after $(took "$begin")"
is_active node1 || fail "it runs on $(active)"
on 1 csync-ha
want_same csync-ha
# The same by the wizard, with these answers.
{
	printf 'choice=1\nha=y\nclients=n\n'
	sed 's/^/ha_answer=/' "$VBED/share/answers"
} >"$VBED/share/wizard"
on 1 csync_wizard --accept-new -f "$VBED/share/wizard"
want_status 0
grep -q '^csync-ha: all is as it should be, nothing was changed$' "$out" || fail "the wizard changed the package"
von node1 grep -qx ha_answer=address=10.88.0.100 $W/csync_wizard_input.txt || fail "the answers were not recorded"
for i in 1 2 3; do
	want_equal "$(von node$i cf-key -p $W/ppkeys/localhost.pub)" "$(von node1 cf-key -p $W/ppkeys/localhost.pub)" "key"
	von node$i grep -q "^node$i.bed.example " $W/cfrun.keys || fail "node$i is not registered"
	# The cluster is meant without options, and every member lets every other in.
	run von node$i cexec hostname
	want_status 0
	want_lines 3
	von node$i sh -c "echo $i >/tmp/from$i"
	run von node$i ccp /tmp/from$i /tmp/
	want_status 0
done
want_equal "$(von node2 cat /tmp/from3)$(von node1 cat /tmp/from2)" 32

# The client gets its policy through the address.
want_equal "$(von node4 cat $W/policy_server.dat)" 10.88.0.100 "the client's master"
# Where the package is not nothing can be changed.
for recipe in csync-master 'csync-client-add node4' 'csync-keys --all'; do
	on 2 $recipe
	want_status 1
	want_err 'does not run on this member'
done
promise='    any:: "/etc/motd" copy_from => site_from_master("motd"), perms => site_mode("644");'
von node1 sed -i "s|^  files:.*|&\\n$promise|" $W/masterfiles/site.cf
motd first
run von node1 cfrun -- --inform
want_status 0
for i in 1 2 3 4; do
	want_equal "$(von node$i cat /etc/motd)" first "motd of node$i"
done

# cf-serverd is killed: back within the interval of its monitor.
von node1 sh -c 'kill -9 $(pidof cf-serverd)'
begin=$(now)
wait_for 20 von node1 cfrun --ping -w node1.bed.example || fail "cf-serverd is not started again"
echo "cf-serverd, killed, answers after $(took "$begin")"
[ $((($(now) - begin) / 1000000000)) -le 15 ] || fail "that is more than the interval of 10 s, and a start"
is_active node1 || fail "the package moved to $(active)"

# The node is killed: address and file system on a peer, fenced meanwhile.
motd second
"$CLUSTER" crash node1
begin=$(now)
agent_after() {
	fetches node4 && von node4 cf-agent --no-lock >/dev/null 2>&1 && [ "$(von node4 cat /etc/motd)" = second ]
}
wait_for 60 agent_after || fail "the client's agent does not get its policy: $(cat "$T/agent")"
echo "node killed: a client's agent works after $(took "$begin")"
new=$(active)
[ "$new" != node1 ] || fail "still on node1"
von "$new" sh -c 'mountpoint -q /csync && ip addr show | grep -q "inet 10.88.0.100/"' || fail "$new has not all of it"
"$CLUSTER" wait 3 || fail "node1 does not come back"
settled() {
	"$CLUSTER" on csync-ha show >"$out" 2>&1 && [ "$(grep -c 'online, has the key, cf-serverd runs' "$out")" -eq 3 ]
}
wait_for 30 settled || fail "not all is well again"
is_active "$new" || fail "it moved back"

# Stopped: clients keep what they have, and members answer to cfrun.
run von "$new" csync-ha stop
want_status 0
von "$new" sh -c '! mountpoint -q /csync' || fail "still mounted"
# It takes its 30 seconds to find that out.
von node4 cf-agent --no-lock -f $W/inputs/update.cf >"$T/agent" 2>&1 &
agent=$!
for i in 1 2 3; do
	run von node$i cfrun --ping
	want_status 0
	want_lines 4
done
run von node2 csync_dispatcher MEMBER_ADDED: node3
want_status 3
wait $agent
grep -q 'error: csync: no policy' "$T/agent" || fail "the client found a master: $(cat "$T/agent")"
von node4 sh -c "test -s $W/inputs/site.cf && cf-promises" || fail "the client lost its policy"
run von node3 csync-ha start
want_status 0
wait_for 20 fetches node4 || fail "no policy after the start"
