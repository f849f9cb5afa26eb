#!/bin/sh
# Jump hosts, in this process: one login to each, whatever the number of hosts
# behind it; what goes wrong with it is said of each of them.
. "$(dirname "$0")/../lib.sh"
bed_up 500
verbose="LogLevel VERBOSE"
j1=$("$LOOPBACK" sshd j1 "$verbose") j2=$("$LOOPBACK" sshd j2 "$verbose")
logins() {
	grep -c '^Accepted publickey' "$BED/$1.log"
}
many='127.1.0.[1-120]'
cx -n -J "$j1" --hostfile "$BED/hosts" echo fine
want_status 0
want_lines 500
want_quiet
want_equal "$(logins j1)" 1 "logins to the jump host"

# Two hops; each with one login more. From the configuration, too, where the
# second one is behind the first by its own entry.
cx -n -J "$j1,$j2" -w "$many" echo fine
want_status 0
want_lines 120
want_equal "$(logins j1) $(logins j2)" "2 1" "logins to both"
{
	printf 'Host hop2\n HostName %s\n Port %s\n ProxyJump %s\n' "${j2%:*}" "${j2#*:}" "$j1"
	printf 'Host 127.1.*\n ProxyJump hop2\n'
	cat "$BED/ssh_config"
} >"$T/conf"
run "$CEXEC" -F "$T/conf" -n -w "$many" echo fine
want_status 0
want_lines 120
want_equal "$(logins j1) $(logins j2)" "3 2" "logins to both"

# Bytes in and out, whole.
head -c 3000000 /dev/urandom >"$T/data"
sum=$(sha256sum <"$T/data" | cut -d' ' -f1)
run "$CEXEC" -F "$BED/ssh_config" -J "$j1" -w '127.1.0.[1-8]' 'tee /dev/stderr | sha256sum; exit 3' <"$T/data"
want_status 1
want_equal "$(grep -c ": $sum  -" "$out")" 8 "hosts that got it all"
cx -n -J "$j1" -w '127.1.0.[1-8]' -N 'head -c 2000000 /dev/zero'
want_equal "$(wc -c <"$out")" 16000000 "bytes that came back"

# Behind it: one refuses, one has no name, one swallows everything; the others
# do not wait for them.
blackhole full
dead=$("$LOOPBACK" sshd dead)
kill "$(cat "$BED/dead.pid")"
cx -n -J "$j1" -t 4 -w "$many,$dead,$hole" -w nowhere.invalid echo fine
want_status 3
want_lines 120
want_err "$dead: refused: via $j1: .*refused"
want_err "$hole: connect-timeout: "
want_err 'nowhere.invalid: resolve: via'

# The jump host itself: not there, not ours, not known, not willing.
cx -n -J "$dead" -w '127.1.0.[1-9]' echo fine
want_status 3
want_err "refused: via $dead: connect to .*refused"
want_err '^cexec: 9 of 9 failed: refused: '
cx -n -J "nobody@$j1" -w '127.1.0.[1-9]' echo fine
want_status 3
want_err "auth: via nobody@$j1: user nobody is refused"
# (As with ssh, options are not for the jump host, its configuration is.)
grep -v "^.127.2" "$BED/known_hosts" >"$T/known"
sed "s|$BED/known_hosts|$T/known|" "$BED/ssh_config" >"$T/conf"
run "$CEXEC" -F "$T/conf" -n -J "$j1" -w '127.1.0.[1-9]' echo fine
want_status 3
want_err "hostkey-unknown: via $j1: its host key"
closed=$("$LOOPBACK" sshd closed 'AllowTcpForwarding no')
cx -n -J "$closed" -w '127.1.0.[1-9]' echo fine
want_status 3
want_err "unreachable: via $closed: .*AllowTcpForwarding"

# Round in circles.
printf 'Host a\n ProxyJump b\nHost b\n ProxyJump a\n' | cat - "$BED/ssh_config" >"$T/conf"
run timeout 20 "$CEXEC" -F "$T/conf" -n -J a -w '127.1.0.[1-3]' echo fine
want_status 3
want_err 'local: via .*would be reached through itself'

# It dies in mid-run: lost, and through whom.
lost=$("$LOOPBACK" sshd lost "$verbose")
"$CEXEC" -F "$BED/ssh_config" -n -J "$lost" -w '127.1.0.[1-20]' 'echo on; sleep 60' >"$T/o" 2>"$T/e" &
pid=$!
background="$background $pid"
wait_for 10 sh -c "[ \$(grep -c on '$T/o') -eq 20 ]" || fail "not all began"
# shellcheck disable=SC2046
kill $(ps -o pid= --ppid "$(cat "$BED/lost.pid")")
rc=0
wait $pid || rc=$?
cp "$T/e" "$err"
want_status 1
want_err "lost: via $lost: "
want_err '20 of 20 failed: lost: '

# What libssh2 cannot log in to, the system's ssh jumps through.
sntrup=$("$LOOPBACK" sshd sntrup 'KexAlgorithms sntrup761x25519-sha512@openssh.com')
grep -v Kex "$BED/ssh_config" >"$T/conf"
run "$CEXEC" -F "$T/conf" -n -J "$sntrup" -w '127.1.0.[1-3]' echo fine
want_status 0
want_lines 3
run "$CEXEC" -F "$T/conf" -n -J "$sntrup" --transport ssh2 -w '127.1.0.[1-3]' echo fine
want_status 3
want_err "algorithm: via $sntrup: "

# Interrupted while all wait for a jump host that says nothing.
blackhole silent
run timeout -s INT 2 "$CEXEC" -F "$BED/ssh_config" -n -J "$hole" --login-timeout 1 -w '127.1.0.[1-9]' x
want_err '9 of 9 failed: login-timeout'
