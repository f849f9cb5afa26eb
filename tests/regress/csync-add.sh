#!/bin/sh
# From nothing to a master with clients on virtual hosts, by password logins; a
# change of policy reaches all by cfrun; the second run changes nothing; a host
# that is down is named and stops no other.
# limit: 240
. "$(dirname "$0")/csync.inc"
csync_up 8

on 1 csync-master --dry-run
want_status 0
grep -q '^+ cf-key$' "$out" || fail "--dry-run shows no commands"
von node1 test ! -e /var/lib/cfengine3/csync.conf || fail "--dry-run did something"
on 1 csync-client-add node2
want_status 1
want_err 'no master yet'
on 1 csync-master --name alone
want_status 1
want_err '^csync-master: no fully qualified name: alone$'
on 1 csync-master --domains 'bed.example'
want_status 2

on 1 csync-master
want_status 0
want_changes csync-master
W=/var/lib/cfengine3
von node1 sh -c "cd $W && cmp -s ppkeys/localhost.pub ppkeys/root-\$(cf-key -p ppkeys/localhost.pub).pub &&
    cf-promises -f ./masterfiles/promises.cf && ! grep -rq '<%' masterfiles &&
    grep -q '\".bed.example\"' masterfiles/access.cf && grep -q cf-serverd /etc/cron.d/csync-serverd" ||
	fail "the master is not as it should be"

"$VHOSTS" crash node5
von node4 sed -i '/node1/d' /etc/hosts
on 1 csync-client-add -t 3 --accept-new --password-fd 3 'node[2-7]'
want_status 1
want_err '^csync-client-add: failed on 1: node5.bed.example$'
want_err '^csync-client-add: node5.bed.example: no login: '
von node1 cat /var/lib/cfengine3/masterfiles/cfrun.hosts >"$T/hosts"
want_equal "$(grep -c '^node[23467].bed.example$' "$T/hosts")" 5 "clients in cfrun.hosts"
want_equal "$(von node1 wc -l </dev/null /var/lib/cfengine3/cfrun.keys | cut -d' ' -f1)" 6 "keys"
von node4 grep -q '^10.88.0.1 node1.bed.example' /etc/hosts || fail "node4 does not find the master"
von node4 grep -q cf-serverd /etc/cron.d/csync-serverd || fail "node4 does not start cf-serverd at boot"
master=$(von node1 cf-key -p $W/ppkeys/localhost.pub)
von node4 test -f "$W/ppkeys/root-$master.pub" || fail "node4 has no key of the master"

# The policy of the site: a file from the master, changed once more.
promise='    any:: "/etc/motd" copy_from => site_from_master("motd"), perms => site_mode("644");'
von node1 sed -i "s|^  files:.*|&\\n$promise|" /var/lib/cfengine3/masterfiles/site.cf
for word in first second; do
	von node1 sh -c "echo $word >/var/lib/cfengine3/master_files/motd"
	run von node1 "$CFRUN" -- --inform
	want_status 0
	for i in 2 3 4 6 7; do
		want_equal "$(von node$i cat /etc/motd)" $word "motd of node$i"
	done
done
want_err '^cfrun: 5 repaired'

# By hand, on a client and on the master, as in the guide.
von node2 sh -c 'rm /etc/motd; cf-agent --no-lock --verbose' >"$out" 2>&1
grep -q 'verbose: ' "$out" || fail "cf-agent is silent"
von node2 grep -qx second /etc/motd || fail "cf-agent by hand does nothing"
run von node1 "$CFRUN" -v -- --verbose
want_status 0
grep -q 'node7.bed.example: .*verbose: ' "$out" || fail "agents are not verbose"

"$VHOSTS" start node5
on 1 csync-client-add --accept-new --password-fd 3 'node[2-7]'
want_status 0
want_changes csync-client-add
run von node1 "$CFRUN" --ping
want_lines 6

# All of it again: nothing is left to do.
on 1 csync-master
want_same csync-master
on 1 csync-client-add 'node[2-7]'
want_same csync-client-add

# A policy that is broken is not handed out.
von node1 sh -c 'echo "bundle agent {" >>/var/lib/cfengine3/masterfiles/site.cf'
on 1 csync-master
want_status 1
want_err 'does not stand cf-promises'
