#!/bin/sh
# A name with several addresses of which some are silent, refuse or do not
# exist: the one that answers is found within a moment, whatever its place.
. "$(dirname "$0")/../lib.sh"
vhosts_up 4

# On the control host's net: addresses that swallow everything, IPv6 and IPv4.
vctl sh -c 'ip link add void type veth peer name void2 && ip link set void up &&
    ip link set void2 up &&
    ip addr add 2001:db8:1::1/64 dev void nodad && ip addr add 10.99.0.1/24 dev void &&
    for i in 2 3 4 5 6; do
	ip neigh add 2001:db8:1::$i lladdr 02:00:00:00:00:01 dev void &&
	ip neigh add 10.99.0.$i lladdr 02:00:00:00:00:01 dev void || exit 1
    done' || skip "no silent addresses here"
vctl sh -c 'cat >>/etc/hosts' <<'HOSTS'
2001:db8:1::2 six
10.88.0.1 six
10.99.0.2 four
10.88.0.2 four
2001:db8:1::2 many
2001:db8:1::3 many
2001:db8:1::4 many
10.99.0.2 many
10.99.0.3 many
10.88.0.3 many
2001:db8:1::2 dead
10.99.0.2 dead
127.0.0.1 half
10.88.0.4 half
2001:db8:1::2 closed
127.0.0.1 closed
HOSTS
# took MS: the command before took less.
took() {
	ms=$((($(date +%s%N) - begin) / 1000000))
	[ $ms -lt "$1" ] || fail "$ms ms, wanted less than $1"
}
go() {
	begin=$(date +%s%N)
	run "$VHOSTS" control "$CEXEC" -F "$VBED/ssh_config" --known-hosts "$T/known" --accept-new -n "$@"
}

# One after the other, at a tenth of the deadline each, would take 5 s and more.
go -w six,four,half -L hostname
took 4000
want_status 0
sort -o "$T/out" "$T/out"
want_out "$(printf 'four: node2\nhalf: node4\nsix: node1')"
go -w many hostname
want_status 0
want_out 'many: node3'
took 5000

# None answers, or the one that does says no.
go -t 2 -w dead,closed true
want_status 3
want_err '2 of 2 failed: connect-timeout: dead,closed$'
want_err 'no connection to closed port 22 within 2 s \(one address: Connection refused\)'
took 6000
go -o AddressFamily=inet -w closed true
want_err '1 of 1 failed: refused: closed$'
# With an address of ours, those of the other family are none at once.
go -o BindAddress=10.88.255.254 -w six hostname
want_status 0
took 2000
