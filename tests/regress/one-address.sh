#!/bin/sh
# Many names of one server: not more logins at a time than it lets wait
# (MaxStartups), or it drops some of them.
. "$(dirname "$0")/../lib.sh"
bed_up 1
where=$("$LOOPBACK" sshd narrow 'MaxStartups 10:100:10' 'LogLevel VERBOSE' \
    'AuthorizedKeysCommandUser root' "AuthorizedKeysCommand $(command -v sleep) 0.1")
{
	printf 'Host one*\n HostName %s\n Port %s\n HostKeyAlias one\n' "${where%:*}" "${where#*:}"
	cat "$BED/ssh_config"
} >"$T/conf"
grep "^\[${where%:*}\]:${where#*:}" "$BED/known_hosts" | sed "s/^[^ ]*/one/" >"$T/known"
one() {
	run "$CEXEC" -F "$T/conf" --known-hosts "$T/known" -n "$@"
}
one -v -w 'one[1-60]' echo fine
want_status 0
want_lines 60
want_no_err 'trying again'
# Deadlines do not run while a host waits for its turn.
one -t 1 -w 'one[1-120]' true
want_status 0
want_quiet
! grep "past MaxStartups" "$BED/narrow.log" || fail "too many at once"
