#!/bin/sh
# Servers that break cf-serverd's protocol: the right outcome for each, and
# neither a crash, nor memory, nor a host that waits for another.
. "$(dirname "$0")/../lib.sh"
[ -x "$CFRUN" ] || skip "$CFRUN is not built"
command -v openssl >/dev/null || skip "openssl is not installed"

key() {
	mkdir -p "$T/$1/ppkeys"
	chmod 700 "$T/$1" "$T/$1/ppkeys"
	openssl genrsa -traditional -out "$T/$1/ppkeys/localhost.priv" 2048 2>/dev/null ||
		fail "no key"
	chmod 600 "$T/$1/ppkeys/localhost.priv"
}
key hub
key server
modes='good tls12 trickle twice old new garbage huge flood mute half quiet lies nocode stall'
for mode in $modes; do
	"$B/bed/rogue_cfserverd" "$T/server/ppkeys/localhost.priv" 127.0.0.1:0 $mode >"$T/rogue.$mode" &
	background="${background-} $!"
done
for mode in $modes; do
	wait_for 10 test -s "$T/rogue.$mode" || fail "$mode does not start"
	eval "$mode=\$(cat "$T/rogue.$mode")"
	cat "$T/rogue.$mode" >>"$T/hosts"
done
want_equal "$(wc -l <"$T/hosts")" 15 servers

begin=$(date +%s)
run "$CFRUN" --workdir "$T/hub" -f "$T/hosts" -T --login-timeout 3 --idle 2
took=$(($(date +%s) - begin))
want_status 4
[ $took -lt 20 ] || fail "took $took s"
{
	for h in $good $tls12 $trickle $twice $new $nocode; do
		printf '%s: one\n%s: two\n' $h $h
	done
	echo "$half: one"
} | sort >"$T/wanted"
want_equal "$(sort "$out")" "$(cat "$T/wanted")" "what was said"
# how MODE CLASS TEXT
how() {
	eval "host=\$$1"
	run "$CFRUN" --workdir "$T/hub" -f "$T/hosts" --login-timeout 2 --idle 1 -v "$host"
	[ "$2" != ok ] || { want_status 0; return; }
	want_err "^cfrun: $host: $2: .*$3"
}
how good ok
how tls12 ok
how trickle ok
how twice ok
how old algorithm 'speaks only protocol 1'
how garbage lost "not cf-serverd's protocol"
how huge lost "not cf-serverd's protocol"
how flood algorithm 'does not greet'
how mute login-timeout open
how half lost 'before the agent'
how quiet remote 'without an answer'
how lies remote 'without an answer'
how nocode remote 'no exit status: cf-serverd 3.15.2 is too old'
how stall login-timeout .
how new ok
