#!/bin/sh
# The bed of cluster nodes: a real cluster that loses nodes, fences them, takes
# in another and lets it go; and what the tools make of its membership.
. "$(dirname "$0")/../lib.sh"
! $SANITIZED || skip "it is the cluster software that takes the time here"

cluster_up 3
bed=$VBED
want_equal "$("$CLUSTER" members | paste -sd' ' -)" "node1 node2 node3"

# A shared disk, and a syslog.
von node1 sh -c 'mount /dev/shared /mnt && echo mine >/mnt/file && umount /mnt' || fail "no shared disk"
want_equal "$(von node3 sh -c 'mount -o ro /dev/shared /mnt && cat /mnt/file && umount /mnt')" mine
# It goes with the last that has it open; other beds have theirs.
read -r _ minor <"$VBED/shared"
want_equal "$(cat "/sys/block/loop$minor/loop/autoclear")" 1 "autoclear"
von node2 logger -t bed "a word"
wait_for 5 von node2 grep -q 'bed: a word' /var/log/syslog || fail "no syslog"

# The members are meant without any option, on every one of them.
members() {
	for host in $("$CLUSTER" members); do
		[ "$1" = "$(von "$host" "$CEXEC" --fold 2>&1)" ] || return 1
	done
}
members 'node[1-3]' || fail "cexec means $(von node1 "$CEXEC" --fold 2>&1)"
run von node4 "$CEXEC" --fold
want_status 2
"$CLUSTER" join node4 || fail "node4 does not join"
"$CLUSTER" wait 4 || fail "node4 is not online"
wait_for 5 members 'node[1-4]' || fail "cexec means $(von node4 "$CEXEC" --fold 2>&1)"

# A crash is noticed, the node fenced, and it comes back.
"$CLUSTER" crash node2
wait_for 30 grep -q 'node2 reboot' "$VBED/fence.log" || fail "node2 is not fenced"
"$CLUSTER" wait 4 || fail "node2 does not come back"
# So is one that is cut off; it gives up by itself, as it has no quorum.
"$CLUSTER" part node3
wait_for 20 sh -c '"$1" enter node3 "$2" --fold | grep -qx node3' sh "$CLUSTER" "$CEXEC" ||
    fail "node3 takes others for members: $(von node3 "$CEXEC" --fold 2>&1)"
wait_for 30 grep -q 'node3 reboot' "$VBED/fence.log" || fail "node3 is not fenced"
"$CLUSTER" heal node3 2>/dev/null
"$CLUSTER" wait 4 || fail "node3 does not come back"

"$CLUSTER" leave node4 || fail "node4 does not leave"
"$CLUSTER" wait 3 || fail "not three left"
wait_for 10 members 'node[1-3]' || fail "cexec means $(von node1 "$CEXEC" --fold 2>&1)"

"$CLUSTER" down
VBED=
traces() {
	grep -lsF "$bed" /proc/[0-9]*/cmdline /proc/[0-9]*/mountinfo
	ls -d "$bed" 2>/dev/null
}
gone() {
	[ -z "$(traces)" ]
}
wait_for 10 gone || fail "left: $(traces)"
