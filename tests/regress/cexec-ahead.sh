#!/bin/sh
# Sessions that stay open: the channel of the next command is asked for ahead,
# used by what comes soon and given back after a while; servers that give few
# channels do not mind.
. "$(dirname "$0")/../lib.sh"
bed_up 1
export TERM=dumb
one=$("$LOOPBACK" sshd one 'MaxSessions 1')
# talk HOSTS [WAIT-FOR ANSWER]...: what the terminal shows is in $out.
more=
talk() {
	hosts=$1
	shift
	# shellcheck disable=SC2016
	run "$B/bed/terminal" "$T/raw" "$@" -- sh -c '
		exec "$1" -F "$2" -v -v --no-report -w "$3" $4 </dev/tty >/dev/tty 2>&1' \
	    sh "$CEXEC" "$BED/ssh_config" "$hosts" "$more"
	tr -d '\r' <"$T/raw" >"$out"
}
count() {
	grep -c "$1" "$out"
}

talk 127.1.0.1 '1> ' 'echo o"ne"' ': one' 'echo t"wo"' ': two' 'sh -c "exit 4"' 'failed: exit 4' 'echo thr"ee"' ': three' quit
want_status 0
want_equal "$(count 'asked for before')" 3 "channels asked for before"

talk "$one" '1> ' 'echo o"ne"' ': one' 'echo t"wo"' ': two' 'echo thr"ee"' ': three' quit
want_status 0
want_equal "$(count ' -> exec')" 3 "commands on a server with MaxSessions 1"
want_equal "$(count 'auth -> ready')" 1 "logins"

# Of two one is still being put away when the third is asked for.
two=$("$LOOPBACK" sshd two 'MaxSessions 2')
talk "$two" '1> ' 'echo o"ne"' ': one' 'echo t"wo"' ': two' 'echo thr"ee"' ': three' 'echo fo"ur"' ': four' quit
want_status 0
want_equal "$(count ' -> exec')" 4 "commands on a server with MaxSessions 2"
want_equal "$(count 'auth -> ready')" 1 "logins"

# A command that is given up is ended through the channel of the next, also where
# that is the last one there is.
pid="\$(cat $T/pid)"
for server in 127.1.0.1 "$two"; do
	talk "$server" '1> ' 'echo o"ne"' ': one' "echo \$\$ >$T/pid; echo r\"uns\"; exec sleep 1000" 'runs' '^C' 'twice' '^C' \
	    'failed: canceled' "!kill -0 $pid 2>/dev/null && echo th\"ere\" || echo g\"one\"" 'gone' 'echo t"wo"' ': two' quit
	want_status 0
	want_equal "$(count 'settle -> kill-open')" 1 "killers"
done

# At rest for longer than it is kept: nobody has to give it back any more. And for
# longer than servers wait for an answer to their probes, whatever they refused.
hosts=127.1.0.1
for sessions in 1 2 10; do
	hosts=$hosts,$("$LOOPBACK" sshd "probes$sessions" "MaxSessions $sessions" 'ClientAliveInterval 1' \
	    'ClientAliveCountMax 2')
done
talk "$hosts" '4> ' 'echo o"ne"' '4> ' 'echo t"wo"' '4> ' '!sleep 21; echo r"ested"' 'rested' 'echo thr"ee"' '4> ' quit
want_status 0
want_equal "$(count ': three$')" 4 "third commands"
want_equal "$(count 'ready -> discard')" 0 "channels that were still there"
want_equal "$(count '127.1.0.1: its channel was asked for before')" 1 "times one was, which is before the rest"
want_equal "$(count 'auth -> ready')" 4 "logins"

# A session that ended at rest is begun anew, and nobody is told.
talk 127.1.0.1 '1> ' "echo \$PPID >$T/pid; echo o\"ne\"" ': one' \
    "!kill -9 $pid; while kill -0 $pid 2>/dev/null; do :; done; echo g\"one\"" 'gone' 'echo t"wo"' ': two' quit
want_status 0
want_equal "$(count 'auth -> ready')" 2 "logins"

# What a server refuses it refuses again: that is no session to keep.
no_tty=$("$LOOPBACK" sshd notty 'PermitTTY no')
more=--tty
talk "$no_tty" '1> ' 'echo o"ne"' 'failed: remote' 'echo t"wo"' 'failed: remote' quit
want_status 1
want_equal "$(count 'refuses a terminal')" 2 "refusals"

# Nor is it a session for a job that is there already.
run "$B/bed/twice" "$BED/ssh_config" "$no_tty" true tty
want_out "remote
remote"
run "$B/bed/twice" "$BED/ssh_config" "$one" true
want_out "ok
ok"
