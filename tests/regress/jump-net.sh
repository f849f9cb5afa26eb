#!/bin/sh
# Hosts on nets of their own: the first can be reached through the jump host
# only, two more only through the first.
. "$(dirname "$0")/../lib.sh"
vhosts_up 5 --jump
go() {
	run "$VHOSTS" control "$CEXEC" -F "$T/conf" -n "$@"
}

# A net between node1 and each of node2 and node3, which lose the other.
"$VHOSTS" cut node2 node3
first=$("$VHOSTS" list | awk '$1 == "node1" { print $4 }')
for i in 2 3; do
	pid=$("$VHOSTS" list | awk -v n=node$i '$1 == n { print $4 }')
	vctl ip link add "in$i" netns "/proc/$first/ns/net" type veth peer name inner netns "/proc/$pid/ns/net"
	"$VHOSTS" enter node1 sh -c "ip addr add 10.90.$i.1/24 dev in$i && ip link set in$i up"
	"$VHOSTS" enter node$i sh -c "ip addr add 10.90.$i.2/24 dev inner && ip link set inner up"
	printf 'Host node%s\n HostName 10.90.%s.2\n HostKeyAlias node%s\n ProxyJump node1\n' $i $i $i
done >"$T/conf"
cat "$VBED/ssh_config" >>"$T/conf"

go -L -w 'node[1-5]' 'hostname; echo ${SSH_CONNECTION%% *}'
want_status 0
sort -o "$out" "$out"
want_out "$(printf '%s: %s\n' node1 10.89.255.253 node1 node1 node2 10.90.2.1 node2 node2 \
    node3 10.90.3.1 node3 node3 node4 10.89.255.253 node4 node4 node5 10.89.255.253 node5 node5)"

# There is no other way.
go -o ProxyJump=none -w 'node[2,4]' true
want_status 3
want_err '2 of 2 failed: unreachable: node\[2,4\]$'

# The second hop is gone: those behind it are lost or never found, by its name;
# the others do not notice.
"$VHOSTS" crash node1
go -t 3 -w 'node[1-5]' hostname
want_status 3
want_err '^cexec: node2: [a-z-]*: via node1: '
want_err '3 of 5 failed: .*node\[1-3\]$'
want_lines 2
