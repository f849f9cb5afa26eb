#!/bin/sh
# From nothing to a master with clients on virtual hosts, by password logins; a
# change of policy reaches all by cfrun; the second run changes nothing; a host
# that is down is named and stops no other.
. "$(dirname "$0")/csync.inc"
csync_up 5

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

"$VHOSTS" crash node5
on 1 csync-client-add -t 1 --accept-new --password-fd 3 'node[2-5]'
want_status 1
want_err '^csync-client-add: failed on 1: node5.bed.example$'
want_err '^csync-client-add: node5.bed.example: no login: '
von node1 cat /var/lib/cfengine3/masterfiles/cfrun.hosts >"$T/hosts"
want_equal "$(grep -c '^node[234].bed.example$' "$T/hosts")" 3 "clients in cfrun.hosts"
want_equal "$(von node1 wc -l </dev/null /var/lib/cfengine3/cfrun.keys | cut -d' ' -f1)" 4 "keys"

# The policy of the site: a file from the master, changed once more.
promise='    any:: "/etc/motd" copy_from => site_from_master("motd"), perms => site_mode("644");'
von node1 sed -i "s|^  files:.*|&\\n$promise|" /var/lib/cfengine3/masterfiles/site.cf
for word in first second; do
	von node1 sh -c "echo $word >/var/lib/cfengine3/master_files/motd"
	run von node1 "$CFRUN" -- --inform
	want_status 0
	for i in 2 3 4; do
		want_equal "$(von node$i cat /etc/motd)" $word "motd of node$i"
	done
done
want_err '^cfrun: 3 repaired'

"$VHOSTS" start node5
on 1 csync-client-add --accept-new --password-fd 3 'node[2-5]'
want_status 0
want_changes csync-client-add
run von node1 "$CFRUN" --ping
want_lines 4

# All of it again: nothing is left to do.
on 1 csync-master
want_same csync-master
on 1 csync-client-add 'node[2-5]'
want_same csync-client-add

# A policy that is broken is not handed out.
von node1 sh -c 'echo "bundle agent {" >>/var/lib/cfengine3/masterfiles/site.cf'
on 1 csync-master
want_status 1
want_err 'does not stand cf-promises'
