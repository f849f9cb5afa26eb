#!/bin/sh
# csshsetup many times at once on the same hosts: keys come, keys go, members are
# made, and nothing is lost.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 3 --password
ak=/root/.ssh/authorized_keys
setup 'node[1-3]'
want_status 0
{
	echo '# first'
	for i in 1 2 3; do
		ssh-keygen -q -t ed25519 -N '' -C old$i -f "$T/old$i"
		ssh-keygen -q -t ed25519 -N '' -C new$i -f "$T/new$i"
		cat "$T/old$i.pub"
		seq -f "# between $i %g" 200
	done
	printf 'last'
} >"$T/more"
for i in 1 2 3; do
	von node$i sh -c "cat >>$ak" <"$T/more"
done

jobs=
begin() {
	name=$1
	shift
	at_home setsid -w "$CSSHSETUP" --no-report "$@" >"$T/$name.out" 2>&1 &
	jobs="$jobs $!:$name"
}
for i in 1 2 3; do
	begin in$i --key "$T/new$i" 'node[1-3]'
	begin out$i --revoke "$T/old$i" 'node[1-3]'
done
begin mesh -r 'node[1-3]'
begin again -r 'node[1-3]'
for job in $jobs; do
	wait "${job%%:*}" || {
		cat "$T/${job#*:}.out" >&2
		fail "${job#*:}: exit $?"
	}
done
for i in 1 2 3; do
	von node$i cat $ak >"$T/is"
	want_equal "$(grep -c '^# ' "$T/is")" 601 "remarks on node$i"
	want_equal "$(grep -cx last "$T/is")" 1 "the last line on node$i"
	want_equal "$(sed -n 's/^ssh-ed25519 .* //p' "$T/is" | sort | tr '\n' ' ')" \
	    "$(for k in new1 new2 new3 root@control root@node1 root@node2 root@node3; do
		[ $k = root@node$i ] || echo $k
	    done | tr '\n' ' ')" "keys of node$i"
	want_equal "$(von node$i ls -A /root/.ssh | grep -v id_ | tr '\n' ' ')" "authorized_keys known_hosts " "left on node$i"
	want_equal "$(von node$i wc -l /root/.ssh/known_hosts | cut -d ' ' -f 1)" 3 "known hosts of node$i"
done
