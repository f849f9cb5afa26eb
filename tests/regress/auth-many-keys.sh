#!/bin/sh
# More keys than the server lets us try: it hangs up, and that is class auth
# with the server's words, not a lost connection.
. "$(dirname "$0")/../lib.sh"
bed_up 2
impatient=$("$LOOPBACK" sshd impatient 'MaxAuthTries 2')
grep -v Identit "$BED/ssh_config" >"$T/ssh_config"
for i in 1 2 3 4; do
	ssh-keygen -q -t ed25519 -N '' -f "$T/k$i" || fail "ssh-keygen"
	echo "    IdentityFile $T/k$i" >>"$T/ssh_config"
done
echo "    IdentityFile $BED/id_ed25519" >>"$T/ssh_config"
run "$CEXEC" -F "$T/ssh_config" -n -w "127.1.0.1,$impatient" echo fine
want_status 3
want_out "127.1.0.1: fine"
want_err "^cexec: $impatient: auth: .*Too many authentication failures"
want_err "1 of 2 failed: auth: $impatient\$"
