#!/bin/sh
# A host that is not there yet, or has too much to do, is tried again; one that
# refuses the login is not.
. "$(dirname "$0")/../lib.sh"
bed_up 30
late=$("$LOOPBACK" sshd late 'LogLevel VERBOSE')
kill "$(cat "$BED/late.pid")"
wait_for 5 sh -c "! kill -0 $(cat "$BED/late.pid")"
sshd=$(PATH=$PATH:/usr/sbin command -v sshd)
cx -n -w "$late,127.1.0.1" echo fine
want_status 3
want_err "$late: refused: "
(
	sleep 1.5
	exec "$sshd" -D -e -f "$BED/late.conf" -p "${late#*:}" 2>"$T/late.log"
) &
background="${background-} $!"
cx -n -v --retries 5 -w "$late,127.1.0.1" echo fine
want_status 0
want_lines 2
want_err "$late: .*refused; trying again in 1.0 s"

# Too many at once for one address, all ok in the end.
busy=$("$LOOPBACK" sshd busy 'PerSourceMaxStartups 2' 'LogLevel VERBOSE')
while read -r host; do
	echo "Host $host"
	echo " HostName ${busy%:*}"
	echo " Port ${busy#*:}"
done <"$BED/hosts" >"$T/conf"
cat "$BED/ssh_config" >>"$T/conf"
run "$CEXEC" -F "$T/conf" -n -v --retries 8 --hostfile "$BED/hosts" echo fine
want_status 0
want_lines 30
want_err 'without an SSH greeting.*; trying again in'

# Never after a refused login, nor for what will not change.
cx -n -v --retries 5 -l nobody -w 127.1.0.1 true
want_status 3
want_no_err 'trying again'
# Canceled while it waits for its next turn.
run timeout -s TERM 1 "$CEXEC" -F "$BED/ssh_config" -n --retries 50 -w 127.7.7.7:1 true
want_err '1 of 1 failed: canceled'
