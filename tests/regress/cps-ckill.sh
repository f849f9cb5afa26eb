#!/bin/sh
# cuptime, cps, ckill and cwall over real sshd: which hosts, what is shown, what
# is ended and what is not, who sees a message.
. "$(dirname "$0")/../lib.sh"
vhosts_up 4
PATH=$B/bin:$TOP/recipes:$PATH
export PATH
# at NAME ARGUMENT...: on the control host.
at() {
	tool=$1
	shift
	run "$VHOSTS" control "$tool" -F "$VBED/ssh_config" "$@"
}
alive() {
	von "$1" sh -c "ps -eo comm= | grep -cxF '$2'"
}

at cuptime -w 'node[2-3]'
want_status 0
want_lines 2
want_equal "$(sed -n 's/^\(node[23]\): .* up .*load average: .*/\1/p' "$out" | paste -sd,)" node2,node3 "hosts"
at cuptime
want_status 2
CFANOUT_HOSTS=$VBED/hosts; export CFANOUT_HOSTS
at cuptime
want_lines 4
unset CFANOUT_HOSTS
at cuptime -w node1 now
want_status 2
at cuptime --dry-run -w 'node[1-2]' -t 5
want_out "+ cexec -w 'node[1-2]' -n -L -F $VBED/ssh_config -t 5 uptime"

# Names: with a blank, a quote, and one that another's begins with.
for host in node1 node2; do
	von $host sh -c 'for name in "a vic'\''tim" victim victims; do
		cp /bin/sleep "/tmp/$name"; "/tmp/$name" 600 >/dev/null 2>&1 &
	done
	cp /bin/sh /tmp/stubborn
	/tmp/stubborn -c "trap : TERM; touch /tmp/ready; while :; do sleep 0.2; done" >/dev/null 2>&1 &'
	wait_for 5 von $host test -e /tmp/ready || fail "nothing to end on $host"
done
at cps -w 'node[1-3]' victim
want_status 0
want_equal "$(grep -c '/tmp/victim 600$' "$out")" 2 "processes"
! grep -q ^node3 "$out" || fail "node3 has none"
at cps --json -w node1 victim
grep -q '"text":".*victim 600' "$out" || fail "no JSON"
at cps -w node1 -- -o comm= -p 1
want_out "node1: sh"
at cps -w node1
grep -q '^node1: root .*victims 600' "$out" || fail "not all processes"

at ckill -w 'node[1-3]' victim
want_status 2
want_err 'nobody can be asked: --yes'
want_equal "$(sed -n 's/^\(node[0-9]\) .* root  *\/tmp\/victim 600$/\1/p' "$out" | paste -sd,)" node1,node2 "hosts"
at ckill --dry-run -w 'node[1-3]' victim
want_status 0
grep -q '^+ cexec ' "$out" || fail "no command is shown"
run "$VHOSTS" control "$B/bed/terminal" "$T/tty" 'End these 2 on 2 hosts, by TERM? [N]: ' '' -- \
    sh -c 'exec "$@" </dev/tty >/dev/tty 2>&1' sh ckill -F "$VBED/ssh_config" -w 'node[1-3]' victim
want_status 1
grep -q 'nothing was ended' "$T/tty" || fail "silent"
want_equal "$(alive node1 victim),$(alive node2 victim)" 1,1 "processes"
run "$VHOSTS" control "$B/bed/terminal" "$T/tty" '[N]: ' y -- \
    sh -c 'exec "$@" </dev/tty >/dev/tty 2>&1' sh ckill -F "$VBED/ssh_config" -w 'node[1-3]' victim
want_status 0
want_equal "$(alive node1 victim),$(alive node2 victim),$(alive node1 victims)" 0,0,1 "processes"
at ckill --yes -w 'node[1-3]' victim
want_status 1
want_err '^ckill: no process of that name'
at ckill --yes -w 'node[1-3]' "a vic'tim" victims
want_status 0
want_equal "$(alive node2 victims),$(alive node2 "a vic'\\''tim")" 0,0 "processes"

# One that does not end is named; a host that is down is, too.
"$VHOSTS" crash node4
at ckill --yes -t 1 -w 'node[1-4]' stubborn
want_status 4
want_err '^node1: [0-9]* still runs$'
want_err 'connect-timeout: node4$'
at ckill --yes -w node1 -STOP stubborn
want_status 0
at ckill --yes -w 'node[1-2]' -s SIGKILL stubborn
want_status 0
want_equal "$(alive node1 stubborn),$(alive node2 stubborn)" 0,0 "processes"
at ckill --yes -s NONE -w node1 x
want_status 2
at ckill --yes -w node1
want_status 2

# Somebody is logged in on node1 and node2.
for host in node1 node2; do
	von $host sh -c ': >/run/utmp'
	mkfifo "$T/$host.in"
	"$VHOSTS" control ssh -tt -F "$VBED/ssh_config" $host 'echo there; read -r line' \
	    <"$T/$host.in" >"$T/$host.tty" 2>"$err" &
	background="${background-} $!"
done
exec 8>"$T/node1.in" 9>"$T/node2.in"
for host in node1 node2; do
	wait_for 10 grep -q there "$T/$host.tty" || fail "no login on $host"
done
at cwall -w 'node[1-3]' save "your  work"
want_status 0
echo and go | "$VHOSTS" control cwall -F "$VBED/ssh_config" -w 'node[1-3]' >"$out" 2>"$err" || fail "no message from standard input"
for host in node1 node2; do
	wait_for 5 grep -q 'and go' "$T/$host.tty" || fail "no message on $host"
	grep -q 'save your  work' "$T/$host.tty" || fail "no first message on $host"
	grep -q '(root@control, to all hosts)' "$T/$host.tty" || fail "from whom?"
done
exec 8>&- 9>&-
at cwall -w node1 ''
want_status 2
