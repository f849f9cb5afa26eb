#!/bin/sh
# Each way not to reach a host has its own class and message, and the other
# hosts do not notice.
. "$(dirname "$0")/../lib.sh"
bed_up 4
H='127.1.0.[1-4]'

# one CLASS STATUS HOST MESSAGE [OPTION...]: HOST fails so, the four are fine.
one() {
	class=$1 status=$2 host=$3 message=$4
	shift 4
	cx -n "$@" -w "$H,$host" echo fine
	want_status "$status"
	want_lines 4
	want_err "^cexec: $host: $class: .*$message"
	want_err "^cexec: 1 of 5 failed: $class: $host\$"
}

one refused 3 127.0.0.1:1 'Connection refused'
one resolve 3 no-such-host.invalid 'no-such-host.invalid'
blackhole silent
one login-timeout 3 "$hole" . --login-timeout 1
blackhole banner
one login-timeout 3 "$hole" . --login-timeout 1
blackhole slow
one login-timeout 3 "$hole" . --login-timeout 2
blackhole close
one lost 3 "$hole" .
blackhole reset
# It depends on the moment whether that is seen while connecting or after.
one '(lost|refused)' 3 "$hole" .
blackhole babble
cx -n --login-timeout 2 -w "$H,$hole" echo fine
want_status 3
want_lines 4
want_err "^cexec: 1 of 5 failed: [a-z-]*: $hole\$"
blackhole garbage
cx -n --login-timeout 2 -w "$H,$hole" echo fine
want_status 3
want_lines 4
want_err "^cexec: 1 of 5 failed: [a-z-]*: $hole\$"

# A host key other than the known one; the message names the file and line.
changed=$("$LOOPBACK" sshd changed --new-key)
sed -i '$d' "$BED/known_hosts"
echo "[${changed%:*}]:${changed#*:} $(cut -d' ' -f1,2 "$BED/hostkey.pub")" >>"$BED/known_hosts"
one hostkey-changed 3 "$changed" 'known_hosts'

# A host key that is not known.
sed -i '$d' "$BED/known_hosts"
one hostkey-unknown 3 "$changed" '.'
# It may be accepted, once and for all.
cp "$BED/known_hosts" "$T/kh"
cx -n --known-hosts "$T/kh" --accept-new -w "$changed" echo fine
want_status 0
want_out "$changed: fine"
cx -n --known-hosts "$T/kh" -w "$changed" echo fine
want_status 0
# Accepting new ones does not accept changed ones.
sed -i '$d' "$T/kh"
echo "[${changed%:*}]:${changed#*:} $(cut -d' ' -f1,2 "$BED/hostkey.pub")" >>"$T/kh"
one hostkey-changed 3 "$changed" . --known-hosts "$T/kh" --accept-new

# A server that refuses the key.
refuse=$("$LOOPBACK" sshd refuse 'AuthorizedKeysFile none')
one auth 3 "$refuse" .
grep -v IdentityFile "$BED/ssh_config" >"$T/ssh_config"
run "$CEXEC" -F "$T/ssh_config" --identity "$BED/id_other" -n -w $H true
want_status 3
want_err '4 of 4 failed: auth: 127\.1\.0\.\[1-4\]$'

# A server with which we share no algorithm.
odd=$("$LOOPBACK" sshd odd 'KexAlgorithms ecdh-sha2-nistp521')
one algorithm 3 "$odd" .

# Both kinds of failure.
cx -n -w "$H,127.0.0.1:1" 'exit 3'
want_status 4
want_err '5 of 5 failed: exit 3: 127\.1\.0\.\[1-4\]; refused: 127\.0\.0\.1:1$'
cx -n -S -w "$H,127.0.0.1:1" 'exit 3'
want_status 254
