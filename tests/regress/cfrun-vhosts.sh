#!/bin/sh
# cfrun on virtual hosts with CFEngine where Debian has it: by name and domain,
# by ssh, by ssh where cf-serverd does not answer; a host cut off; passing for
# another host.
. "$(dirname "$0")/../lib.sh"
command -v cf-serverd >/dev/null || skip "cf-serverd is not installed (Debian: cfengine3)"
vhosts_up 4

# The control host is the hub that calls.
HUB=$T/hub
mkdir -p "$HUB/ppkeys" "$HUB/inputs"
chmod 700 "$HUB" "$HUB/ppkeys"
CFENGINE_TEST_OVERRIDE_WORKDIR=$HUB cf-key >/dev/null || fail "cf-key"
hub=$(CFENGINE_TEST_OVERRIDE_WORKDIR=$HUB cf-key -p "$HUB/ppkeys/localhost.pub")
cat >"$VBED/share/promises.cf" <<POLICY
body common control
{
  bundlesequence => { "main" };
}
body server control
{
  allowconnects    => { "10.88.255.254" };
  allowallconnects => { "10.88.255.254" };
  allowusers       => { "root" };
  cfruncommand     => "$TOP/cfrun/cfrun-agent";
}
bundle server access_rules
{
  access:
    "$TOP/cfrun/cfrun-agent" admit_keys => { "$hub" };
  roles:
    "cfrun_opt_.*" authorize => { "root" };
}
bundle agent main
{
  files: "/root/mark" create => "true";
  reports: "hello from \$(sys.uqhost)";
}
POLICY
for i in 1 2 3 4; do
	von node$i sh -c "cf-key >/dev/null; cd /var/lib/cfengine3
	    install -m 600 $VBED/share/promises.cf inputs
	    cp $HUB/ppkeys/localhost.pub ppkeys/root-$hub.pub 2>/dev/null ||
	        cat >ppkeys/root-$hub.pub" <"$HUB/ppkeys/localhost.pub" || fail "keys of node$i"
	von node$i cat /var/lib/cfengine3/ppkeys/localhost.pub >"$T/pub"
	cp "$T/pub" "$HUB/ppkeys/root-$(CFENGINE_TEST_OVERRIDE_WORKDIR=$HUB cf-key -p "$T/pub").pub"
done
serve() {
	von "$1" cf-serverd || fail "cf-serverd of $1"
	wait_for 20 von "$1" grep -q ':14BC .* 0A ' /proc/net/tcp6 /proc/net/tcp ||
		fail "cf-serverd of $1 does not listen"
}
for i in 1 3 4; do
	serve node$i
done
printf 'domain = bed.example\nnode1\nnode2\nnode3\nnode4\n' >"$HUB/inputs/cfrun.hosts"
vcf() {
	run "$VHOSTS" control env CFENGINE_TEST_OVERRIDE_WORKDIR="$HUB" "$CFRUN" "$@"
}

vcf
want_status 3
want_equal "$(grep -c 'R: hello from node' "$out")" 3
want_err '^cfrun: 1 of 4 failed: refused: node2.bed.example$'
vcf --list -x node3
want_out "node1.bed.example
node2.bed.example
node4.bed.example"
vcf --ping node1 node3.bed.example
want_status 0
want_lines 2
vcf --count -x 'node[1-2].bed.example' -x node4
want_out 1

# By ssh, with any option; and only where cf-serverd does not come to run it.
vcf -F "$VBED/ssh_config" --transport ssh node2 -- -D some_class --log-level info
want_status 0
grep -q '^node2.bed.example: R: hello from node2' "$out" || fail "no run by ssh"
von node3 rm "/var/lib/cfengine3/ppkeys/root-$hub.pub"
vcf -v -F "$VBED/ssh_config" --transport auto
want_status 0
want_equal "$(grep -c 'R: hello from node' "$out")" 4
want_err '^cfrun: 2 kept; 2 done$'
want_err '^cfrun: node2.bed.example: connect to .*; trying another way$'
want_err '^cfrun: node3.bed.example: it does not trust our key .*; trying another way$'
want_no_err '^cfrun: node[14].bed.example: .*trying another way'
vcf -F "$VBED/ssh_config" --transport ssh node2 -- -- linux
want_status 2
want_err 'cannot|only cf-serverd'

# node4 shows node1's key.
von node1 sh -c 'cd /var/lib/cfengine3/ppkeys && cp localhost.p* '"$VBED"'/share'
von node4 sh -c 'cp '"$VBED"'/share/localhost.p* /var/lib/cfengine3/ppkeys && kill $(pidof cf-serverd)'
wait_for 10 sh -c '! "$0" enter node4 pidof cf-serverd' "$VHOSTS" || fail "cf-serverd of node4 stays"
von node4 sh -c 'rm -f /var/lib/cfengine3/state/cf_lock.lmdb*'
serve node4
vcf --transport auto -F "$VBED/ssh_config" node4
want_status 3
want_err 'hostkey-changed'

# Cut off: silent, and nobody else waits for it.
"$VHOSTS" cut node1
vcf -t 1 node1 node3
want_status 3
want_err 'connect-timeout: node1.bed.example'
want_err 'auth: node3.bed.example'
