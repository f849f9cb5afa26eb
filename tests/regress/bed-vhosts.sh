#!/bin/sh
# The bed of virtual hosts: hosts of their own that can crash and be cut off,
# and nothing left of them at the end.
. "$(dirname "$0")/../lib.sh"

# Whatever in this machine still speaks of the bed $1.
traces() {
	grep -lsF "$1" /proc/[0-9]*/cmdline /proc/[0-9]*/mountinfo
	ls -d "$1" 2>/dev/null
}
gone() {
	[ -z "$(traces "$1")" ]
}

netns=$(ls /run/netns 2>/dev/null)
mounts=$(cat /proc/mounts)
links=$(ls /sys/class/net)
vhosts_up 4
bed=$VBED

# Each its own name, address, processes and files.
vcx -w 'node[1-4]' 'echo $(hostname) $(hostname -f) ${SSH_CONNECTION##*.}'
want_status 0
want_equal "$(sort "$out")" "$(for i in 1 2 3 4; do
	echo "node$i: node$i node$i.bed.example $i 22"
done)"
vcx -w 'node[1-4]' 'for d in /etc /root /home /tmp /run /var/log /var/lib/cfengine3 /opt; do
    echo $(hostname) >$d/mine || exit 1; done
    echo "$(hostname)" >/proc/sys/kernel/domainname; sleep 77 >/dev/null 2>&1 & echo'
want_status 0
for dir in /etc /root /home /tmp /run /var/log /var/lib/cfengine3 /opt; do
	[ ! -e $dir/mine ] || fail "a host writes to this machine's $dir"
done
# The tools are there, and the tree they are in can only be read.
vcx -w 'node[1-2]' "$CEXEC --version >/dev/null && ! touch $TOP/mine && ! touch $B/mine"
want_status 0
[ ! -e "$TOP/mine" ] || fail "a host can write to this tree"
vcx -w 'node[1-4]' 'cat /etc/mine /tmp/mine /root/mine /run/mine | uniq; ps -C sleep -o args= | grep -c 77'
want_equal "$(sort "$out")" "$(for i in 1 2 3 4; do
	printf 'node%d: 1\nnode%d: node%d\n' $i $i $i
done)"
# The real accounts, real sudo that asks.
vcx -l admin -w node2 'id -un; sudo -n id -un 2>&1 || echo "$?"; echo "'"$VBED_PASSWORD"'" | sudo -S -p "" id -un'
want_out "node2: admin
node2: sudo: a password is required
node2: 1
node2: root"
vcx -l plain -w node2 'echo "'"$VBED_PASSWORD"'" | sudo -S -p "" id -un 2>&1'
want_status 1
# Hosts reach each other by name; nobody outside reaches them.
von node1 sh -c 'nc -zw5 node4 22' || fail "node1 does not reach node4"
[ "$VBED" = "$(von node1 sh -c 'echo $VBED')" ] || fail "VBED is not set there"
run "$CEXEC" -F "$VBED/ssh_config" -w 10.88.0.1 -t 1 true
want_status 3

# A cable is pulled, a host crashes: silence, and the others do not notice.
"$VHOSTS" cut node2
"$VHOSTS" crash node3
vcx -t 1 -w 'node[1-4]' hostname
want_status 3
want_equal "$(sort "$out")" "$(printf 'node1: node1\nnode4: node4')"
want_err '2 of 4 failed: connect-timeout: node\[2-3\]$'
want_equal "$("$VHOSTS" list | cut -d' ' -f3 | tr '\n' ' ')" "up cut down up "
"$VHOSTS" heal node2
"$VHOSTS" start node3
vcx -w 'node[1-4]' 'cat /root/mine; [ ! -e /run/mine ] || echo still'
want_status 0
want_equal "$(sort "$out" | tr '\n' ' ')" \
    "node1: node1 node1: still node2: node2 node2: still node3: node3 node4: node4 node4: still "

# A slow cable: 4 Mbit/s is 500 kB/s, less the bucket of 64 KiB.
"$VHOSTS" tc node1 rate 4mbit || fail "no token bucket"
begin=$(date +%s%N)
vcx -w node1 'head -c 500000 /dev/zero | tr "\0" x'
took=$((($(date +%s%N) - begin) / 1000000))
[ $took -gt 700 ] || fail "500 kB over 4 Mbit/s took $took ms only"
rc=0
"$VHOSTS" tc node1 delay 30ms 2>"$err" || rc=$?
case $rc in
0) ;;
77) want_err 'no netem' ;;
*) fail "tc delay: $rc" ;;
esac

"$VHOSTS" down || fail "down"
VBED=
gone "$bed" || fail "left: $(traces "$bed")"

# Behind a jump host, with passwords; and where there is no overlayfs.
VHOSTS_NO_OVERLAY=1 vhosts_up 1 --jump --password --no-pam --set 'MaxSessions 3'
printf '#!/bin/sh\necho "$VBED_PASSWORD"\n' >"$T/ask"
chmod 755 "$T/ask"
export SSH_ASKPASS="$T/ask" SSH_ASKPASS_REQUIRE=force
run "$VHOSTS" control ssh -F "$VBED/ssh_config" admin@node1 'hostname; touch /etc/x 2>/dev/null || id -un'
want_status 0
want_out "node1
admin"
run "$VHOSTS" control ssh -F "$VBED/ssh_config" -J none -o ConnectTimeout=1 node1 true
want_status 255
run von node1 sh -c 'touch /etc/mine && ! touch /usr/mine'
want_status 0
run von node1 sshd -T
want_equal "$(grep -cxE 'usepam no|maxsessions 3' "$out")" 2 "options of sshd"
bed=$VBED
"$VHOSTS" down
VBED=
gone "$bed" || fail "left: $(traces "$bed")"

# A bed whose owner is killed goes by itself.
sh -c '"$1" up 2 --with $$ >"$2/env"; : >"$2/up"; sleep 100' sh "$VHOSTS" "$T" 2>/dev/null &
owner=$!
wait_for 20 test -e "$T/up" || fail "no second bed"
bed=$(sed 's/^VBED=\([^ ]*\).*/\1/' "$T/env")
[ -d "$bed" ] || fail "no folder: $bed"
kill -9 $owner
wait_for 10 gone "$bed" || fail "left: $(traces "$bed")"
# And one whose start is interrupted.
"$VHOSTS" up 8 >"$T/env" 2>&1 &
owner=$!
wait_for 10 sh -c 'ls -d ${TMPDIR:-/tmp}/fanout-vhosts.*/node1.init' || fail "no third bed"
kill $owner
wait $owner
want_equal "$(ls /run/netns 2>/dev/null)" "$netns" "named networks"
want_equal "$(cat /proc/mounts)" "$mounts" mounts
want_equal "$(ls /sys/class/net)" "$links" "network interfaces"
