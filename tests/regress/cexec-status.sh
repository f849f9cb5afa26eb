#!/bin/sh
# What became of each host, in the summary and in the exit status.
. "$(dirname "$0")/../lib.sh"
bed_up 10
H='127.1.0.[1-10]'
on3='case $SSH_CONNECTION in *" 127.1.0.3 "*)'

cx -n -w $H true
want_status 0
want_quiet

# Exit 7 on one of ten.
cx -n -w $H "$on3 exit 7;; esac; echo fine"
want_status 1
want_lines 9
want_err '^cexec: 1 of 10 failed: exit 7: 127\.1\.0\.3$'
cx -n -S -w $H "$on3 exit 7;; esac"
want_status 7
cx -n -S -w $H "$on3 exit 255;; *) exit 1;; esac"
want_status 255
cx -n -w $H "$on3 exit 255;; esac"
want_status 1
want_err 'exit 255: 127\.1\.0\.3$'

# Folded by cause.
cx -n -w $H 'case $SSH_CONNECTION in *.[23]\ *) exit 1;; *.7\ *) exit 9;; esac'
want_status 1
want_err '^cexec: 3 of 10 failed: exit 1: 127\.1\.0\.\[2-3\]; exit 9: 127\.1\.0\.7$'

# Killed by a signal.
cx -n -w $H "$on3 kill -TERM \$\$;; esac"
want_status 1
want_err '^cexec: 1 of 10 failed: signal TERM: 127\.1\.0\.3$'
cx -n -S -w $H "$on3 kill -TERM \$\$;; esac"
want_status 143

# A command that is not there says so itself.
cx -n -w 127.1.0.1 /nonexistent/command
want_status 1
want_err '^127\.1\.0\.1: .*(not found|No such file)'
want_err 'exit 127: 127\.1\.0\.1$'

# A shell that is gone without a status is never "ok".
cx -n -w 127.1.0.1 'kill -KILL $PPID; sleep 5'
want_status 1
want_err '^cexec: 1 of 1 failed: lost: 127\.1\.0\.1$'

# The words are joined with blanks, as ssh does; options of the command are
# the command's.
cx -n -N -w 127.1.0.1 echo -n 'a  b' '*x'
want_equal "$(cat "$out")" "a b *x"
cx -n -N -w 127.1.0.1 -- echo -w
want_out -w
