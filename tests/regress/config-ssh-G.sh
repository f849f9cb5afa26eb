#!/bin/sh
# Generated configurations: what "ssh -G host" says and what we make of them
# agree keyword by keyword. CASES says how many (200), SEED which.
. "$(dirname "$0")/../lib.sh"
command -v ssh >/dev/null || skip "ssh is not installed"
DUMP=$B/unit/t_sshconf
[ -x "$DUMP" ] || skip "$DUMP is not built"
CASES=${CASES:-200} SEED=${SEED:-1}
HOME_DIR=$(getent passwd "$(id -u)" | cut -d: -f6)
# The defaults behind "+", "-" and "^" are those of this version.
case $(ssh -V 2>&1) in
OpenSSH_9.2*) algorithms=true ;;
*) algorithms=false ;;
esac
export T_VALUE=from-environment
unset SHELL	# Match exec: a plain sh

# Writes $T/N.conf with its included files, and prints "N HOST PORT USER OPTION".
generate() {
	awk -v cases="$CASES" -v seed="$SEED" -v dir="$T" '
	function rnd(n) { return int(rand() * n) }
	function pick(s,    a, n) { n = split(s, a, "|"); return a[rnd(n) + 1] }
	function host() { return pick("web1|web2|db1|db.example.org|WEB1|127.0.0.1|0:0::1|n") }
	function pattern() {
		return pick("*|web*|web?|db*|!web1|!db*|*.org|web1|db1|n|127.*|!n|*b*1|w*b2")
	}
	function algs(    s, n, i) {
		s = pick("||+|-|^")
		kind = pick("c|m|k|h|p")
		name["c"] = "Ciphers"; name["m"] = "MACs"; name["k"] = "KexAlgorithms"
		name["h"] = "HostKeyAlgorithms"; name["p"] = "PubkeyAcceptedAlgorithms"
		of["c"] = "aes128-ctr|aes256-cbc|3des-cbc|aes128-gcm@openssh.com|chacha20-poly1305@openssh.com"
		of["m"] = "hmac-sha1|hmac-sha2-256|hmac-md5|umac-64-etm@openssh.com|hmac-sha2-512-etm@openssh.com"
		of["k"] = "curve25519-sha256|ecdh-sha2-nistp256|diffie-hellman-group14-sha1|diffie-hellman-group16-sha512"
		of["h"] = of["p"] = "ssh-ed25519|ssh-rsa|rsa-sha2-256|ecdsa-sha2-*|*rsa*|ssh-rsa|sk-*|*-cert-v01@openssh.com|ecdsa-sha2-nistp38?"
		if (s == "-" && rnd(3) == 0)
			of["c"] = "aes*|*gcm*"
		n = 1 + rnd(3)
		for (i = 0; i < n; i++)
			s = s (i ? "," : "") pick(of[kind])
		return name[kind] " " s
	}
	function path() {
		return pick("/a/b|~/.ssh/k1|~/k 2|/x/%n|/x/%h.%p|/h/%r@%k|%d/.k/%u|/c/%C|/l/%L-%l|/i/%i|/e/${T_VALUE}/z|/pc/%%n")
	}
	function quoted(s) {
		if (s ~ / /)
			return pick("\"" s "\"|\x27" s "\x27")
		return rnd(4) ? s : "\"" s "\""
	}
	function plain() { return pick("/a/b|~/.ssh/k1|/a/c|~/k3|/a/b") }
	function flag() { return pick("yes|no|Yes|true|false") }
	function time() { return pick("0|5|90|1m|1h30m|2d|10S|none") }
	function keyword(    k) {
		if (rnd(150) == 0)	# both refuse the whole file
			return pick("Port x|BatchMode maybe|UserKnownHostsFile a none|ProxyJump a:b|SetEnv A|User \"x|IdentityAgent ${X|ConnectTimeout 5y|Port 1 2|HostName %q")
		k = rnd(40)
		if (k == 0) return "HostName " pick("%h.example.net|real|REAL2|10.0.0.7|%h|a%%b|::1")
		if (k == 1) return "User " pick("root|adm|\"two words\"")
		if (k == 2) return "Port " (1 + rnd(65535))
		if (k == 3) return "AddressFamily " pick("any|inet|inet6")
		if (k == 4) return "BindAddress " pick("10.1.1.1|::")
		if (k == 5) return "HostKeyAlias " pick("Alias1|alias2")
		if (k == 6) return "ConnectTimeout " time()
		if (k == 7) return "ConnectionAttempts " (1 + rnd(5))
		if (k == 8) return "ServerAliveInterval " time()
		if (k == 9) return "ServerAliveCountMax " rnd(9)
		if (k == 10) return "StrictHostKeyChecking " pick("yes|no|ask|accept-new|off")
		if (k == 11) return "HashKnownHosts " flag()
		if (k == 12) return "UserKnownHostsFile " quoted(path()) (rnd(2) ? " " quoted(path()) : "")
		if (k == 13) return "GlobalKnownHostsFile " pick("/g1 /g2|none|/g3")
		if (k == 14) return "PubkeyAuthentication " pick("yes|no|true")
		if (k == 15) return "PasswordAuthentication " flag()
		if (k == 16) return pick("KbdInteractiveAuthentication|ChallengeResponseAuthentication") " " flag()
		if (k == 17) return "PreferredAuthentications " pick("publickey|password,publickey")
		if (k == 18) return "BatchMode " flag()
		if (k == 19) return "NumberOfPasswordPrompts " rnd(5)
		if (k == 20) return "IdentitiesOnly " flag()
		if (k == 21) return "IdentityAgent " pick("none|SSH_AUTH_SOCK|/ag/%h|~/ag|/ag/${T_VALUE}")
		if (k <= 23) return "IdentityFile " plain()
		if (k == 24) return "CertificateFile " plain()
		if (k <= 27) return algs()
		if (k == 28) return "Compression " pick("yes|no")
		if (k == 29) return "ProxyJump " pick("none|jump|a@jump:2200|j1,b@j2:33,j3|ssh://u@j4:9")
		if (k == 30) return "ProxyCommand " pick("none|nc -x \"a b\" p 22|= exec  x   y|x # not a comment")
		if (k == 31) return "ForwardAgent " pick("yes|no")
		if (k == 32) return "SendEnv " pick("LANG LC_*|A B|-LC_*|-*|LANG")
		if (k == 33) return "SetEnv " pick("A=1 B=2|A=3 A=4|\"C=x y\"")
		if (k == 34) return "VisualHostKey yes"
		if (k == 35) return "LogLevel QUIET"
		if (k == 36) return "IgnoreUnknown NoSuch*"
		if (k == 37) return "# " keyword()
		if (k == 38) return ""
		return "UserKnownHostsFile none"
	}
	function styled(line,    p) {	# the same line, written otherwise
		p = index(line, " ")
		if (p > 1 && line !~ /^#/ && line !~ /^Proxy/ && rnd(5) == 0)
			line = substr(line, 1, p - 1) pick("=| = |\t|  ") substr(line, p + 1)
		if (rnd(6) == 0)
			line = pick("  |\t") line
		if (rnd(9) == 0 && line !~ /Proxy/)
			line = line "  # why"
		if (rnd(9) == 0)
			line = toupper(substr(line, 1, 1)) substr(line, 2) "  "
		return line
	}
	function criteria(    s, n, i, c) {
		n = 1 + rnd(2)
		for (i = 0; i < n; i++) {
			c = rnd(7)
			s = s (i ? " " : "") (rnd(5) ? "" : "!")
			if (c == 0) s = s "host " pattern() "," pattern()
			else if (c == 1) s = s "originalhost " pattern()
			else if (c == 2) s = s "user " pick("root|adm|*|!root,*")
			else if (c == 3) s = s "localuser " pick("root|nobody|*")
			else if (c == 4) s = s "exec \"test " pick("%h|%n|%p|%r") " = " pick("web1|22|root|db1") "\""
			else if (c == 5) s = s "host=" pattern()
			else s = s pick("final|canonical")
		}
		return rnd(8) ? s : "all"
	}
	function block(f, depth,    n, i, inc) {
		if (rnd(3) == 0)
			print "Match " criteria() > f
		else
			print pick("Host|host=|  HOST") " " pattern() " " pattern() (rnd(2) ? "" : " " pattern()) > f
		n = 1 + rnd(6)
		for (i = 0; i < n; i++)
			print styled(keyword()) > f
		if (depth < 2 && rnd(5) == 0) {
			inc = dir "/" ++files ".inc"
			print "Include " inc > f
			print styled(keyword()) > f
			print styled(keyword()) > inc
			if (rnd(2))
				block(inc, depth + 1)
			close(inc)
		}
	}
	BEGIN {
		srand(seed)
		for (c = 1; c <= cases; c++) {
			f = dir "/" c ".conf"
			for (i = rnd(3); i > 0; i--)
				print styled(keyword()) > f
			for (i = 1 + rnd(4); i > 0; i--)
				block(f, 0)
			close(f)
			for (i = 0; i < 3; i++)
				printf "%d %s %s %s %s\n", c, host(),
				    rnd(4) ? "-" : 1 + rnd(65535),
				    rnd(4) ? "-" : pick("root|adm"),
				    rnd(4) ? "-" : pick("Port=77|User=opt|Compression=yes|HostName=o.%h")
		}
	}'
}

# One form for what is said in several ways, and only what we know. (With
# BatchMode, Debian's ssh has a default of its own for ServerAliveInterval.)
normal() {
	sed -n -E \
	    -e "s,^((identity|certificate)file) ~,\1 $HOME_DIR," \
	    -e 's/^pubkeyauthentication (unbound|host-bound|yes)$/pubkeyauthentication true/' \
	    -e 's/^pubkeyauthentication no$/pubkeyauthentication false/' \
	    -e 's/^serveraliveinterval 300$/serveraliveinterval 0/' \
	    -e '/^identityagent (none|SSH_AUTH_SOCK)$/d;/id_dsa$/d' \
	    -e '/^proxyjump none$/d' \
	    -e '/^(addressfamily|batchmode|bindaddress|certificatefile|compression|connectionattempts|connecttimeout|forwardagent|globalknownhostsfile|hashknownhosts|host|hostkeyalias|hostname|identitiesonly|identityagent|identityfile|kbdinteractiveauthentication|numberofpasswordprompts|passwordauthentication|port|preferredauthentications|proxycommand|proxyjump|pubkeyauthentication|sendenv|serveralivecountmax|serveraliveinterval|setenv|stricthostkeychecking|user|userknownhostsfile) /p' \
	    -e '/^(ciphers|macs|kexalgorithms|hostkeyalgorithms|pubkeyacceptedalgorithms) /{' \
	    -e "$($algorithms && echo p)" -e '}' |
	    awk '!/^(identityfile|certificatefile|sendenv) / || !seen[$0]++' | sort
}

n=0 refused=0
generate >"$T/list"
while read -r c host port user option; do
	n=$((n + 1))
	set -- ssh -G -F "$T/$c.conf"
	[ "$port" = - ] || set -- "$@" -p "$port"
	[ "$user" = - ] || set -- "$@" -l "$user"
	[ "$option" = - ] || set -- "$@" -o "$option"
	"$@" "$host" >"$T/theirs.raw" 2>"$T/theirs.err"
	theirs=$?
	spec=$host
	case $host in *:*) spec="[$host]" ;; esac
	[ "$port" = - ] || spec=$spec:$port
	[ "$user" = - ] || spec=$user@$spec
	set -- "$DUMP" --dump "$T/$c.conf" "$spec"
	[ "$option" = - ] || set -- "$@" "$option"
	"$@" >"$T/ours.raw" 2>"$err"
	ours=$?
	! grep -Eq 'Sanitizer:|runtime error:' "$err" || fail "a sanitizer speaks up"
	[ $theirs -ne 0 ] && refused=$((refused + 1))
	if [ $((theirs != 0)) -ne $((ours != 0)) ]; then
		cat "$T/$c.conf" "$T/theirs.err"
		fail "case $c, $spec $option: ssh exits $theirs, we $ours"
	fi
	[ $theirs -eq 0 ] || continue
	normal <"$T/theirs.raw" >"$T/theirs"
	normal <"$T/ours.raw" >"$T/ours"
	# From OpenSSH 9.6 on %C has the jump host in it, too.
	! grep -q '^proxyjump' "$T/theirs" || sed -i -E 's/[0-9a-f]{40}/%C/g' "$T/theirs" "$T/ours"
	[ "$(wc -l <"$T/theirs")" -gt 20 ] || fail "ssh -G says too little"
	if ! diff -u "$T/theirs" "$T/ours"; then
		cat "$T/$c.conf"
		fail "case $c, $spec $option: not what ssh makes of it"
	fi
done <"$T/list"
echo "$n hosts of $CASES configurations agree with $(ssh -V 2>&1), $refused refused by both"
# A comparison of nothing would pass, too.
[ $refused -gt 0 ] || [ "$CASES" -lt 100 ] || fail "no configuration was bad"
[ $((n - refused)) -ge "$CASES" ] || fail "too few configurations were good"
