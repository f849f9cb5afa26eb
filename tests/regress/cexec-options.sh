#!/bin/sh
# The options that say how a host is reached, and which come first.
. "$(dirname "$0")/../lib.sh"
bed_up 3
H='127.1.0.1'
other=$("$LOOPBACK" sshd other)
me=$(id -un)

# The port: of the host, of the option, of -o, of the configuration.
cx -n -w "$other" 'echo $SSH_CONNECTION'
want_status 0
grep -q " ${other#*:}\$" "$out" || fail "not the port of the host"
cx -n --port "${other#*:}" -o "Port=$BED_PORT" -w "${other%:*}" 'echo $SSH_CONNECTION'
want_status 0
grep -q " ${other#*:}\$" "$out" || fail "--port does not come before -o"
cx -n -o "Port ${other#*:}" -w "${other%:*}" true
want_status 0
cx -n --port 1 -w "$other" true
want_status 0

# The user: of the host, of -l; one that is not let in is refused.
cx -n -w "$me@$H" 'id -un'
want_out "$me@$H: $me"
cx -n -l no-such-user -w "$me@$H" 'id -un'
want_status 0
cx -n -l no-such-user -w "$H" true
want_status 3
want_err "auth: $H\$"

# A host by another name in the configuration.
{
	echo "Host alias"
	echo "    HostName 127.1.0.2"
	cat "$BED/ssh_config"
} >"$T/config"
run "$CEXEC" -F "$T/config" -n -w alias 'echo $SSH_CONNECTION'
want_status 0
grep -q '^alias: .* 127\.1\.0\.2 ' "$out" || fail "not the host of the alias"

# The key from the command line alone.
grep -v IdentityFile "$BED/ssh_config" >"$T/nokey"
run "$CEXEC" -F "$T/nokey" --identity "$BED/id_ed25519" -n -w $H true
want_status 0
# The key from an agent alone.
if command -v ssh-agent >/dev/null; then
	eval "$(ssh-agent)" >/dev/null
	background="${background-} $SSH_AGENT_PID"
	ssh-add -q "$BED/id_ed25519"
	rm -f "$T/nokey"
	grep -Ev 'IdentityFile|IdentitiesOnly' "$BED/ssh_config" >"$T/nokey"
	run "$CEXEC" -F "$T/nokey" -n -w '127.1.0.[1-3]' true
	want_status 0
fi

# The names only: nothing is run.
cx -w 'n[1-3,7]x,n2x' --list
want_out "n1x
n2x
n3x
n7x"
cx -w 'n[1-3,7]x' -x n2x --fold
want_out "n[1,3,7]x"
cx -w 'n[001-100]' --count
want_out 100
cx -w 'n[1-50]' --pick 5 --count
want_out 5
printf 'n1\n# a remark\nn[2-3]\n' >"$T/list"
cx --hostfile "$T/list" --list
want_lines 3
run env CFANOUT_HOSTS="$T/list" "$CEXEC" --fold
want_out "n[1-3]"
run sh -c 'echo "n[4-5]" | "$0" -w - --list' "$CEXEC"
want_lines 2

run "$CEXEC" --version
want_status 0
want_lines 1
run "$CEXEC" --help
want_status 0
want_quiet
