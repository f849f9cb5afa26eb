#!/bin/sh
# csshsetup: each run is saved, also one that was interrupted, and tried again
# on those hosts that it did not come to.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 6 --password
von node2 sh -c 'echo root:other | chpasswd'
"$VHOSTS" cut node3
mkdir "$T/here"
ssh-keygen -q -t ed25519 -N '' -f "$T/here/mine"
cd "$T/here" || fail "no folder"

seq -f 'node%g' 4 >"$T/hosts"
setup --dry-run node1
want_status 0
run "$CSSHSETUP" --runs
grep -q ' 1/1 ok  (dry run) set up trust$' "$out" || fail "a dry run is not marked"
run "$CSSHSETUP" --show
grep -qx 'command: (dry run) set up trust' "$out" || fail "a dry run is not marked"
rm -r "$XDG_STATE_HOME"
setup -t 1 --key mine --options no-pty -f "$T/hosts"
want_status 3
want_err '2 of 4 failed: connect-timeout: node3; auth: node2$'
run "$CSSHSETUP" --runs
want_status 0
want_lines 1
grep -q ' 2/4 ok .*set up trust' "$out" || fail "not the run"
run "$CSSHSETUP" --show
want_status 0
grep -q 'node2' "$out" || fail "not its hosts"

# From another folder, with the same key and what it may do; no other hosts.
cd / || fail "no folder"
von node2 sh -c "echo 'root:$VBED_PASSWORD' | chpasswd"
"$VHOSTS" heal node3
wait_for 5 vctl nc -zw1 node3 22 || fail "node3 is not back"
setup --retry failed
want_status 0
want_err 'csshsetup: again, as in run .*: failed: node\[2-3\] \(2 of 4\): set up trust'
want_equal "$(sort "$out" | tr '\n' ';')" 'node2: trusted now;node3: trusted now;'
want_equal "$(von node3 cat /root/.ssh/authorized_keys)" "no-pty $(cat "$T/here/mine.pub")" "authorized_keys"
setup --retry failed
want_status 0
want_err 'no host of it is failed'
setup --retry failed id node1
want_status 2
want_err 'takes the ID of a run'

# Interrupted before the last step: that is a run, too.
"$VHOSTS" cut node6
run at_home setsid -w timeout --foreground --preserve-status 1 "$CSSHSETUP" --accept-new --key "$T/here/mine" --password-fd 9 \
    'node[4-6]' 9<"$T/pw"
want_status 130
want_out 'node4: already trusted'
want_err '2 of 3 failed: canceled: node6; canceled before it began: node5$'
"$VHOSTS" heal node6
wait_for 5 vctl nc -zw1 node6 22 || fail "node6 is not back"
setup --retry unfinished
want_status 0
want_equal "$(sort "$out" | tr '\n' ';')" 'node5: trusted now;node6: trusted now;'

run "$CSSHSETUP" --no-report --fold 'node[4-6]'
want_out 'node[4-6]'
setup --no-report node1
want_status 0
want_equal "$("$CSSHSETUP" --runs | wc -l)" 4 "runs"
