#!/bin/sh
# --json: every line parses; put together, the pieces are the bytes.
. "$(dirname "$0")/../lib.sh"
command -v jq >/dev/null || skip "jq is not installed"
bed_up 3
awk 'BEGIN { for (i = 0; i < 3000; i++) { printf "h\303\251llo \342\202\254 %d \"q\" \\ \t\n", i } }' >"$BED/home/text"
head -c 200000 /dev/urandom >"$BED/home/random"

cx -n --json -w 127.1.0.[1-3],127.0.0.1:1 'cat $HOME/text; cat $HOME/random >&2; exit 3'
want_status 4
want_quiet
jq -e . <"$out" >/dev/null || fail "that is no JSON"
want_equal "$(jq -r 'select(.event=="start").host' "$out" | sort | tr '\n' ' ')" \
    '127.0.0.1:1 127.1.0.1 127.1.0.2 127.1.0.3 ' "hosts that started"
want_equal "$(jq -r 'select(.event=="done") | "\(.host) \(.class) \(.status)"' "$out" | sort | tr '\n' ' ')" \
    '127.0.0.1:1 refused null 127.1.0.1 exit 3 127.1.0.2 exit 3 127.1.0.3 exit 3 ' "outcomes"
want_equal "$(jq -c 'select(.event=="summary") | [.hosts,.ok,.failed,.exit,.classes]' "$out")" \
    '[4,0,4,4,{"exit":3,"refused":1}]' "summary"
want_equal "$(tail -n 1 "$out" | jq -r .event)" summary "last event"
for host in 127.1.0.1 127.1.0.2 127.1.0.3; do
	jq -j --arg h $host 'select(.event=="out" and .host==$h).text' "$out" |
	    cmp - "$BED/home/text" || fail "$host: text differs"
	jq -r --arg h $host 'select(.event=="err" and .host==$h) | .base64 // (.text | @base64)' "$out" |
	    while read -r piece; do echo "$piece" | base64 -d; done |
	    cmp - "$BED/home/random" || fail "$host: bytes differ"
	want_equal "$(jq --arg h $host 'select(.event=="done" and .host==$h) | .out_bytes' "$out")" \
	    "$(wc -c <"$BED/home/text")" "counted bytes"
done
# start, data, done, in this order for each host.
jq -r 'select(.host) | "\(.host) \(.event)"' "$out" | awk '
	done[$1] || (!started[$1] && $2 != "start") { bad = 1 }
	$2 == "start" { started[$1] = 1 }
	$2 == "done" { done[$1] = 1 }
	END { exit bad }' || fail "events out of order"
