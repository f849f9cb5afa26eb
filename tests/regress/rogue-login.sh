#!/bin/sh
# Servers that break the rules once we are logged in: the right outcome for
# each, none for the others, and nothing of theirs reaches the terminal raw.
. "$(dirname "$0")/../lib.sh"
command -v jq >/dev/null || skip "jq is not installed"
bed_up 4

cp "$BED/known_hosts" "$T/kh"
# rogue NAME [VERSION]: where it listens is in $at.
rogue() {
	"$B/bed/rogue_login" "$BED/hostkey" 127.0.0.1:0 ${2+"$2"} >"$T/$1" 2>"$T/$1.err" &
	background="${background-} $!"
	wait_for 5 test -s "$T/$1" ||
		{ grep -q 'without libssh' "$T/$1.err" && skip "built without libssh"; } ||
		fail "rogue_login does not start"
	at=$(cat "$T/$1")
	echo "[${at%:*}]:${at#*:} $(cut -d ' ' -f 1,2 "$BED/hostkey.pub")" >>"$T/kh"
}
rogue openssh OpenSSH_9.9
openssh=$at
rogue rogue

# USER CLASS STATUS OUTPUT ("." none of it matters)
cat >"$T/want" <<'WANT'
status-first ok 0 8
data-after-eof ok 0 .
eof-only idle-timeout . 4
eof-status exit 3 4
no-status lost . 4
bad-signal signal . 0
no-channel remote . 0
no-exec remote . 0
window ok 0 4
big-status exit 2147483647 0
disconnect lost . .
WANT

hosts='127.1.0.[1-4]'
while read -r user _; do
	hosts=$hosts,$user@$at
done <"$T/want"

# all ARGUMENTS...: the lot of them; they are done long before a minute.
all() {
	run timeout 60 "$CEXEC" -F "$BED/ssh_config" --transport ssh2 -n \
	    --known-hosts "$T/kh" --idle 3 --login-timeout 10 -w "$hosts" \
	    "$@" 'echo fine'
}

all --json
want_status 1
grep '"event":"done"' "$out" >"$T/done"
want_equal "$(wc -l <"$T/done")" 15 "outcomes"
want_equal "$(jq -r 'select(.host | startswith("127.1.0.")) |
    .class' "$T/done" | sort | uniq -c | xargs)" "4 ok" "the others"
bad=
while read -r user class status bytes; do
	got=$(jq -r --arg h "$user@$at" 'select(.host == $h) |
	    "\(.class) \(.status // "-") \(.out_bytes)"' "$T/done")
	want="$class $status $bytes"
	# shellcheck disable=SC2254  # the dots are made patterns
	case $got in
	$(echo "$want" | sed 's/\./*/g')) ;;
	*) bad="$bad; $user: $got, wanted $want" ;;
	esac
done <"$T/want"
[ -z "$bad" ] || fail "${bad#; }"
# As text: not one byte that drives a terminal, and no line of its own for
# what pretends to be one.
all -v
want_status 1
for file in "$out" "$err"; do
	want_equal "$(LC_ALL=C tr -d '\n\t\040-\176' <"$file" | wc -c)" 0 \
	    "raw bytes in $file"
	! grep -q '^all is well' "$file" || fail "a line made up"
done
want_err "^cexec: [0-9]* of 15 failed: "

# Far more than anybody reads, and a slow reader: the server has to wait.
mkfifo "$T/slow"
{ sleep 2; wc -c; } <"$T/slow" >"$T/count" &
reader=$!
timeout 60 "$CEXEC" -F "$BED/ssh_config" --transport ssh2 -n \
    --known-hosts "$T/kh" -N -w "flood@$at,127.1.0.[1-4]" 'echo fine' >"$out" 2>"$T/slow" &
limit=$!
wait_for 5 pgrep -P $limit || fail "cexec does not start"
peak "$(pgrep -P $limit)" "$T/peak" &
rc=0
wait $limit || rc=$?
wait $reader
: >"$err"
want_status 0
want_lines 4
want_equal "$(cat "$T/count")" 104857600 "bytes of standard error"
kib=$(cat "$T/peak")
$SANITIZED || [ "$kib" -lt 100000 ] || fail "flood: $kib KiB"

# A jump host that never has room for one more: its hosts wait for it, as long
# as a connection may take.
cp "$T/kh" "$BED/known_hosts"
cx -n -t 2 -J "shortage@$at" -w '127.1.0.[1-2]' true
want_status 3
want_err '2 of 2 failed: connect-timeout: 127.1.0.\[1-2\]$'

# On a terminal: a channel that was asked for ahead, and shut before it was used.
export TERM=dumb
# talk HOST [WAIT-FOR ANSWER]...
talk() {
	host=$1
	shift
	# shellcheck disable=SC2016
	run "$B/bed/terminal" "$T/raw" "$@" -- \
	    sh -c 'exec "$1" -F "$2" -v -v --transport ssh2 --login-timeout 5 --known-hosts "$3" --no-report \
		-w "$4" </dev/tty >/dev/tty 2>&1' sh "$CEXEC" "$BED/ssh_config" "$T/kh" "$host"
	tr -d '\r' <"$T/raw" >"$out"
}
# said COMMANDS LOGINS
said() {
	want_equal "$(grep -c ': one$' "$out")" "$1" "commands"
	want_equal "$(grep -c 'auth -> ready' "$out")" "$2" "logins"
}
talk "shuts-next@$at" '1> ' 'a' ': one' \
    "!until grep -q shut $T/rogue.err; do :; done; echo it is g\"one\"" 'it is gone' 'b' ': one' 'c' ': one' quit
want_status 0
said 3 1

# The same, while the command before still ran.
talk "shuts-early@$openssh" '1> ' 'a' ': one' 'b' ': one' 'c' ': one' quit
want_status 0
said 3 1

# A command that is given up is not ended through a channel that is shut.
talk "shuts-and-runs@$openssh" '1> ' 'a' ': one' '^C' 'twice' '^C' 'failed: canceled' quit
grep -q 'canceled; killed' "$out" || fail "not known to be killed"

# What is said of the channels beside it is not the command's.
talk "wrong-status@$openssh" '1> ' 'a' 'failed: lost' 'b' 'failed: lost' quit
want_status 1
said 2 2
talk "strays@$openssh" '1> ' 'a' ': one' 'b' ': one' 'c' ': one' quit
want_status 0
said 3 1
