#!/bin/sh
# A member that comes or goes, as the cluster tells it: from all at once and
# twice, for hosts with keys of their own and for members that share the
# master's; what is said goes to syslog; only the master does anything.
# limit: 240
. "$(dirname "$0")/csync.inc"
command -v logger >/dev/null || skip "logger is not installed"
csync_up 4
W=/var/lib/cfengine3
events() {
	for event; do
		von node1 env PATH="$VPATH" csync_dispatcher --accept-new $event >"$T/$event.out" 2>"$T/$event.err" &
		jobs="${jobs-} $!"
	done
	for job in $jobs; do
		wait $job || fail "one of $*: $(cat "$T"/*.err)"
	done
	jobs=
}

# Its /dev/log is ours.
cat >"$T/syslog.py" <<'PY'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
out = open(sys.argv[1], "ab", 0)
while True:
    out.write(s.recv(65536) + b"\n")
PY
cp "$T/syslog.py" "$VBED/share/syslog.py"
von node1 /usr/bin/python3 "$VBED/share/syslog.py" "$VBED/share/syslog" &
background="${background-} $!"
wait_for 5 von node1 test -S /dev/log || fail "no syslog"

on 1 csync_dispatcher MEMBER_ADDED: node2
want_status 3
on 1 csync_dispatcher MEMBER_LOST: node2
want_status 2
on 1 csync_dispatcher MEMBER_ADDED:
want_status 2
on 1 csync-master
want_status 0
# Unattended, so without a password.
on 1 csync_dispatcher -t 2 --accept-new MEMBER_ADDED: node2
want_status 1
grep -q 'csync_dispatcher.*node2.bed.example: no login' "$VBED/share/syslog" || fail "syslog has not that"
grep -q 'csync_dispatcher.*csync_dispatcher MEMBER_ADDED: node2$' "$VBED/share/syslog" || fail "syslog does not say how to go on"
on 1 csshsetup --no-passphrase --accept-new --password-fd 3 -w 'node[1-4].bed.example'
want_status 0

events "MEMBER_ADDED: node2" "MEMBER_ADDED node2.bed.example"
run von node1 "$CFRUN" --ping
want_lines 1
want_status 0
events "MEMBER_DELETED: node2" "MEMBER_DELETED: node2" "MEMBER_DELETED: node9"
run von node1 "$CFRUN" --list
want_out ""
want_equal "$(von node1 sh -c "ls $W/ppkeys/root-*.pub | wc -l")" 1 "keys"

# Members that share the key of the master.
on 1 csync-client-add --member node3
want_status 0
events "MEMBER_ADDED: node4"
same_key() {
	for i in 3 4; do
		for file in ppkeys/localhost.priv cfrun.keys csync.conf; do
			von node$i cat $W/$file >"$T/member"
			von node1 cat $W/$file >"$T/master"
			cmp -s "$T/member" "$T/master" || fail "$file of node$i is not the master's"
		done
		von node$i test -f $W/inputs/site.cf -a -f /etc/cron.d/csync-serverd || fail "node$i is no client"
		want_equal "$(von node$i stat -c %a $W/ppkeys $W/ppkeys/localhost.priv | paste -sd,)" 700,600 "modes"
	done
}
same_key
# What comes, changes and goes is known to them all.
on 1 csync-client-add 'node[2-4]'
want_status 0
same_key
on 1 csync-client-add 'node[2-4]'
want_same csync-client-add
# Any of them can be the one from which cfrun comes.
for i in 3 4; do
	run von node$i "$CFRUN" -w node2.bed.example
	want_status 0
done
"$VHOSTS" crash node4
on 1 csync-keys -t 3 --all
want_status 1
want_err 'failed on 1: node4'
"$VHOSTS" start node4
on 1 csync-keys --resume
want_status 0
same_key
run von node1 "$CFRUN" --ping
want_lines 3
want_status 0
on 1 csync-keys node3
want_status 1
want_err 'only --all renews'
on 1 csync_dispatcher MEMBER_DELETED: node3
want_status 0
von node3 test ! -e $W/ppkeys/localhost.priv || fail "node3 keeps the key of the master"
on 1 csync-client-remove node2
want_status 0
! von node4 grep -q '^node[23]' $W/cfrun.keys || fail "node4 still knows node2 or node3"
von node4 ls $W/ppkeys >"$out"
want_equal "$(grep -c '^root-' "$out")" 1 "keys on node4"
