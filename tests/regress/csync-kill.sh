#!/bin/sh
# A recipe is killed, with all that it has started, at one moment after another
# of its way; run again it ends right, and then there is nothing left to do.
# limit: 240
. "$(dirname "$0")/csync.inc"
! $SANITIZED || skip "it kills shells, whose tools others run with sanitizers"
csync_up 2
W=/var/lib/cfengine3
cat >"$VBED/share/kill_at" <<'SH'
# kill_at N SIGNAL RECIPE...: in the midst of its Nth command.
n=$1 signal=$2
shift 2
setsid "$@" >/root/log 2>&1 3<"$VBED/share/password" &
pid=$!
while [ "$(grep -c '^+ ' /root/log)" -lt "$n" ] && kill -0 $pid 2>/dev/null; do
	sleep 0.01
done
sleep "0.0$((n * 7 % 10))"
kill -s "$signal" -- "-$pid" || exit 99
wait $pid
SH
killed=0
# moment N SIGNAL RECIPE...: killed there, and run again.
moment() {
	n=$1 signal=$2
	shift 2
	run von node1 env PATH="$VPATH" sh "$VBED/share/kill_at" "$n" "$signal" "$@"
	[ "$rc" -ne 99 ] || fail "$1 has no command $n"
	[ "$rc" -gt 128 ] || fail "$1 was not ended at command $n"
	killed=$((killed + 1))
	# What a killed one left running may still hold the lock, or change things.
	wait_for 10 von node1 flock -n /run/csync.lock true || fail "the lock of $1 stays"
	on 1 "$@"
	want_status 0
	case $1,$n in csync-keys,* | csync-client-add,[259]) return 0 ;; esac
	on 1 "$@"
	want_same "$1"
}
from_nothing() {
	for i in 1 2; do
		von node$i sh -c "kill \$(pidof cf-serverd) 2>/dev/null
		    cd $W && rm -rf inputs/* masterfiles/* ppkeys/* state/* backups csync.* cfrun.keys policy_server.dat /etc/cron.d/csync*"
	done
}
# all_well CLIENTS
all_well() {
	on 1 csync-show
	want_status 0
	grep -q "^Clients  *$1\$" "$out" || fail "other clients"
	[ "$1" -eq 0 ] || {
		run von node1 "$CFRUN" -- --inform
		want_status 0
	}
	von node1 sh -c "! ls $W/csync.keys $W/ppkeys/csync-n* $W/*.new* $W/masterfiles/*.new* 2>/dev/null" || fail "something was left"
}

for at in 4:KILL 9:KILL; do
	from_nothing
	moment "${at%:*}" "${at#*:}" csync-master
done
for at in 2:KILL 5:TERM 9:KILL 11:KILL; do
	from_nothing
	on 1 csync-master
	moment "${at%:*}" "${at#*:}" csync-client-add --accept-new --password-fd 3 node2
	all_well 1
done
for at in 2:KILL 8:TERM 12:KILL; do
	moment "${at%:*}" "${at#*:}" csync-keys --all
	all_well 1
done
moment 2 KILL csync-schedule cron
moment 2 KILL csync-client-remove node2
all_well 0
[ $killed -ge 10 ] || fail "only $killed moments"
