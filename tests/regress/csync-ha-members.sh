#!/bin/sh
# Members that come and go: a fourth node joins and is configured with no hand on
# it, takes over, is removed, and its key is gone everywhere; storms of alerts
# leave one right result; a member that was down learns what it missed.
# limit: 360
. "$(dirname "$0")/csync-ha.inc"
ha_up 3 2

on 1 csync-ha --with crm --answers "$VBED/share/answers" --password-fd 3 --accept-new
want_status 0
is_active node1 || fail "it runs on $(active)"
# Joining takes the cluster's key; root of the new node lets in the others, as
# "crm cluster join" sees to, too.
on 1 csshsetup --no-passphrase --accept-new --password-fd 3 -w node4 -w node4.bed.example
want_status 0
# A key of its own, as Debian's package makes one.
von node4 cf-key
own=$(von node4 cf-key -p $W/ppkeys/localhost.pub)
shared=$(von node1 cf-key -p $W/ppkeys/localhost.pub)

"$CLUSTER" join node4
begin=$(now)
configured() {
	"$CLUSTER" on csync-ha show >"$out" 2>&1 &&
	    [ "$(grep -c 'online, has the key, cf-serverd runs' "$out")" -eq "$1" ]
}
wait_for 60 configured 4 || fail "node4 is not configured: $(von node1 tail -n 30 /var/log/csync.log)"
echo "node4 joined and is configured after $(took "$begin")"
want_equal "$(von node4 cf-key -p $W/ppkeys/localhost.pub)" "$shared" "key of node4"
von node1 grep -q 'csync_dispatcher.*MEMBER_ADDED: node4: done' /var/log/syslog || fail "syslog does not tell"
for i in 1 2 3 4; do
	run von node$i cfrun --ping
	want_status 0
	want_lines 4
	run von node$i cexec hostname
	want_status 0
	want_lines 4
done

# All of them say it all at once, twice: nothing becomes wrong, nothing twice.
storm() {
	for i in 1 2 3 4; do
		for node in node1 node2 node3 node4; do
			von node$i env CRM_alert_kind=node CRM_alert_node=$node CRM_alert_desc="$1" \
			    setpriv --reuid hacluster --regid haclient --clear-groups /usr/local/libexec/fanout/csync-alert &
			storms="${storms-} $!"
		done
	done
}
right() {
	configured 4 && [ -z "$(von node1 sh -c 'ls /run/csync-ha/event.* /run/csync-ha/failed.* 2>/dev/null')" ] &&
	    von node1 flock -n /run/csync-ha.lock true
}
before=$(von node1 sh -c "grep -c 'MEMBER_' /var/log/syslog")
for what in lost member lost member; do
	storm $what
done
wait $storms
wait_for 60 right || fail "no right result: $(cat "$out")"
for i in 1 2 3 4; do
	for file in cfrun.keys csync.conf ppkeys/localhost.priv; do
		von node$i cat $W/$file >"$T/$i"
		von node1 cat $W/$file >"$T/1"
		cmp -s "$T/1" "$T/$i" || fail "$file of node$i is another"
	done
	want_equal "$(von node$i sh -c "grep -c '^node.*bed.example ' $W/cfrun.keys")" 4 "lines of cfrun.keys"
done
want_equal "$(von node1 sh -c "grep -cE '^node[1-4].bed.example' $W/masterfiles/cfrun.hosts")" 4 "lines of cfrun.hosts"
want_equal "$(von node1 sh -c "grep -c 'MEMBER_' /var/log/syslog")" "$before" "calls of csync_dispatcher"

# It is down while a client is added; back, it knows, and can take over.
"$CLUSTER" crash node4
on 1 csync-client-add -t 2 --accept-new --password-fd 3 node5
[ $rc -le 1 ] || fail "exit $rc"
von node1 grep -q '^node5' $W/cfrun.keys || fail "node5 is no client"
"$CLUSTER" wait 4 || fail "node4 does not come back"
von node1 grep -q '^node4' $W/cfrun.keys || fail "an outage took node4's key"
knows() {
	von node4 grep -q '^node5.bed.example ' $W/cfrun.keys && configured 4
}
wait_for 40 knows || fail "node4 was not told of node5"
von node1 crm_resource -r csync -M -N node4 >/dev/null 2>&1
wait_for 40 is_active node4 || fail "it does not move to node4"
wait_for 20 fetches node5 || fail "node4 gives no policy: $(cat "$T/agent")"
von node1 crm_resource -r csync -M -N node1 >/dev/null 2>&1
wait_for 40 is_active node1 || fail "it does not move back"
von node1 crm_resource -r csync -U >/dev/null 2>&1

# Removed: no line, no key, neither on the others nor on it.
"$CLUSTER" leave node4
begin=$(now)
forgotten() {
	for i in 1 2 3; do
		! von node$i grep -rq '^node4' $W/cfrun.keys $W/inputs/cfrun.hosts || return 1
	done
	configured 3 && von node4 test ! -e $W/ppkeys/localhost.priv
}
wait_for 60 forgotten || fail "node4 is not forgotten: $(von node1 tail -n 20 /var/log/csync.log)"
echo "node4 was removed and is forgotten after $(took "$begin")"
for i in 1 2 3; do
	von node$i test ! -e $W/ppkeys/root-$own.pub || fail "its own key is left on node$i"
	! von node$i grep -q node4 $W/csync.conf || fail "node4 is a member to node$i"
done
von node1 grep -q 'csync_dispatcher.*MEMBER_DELETED: node4.*: done' /var/log/syslog || fail "syslog does not tell"
# What it took along is worth nothing any more.
on 1 csync-keys --all
want_status 0
for i in 1 2 3 5; do
	von node$i test ! -e $W/ppkeys/root-$shared.pub || fail "node$i trusts the old key"
done
run von node2 cfrun --ping
want_status 0
want_lines 4

# No package any more; its data stay, and so does what clients have.
on 1 csync-ha --with crm undo
want_status 0
! von node1 crm_resource -l | grep -q csync || fail "resources are left"
von node1 sh -c '! mountpoint -q /csync && mount -o ro /dev/shared /csync && test -f /csync/csync/masterfiles/site.cf' ||
    fail "the policy is lost"
for i in 1 2 3; do
	von node$i sh -c "test ! -e $W/csync-ha.conf && test ! -L $W/masterfiles && pidof cf-serverd >/dev/null" ||
	    fail "node$i still takes itself for a part of the package"
done
on 1 csync-ha undo
want_same csync-ha
