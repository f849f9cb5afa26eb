#!/bin/sh
# A window of 8 over 64 hosts: never more than 8 at once, counted where they
# arrive, and never much less.
. "$(dirname "$0")/../lib.sh"
bed_up 64
cx -n -f 8 --hostfile "$BED/hosts" \
    'echo + >>$BED/count; sleep 0.2; echo - >>$BED/count'
want_status 0
want_equal "$(grep -c + "$BED/count")" 64 "commands begun"
most=$(awk '{ n += $1 == "+" ? 1 : -1; if (n > max) max = n } END { print max }' "$BED/count")
echo "most at once: $most"
[ "$most" -le 8 ] || fail "$most at once"
[ "$most" -ge 6 ] || fail "only $most at once"
