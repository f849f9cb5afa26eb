#!/bin/sh
# New host keys on a terminal: one table, one question, recorded once.
. "$(dirname "$0")/../lib.sh"
bed_up 40
terminal=$B/bed/terminal
sed "s|$BED/known_hosts|$T/known|; /BatchMode/d" "$BED/ssh_config" >"$T/ssh_config"
set -- "$CEXEC" -F "$T/ssh_config" -n
print=$(ssh-keygen -lf "$BED/hostkey.pub" | cut -d' ' -f2)
print_re=$(echo "$print" | sed "s/[+/]/./g")

# No terminal: class hostkey-unknown, with the fingerprint and what to do.
run setsid "$@" -w 127.1.0.1 true
want_status 3
want_err "hostkey-unknown: .*ssh-ed25519 $print_re .*--accept-new"

# No.
run "$terminal" "$T/tty" 'each/fingerprint): ' no -- "$@" --hostfile "$BED/hosts" echo fine
want_status 3
want_err "40 of 40 failed: hostkey-unknown: "
[ ! -s "$T/known" ] || fail "recorded all the same"

# Nonsense, then yes: all 40 in one table of one line, as they share a key.
run "$terminal" "$T/tty" 'fingerprint): ' maybe 'fingerprint): ' yes -- \
    "$@" --hostfile "$BED/hosts" echo fine
want_status 0
want_lines 40
want_equal "$(wc -l <"$T/known")" 40 "recorded keys"
grep -q "ssh-ed25519 $print_re  127.1.0.\[1-40\]" "$T/tty" || fail "no table: $(cat "$T/tty")"
run "$@" --hostfile "$BED/hosts" echo again
want_status 0
want_lines 40

# Some are new, one is another's: by fingerprint, then the other one.
other=$("$LOOPBACK" sshd other --new-key)
sed -i '/127.1.0.[123]\]/d' "$T/known"
print2=$(ssh-keygen -lf "$BED/hostkey.other.pub" | cut -d' ' -f2)
run "$terminal" "$T/tty" 'each/fingerprint): ' "$print2" 'each/fingerprint): ' no -- \
    "$@" --hostfile "$BED/hosts" -w "$other" echo fine
want_status 3
want_lines 38
want_err "3 of 41 failed: hostkey-unknown: 127.1.0.\[1-3\]\$"
grep -q 127.2 "$T/known" || fail "not recorded: $other"

# One by one: yes, no, yes.
run "$terminal" "$T/tty" 'each/fingerprint): ' each 'fingerprint): ' yes 'fingerprint): ' no \
    'fingerprint): ' yes -- "$@" -w '127.1.0.[1-3]' echo fine
want_status 3
want_lines 2
want_err "1 of 3 failed: hostkey-unknown: "

# The end of the input is a no to all.
sed -i '/127.1.0.[123]\]/d' "$T/known"
run "$terminal" "$T/tty" 'fingerprint): ' ^D -- "$@" -w '127.1.0.[1-3]' echo fine
want_status 3
want_err "3 of 3 failed: hostkey-unknown: "

# Nothing turns the check off silently: a new key, one that changed.
: >"$T/known"
run "$@" -o StrictHostKeyChecking=no -w 127.1.0.1 echo fine
want_status 0
want_err "127.1.0.1: .*$print_re is not known, and not checked, as StrictHostKeyChecking is off"
run "$@" -o StrictHostKeyChecking=no -w 127.1.0.1 echo fine
want_quiet
sed -i "s| ssh-ed25519 .*| $(cut -d ' ' -f 1,2 "$BED/hostkey.other.pub")|" "$T/known"
run "$@" -o StrictHostKeyChecking=no -w 127.1.0.1 echo fine
want_status 0
want_err 'host key changed: .*accepted, as StrictHostKeyChecking is off'
