#!/bin/sh
# ServerAliveInterval: a server that answers is left in peace however long its
# command is silent; one that does not is lost, whatever TCP says.
. "$(dirname "$0")/../lib.sh"
bed_up 3
begin=$(date +%s)
# (The command's parent is the server's process of its session.)
cx -n -o ServerAliveInterval=2 -o ServerAliveCountMax=1 -w '127.1.0.[1-3]' --expand --shell /bin/sh \
    'case %h in *.2) echo $PPID >'"$T"'/stopped.%h; kill -STOP $PPID ;; esac; sleep 7; echo %h'
took=$(($(date +%s) - begin))
kill -KILL "$(cat "$T/stopped.127.1.0.2")"
want_status 1
want_lines 2
want_err '127.1.0.2.*: lost: the server has been silent for 4 s, probed 1 time$'
[ $took -le 9 ] || fail "$took s"
