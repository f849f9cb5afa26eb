#!/bin/sh
# --explain: how a host would be reached, and which lines say so.
. "$(dirname "$0")/../lib.sh"
bed_up 2
ssh-keygen -q -t ed25519 -N sesame -a 1 -f "$T/locked" || fail "ssh-keygen"
cat >"$T/ssh_config" <<CONF
Host n1
    HostName 127.1.0.1
    User somebody
Host *
    IdentityFile $T/locked
    Port 99
    StrictHostKeyChecking accept-new
Include $BED/ssh_config
CONF
print=$(ssh-keygen -lf "$BED/hostkey.pub" | cut -d' ' -f2)
says() {
	grep -Fqx -- "$1" "$out" || fail "nothing says: $1"
}
run setsid "$CEXEC" -F "$T/ssh_config" -w "n1:$BED_PORT,root@n2" --explain
want_status 0
says "n1:$BED_PORT: named by -w n1:$BED_PORT"
says "n1:$BED_PORT: $T/ssh_config:2: hostname 127.1.0.1"
says "n1:$BED_PORT: $T/ssh_config:3: user somebody"
says "n1:$BED_PORT: connects to 127.1.0.1 port $BED_PORT, logs in as somebody"
says "n1:$BED_PORT: host key: $BED/known_hosts:1: ssh-ed25519 $print"
says "n1:$BED_PORT: key 1: $BED/id_ed25519 ssh-ed25519"
grep -q "^n1:$BED_PORT: key not tried: $T/locked: is encrypted" "$out" || fail "the locked key"
! grep -q "^n1.* port 99" "$out" || fail "a port that does not count"
says "root@n2: $T/ssh_config:6: port 99"
says "root@n2: connects to n2 port 99, logs in as root"
says "root@n2: host key: none is known: a new one would be recorded"
# Only what is selected; and what cannot be made sense of says why.
run "$CEXEC" -F "$T/ssh_config" -w n1 -x n2 --explain n2 zz
want_status 0
want_out 'n2: left out by -x n2
zz: nothing names it'
