#!/bin/sh
# --lock logs in twice, for the lock and for the command: what is asked for that
# is asked once where that will do, and where it will not, that is said.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/asker.inc"
bed_up 5
export FANOUT_LOCK_DIR="$T/locks"
mkdir "$FANOUT_LOCK_DIR"
asker run
# The bed's own hosts have no such folder: there it is in /tmp.
lock=t.$$
trap 'rm -rf "/tmp/fanout-lock.$lock"; cleanup' EXIT
c="$CEXEC -F $T/ssh_config -n --lock $lock"
by_fd() {
	users=$1
	shift
	: >"$T/log"
	run setsid $c --password-fd 9 -w "$users" "$@" 9<"$T/pw"
}

# One password, each host sent it for both.
echo secret >"$T/pw"
by_fd "$(hosts pw both kb keypw)" echo ran
want_status 0
want_lines 4
log_is "$(for user in both kb keypw pw; do printf '%s password secret;%s password secret;' $user $user; done)"
tty_run 'Password (for all' secret -- $c --ask-password -w "$(hosts pw kb),127.1.0.1" echo ran
want_status 0
want_lines 3
want_equal "$(grep -c 'Password' "$T/tty")" 1 "prompts"
! grep -q 'logged in to twice' "$err" || fail "said where nobody is asked twice"

# Wrong: tried once, nothing is run there, and the others have their lock.
echo wrong >"$T/pw"
by_fd "$(hosts pw kb),127.1.0.1" echo ran
want_status 3
want_out '127.1.0.1: ran'
want_err "auth: without lock $lock nothing is run: .*wrong password"
log_is 'kb password wrong;pw password wrong;'
# Not answered.
tty_run 'Password (for all' '' -- $c --ask-password -w "$(hosts pw kb),127.1.0.1" echo ran
want_status 3
want_out '127.1.0.1: ran'
want_err "auth: without lock $lock nothing is run: .*password not answered"
log_is ''
want_equal "$(grep -c 'Password' "$T/tty")" 1 "prompts"

# A code is good for one login: each is asked for, and that is said before.
tty_run 'Password (for all' secret '(two@' 123456 '(two@' 123456 -- $c --ask-password -w "$(hosts two)" echo ran
want_status 0
want_lines 1
log_is 'two code 123456;two code 123456;two password secret;two password secret;'
want_err '^cexec: with --lock hosts are logged in to twice'
want_equal "$(grep -c 'logged in to twice' "$err")" 1 "remarks"
tty_run '(keycode@' 123456 '(keycode@' 000000 '(keycode@' 1 '(keycode@' 2 -- $c --ask-password -w "$(hosts keycode)" echo ran
want_status 3
want_err 'auth: '
[ ! -s "$out" ] || fail "it ran"
tty_run 'password: ' secret 'password: ' secret -- $c --ask-each -w "$(hosts pw)" echo ran
want_status 0
want_err '^cexec: with --lock hosts are logged in to twice'
# No terminal: nothing to answer with.
echo secret >"$T/pw"
by_fd "$(hosts two),127.1.0.1" echo ran
want_status 3
want_out '127.1.0.1: ran'
want_err "auth: without lock $lock nothing is run: "

# The passphrase of a key: once.
ssh-keygen -q -t ed25519 -a 16 -N 'open sesame' -f "$T/locked" || fail "ssh-keygen"
cat "$T/locked.pub" >>"$BED/authorized_keys"
sed "s|IdentityFile.*|IdentityFile $T/locked|" "$T/ssh_config" >"$T/locked_config"
tty_run 'Enter passphrase' oops 'not its passphrase' 'open sesame' -- "$CEXEC" -F "$T/locked_config" -n --lock $lock \
    -w '127.1.0.[1-5]' echo ran
want_status 0
want_lines 5
want_equal "$(grep -c 'Enter passphrase' "$T/tty")" 2 "prompts"
! grep -q sesame "$T/tty" || fail "the passphrase was shown"

# A host's key that nobody knows: one question.
sed '/^\[127.1.0.2\]/d' "$BED/known_hosts" >"$T/known"
tty_run 'SHA256' yes -- $c --known-hosts "$T/known" -w '127.1.0.[1-2]' -o StrictHostKeyChecking=ask echo ran
want_status 0
want_lines 2
exit 0
