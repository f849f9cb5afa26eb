#!/bin/sh
# Keywords of ssh_config that change what happens on the way: each is done,
# by whichever transport can, or said to be left out.
. "$(dirname "$0")/../lib.sh"
bed_up 2
env=$("$LOOPBACK" sshd env 'AcceptEnv FRUIT' 'Compression yes' 'LogLevel DEBUG1')

cx -n -w "$env" -o 'SetEnv=FRUIT="a pear" OTHER=x' -v 'echo "$FRUIT:${OTHER-}"'
want_status 0
want_out "$env: a pear:"
want_err 'does not accept OTHER=x'

cx -n -w 127.1.0.1 -o BindAddress=127.9.9.9 'echo ${SSH_CONNECTION%% *}'
want_status 0
want_out '127.1.0.1: 127.9.9.9'
cx -n -w 127.1.0.1 -o BindAddress=192.0.2.1 true
want_status 3

cx -n -w "$env" -o Compression=yes --transport ssh2 'head -c 100000 /dev/zero | tr "\0" x | wc -c'
want_status 0
want_out "$env: 100000"
grep -q 'compress.*zlib@openssh.com\|zlib' "$BED/env.log" || fail "not compressed"

# An agent's socket on the other side: the system's ssh makes it.
eval "$(ssh-agent -s)" >/dev/null
background="${background-} $SSH_AGENT_PID"
cx -n -w 127.1.0.1 -v -o ForwardAgent=yes 'test -S "$SSH_AUTH_SOCK" && echo forwarded'
want_status 0
want_out '127.1.0.1: forwarded'
want_err 'ForwardAgent is set for this host.*using the system.s ssh'
cx -n -w 127.1.0.1 --transport ssh2 -o ForwardAgent=yes true
want_status 3
want_err 'local: ForwardAgent is set'

cx -n -w '127.1.0.[1-2]' -v -o SendEnv=HOME true
want_status 0
want_equal "$(grep -c 'SendEnv is left out' "$err")" 1 "said once"
