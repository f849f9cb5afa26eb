#!/bin/sh
# What cannot be done is said in one line, and nothing is run: exit 2. Below a
# wrong expression there may be two more: it, and a caret under the place.
. "$(dirname "$0")/../lib.sh"
bed_up 2
H='127.1.0.1'

# bad MESSAGE ARGUMENT...
bad() {
	message=$1
	shift
	cx "$@"
	want_status 2
	want_lines 0
	want_equal "$(sed '/^    /d' "$err" | wc -l)" 1 "lines on standard error"
	want_equal "$(($(grep -c '^    ' "$err") % 2))" 0 "lines of a caret"
	want_err "^cexec: $message"
}

touch "$T/empty"
echo 'n[1-' >"$T/badrange"
printf 'n1\nn[3-\n' >"$T/badline"

bad 'unknown option -Z' -Z -w $H true
bad 'unknown option --nonsense' --nonsense -w $H true
bad '--no-label takes no value' --no-label=1 -w $H true
bad '-w needs a value' -w
bad 'no command is given' -w $H
bad '-w: .*n\[1-' -w 'n[1-' true
bad '-w: .' -w 'n[9-1]' true
bad '-w: .' -w 'n[1-3' true
bad '-w: .' -w '' true
bad '-x: .' -w $H -x 'n[' true
bad 'no host' -w $H -x $H true
bad 'no hosts are given' true
bad '--hostfile: .*/nonexistent/hosts: No such file' --hostfile /nonexistent/hosts true
bad '--hostfile: .' --hostfile "$T" true
bad '--hostfile: .*badline' --hostfile "$T/badline" true
bad '.*no host' --hostfile "$T/empty" true
bad '-g: .' -g nosuchgroup true
bad '-f: 0 is too small' -f 0 -w $H true
bad '-f: many is invalid' -f many -w $H true
bad '--port: 65536 is too large' --port 65536 -w $H true
bad '-t: soon is no time' -t soon -w $H true
bad '-u: -1 is no time' -u -1 -w $H true
bad '--identity: /nonexistent/key: No such file' --identity /nonexistent/key -w $H true
bad '-o: Port is not KEYWORD=VALUE' -o Port -w $H true
bad '.*[Pp]ort' -o Port=none -w $H true
bad '.*carrier-pigeon' --transport carrier-pigeon -w $H true
run "$CEXEC" -F /nonexistent/config -w $H true
want_status 2
want_err '^cexec: -F: /nonexistent/config: No such file'
printf 'Port elsewhere\n' >"$T/badconfig"
run "$CEXEC" -F "$T/badconfig" -w $H true
want_status 2
want_err '^cexec: .*badconfig.*[: ]1'

# Unknown keywords of ssh_config are ignored, and named under -v.
{ echo 'Host *'; echo 'FancyNewKeyword yes'; cat "$BED/ssh_config"; } >"$T/config"
run "$CEXEC" -F "$T/config" -n -w $H echo fine
want_status 0
want_out "$H: fine"
want_quiet
run "$CEXEC" -F "$T/config" -n -v -w $H echo fine
want_status 0
want_err '[Ff]ancy[Nn]ew[Kk]eyword'

# A malformed line of known_hosts is ignored, named with its number, and the
# rest is used.
{ echo 'this is not a known hosts line'; cat "$BED/known_hosts"; } >"$T/kh"
cx -n --known-hosts "$T/kh" -w 127.1.0.[1-2] echo fine
want_status 0
want_lines 2
cx -n -v --known-hosts "$T/kh" -w 127.1.0.[1-2] echo fine
want_status 0
want_err '/kh.*[: ]1\b'
