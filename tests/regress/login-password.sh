#!/bin/sh
# Passwords, and questions of all sorts: asked when a host wants them, sent
# once, and never again without asking. The server is bed/asker, which writes
# down every attempt; login-pam.sh does the same with PAM.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/asker.inc"
bed_up 2
asker

# by_fd USERS OPTION...: the password from a descriptor, no terminal.
by_fd() {
	users=$1
	shift
	: >"$T/log"
	run setsid "$CEXEC" -F "$T/ssh_config" -n "$@" --password-fd 9 -w "$users" x 9<"$T/pw"
}
echo secret >"$T/pw"
c="$CEXEC -F $T/ssh_config -n"

# Nobody to ask: said what would help, and nothing tried.
run setsid $c -w "$(hosts pw)" x
want_status 3
want_err "auth: user pw is refused; .*takes a password, too \(--ask-password\)"
run setsid $c --ask-password -w "$(hosts pw)" x
want_status 2
want_err "no terminal .*--password-fd"
log_is ''

# Where a key is accepted, no password is asked for.
tty_run -- $c --ask-password -w '127.1.0.[1-2]' echo fine
want_status 0
want_lines 2

# From a descriptor: one for all, each once; codes are not answered with it.
by_fd "$(hosts pw both kb keypw)"
want_status 0
want_lines 4
log_is 'both password secret;kb password secret;keypw password secret;pw password secret;'
# A server that asks for nothing.
by_fd "$(hosts open)" -o PubkeyAuthentication=no
want_status 0
log_is ''
by_fd "$(hosts two rounds newpw keycode)"
want_status 3
want_err "keycode@$at: auth: user keycode is refused \(publickey was accepted, but not enough\)"
want_err '4 of 4 failed: auth'
log_is 'rounds password secret;'

# Wrong: each host says so, and none is tried twice.
echo wrong >"$T/pw"
by_fd "$(hosts pw both kb keypw)"
want_status 3
want_err "pw@$at: auth: .*wrong password"
want_err "kb@$at: auth: .*wrong answer \(keyboard-interactive\)"
log_is 'both password wrong;kb password wrong;keypw password wrong;pw password wrong;'
: >"$T/pw"
by_fd "$(hosts pw)"
want_status 2
want_err 'password-fd 9: there is no password in it'
run "$CEXEC" -F "$T/ssh_config" --password-fd 77 -w x y
want_status 2
want_err 'password-fd 77: Bad file descriptor'

# Once for all on the terminal; codes are asked for one by one.
tty_run 'Password (for all' secret -- $c --ask-password -w "$(hosts pw both kb)" x
want_status 0
want_lines 3
want_equal "$(grep -c 'Password' "$T/tty")" 1 "prompts"
tty_run 'Password (for all' secret '(two@' 123456 '(rounds@' 123456 '(keycode@' 123456 -- \
    $c --ask-password -f 1 -w "$(hosts two rounds keycode)" x
want_status 0
want_lines 3
grep -q 'Mind^\[\[2J the gap' "$T/tty" || fail "the instruction is not shown, or raw"

# For each: as often as NumberOfPasswordPrompts says, and told when wrong.
tty_run "password: " oops 'try again' secret -- $c --ask-each -w "$(hosts pw)" x
want_status 0
log_is 'pw password oops;pw password secret;'
tty_run "password: " a 'try again' b -- $c --ask-each -o NumberOfPasswordPrompts=2 -w "$(hosts pw)" x
want_status 3
log_is 'pw password a;pw password b;'

# Not answered: nothing is sent.
tty_run 'Password (for all' '' -- $c --ask-password -w "$(hosts pw kb)" x
want_status 3
want_err 'auth: .*password not answered'
log_is ''

# What the configuration forbids is not done.
echo secret >"$T/pw"
by_fd "$(hosts both)" -o PreferredAuthentications=password
want_status 0
by_fd "$(hosts both)" -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no
want_status 3
by_fd "$(hosts pw)" -o PasswordAuthentication=no
want_status 3
by_fd "$(hosts kb)" -o KbdInteractiveAuthentication=no
want_status 3
by_fd "$(hosts pw)" -o BatchMode=yes
want_status 3
log_is ''

# A host whose key changed gets none.
sed "s|^\[${at%:*}\]:${at#*:} .*|[${at%:*}]:${at#*:} $(cut -d ' ' -f 1,2 "$BED/id_other.pub")|" \
    "$BED/known_hosts" >"$T/changed"
by_fd "$(hosts pw)" --known-hosts "$T/changed" -o StrictHostKeyChecking=no
want_status 3
want_err 'no password is sent, as its host key changed'
log_is ''

# The server does not wait for ever, nor does anybody wait for it.
tty_run -- $c --ask-each -w "$(hosts slow),127.1.0.1" echo fine
want_status 3
want_out '127.1.0.1: fine'
want_err "auth: the server hung up while it waited for an answer"
