#!/bin/sh
# The policy itself: the examples of site.cf put in force do what they say; who
# may fetch it, by domain and by address; what is replaced is kept, in versions.
. "$(dirname "$0")/csync.inc"
csync_up 3
W=/var/lib/cfengine3
agents() {
	run von node1 "$CFRUN" -- --inform
	want_status 0
}
fetches() {
	run von "node$1" cf-agent -K -f $W/inputs/update.cf
	! grep -q 'error:' "$out"
}
on 1 csync-master
want_status 0
on 1 csync-client-add --accept-new --password-fd 3 'node[2-3]'
want_status 0

# Nothing is in force.
von node2 sh -c 'md5sum /etc/hosts /etc/shadow; ls /etc/cron.d' >"$T/before"
agents
von node2 sh -c 'md5sum /etc/hosts /etc/shadow; ls /etc/cron.d' >"$T/after"
cmp -s "$T/before" "$T/after" || fail "something was in force"

# All of it, for a service of our own.
von node1 sh -c "cd $W && mkdir -p master_files/etc/cluster/web && cp /etc/hosts master_files/etc &&
    echo '192.0.2.1 printer' >>master_files/etc/hosts && echo one >master_files/etc/cluster/web/one.sh &&
    sed -i 's/^#   /    /; s/\"web1\", \"web2\"/\"node2\"/; s/\"nginx\"/\"bedservice\"/
	s|/usr/sbin/service nginx restart|/usr/bin/touch /root/restarted|' masterfiles/site.cf"
on 1 csync-test
want_status 0
agents
for i in 2 3; do
	von node$i sh -c 'grep -q "^192.0.2.1 printer" /etc/hosts && [ "$(stat -c %a /etc/shadow)" = 640 ] &&
	    grep -qx "0 \* \* \* \* root /usr/bin/cf-execd -O" /etc/cron.d/csync' || fail "not in force on node$i"
done
von node2 sh -c '[ "$(cat /etc/cluster/web/one.sh)" = one ] && [ "$(stat -c %a /etc/cluster/web/one.sh)" = 755 ] && [ -e /root/restarted ]' ||
	fail "no package scripts on node2"
von node3 test ! -e /etc/cluster -a ! -e /root/restarted || fail "node3 is no web server"
von node1 sh -c "cd $W/master_files/etc/cluster/web && mv one.sh two.sh"
agents
von node2 sh -c 'cd /etc/cluster/web && [ -e two.sh ] && [ ! -e one.sh ]' || fail "what is gone on the master stays"

# Who may fetch policy.
on 1 csync-master --domains '*.abc.example,*.cde.example'
want_status 0
von node1 grep -q '{ ".abc.example", ".cde.example" }' $W/masterfiles/access.cf || fail "other domains"
! fetches 2 || fail "node2 is of no such domain"
on 1 csync-master --networks 10.88.0.2/32
want_status 0
fetches 2 || fail "node2 may, by its address"
! fetches 3 || fail "node3 may not"
# One of another domain widens them.
von node1 sed -i 's/^10.88.0.3.*/10.88.0.3 node3.xyz.example/' /etc/hosts
on 1 csync-client-add --accept-new node3.xyz.example
want_status 1
want_err 'node3.xyz.example: clones share a key.* --gone OLD-NAME'
on 1 csync-client-remove --gone node3.bed.example
want_status 0
on 1 csync-client-add --accept-new node3.xyz.example
want_status 0
fetches 3 || fail "node3 may now"
on 1 csync-master
want_same csync-master
for list in '*.a b.example' 'abc.example' '*.' '*.a_b'; do
	on 1 csync-master --domains "$list"
	want_status 2
done

# The last version on top, those before in folders.
von node1 sh -c "cd $W/backups && cat $W/backups$W/masterfiles/access.cf v_*$W/masterfiles/access.cf" >"$T/saved" ||
	fail "no backups"
grep -q '".bed.example"' "$T/saved" || fail "the first version is lost"
grep -q '10.88.0.2/32' "$T/saved" || fail "the last version is lost"
