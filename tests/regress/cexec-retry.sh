#!/bin/sh
# 30 failures of 10 kinds among 300 hosts: the right class each, and the retry
# runs exactly those 30.
. "$(dirname "$0")/../lib.sh"
bed_up 300

blackhole silent
silent=$hole
blackhole close
close=$hole
changed=$("$LOOPBACK" sshd changed --new-key)
sed -i '$d' "$BED/known_hosts"
refuse=$("$LOOPBACK" sshd refuse 'AuthorizedKeysFile none')
odd=$("$LOOPBACK" sshd odd 'KexAlgorithms ecdh-sha2-nistp521')

# node1 to node300. Kind k (0 to 9) are the nodes 30 k + 5, 15 and 25.
awk -v silent="$silent" -v close_="$close" -v changed="$changed" -v refuse="$refuse" -v odd="$odd" '
	BEGIN {
		at[5] = silent; at[6] = close_; at[7] = changed; at[8] = refuse; at[9] = odd
		for (i = 1; i <= 300; i++) {
			port = 0; address = sprintf("127.1.%d.%d", int((i - 1) / 250), (i - 1) % 250 + 1)
			if (i % 10 == 5) {
				kind = int((i - 1) / 30)
				if (kind == 3) { port = 1; address = "127.0.0.1" }
				if (kind == 4) address = "no-such-host-" i ".invalid"
				if (kind >= 5) {
					split(at[kind], part, ":")
					address = part[1]; port = part[2]
				}
			}
			printf "Host node%d\n\tHostName %s\n", i, address
			if (port)
				printf "\tPort %d\n", port
		}
	}' >"$T/ssh_config"
cat "$BED/ssh_config" >>"$T/ssh_config"
# The changed key, known otherwise.
echo "[${changed%:*}]:${changed#*:} $(cut -d' ' -f1,2 "$BED/hostkey.pub")" >>"$BED/known_hosts"

# Kinds 0 to 2 fail by the command: a status, a signal, too long.
say='a=${SSH_CONNECTION% *}; a=${a##* }; a=${a#127.1.0.}; touch $HOME/ran.$a; case $a in
5|15|25) exit 3;; 35|45|55) kill -9 $$;; 65|75|85) sleep 60;; esac; echo fine'
names() {
	echo "node$((30 * $1 + 5)),node$((30 * $1 + 15)),node$((30 * $1 + 25))"
}
run "$CEXEC" -F "$T/ssh_config" -n -w 'node[1-300]' -f 24 -u 6 --login-timeout 6 -t 10 "$say"
want_status 4
want_lines 270
want_err '^cexec: 30 of 300 failed: '
kind=0
for class in 'exit 3' 'signal KILL' command-timeout refused resolve login-timeout lost \
    hostkey-changed auth algorithm; do
	n=$((30 * kind))
	want_err "[:;] $class: node\\[$((n + 5)),$((n + 15)),$((n + 25))\\](;|\$)"
	kind=$((kind + 1))
done
run "$CEXEC" --show
want_equal "$(grep -c . "$out")" 15 "lines: four about the run, one for each outcome"

# Exactly those, and no other host is touched.
rm -f "$BED/home"/ran.*
run "$CEXEC" --retry failed --json -u 1 --login-timeout 1
want_status 4
wanted=$(for i in 0 1 2 3 4 5 6 7 8 9; do names $i; done | tr ',' '\n' | sort)
want_equal "$(jq -r 'select(.event == "start").host' "$out" | sort)" "$wanted" "hosts that were tried"
want_equal "$(jq -r 'select(.event == "done").host' "$out" | sort)" "$wanted" "hosts that are over"
want_equal "$(cd "$BED/home" && ls -d ran.* | sort -t. -k2n | tr '\n' ' ')" \
    'ran.5 ran.15 ran.25 ran.35 ran.45 ran.55 ran.65 ran.75 ran.85 ' "hosts that ran it"
first=$("$CEXEC" --runs | sed -n '1s/ .*//p')
run "$CEXEC" --retry timeout --list "$first"
want_equal "$(cat "$out")" "$( (names 2; names 5) | tr ',' '\n')" "who was too slow"
run "$CEXEC" --retry unreachable --count "$first"
want_out 21
run "$CEXEC" --retry succeeded --count "$first"
want_out 270
