#!/bin/sh
# Thirty agents at once, none miscounted; and with five servers that are gone,
# stuck, refuse, deny or show a wrong key among them, the rest do not notice.
. "$(dirname "$0")/../lib.sh"
cfbed_up 30
H() { echo "127.3.0.$1:$CFBED_PORT"; }

cf
want_status 0
want_err "^cfrun: 30 repaired: 127\.3\.0\.\[1-30\]:$CFBED_PORT\$"
want_equal "$(grep -c ': R: hello from' "$out")" 30
want_equal "$(grep ': R: hello from' "$out" | sort -u | wc -l)" 30
cf --json
want_status 0
want_equal "$(jq -r 'select(.event=="verdict") | .verdict' "$out" | sort | uniq -c | tr -s ' ')" " 30 kept"
want_equal "$(jq -r 'select(.event=="summary") | .ok' "$out")" 30
# One after the other it is the same.
cf --background 1 -S -w '127.3.0.[1-4]'
want_status 0
want_err '^cfrun: 4 kept$'

"$CFSERVERD" crash 3
kill -STOP "$(cat "$CFBED/9/pid")"
rm "$CFBED/14/ppkeys/$(id -un)-"*.pub
rm "$CFBED/21/agent"
sed -i "s/^\($(H 27)\) .*/\1 MD5=00000000000000000000000000000000/" "$CFBED/hub/cfrun.keys"
printf '#!/bin/sh\nsleep 2\necho slow\n' >"$CFBED/30/agent"
begin=$(date +%s%N)
cf --login-timeout 5
took=$((($(date +%s%N) - begin) / 1000000))
kill -CONT "$(cat "$CFBED/9/pid")"
want_status 4
want_err "$(H 3): refused: "
want_err "$(H 9): login-timeout: "
want_err "$(H 14): auth: "
want_err "$(H 21): (remote|exit|signal)"
want_err "$(H 27): hostkey-changed: "
want_err '^cfrun: 24 kept; 1 done'
want_err "^cfrun: 5 of 30 failed: "
grep -qx "$(H 30): slow" "$out" || fail "the slow one is missing"
[ $took -lt 20000 ] || fail "took $took ms"
