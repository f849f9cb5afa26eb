#!/bin/sh
# The wizard at a terminal, from nothing to a master with clients, and all its
# menu; then the same on other hosts by the recorded answers. Wrong answers are
# asked for once more; ended in the middle, it goes on with what was answered.
# limit: 240
. "$(dirname "$0")/csync.inc"
csync_up 8
W=/var/lib/cfengine3
TERMINAL=$B/bed/terminal

# wizard N [WAIT-FOR ANSWER]...: typed on nodeN; what it showed is in $out.
wizard() {
	node=node$1
	shift
	run von "$node" env PATH="$VPATH" TERM=dumb "$TERMINAL" "$VBED/share/seen" "$@" -- \
	    sh -c 'exec csync_wizard --accept-new </dev/tty >/dev/tty 2>&1'
	tr -d '\r' <"$VBED/share/seen" >"$out"
}

# clients [LIST]: cfrun reaches exactly these.
reaches() {
	run von node1 "$CFRUN" -- --inform
	want_status 0
	run von node1 "$CFRUN" --fold
	want_out "$1"
}

# Ended while it asks.
wizard 1 'to continue' '' 'Enter choice: ' 7 '1 to 5, or 9' '' 'Enter choice: ' 5 \
    'choose 1 first' '' 'Enter choice: ' 1 'name of this master' 'alone' 'name of this master' '' \
    'manage clients? [N]: ' y 'Enter the name of a client' 'node[2-7]' 'Enter the name of a client' '^C'
want_status 130
grep -q 'this has not: alone$' "$out" || fail "a name that is none is taken"
von node1 test ! -e $W/csync.conf || fail "done before all was asked"

# And taken up: only what was not answered is asked for.
wizard 1 'to continue' '' 'Go on with them? [Y]: ' '' \
    "$(printf '2-7] (recorded)\r\nEnter the name of a client, or an empty line: ')" node9 \
    'node9 has no address' '' 'Install CFEngine on clients where it is missing? [Y]: ' n \
    'assword' "$VBED_PASSWORD" '# their keys' '^C'
want_status 130
! grep -q "$VBED_PASSWORD" "$out" || fail "the password was shown"
want_equal "$(grep -c 'What is done stays' "$out")" 2 "recipe and wizard that say they were ended"
# Nothing is asked any more.
wizard 1 'cfengine master of 0 clients' '' 'Go on with them? [Y]: ' '' 'to continue' '' 'to continue' '' 'Enter choice: ' 9
want_status 0
grep -q '^+ csync-master --name node1.bed.example$' "$out" || fail "no command is shown"
grep -q "Managed clients: .*node2.bed.example, .*, node7.bed.example$" "$out" || fail "no summary"
reaches 'node[2-7].bed.example'
von node1 cp $W/csync_wizard_input.txt /root/answers
von node1 sh -c "! grep -q '$VBED_PASSWORD' $W/csync_wizard_input.txt" || fail "the password was recorded"

# The rest of the menu.
wizard 1 'cfengine master of 6 clients' '' 'Enter choice: ' 2 'client to add: ' node8 'is missing? [Y]: ' '' \
    'assword' "$VBED_PASSWORD" 'node8 has been added' '' 'Enter choice: ' 5 'Clients         7' '' \
    'Enter choice: ' 3 'to remove: ' node8 'domain? [N]: ' y 'node8 has been removed' '' \
    'Enter choice: ' 4 'Enter choice [1]: ' '' 'to continue' '' \
    'Enter choice: ' 4 'Enter choice [1]: ' 3 'of the client: ' node2 'to continue' '' 'Enter choice: ' 9
want_status 0
reaches 'node[2-7].bed.example'
von node1 sh -c "find $W/backups -name csync_wizard_input.txt | grep -q ." || fail "no backup of the answers"

# All again from nothing, with nobody there.
for i in 1 2 3 4 5 6 7; do
	von node$i sh -c "kill \$(pidof cf-serverd); cd $W && rm -rf inputs/* masterfiles/* ppkeys/* state/* csync.conf cfrun.keys policy_server.dat"
done
on 1 csync_wizard --dry-run -f /root/answers
want_status 0
von node1 test ! -e $W/csync.conf || fail "--dry-run did something"
on 1 csync_wizard -f /root/answers
want_status 0
reaches 'node[2-7].bed.example'
on 1 csync_wizard -f $W/csync_wizard_input.txt
want_status 0
want_equal "$(grep -c 'nothing was changed$' "$out")" 2 "recipes that changed nothing"
von node1 sed -i s/clients=y/ha=y/ /root/answers
on 1 csync_wizard -f /root/answers
want_status 1
want_err 'an answer for "clients" is due, but recorded is: ha=y'
