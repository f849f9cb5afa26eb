#!/bin/sh
# A client is removed: its key is refused from then on, wherever it comes from;
# one that is down goes, too, and forgets the master when it is back.
. "$(dirname "$0")/csync.inc"
csync_up 4
on 1 csync-master
want_status 0
on 1 csync-client-add --accept-new --password-fd 3 'node[2-4]'
want_status 0
agent() {
	run von "node$1" cf-agent -K -f /var/lib/cfengine3/inputs/update.cf
}
agent 2
! grep -q error "$out" || fail "node2 gets no policy"
von node2 sh -c 'cd /var/lib/cfengine3 && mkdir -p /root/kept && cp -a ppkeys policy_server.dat /root/kept'

on 1 csync-client-remove --dry-run node2
want_status 0
agent 2
! grep -q error "$out" || fail "--dry-run removed node2"
on 1 csync-client-remove node2
want_status 0
want_changes csync-client-remove
von node2 sh -c '! pidof cf-serverd && ! ls /etc/cron.d/csync-serverd' >"$out" 2>&1 ||
	fail "cf-serverd of node2 still runs"
run von node1 "$CFRUN" --list
want_out "node3.bed.example
node4.bed.example"
# Even with all that it had.
von node2 sh -c 'cp -a /root/kept/. /var/lib/cfengine3'
agent 2
grep -q 'error' "$out" || fail "node2 still gets policy"
on 1 csync-client-remove node2
want_status 0
on 1 csync-client-remove node2
want_same csync-client-remove

"$VHOSTS" crash node3
on 1 csync-client-remove -t 3 node3
want_status 1
want_err 'node3.bed.example: it still takes itself for a client'
run von node1 "$CFRUN" --list
want_out "node4.bed.example"
on 1 csync-client-remove --gone node3
want_same csync-client-remove
"$VHOSTS" start node3
on 1 csync-client-remove node3
want_status 0
grep -q 'without policy_server.dat' "$out" || fail "node3 keeps its master"

# And back.
on 1 csync-client-add 'node[2-3]'
want_status 0
agent 2
! grep -q error "$out" || fail "node2 gets no policy"
