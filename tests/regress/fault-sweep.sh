#!/bin/sh
# A connection that breaks, stalls or lies at any place of a whole login and
# command: one outcome for each host, never "ok" for half of the output, in
# time, and without a leak. One run tries a place on each of its hosts.
. "$(dirname "$0")/../lib.sh"
N=160
$SANITIZED && N=60
bed_up "$N"

# A login and this command are some 3.5 KB from the server.
cmd='head -c 900 /dev/zero | tr "\0" x; echo'
step=$((4400 / N))

# sweep MODE SECONDS CLASSES: all hosts through a proxy that breaks them. Only
# what stalls needs a deadline that a busy machine may miss.
sweep() {
	proxy "$1" "$step"
	# Only ssh2: what the system's ssh makes of it is its own affair.
	cx --transport ssh2 -n --json --port "$port" --known-hosts "$T/kh" --idle 3 \
	    --login-timeout "$2" --hostfile "$BED/hosts" "$cmd"
	exec 9>&-
	grep '"event":"done"' "$out" >"$T/done"
	[ "$(wc -l <"$T/done")" -eq "$N" ] || fail "$1: not one outcome for each"
	: >"$out"		# too much to show
	! jq -r .class "$T/done" | grep -vE "^($3)\$" >"$T/odd" ||
		fail "$1: classes $(sort -u "$T/odd" | tr '\n' ' ')"
	# What is called ok is whole, and what is whole may be called lost only
	# if its status was not there yet.
	jq -r 'select(.class=="ok") | .out_bytes' "$T/done" | grep -vqx 901 &&
		fail "$1: ok without all of the output"
	broken=$(jq -r 'select(.class!="ok") | .host' "$T/done" | wc -l)
	[ "$broken" -gt $((N / 2)) ] || fail "$1: only $broken were broken"
}

# What libssh2 and OpenSSL lose of a key exchange that fails is theirs; nothing
# of ours is excused.
printf 'leak:libssh2.so\nleak:libcrypto.so\n' >"$T/lsan"
LSAN_OPTIONS=suppressions=$T/lsan:print_suppressions=0
export LSAN_OPTIONS
command -v jq >/dev/null || skip "jq is not installed"
sweep cut 60 'ok|lost'
sweep reset 60 'ok|lost|refused'
sweep stall 3 'ok|login-timeout|idle-timeout|lost'
sweep flip 3 'ok|lost|algorithm|hostkey-unknown|hostkey-changed|login-timeout|idle-timeout|auth|remote'

# A slow line and a far one only take longer.
proxy slow "$step"
cx --transport ssh2 -n --port "$port" --known-hosts "$T/kh" -w '127.1.0.[1-4]' 'echo slow'
exec 9>&-
want_status 0
want_lines 4
proxy none "$step" -d 40
cx --transport ssh2 -n --port "$port" --known-hosts "$T/kh" -w '127.1.0.[1-20]' "$cmd"
exec 9>&-
want_status 0
want_lines 20
