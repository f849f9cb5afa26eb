#!/bin/sh
# The system's ssh as a transport: the same classes, and its own 255 told from
# the command's.
. "$(dirname "$0")/../lib.sh"
bed_up 6
H='127.1.0.[1-4]'

# ox ARGUMENTS...: cexec by ssh processes on the bed.
ox() {
	cx --transport openssh "$@"
}

# one CLASS STATUS HOST MESSAGE [OPTION...]: HOST fails so, the four are fine.
one() {
	class=$1 status=$2 host=$3 message=$4
	shift 4
	ox -n "$@" -w "$H,$host" echo fine
	want_status "$status"
	want_lines 4
	want_err "^cexec: $host: $class: .*$message"
	want_err "^cexec: 1 of 5 failed: $class: $host\$"
}

ox -n -w "$H" 'echo out; echo err >&2'
want_status 0
want_lines 4
[ "$(grep -c ': err$' "$err")" -eq 4 ] || fail "standard error of the command"
want_no_err debug

# The command's own 255, and one of ssh's.
ox -n -w 127.1.0.1 'exit 255'
want_status 1
want_err 'failed: exit 255: 127\.1\.0\.1$'
one refused 3 127.0.0.1:1 'Connection refused'
one resolve 3 no-such-host.invalid 'resolve hostname'
blackhole silent
one '(login-timeout|lost)' 3 "$hole" . --login-timeout 1
blackhole close
one lost 3 "$hole" .
refuse=$("$LOOPBACK" sshd refuse 'AuthorizedKeysFile none')
one auth 3 "$refuse" 'Permission denied'
odd=$("$LOOPBACK" sshd odd 'KexAlgorithms ecdh-sha2-nistp521')
one algorithm 3 "$odd" 'no matching key exchange'
changed=$("$LOOPBACK" sshd changed --new-key)
sed -i '$d' "$BED/known_hosts"
one hostkey-unknown 3 "$changed" 'verification failed'
echo "[${changed%:*}]:${changed#*:} $(cut -d' ' -f1,2 "$BED/hostkey.pub")" >>"$BED/known_hosts"
one hostkey-changed 3 "$changed" 'HAS CHANGED'

ox -n -w 127.1.0.1 'kill -TERM $$'
want_status 1
want_err 'failed: signal'
ox -n -u 1 -w 127.1.0.1 'sleep 20'
want_err 'failed: command-timeout: 127\.1\.0\.1$'

# The input reaches all, whole.
head -c 3000000 /dev/urandom >"$T/in"
ran="input to six"
rc=0
"$CEXEC" -F "$BED/ssh_config" --transport openssh -w '127.1.0.[1-6]' sha256sum \
    <"$T/in" >"$out" 2>"$err" || rc=$?
want_status 0
[ "$(grep -c "$(sha256sum <"$T/in" | cut -d' ' -f1)" "$out")" -eq 6 ] ||
	fail "the input did not arrive whole everywhere"
