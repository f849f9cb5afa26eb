#!/bin/sh
# A command that is left behind on purpose: said where, its output and status
# kept there, out of reach of all that ends commands.
. "$(dirname "$0")/../lib.sh"
bed_up 2
field() {
	sed -n "s/^127\.1\.0\.1: pid \([0-9]*\), output in \(.*\)\/output\$/\\$1/p" "$out"
}

cx -n -u 5 -w 127.1.0.1 --detach --chdir /usr 'pwd; read x; sleep 0.5; echo end >&2; exit 7'
want_status 0
want_lines 1
pid=$(field 1) dir=$(field 2)
kill -0 "$pid" || fail "it does not run"
want_equal "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid" "a session of its own"
wait_for 5 test -s "$dir/status" || fail "it does not end"
want_equal "$(cat "$dir/output")" "/usr
end" output
want_equal "$(cat "$dir/status" "$dir/pid" | tr '\n' ' ')" "7 $pid " "status and pid"
want_equal "$(stat -c %a "$dir" "$dir/output" | tr '\n' ' ')" "700 600 " "for nobody else"

# A script, and an input, which is there when we have gone.
cd "$T" || exit 1
printf '#!/bin/bash\necho "$1 ${BASH_VERSION:+bash}"; sleep 0.3; cat\n' >script
echo input | "$CEXEC" -F "$BED/ssh_config" -w 127.1.0.1 --detach --script script arg >"$out" 2>"$err"
dir=$(field 2)
wait_for 5 test -s "$dir/status" || fail "it does not end"
want_equal "$(cat "$dir/output")" "arg bash
input" output
gone() { [ ! -e "$dir/script" ] && [ ! -e "$dir/input" ]; }
wait_for 2 gone || fail "script and input are left"
cx -n --raw -w 127.1.0.1 --detach true
want_status 2
# Where it cannot be kept.
: >"$BED/home/file"
cx -n -w 127.1.0.1 --env XDG_STATE_HOME=x --detach true
want_status 0
