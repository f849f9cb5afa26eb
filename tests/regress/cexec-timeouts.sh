#!/bin/sh
# Deadlines fire, are named, and cost the other hosts nothing; what was said
# before is kept.
. "$(dirname "$0")/../lib.sh"
bed_up 4
H='127.1.0.[1-4]'
slow='case $SSH_CONNECTION in *" 127.1.0.2 "*) echo begun; exec sleep 30;; esac; echo fine'

begin=$(date +%s)
cx -n -u 1 -w $H "$slow"
want_status 1
want_lines 4
grep -qx '127.1.0.2: begun' "$out" || fail "output before the deadline is lost"
want_err '^cexec: 127\.1\.0\.2: command-timeout: .'
want_err '^cexec: 1 of 4 failed: command-timeout: 127\.1\.0\.2$'

cx -n --idle 1 -w $H "$slow"
want_status 1
want_err '^cexec: 127\.1\.0\.2: idle-timeout: .'
[ $(($(date +%s) - begin)) -lt 20 ] || fail "that took far too long"

# A command that says something now and then is not idle.
cx -n --idle 1 -w 127.1.0.1 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.3; done'
want_status 0
want_lines 6

# No deadline: 0.
cx -n -u 0 --idle 0 -w 127.1.0.1 'sleep 1; echo fine'
want_status 0
