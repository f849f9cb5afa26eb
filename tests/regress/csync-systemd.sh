#!/bin/sh
# With systemd: what runs now and after the next boot, for cf-serverd and for
# cf-execd, which the unit cfengine3 of the package would start in any case.
# limit: 240
. "$(dirname "$0")/csync.inc"
! $SANITIZED || skip "it is about systemd; others run the tools with sanitizers"
csync_up 3 --systemd
state() {
	von "$1" sh -c 'for u in cf-serverd cf-execd; do
		echo "$(systemctl is-active $u) $(systemctl is-enabled $u)"; done' | paste -sd, || :
}
# Shut down, and back.
reboot() {
	for host; do
		von "$host" sh -c 'systemctl stop cfengine3 cf-serverd cf-execd' >"$out" 2>&1
		"$VHOSTS" crash "$host"
	done
	"$VHOSTS" start "$@"
	for host; do
		wait_for 10 von "$host" sh -c '[ "$(systemctl is-system-running)" = running ]' || fail "$host does not boot"
	done
}
on 1 csync-master
want_status 0
on 1 csync-client-add --accept-new --password-fd 3 'node[2-3]'
want_status 0
for i in 1 2 3; do
	want_equal "$(state node$i)" "active enabled,inactive masked" "node$i"
done
on 1 csync-master
want_same csync-master
on 1 csync-client-add 'node[2-3]'
want_same csync-client-add
reboot node2 node3
want_equal "$(state node2)" "active enabled,inactive masked" "node2 after boot"
on 1 csync-test --run
want_status 0

on 1 csync-schedule execd
want_status 0
for i in 1 2 3; do
	want_equal "$(state node$i)" "active enabled,active enabled" "by cf-execd, node$i"
done
on 1 csync-schedule execd
want_same csync-schedule
reboot node2
want_equal "$(state node2)" "active enabled,active enabled" "by cf-execd, node2 after boot"
on 1 csync-schedule cron
want_status 0
want_equal "$(state node2)" "active enabled,inactive masked" "by cron, node2"
on 1 csync-schedule cron
want_same csync-schedule

on 1 csync-keys --all
want_status 0
on 1 csync-show
want_status 0
on 1 csync-client-remove node3
want_status 0
want_equal "$(state node3)" "inactive disabled,inactive masked" "removed"
reboot node3
want_equal "$(state node3)" "inactive disabled,inactive masked" "removed, after boot"
on 1 csync-client-add node3
want_status 0
want_equal "$(state node3)" "active enabled,inactive masked" "back"
