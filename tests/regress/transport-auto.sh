#!/bin/sh
# What libssh2 cannot do is done by the system's ssh, for those hosts only.
. "$(dirname "$0")/../lib.sh"
bed_up 3
conf=$T/ssh_config

# both HOST LINE...: with these lines in the configuration transport ssh2
# fails, auto goes on with ssh and says so under -v, others are not affected.
both() {
	host=$1
	shift
	{
		echo "Host ${host%:*}"
		printf '    %s\n' "$@"
		cat "$BED/ssh_config"
	} >"$conf"
	run "$CEXEC" -F "$conf" -n --transport ssh2 -w "$host,127.1.0.1" echo fine
	want_status 3
	want_out "127.1.0.1: fine"
	run "$CEXEC" -F "$conf" -n -v -w "$host,127.1.0.1" echo fine
	want_status 0
	want_lines 2
	want_err "^cexec: $host: .*the system's ssh\$"
	want_no_err "^cexec: 127.1.0.1: .*the system's ssh\$"
	# Nothing of it without -v.
	run "$CEXEC" -F "$conf" -n -w "$host,127.1.0.1" 'echo fine; exit 7'
	want_status 1
	want_err '^cexec: 2 of 2 failed: exit 7:'
	want_no_err 'system'
}

# A host behind a command (nc stands for whatever leads there).
command -v nc >/dev/null || skip "nc is not installed"
both 127.1.0.2 "ProxyCommand nc %h %p"

# A key exchange that libssh2 does not have.
sntrup=$("$LOOPBACK" sshd sntrup 'KexAlgorithms sntrup761x25519-sha512@openssh.com')
grep -v Kex "$BED/ssh_config" >"$T/plain" && mv "$T/plain" "$BED/ssh_config"
both "$sntrup" "LogLevel INFO"

# A user certificate.
ssh-keygen -q -t ed25519 -N '' -f "$T/ca" || fail "ssh-keygen"
ssh-keygen -q -t ed25519 -N '' -f "$T/id" || fail "ssh-keygen"
ssh-keygen -q -s "$T/ca" -I test -n "$(id -un)" "$T/id.pub" || fail "ssh-keygen -s"
cert=$("$LOOPBACK" sshd cert "TrustedUserCAKeys $T/ca.pub" 'AuthorizedKeysFile none')
both "$cert" "IdentityFile $T/id"

# A host certificate.
ssh-keygen -q -t ed25519 -N '' -f "$T/host" || fail "ssh-keygen"
ssh-keygen -q -s "$T/ca" -I host -h "$T/host.pub" || fail "ssh-keygen -h"
hostcert=$("$LOOPBACK" sshd hostcert "HostKey $T/host" "HostCertificate $T/host-cert.pub")
sed -i '$d' "$BED/known_hosts"
echo "@cert-authority * $(cut -d' ' -f1,2 "$T/ca.pub")" >>"$BED/known_hosts"
both "$hostcert" "LogLevel INFO"

# Both ways fail: one outcome, one message.
refuse=$("$LOOPBACK" sshd refuse2 'AuthorizedKeysFile none')
run "$CEXEC" -F "$conf" -n -o "ProxyCommand=nc 127.0.0.1 1" -w "$refuse" true
want_status 3
[ "$(grep -c 'failed: ' "$err")" -eq 1 ] || fail "more than one summary"
