#!/bin/sh
# All keys are made anew with one client down: it is named, goes on with what it
# had, and is finished when it is back. One key; a key revoked; a clone refused.
# limit: 240
. "$(dirname "$0")/csync.inc"
csync_up 8
clients='2 3 4 5 6 7'
on 1 csync-master
want_status 0
on 1 csync-client-add --accept-new --password-fd 3 'node[2-7]'
want_status 0
W=/var/lib/cfengine3
digests() {
	for i in 1 $clients; do
		von node$i cf-key -p $W/ppkeys/localhost.pub
	done
}
registry() {
	von node1 sh -c "sort $W/cfrun.keys"
}
matches() {
	for i in 1 $clients; do
		echo "node$i.bed.example $(von node$i cf-key -p $W/ppkeys/localhost.pub)"
	done >"$T/have"
	want_equal "$(registry)" "$(cat "$T/have")" "registry"
}
matches
digests >"$T/first"

on 1 csync-keys --all --dry-run
want_status 0
matches
"$VHOSTS" crash node3
on 1 csync-keys -t 3 --all
want_status 1
want_err '^csync-keys: failed on 1: node3.bed.example$'
want_err 'csync-keys --resume'
run von node1 "$CFRUN" --ping node2.bed.example node4.bed.example
want_status 0
run von node1 env PATH="$VPATH" csync-keys --list
grep -q '^node3.bed.example is to get a new key' "$out" || fail "node3 is not named"
"$VHOSTS" start node3
on 1 csync-keys --resume
want_status 0
matches
digests >"$T/second"
want_equal "$(sort "$T/first" "$T/second" | uniq -d | wc -l)" 0 "old keys in use"
for i in 1 $clients; do
	von node$i ls $W/ppkeys >"$T/trusted"
	! grep -Ff "$T/first" "$T/trusted" || fail "node$i still trusts an old key"
done
run von node1 "$CFRUN" -- --inform
want_status 0
on 1 csync-keys --resume
want_same csync-keys
on 1 csync-client-add 'node[2-7]'
want_same csync-client-add

# One.
on 1 csync-keys node4
want_status 0
matches
digests >"$T/third"
want_equal "$(sort "$T/second" "$T/third" | uniq -u | wc -l)" 2 "changed keys"

# Refused, until it gets a new one.
on 1 csync-keys --revoke node2
want_status 0
run von node2 cf-agent -K -f $W/inputs/update.cf
grep -q error "$out" || fail "node2 still gets policy"
run von node1 "$CFRUN" --ping node2.bed.example
want_status 3
on 1 csync-keys node2
want_status 0
matches
run von node1 "$CFRUN"
want_status 0

# node4 is a copy of node2, with its key.
von node2 sh -c "cp $W/ppkeys/localhost.* $VBED/share"
von node4 sh -c "cp $VBED/share/localhost.* $W/ppkeys"
on 1 csync-client-add 'node[2-7]'
want_status 1
want_err '^csync-client-add: node4.bed.example: clones'
on 1 csync-keys node4
want_status 0
matches
