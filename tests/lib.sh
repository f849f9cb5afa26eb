# lib.sh - what the regress scripts share. Each begins with
#
#	. "$(dirname "$0")/../lib.sh"
#
# and then works in $T, a folder of its own that goes away at the end with the
# bed and whatever was put in the background. Exit 0: all was as wanted.
# shellcheck shell=sh

set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
B=${B:-$TOP/build}
case $B in /*) ;; *) B=$TOP/$B ;; esac
CEXEC=$B/bin/cexec
LOOPBACK=$TOP/tests/bed/loopback
VHOSTS=$TOP/tests/bed/vhosts
CLUSTER=$TOP/tests/bed/cluster
CFSERVERD=$TOP/tests/bed/cfserverd
CFRUN=$B/bin/cfrun
# Sanitizers cost memory and time: what is measured there means nothing.
SANITIZED=false
# shellcheck disable=SC2034  # for the scripts
case $B in *san*) SANITIZED=true ;; esac
T=$(mktemp -d "${TMPDIR:-/tmp}/fanout-test.XXXXXX")
rc=0
out=$T/out err=$T/err
BED=
VBED=
CFBED=
# Settings of the user must not reach a test.
export XDG_STATE_HOME="$T/state"
export COROSYNC_MAIN_CONFIG_FILE=/nonexistent
unset FANOUT_KEEP CFANOUT_HOSTS WCOLL SSH_AUTH_SOCK FANOUT_TRANSPORT CFINPUTS ANSIBLE_INVENTORY 2>/dev/null || :

cleanup() {
	# Ours only, by number.
	for job in ${background-}; do
		kill "$job" 2>/dev/null
	done
	[ -z "$BED" ] || "$LOOPBACK" down
	[ -z "$VBED" ] || "$VHOSTS" down
	[ -z "$CFBED" ] || "$CFSERVERD" down
	rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# bed_up N: a bed of N hosts (127.1.0.1 and up), see bed/loopback.
bed_up() {
	[ -x "$CEXEC" ] || skip "$CEXEC is not built"
	env=$("$LOOPBACK" up "$1") || skip "no bed of sshd here"
	eval "$env"
}

# root_bed BED N [OPTION...]: what goes with this script.
root_bed() {
	[ -x "$CEXEC" ] || skip "$CEXEC is not built"
	bed=$1
	shift
	rc=0
	env=$("$bed" up "$@" --with $$ 2>"$err") || rc=$?
	[ $rc -ne 77 ] || skip "$(tail -n 1 "$err")"
	[ $rc -eq 0 ] || fail "${bed##*/} does not come up"
	eval "$env"
}

# vhosts_up N [OPTION...]: virtual hosts node1 to nodeN, see bed/vhosts. They go
# when this script has ended, however it ends.
vhosts_up() {
	root_bed "$VHOSTS" "$@"
}

# cluster_up N [OPTION...]: virtual hosts node1 to nodeN that are a cluster, and
# some that are not, see bed/cluster.
cluster_up() {
	root_bed "$CLUSTER" "$@"
}

# von HOST COMMAND...: as root on a virtual host.
von() {
	"$VHOSTS" enter "$@"
}

# vctl COMMAND...: on the control host of the virtual hosts.
vctl() {
	"$VHOSTS" control "$@"
}

# vcx ARGUMENTS...: cexec on the control host.
vcx() {
	run "$VHOSTS" control "$CEXEC" -F "$VBED/ssh_config" "$@"
}

# cfbed_up N: a bed of N cf-serverd, see bed/cfserverd.
cfbed_up() {
	[ -x "$CFRUN" ] || skip "$CFRUN is not built"
	rc=0
	env=$("$CFSERVERD" up "$1" 2>"$err") || rc=$?
	[ $rc -ne 77 ] || skip "$(tail -n 1 "$err")"
	[ $rc -eq 0 ] || fail "the bed of cf-serverd does not come up"
	eval "$env"
}

# cf ARGUMENTS...: cfrun on that bed.
cf() {
	run "$CFRUN" --workdir "$CFBED/hub" -f "$CFBED/cfrun.hosts" "$@"
}

fail() {
	echo "FAIL: $*" >&2
	for file in "$out" "$err"; do
		[ ! -s "$file" ] || {
			echo "--- $file (last command: ${ran-none}, exit $rc)"
			cut -c 1-200 "$file" | cat -v | cut -c 1-200 | tail -n 60
		} >&2
	done
	exit 1
}

skip() {
	echo "skipped: $*"
	exit 77
}

# run COMMAND...: its output in $out and $err, its status in $rc.
run() {
	ran=$*
	rc=0
	"$@" >"$out" 2>"$err" || rc=$?
	! grep -Eq 'Sanitizer:|runtime error:' "$err" || fail "a sanitizer speaks up"
}

# cx ARGUMENTS...: cexec on the bed.
cx() {
	run "$CEXEC" -F "$BED/ssh_config" "$@"
}

want_status() {
	[ "$rc" -eq "$1" ] || fail "exit $rc, wanted $1"
}

# want_out TEXT: the whole standard output, but for the last newline.
want_out() {
	[ "$(cat "$out")" = "$1" ] || fail "standard output is not: $1"
}

want_err() {
	grep -Eq -e "$1" "$err" || fail "nothing on standard error like: $1"
}

want_no_err() {
	! grep -Eq -e "$1" "$err" || fail "on standard error: $1"
}

# ASan's remark on fibers, which it makes in any case, is not counted.
want_quiet() {
	! grep -qv "WARNING: ASan doesn't fully support makecontext" "$err" || fail "there is something on standard error"
}

# want_lines N: that many lines on standard output.
want_lines() {
	[ "$(wc -l <"$out")" -eq "$1" ] || fail "$(wc -l <"$out") lines, wanted $1"
}

want_equal() {
	[ "$1" = "$2" ] || fail "${3-value}: $1, wanted $2"
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	tries=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# blackhole MODE: starts bed/blackhole; its 127.0.0.1:port in $hole.
blackhole() {
	"$B/bed/blackhole" "$1" 127.0.0.1:0 >"$T/hole.$1" &
	background="${background-} $!"
	wait_for 5 test -s "$T/hole.$1" || fail "blackhole does not start"
	# shellcheck disable=SC2034  # for the scripts
	hole=$(cat "$T/hole.$1")
}

# proxy MODE STEP [OPTION...]: a bed/faultproxy in front of the bed; its port in
# $port, its known hosts in $T/kh. It ends with descriptor 9.
proxy() {
	mode=$1
	step=$2
	shift 2
	port=$(python3 - <<'PORT' 2>/dev/null || echo 39999
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])
PORT
	)
	rm -f "$T/hold.$mode"
	mkfifo "$T/hold.$mode"
	"$B/bed/faultproxy" -m "$mode" -s "$step" "$@" "$port" "$BED_PORT" \
	    <"$T/hold.$mode" >"$T/proxy.$mode" &
	background="${background-} $!"
	exec 9>"$T/hold.$mode"
	wait_for 5 test -s "$T/proxy.$mode" || fail "faultproxy does not start"
	sed "s/^\[\{0,1\}\(127[^] ]*\)\]\{0,1\}:$BED_PORT /[\1]:$port /" "$BED/known_hosts" >"$T/kh"
}

# peak PID FILE: the highest memory of a process in KiB, as long as it lives.
peak() {
	while high=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status" 2>/dev/null) &&
	    [ -n "$high" ]; do
		echo "$high" >"$2.new"
		mv -f "$2.new" "$2"	# whole, whenever it is read
		sleep 0.02
	done
}
