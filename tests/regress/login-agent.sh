#!/bin/sh
# 200 hosts through one ssh-agent: all ok, at a rate like that of key files.
. "$(dirname "$0")/../lib.sh"
bed_up 200
eval "$(ssh-agent -s)" >/dev/null
background="${background-} $SSH_AGENT_PID"
ssh-add -q "$BED/id_ed25519" || fail "ssh-add"
agent=$SSH_AUTH_SOCK
unset SSH_AUTH_SOCK
try() {
	run "$B/bed/usage" "$T/$1" env ${2-} "$CEXEC" -F "$BED/ssh_config" -n --hostfile "$BED/hosts" echo fine
	want_status 0
	want_lines 200
	want_quiet
}
for i in 1 2; do
	try files
	try agent SSH_AUTH_SOCK="$agent"
done
run env SSH_AUTH_SOCK="$agent" "$CEXEC" -F "$BED/ssh_config" -nv -w 127.1.0.1 true
want_err 'id_ed25519 ssh-ed25519 \(agent\)'
! $SANITIZED || exit 0
files=$(sort -n "$T/files" | head -n 1 | cut -d' ' -f1)
agent=$(sort -n "$T/agent" | head -n 1 | cut -d' ' -f1)
echo "200 hosts: by key file $files ms, through the agent $agent ms"
[ "$agent" -le $((2 * files)) ] || fail "the agent takes $agent ms, key files $files"
