#!/bin/sh
# The surroundings of a command; no secret of them is saved.
. "$(dirname "$0")/../lib.sh"
bed_up 2
H='127.1.0.[1-2]'

cx -n -w $H --chdir /usr --umask 077 --env 'A=it'\''s "$HOME" \!' --env B= -b 'echo "$PWD $(umask) $A [$B]"'
want_status 0
want_out '---------------
127.1.0.[1-2] (2)
---------------
/usr 0077 it'\''s "$HOME" \! []'
cx -n -w $H --shell /bin/dash 'echo $0; exit 5'
want_status 1
want_equal "$(sort "$out" | tr '\n' ' ')" '127.1.0.1: /bin/dash 127.1.0.2: /bin/dash ' "the shell"
want_err '2 of 2 failed: exit 5: '
cx -n -w 127.1.0.1 --chdir /no/such 'touch $HOME/ran'
want_err '1 of 1 failed: exit 126: '
[ ! -e "$BED/home/ran" ] || fail "run in another folder"
cx -n -w 127.1.0.1 --umask 022 'kill -9 $$'
want_err '1 of 1 failed: signal KILL: '
# Standard input is the command's, all of it.
printf 'a\nb\n' | "$CEXEC" -F "$BED/ssh_config" -w 127.1.0.1 --chdir /usr 'read x; cat; echo $x' >"$out" 2>"$err"
want_out '127.1.0.1: b
127.1.0.1: a'
# It can still be ended.
cx -n -w 127.1.0.1 --chdir /usr -u 1 'echo $$ >$HOME/pid; sleep 60; true'
want_err 'command-timeout: .*killed$'
! kill -0 "$(cat "$BED/home/pid")" 2>/dev/null || fail "it lives on"

# Secrets.
cx -n -w 127.1.0.1 --env MY_TOKEN=abracadabra --env COLOR=blue 'echo $MY_TOKEN $COLOR; exit 1'
want_out '127.1.0.1: abracadabra blue'
! grep -rq abracadabra "$XDG_STATE_HOME" || fail "a secret is saved"
grep -rq COLOR=blue "$XDG_STATE_HOME" || fail "what is none is not saved"
run "$CEXEC" --retry failed
want_status 2
want_err '^cexec: as it was saved: --env: MY_TOKEN is not set here; give its value: MY_TOKEN=VALUE'
export MY_TOKEN=simsalabim
run "$CEXEC" --retry failed
want_out '127.1.0.1: simsalabim blue'
! grep -rq simsalabim "$XDG_STATE_HOME" || fail "a secret is saved"

for wrong in '--env 1=2' '--env NO_SUCH_VARIABLE' '--umask 9' '--chdir= ' '--raw --chdir /usr'; do
	cx -n -w 127.1.0.1 $wrong 'touch $HOME/ran'
	want_status 2
	[ ! -e "$BED/home/ran" ] || fail "$wrong: something was run"
done
