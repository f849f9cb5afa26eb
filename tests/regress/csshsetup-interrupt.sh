#!/bin/sh
# csshsetup ended at 20 moments, in order and by force: every authorized_keys and
# known_hosts is the old or the new one, whole, and the next run ends the work.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 6 --password
nodes='node[1-6]'
ak=/root/.ssh/authorized_keys
seq -f '# line %g of a file that was there before' 5000 >"$T/old"
ssh-keygen -q -t ed25519 -N '' -f "$H/.ssh/id_ed25519"
cat "$T/old" "$H/.ssh/id_ed25519.pub" >"$T/new"
{
	grep -Ev 'HashKnownHosts' "$H/.ssh/config"
	echo "    HashKnownHosts no"
} >"$T/config"
cp "$T/config" "$H/.ssh/config"
for i in 1 2 3 4 5 6; do
	echo "node$i $(von node$i cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub)"
done >"$T/keys"

# Hosts are as before, all at once.
anew() {
	rm -f "$H/.ssh/known_hosts"
	for i in 1 2 3 4 5 6; do
		von node$i sh -c "mkdir -p -m 700 /root/.ssh; cat >$ak; chmod 600 $ak" <"$T/old"
	done
}

# Nothing half done, here or there. Scripts that were begun may end first.
settled() {
	von "$1" sh -c 'n=0; while pgrep -f "[c]sshsetup: " >/dev/null && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.05; done
	    cat '$ak
}
whole() {
	changed=0
	for i in 1 2 3 4 5 6; do
		settled node$i >"$T/is"
		if cmp -s "$T/is" "$T/new"; then
			changed=$((changed + 1))
		elif ! cmp -s "$T/is" "$T/old"; then
			fail "node$i has neither the old nor the new file ($1)"
		fi
		want_equal "$(von node$i ls -A /root/.ssh | tr '\n' ' ')" "authorized_keys " "left on node$i ($1)"
	done
	[ ! -e "$H/.ssh/known_hosts" ] || ! grep -vxFf "$T/keys" "$H/.ssh/known_hosts" ||
		fail "known_hosts has half a line ($1)"
}

before=0 between=0 after=0
for moment in $(seq 20); do
	[ $((moment % 5)) -ne 1 ] || anew
	how=TERM
	[ $((moment % 3)) -ne 0 ] || how=KILL
	at_home setsid -w timeout -s $how "0.$(printf %02d $((moment * 4)))" "$CSSHSETUP" --accept-new \
	    --password-fd 9 "$nodes" 9<"$T/pw" >/dev/null 2>&1
	whole "$how at moment $moment"
	case $changed in
	0) before=$((before + 1)) ;;
	6) after=$((after + 1)) ;;
	*) between=$((between + 1)) ;;
	esac
done
echo "nothing done $before times, some $between, all $after"
setup "$nodes"
want_status 0
want_lines 6
whole "in the end"
want_equal "$changed" 6 "hosts"
want_equal "$(sort -V "$H/.ssh/known_hosts")" "$(sort -V "$T/keys")" known_hosts
